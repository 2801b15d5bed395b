//! Orders over HTTP: `POST /api/v1/orders` and `POST /api/v1/orders/{id}/cancellation`.

use std::sync::Arc;

use domain::checkout::Wish;
use edge::{
    ConsistencyToken, JsonBody, Principal, Problem, ProblemDocument, RequestContext, Response, Role, Tokens,
    authenticated,
    body::{JSON_LIMIT, RawBody, parse_json},
    json_body, raw_body, reply, request_context, require,
};
use event_schemas::{
    Address, OrderId, ProductId,
    order::{PaymentMethod, Reason},
};
use serde::{Deserialize, Serialize};
use utoipa::{OpenApi, ToSchema};
use warp::{Filter, filters::BoxedFilter};

use super::{CancellationOutcome, Orders, PlaceOrder, no_such_order};
use crate::{execution::CommandContext, problems::ChangedCartLine};

/// Of `/api/v1/orders`, what changes them.
pub fn routes(orders: &Arc<Orders>, tokens: &Arc<Tokens>) -> BoxedFilter<(Response,)> {
    let orders = Arc::clone(orders);
    let with_orders = warp::any().map(move || Arc::clone(&orders));
    let place = warp::path!("api" / "v1" / "orders")
        .and(warp::post())
        .and(with_orders.clone())
        .and(request_context())
        .and(authenticated(Arc::clone(tokens)))
        .and(json_body(JSON_LIMIT))
        .then(place_order)
        .map(reply::finish);
    let cancel = warp::path!("api" / "v1" / "orders" / OrderId / "cancellation")
        .and(warp::post())
        .and(with_orders)
        .and(request_context())
        .and(authenticated(Arc::clone(tokens)))
        .and(raw_body(JSON_LIMIT))
        .then(cancel_order)
        .map(reply::finish);
    place.or(cancel).unify().boxed()
}

/// What OpenAPI says of them.
pub fn openapi() -> utoipa::openapi::OpenApi {
    #[derive(OpenApi)]
    #[openapi(
        paths(place_order, cancel_order),
        components(schemas(
            OrderRequest,
            WantedItem,
            ShippingAddress,
            Payment,
            OrderStatus,
            Cancellation,
            ChangedCartLine,
            ProblemDocument
        ))
    )]
    struct Description;
    Description::openapi()
}

/// An order to be placed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderRequest {
    /// What to buy, at most 50 products; the cart where absent.
    #[serde(default)]
    items: Option<Vec<WantedItem>>,
    /// Where the goods go.
    shipping_address: ShippingAddress,
    /// How they are paid.
    payment: Payment,
}

/// So many pieces of a product.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WantedItem {
    /// The product.
    product_id: ProductId,
    /// 1 to 999.
    #[schema(minimum = 1, maximum = 999)]
    quantity: u32,
}

/// A postal address.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "recipient": "김하나", "phone": "+82 10 1234 5678", "postal_code": "04524", "line1": "세종대로 110",
    "city": "서울", "country": "KR"
}))]
pub struct ShippingAddress {
    /// Who receives the parcel.
    recipient: String,
    /// A phone number for the carrier.
    phone: String,
    /// The postal code as the country writes it.
    postal_code: String,
    /// Street and number.
    line1: String,
    /// Flat, floor, entrance.
    #[serde(default)]
    line2: Option<String>,
    /// The city.
    city: String,
    /// ISO 3166-1 alpha-2, such as `KR`.
    country: String,
}

/// How an order is paid.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"method": "card", "token": "card_approve"}))]
pub struct Payment {
    /// `card`, or `invoice`: against your credit limit, to be paid later.
    method: String,
    /// What the payment provider gave you for the card; left out for `invoice`. Never a card number.
    #[serde(default)]
    token: String,
}

/// Where an order stands.
#[derive(Debug, Serialize, ToSchema)]
pub struct OrderStatus {
    /// The order.
    id: OrderId,
    /// `placed`, `cancelled`, or `cancelling`: the carriers are being called off. A repeated request for a cancellation that was
    /// denied since is told `cancellation_denied`. What follows is at `GET /api/v1/orders/{id}`.
    status: &'static str,
}

/// Why an order is called off; the body may be absent altogether.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "I ordered the wrong size."}))]
pub struct Cancellation {
    /// A sentence, at most 300 characters.
    #[serde(default)]
    #[schema(max_length = 300)]
    reason: Option<String>,
}

impl From<ShippingAddress> for Address {
    fn from(address: ShippingAddress) -> Self {
        Self {
            recipient: address.recipient,
            phone: address.phone,
            postal_code: address.postal_code,
            line1: address.line1,
            line2: address.line2,
            city: address.city,
            country: address.country,
        }
    }
}

