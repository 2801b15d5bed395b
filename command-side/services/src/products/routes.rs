//! Products over HTTP: one file per operation, this one lists a product.

mod change;
mod picture;
mod receive_stock;

use std::sync::Arc;

use edge::{
    ConsistencyToken, IfMatch, JsonBody, Principal, Problem, ProblemDocument, RequestContext, Response, Role, Tokens,
    authenticated, json_body, reply, request_context, require,
};
use event_schemas::{Money, ProductId, product::Attributes};
use serde::{Deserialize, Serialize};
use utoipa::{OpenApi, ToSchema};
use warp::{Filter, filters::BoxedFilter};

use self::{
    change::ProductPatch,
    picture::Picture,
    receive_stock::{ReceivedStock, StockReceipt},
};
use super::{ListProduct, Products, Stored, no_such_product};
use crate::{
    execution::{CommandContext, Loaded},
    inventory::Inventory,
    services::ServiceError,
};

/// Room for the longest description and many attributes.
const BODY_LIMIT: u64 = 512 * 1024;

/// Of `/api/v1/products`, what changes them.
pub fn routes(products: &Arc<Products>, inventory: &Arc<Inventory>, tokens: &Arc<Tokens>) -> BoxedFilter<(Response,)> {
    let list = warp::path!("api" / "v1" / "products")
        .and(warp::post())
        .and(with(products))
        .and(request_context())
        .and(authenticated(Arc::clone(tokens)))
        .and(json_body(BODY_LIMIT))
        .then(list_product)
        .map(reply::finish)
        .boxed();
    list.or(change::routes(products, tokens))
        .unify()
        .or(picture::routes(products, tokens))
        .unify()
        .or(receive_stock::routes(products, inventory, tokens))
        .unify()
        .boxed()
}

/// What OpenAPI says of them.
pub fn openapi() -> utoipa::openapi::OpenApi {
    #[derive(OpenApi)]
    #[openapi(
        paths(
            list_product,
            change::change_product,
            change::delist_product,
            picture::picture_product,
            receive_stock::receive_stock
        ),
        components(schemas(
            NewProduct,
            ProductRef,
            ProductPatch,
            Picture,
            StockReceipt,
            ReceivedStock,
            ProblemDocument
        ))
    )]
    struct Description;
    Description::openapi()
}

/// A product to be offered.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "title": "Hand-thrown moon jar, 24 cm", "description": "White porcelain.", "brand": "Icheon",
    "category": "Home/Ceramics", "attributes": {"colour": "white", "height_cm": 24},
    "price": {"amount": 129000, "currency": "KRW"}, "ean": "4006381333931"
}))]
pub struct NewProduct {
    /// One line, at most 300 characters.
    #[schema(max_length = 300)]
    title: String,
    /// Some paragraphs.
    #[serde(default)]
    description: String,
    /// The maker's brand.
    #[serde(default)]
    brand: String,
    /// Path of category names, parted by slashes.
    #[serde(default)]
    category: String,
    /// Named properties: texts, numbers, yes or no.
    #[serde(default)]
    #[schema(value_type = std::collections::BTreeMap<String, event_schemas::product::AttributeValue>)]
    attributes: Attributes,
    /// For one piece.
    price: Money,
    /// European article number: 8, 12, 13 or 14 digits.
    #[serde(default)]
    ean: Option<String>,
}

/// Which product.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProductRef {
    /// Its id.
    id: ProductId,
}

/// List a product
#[utoipa::path(
    post,
    path = "/api/v1/products",
    tag = "Catalogue",
    operation_id = "listProduct",
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key and body get the same answer")),
    request_body = NewProduct,
    responses(
        (status = 201, description = "Listed, and yours", body = ProductRef,
         headers(("Location" = String), ("ETag" = String), ("Consistency-Token" = String))),
        (status = 403, description = "Only sellers and admins may", body = ProblemDocument,
         content_type = "application/problem+json"),
        (status = 422, description = "Fields are not acceptable, or the key was used with another body",
         body = ProblemDocument, content_type = "application/problem+json"),
    ),
    security(("bearer" = []))
)]
async fn list_product(
    products: Arc<Products>,
    request: RequestContext,
    principal: Principal,
    body: JsonBody<NewProduct>,
) -> Result<Response, Problem> {
    require(&principal, &[Role::Seller, Role::Admin])?;
    let context = CommandContext::of_request(&request, &principal, body.fingerprint);
    let product = ListProduct {
        seller_id: principal.account_id,
        title: body.value.title,
        description: body.value.description,
        brand: body.value.brand,
        category: body.value.category,
        attributes: body.value.attributes,
        price: body.value.price,
        ean: body.value.ean,
    };
    let (id, stored) = products.list_product(&context, product).await?;
    Ok(seen_from(
        stored,
        reply::created(&format!("/api/v1/products/{id}"), &ProductRef { id }),
    ))
}

/// The same with its version and from where its effect is seen.
fn seen_from(stored: Stored, response: Response) -> Response {
    reply::with_token(
        reply::with_etag(response, stored.version),
        ConsistencyToken::at(stored.position.0),
    )
}

fn with<T: Send + Sync>(
    shared: &Arc<T>,
) -> impl Filter<Extract = (Arc<T>,), Error = std::convert::Infallible> + Clone + use<T> {
    let shared = Arc::clone(shared);
    warp::any().map(move || Arc::clone(&shared))
}

/// Whether `principal` may change that product: its seller or an admin. Products are public, so theirs is told from none.
fn is_theirs(principal: &Principal, product: &Loaded<domain::Product>) -> Result<(), ServiceError> {
    let Some(seller) = product.state.seller() else {
        return Err(no_such_product().into());
    };
    let own = principal.has(Role::Seller) && seller == principal.account_id;
    if own || principal.has(Role::Admin) {
        return Ok(());
    }
    let message = "Only its seller and admins may change a product.";
    Err(domain::Refusal::forbidden("not-your-product", message).into())
}

/// Whether the product is still the version that the client means.
fn is_meant(if_match: Option<&IfMatch>, product: &Loaded<domain::Product>) -> Result<(), ServiceError> {
    let (Some(if_match), Some(version)) = (if_match, product.version) else {
        return Ok(());
    };
    if_match.check(version).map_err(|problem| {
        let message = problem.detail().to_owned();
        domain::Refusal::outdated("precondition-failed", message).into()
    })
}
