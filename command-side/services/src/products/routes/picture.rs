//! `PUT /api/v1/products/{id}/image`.

use std::sync::Arc;

use edge::{
    Principal, Problem, ProblemDocument, RequestContext, Response, Tokens, authenticated, body::RawBody, raw_body,
    reply, request_context,
};
use event_schemas::ProductId;
use serde::Serialize;
use utoipa::ToSchema;
use warp::{Filter, filters::BoxedFilter};

use super::{Products, is_theirs, seen_from, with};
use crate::{execution::CommandContext, images};

pub(super) fn routes(products: &Arc<Products>, tokens: &Arc<Tokens>) -> BoxedFilter<(Response,)> {
    warp::path!("api" / "v1" / "products" / ProductId / "image")
        .and(warp::put())
        .and(with(products))
        .and(request_context())
        .and(authenticated(Arc::clone(tokens)))
        .and(raw_body(images::MAX_BYTES))
        .then(picture_product)
        .map(reply::finish)
        .boxed()
}

/// Where the picture is.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Picture {
    /// Its path; its content never changes.
    #[schema(example = "/images/9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08.png")]
    image: String,
    /// Such as `image/png`.
    media_type: &'static str,
}

/// Give a product a picture
///
/// A PNG, JPEG or WebP of at most 5 MB and 8192 pixels a side.
#[utoipa::path(
    put,
    path = "/api/v1/products/{id}/image",
    tag = "Catalogue",
    operation_id = "pictureProduct",
    params(("id" = ProductId, Path, description = "Which product")),
    request_body(content = Vec<u8>, content_type = "image/*"),
    responses(
        (status = 200, description = "The product has this picture", body = Picture,
         headers(("ETag" = String), ("Consistency-Token" = String))),
        (status = 403, description = "Only its seller and admins may", body = ProblemDocument,
         content_type = "application/problem+json"),
        (status = 404, description = "No such product", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 409, description = "It was withdrawn", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 413, description = "More than 5 MB", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 422, description = "Not a picture that is taken", body = ProblemDocument,
         content_type = "application/problem+json"),
    ),
    security(("bearer" = []))
)]
pub(super) async fn picture_product(
    id: ProductId,
    products: Arc<Products>,
    request: RequestContext,
    principal: Principal,
    body: RawBody,
) -> Result<Response, Problem> {
    // Before anything is kept for them.
    is_theirs(&principal, &*products.load(id).await?)?;
    let context = CommandContext::of_request(&request, &principal, body.fingerprint);
    let (image, stored) = products.picture_product(&context, id, body.bytes).await?;
    let picture = Picture {
        image: format!("/images/{}", image.key),
        media_type: image.format.media_type(),
    };
    Ok(seen_from(stored, reply::ok(&picture)))
}