impl OrderRequest {
    fn by(self, principal: &Principal) -> PlaceOrder {
        let wish = |item: WantedItem| Wish {
            product_id: item.product_id,
            quantity: item.quantity,
        };
        PlaceOrder {
            customer_id: principal.account_id,
            items: self.items.map(|items| items.into_iter().map(wish).collect()),
            shipping_address: self.shipping_address.into(),
            payment: PaymentMethod {
                method: self.payment.method,
                token: self.payment.token,
            },
        }
    }
}

/// Place an order
///
/// Of the items named, or of the cart, which must still be what the customer saw.
#[utoipa::path(
    post,
    path = "/api/v1/orders",
    tag = "Orders",
    operation_id = "placeOrder",
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key and body are one order, however often sent")),
    request_body = OrderRequest,
    responses(
        (status = 202, description = "Placed; watch it at Location", body = OrderStatus,
         headers(("Location" = String), ("Consistency-Token" = String))),
        (status = 403, description = "Only customers order", body = ProblemDocument,
         content_type = "application/problem+json"),
        (status = 409, description = "`cart-changed` or `cart-price-changed`: the cart is not what the customer saw; `lines` \
         says what changed", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 422, description = "Fields are not acceptable, the cart is empty, or the key was used with another body",
         body = ProblemDocument, content_type = "application/problem+json"),
    ),
    security(("bearer" = []))
)]
async fn place_order(
    orders: Arc<Orders>,
    request: RequestContext,
    principal: Principal,
    body: JsonBody<OrderRequest>,
) -> Result<Response, Problem> {
    require(&principal, &[Role::Customer])?;
    let context = CommandContext::of_request(&request, &principal, body.fingerprint);
    let placed = orders.place_order(&context, body.value.by(&principal)).await?;
    let id = placed.order_id;
    let status = OrderStatus { id, status: "placed" };
    let response = reply::accepted(&format!("/api/v1/orders/{id}"), &status);
    Ok(reply::with_token(response, ConsistencyToken::at(placed.position.0)))
}

/// Call an order off
///
/// Until it is shipped. Money that was set aside goes back, goods can be sold again. An order that is confirmed is `cancelling`
/// until its carriers are called off; where one of them was faster, the order goes on and `GET /api/v1/orders/{id}` says so.
#[utoipa::path(
    post,
    path = "/api/v1/orders/{id}/cancellation",
    tag = "Orders",
    operation_id = "cancelOrder",
    params(
        ("id" = OrderId, Path, description = "Which order"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body do nothing again"),
    ),
    request_body = Option<Cancellation>,
    responses(
        (status = 202, description = "Called off, or about to be: `status` says which", body = OrderStatus,
         headers(("Location" = String), ("Consistency-Token" = String))),
        (status = 404, description = "No such order of yours", body = ProblemDocument,
         content_type = "application/problem+json"),
        (status = 409, description = "It is shipped, delivered or rejected, or a carrier was faster: return it instead", body = ProblemDocument,
         content_type = "application/problem+json"),
        (status = 422, description = "Not a reason that is taken, or the key was used with another body",
         body = ProblemDocument, content_type = "application/problem+json"),
    ),
    security(("bearer" = []))
)]
async fn cancel_order(
    id: OrderId,
    orders: Arc<Orders>,
    request: RequestContext,
    principal: Principal,
    body: RawBody,
) -> Result<Response, Problem> {
    let context = CommandContext::of_request(&request, &principal, body.fingerprint.clone());
    let cancellation = if body.bytes.is_empty() {
        Cancellation::default()
    } else {
        parse_json(body)?.value
    };
    let keeps_shop = principal.has_any(&[Role::Admin, Role::Operator]);
    // Whose order it is does not change: it is looked at once, to say who called it off.
    let order = orders.load(id).await?;
    let is_own = order
        .state
        .placed()
        .is_some_and(|placed| placed.customer_id == principal.account_id);
    let reason = reason(is_own, cancellation.reason);
    let taken = orders
        .request_cancellation(&context, id, reason, |_| {
            if is_own || keeps_shop {
                Ok(())
            } else {
                Err(no_such_order().into())
            }
        })
        .await?;
    let status = match taken.outcome {
        CancellationOutcome::Cancelled => "cancelled",
        CancellationOutcome::Cancelling => "cancelling",
        CancellationOutcome::Denied => "cancellation_denied",
    };
    let response = reply::accepted(&format!("/api/v1/orders/{id}"), &OrderStatus { id, status });
    Ok(reply::with_token(response, ConsistencyToken::at(taken.position.0)))
}

fn reason(by_customer: bool, said: Option<String>) -> Reason {
    let (code, otherwise) = if by_customer {
        ("cancelled_by_customer", "The customer cancelled the order.")
    } else {
        ("cancelled_by_shop", "The shop cancelled the order.")
    };
    Reason::new(code, said.unwrap_or_else(|| otherwise.to_owned()))
}
