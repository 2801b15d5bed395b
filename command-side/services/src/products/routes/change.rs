//! `PATCH` and `DELETE /api/v1/products/{id}`.

use std::sync::Arc;

use domain::product::ProductChange;
use edge::{
    ConsistencyToken, IfMatch, JsonBody, Principal, Problem, ProblemDocument, RequestContext, Response, Tokens,
    authenticated, body::fingerprint, if_match, json_body, reply, request_context,
};
use event_schemas::{Money, ProductId, product::Attributes};
use serde::Deserialize;
use utoipa::ToSchema;
use warp::{Filter, filters::BoxedFilter};

use super::{BODY_LIMIT, ProductRef, Products, is_meant, is_theirs, seen_from, with};
use crate::execution::CommandContext;

pub(super) fn routes(products: &Arc<Products>, tokens: &Arc<Tokens>) -> BoxedFilter<(Response,)> {
    let change = warp::path!("api" / "v1" / "products" / ProductId)
        .and(warp::patch())
        .and(with(products))
        .and(request_context())
        .and(authenticated(Arc::clone(tokens)))
        .and(if_match())
        .and(json_body(BODY_LIMIT))
        .then(change_product)
        .map(reply::finish);
    let delist = warp::path!("api" / "v1" / "products" / ProductId)
        .and(warp::delete())
        .and(with(products))
        .and(request_context())
        .and(authenticated(Arc::clone(tokens)))
        .and(if_match())
        .then(delist_product)
        .map(reply::finish);
    change.or(delist).unify().boxed()
}

/// What changes; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"price": {"amount": 99000, "currency": "KRW"}}))]
pub(super) struct ProductPatch {
    /// One line, at most 300 characters.
    #[schema(max_length = 300)]
    title: Option<String>,
    /// Some paragraphs.
    description: Option<String>,
    /// The maker's brand.
    brand: Option<String>,
    /// Path of category names, parted by slashes.
    category: Option<String>,
    /// All attributes from now on.
    #[schema(value_type = Option<std::collections::BTreeMap<String, event_schemas::product::AttributeValue>>)]
    attributes: Option<Attributes>,
    /// For one piece, in the currency it was listed in.
    price: Option<Money>,
    /// European article number: 8, 12, 13 or 14 digits.
    ean: Option<String>,
}

impl From<ProductPatch> for ProductChange {
    fn from(patch: ProductPatch) -> Self {
        Self {
            title: patch.title,
            description: patch.description,
            brand: patch.brand,
            category: patch.category,
            attributes: patch.attributes,
            ean: patch.ean,
            price: patch.price,
        }
    }
}

/// Change a product
#[utoipa::path(
    patch,
    path = "/api/v1/products/{id}",
    tag = "Catalogue",
    operation_id = "changeProduct",
    params(
        ("id" = ProductId, Path, description = "Which product"),
        ("If-Match" = Option<String>, Header, description = "The ETag you read: changed by nobody since, or 412"),
    ),
    request_body = ProductPatch,
    responses(
        (status = 200, description = "Changed; orders placed before keep their prices", body = ProductRef,
         headers(("ETag" = String), ("Consistency-Token" = String))),
        (status = 403, description = "Only its seller and admins may", body = ProblemDocument,
         content_type = "application/problem+json"),
        (status = 404, description = "No such product", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 409, description = "It was withdrawn", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 412, description = "Somebody changed it since", body = ProblemDocument,
         content_type = "application/problem+json"),
        (status = 422, description = "Fields are not acceptable", body = ProblemDocument,
         content_type = "application/problem+json"),
    ),
    security(("bearer" = []))
)]
pub(super) async fn change_product(
    id: ProductId,
    products: Arc<Products>,
    request: RequestContext,
    principal: Principal,
    if_match: Option<IfMatch>,
    body: JsonBody<ProductPatch>,
) -> Result<Response, Problem> {
    let context = CommandContext::of_request(&request, &principal, body.fingerprint);
    let stored = products
        .change_product(&context, id, body.value.into(), |product| {
            is_theirs(&principal, product)?;
            is_meant(if_match.as_ref(), product)
        })
        .await?;
    Ok(seen_from(stored, reply::ok(&ProductRef { id })))
}

/// Withdraw a product
#[utoipa::path(
    delete,
    path = "/api/v1/products/{id}",
    tag = "Catalogue",
    operation_id = "delistProduct",
    params(
        ("id" = ProductId, Path, description = "Which product"),
        ("If-Match" = Option<String>, Header, description = "The ETag you read: changed by nobody since, or 412"),
    ),
    responses(
        (status = 204, description = "It can no longer be found or bought", headers(("Consistency-Token" = String))),
        (status = 403, description = "Only its seller and admins may", body = ProblemDocument,
         content_type = "application/problem+json"),
        (status = 404, description = "No such product", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 412, description = "Somebody changed it since", body = ProblemDocument,
         content_type = "application/problem+json"),
    ),
    security(("bearer" = []))
)]
pub(super) async fn delist_product(
    id: ProductId,
    products: Arc<Products>,
    request: RequestContext,
    principal: Principal,
    if_match: Option<IfMatch>,
) -> Result<Response, Problem> {
    let context = CommandContext::of_request(&request, &principal, fingerprint(b""));
    let stored = products
        .delist_product(&context, id, |product| {
            is_theirs(&principal, product)?;
            is_meant(if_match.as_ref(), product)
        })
        .await?;
    Ok(reply::with_token(
        reply::no_content(),
        ConsistencyToken::at(stored.position.0),
    ))
}
