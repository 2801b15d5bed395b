//! `GET /api/v1/products/{id}`: the product page.

use std::sync::Arc;

use edge::{Problem, ProblemDocument, Response, reply};
use event_schemas::ProductId;
use read_models::{
    documents::{Model, StoreError},
    products::{ProductPage, Products},
};
use serde::Serialize;
use utoipa::ToSchema;
use warp::{Filter, filters::BoxedFilter};

use crate::{
    Queries,
    freshness::{Wish, wish},
    id_in_path,
    last_answers::LastAnswers,
    unreadable, with,
};

/// So many pages are remembered for when the store is away, a few megabytes.
const REMEMBERED: usize = 1_000;

type Pages = LastAnswers<ProductId, ProductPage>;

/// A product as its page shows it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProductView {
    #[serde(flatten)]
    page: ProductPage,
    /// Where its picture is, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "/images/2f6b.png")]
    image_url: Option<String>,
}

/// Where the picture of that key is.
pub(crate) fn image_url(key: &str) -> String {
    format!("/images/{key}")
}

pub(crate) fn route(queries: &Arc<Queries>) -> BoxedFilter<(Response,)> {
    let last = Arc::new(Pages::at_most(REMEMBERED, "product"));
    warp::path!("api" / "v1" / "products" / String)
        .and(warp::get())
        .and(with(queries))
        .and(wish())
        .then(move |id: String, queries: Arc<Queries>, wish| {
            let last = Arc::clone(&last);
            async move { product(&queries, &last, &id, wish).await }
        })
        .map(reply::finish)
        .boxed()
}

/// A product's page: texts, price, picture, and how many can be bought.
#[utoipa::path(get, path = "/api/v1/products/{id}", tag = "Catalogue", operation_id = "getProduct",
    params(
        ("id" = ProductId, Path, description = "The product."),
        ("Consistency-Token" = Option<String>, Header, description = "See at least what this token stands for."),
        ("Prefer" = Option<String>, Header, description = "`return=stale`: rather an old answer than a 503, also while the store is away."),
    ),
    responses(
        (status = 200, description = "The product. Its `ETag` is for `If-Match` on an edit; stock does not change it.",
            body = ProductView, headers(("ETag" = String), ("Consistency-Token" = String), ("Stale" = Option<String>))),
        (status = 404, description = "There is none, or it is no longer sold.", body = ProblemDocument,
            content_type = "application/problem+json"),
        (status = 503, description = "Not caught up with the token, or the store is away.", body = ProblemDocument,
            content_type = "application/problem+json"),
    ))]
async fn product(queries: &Queries, last: &Pages, id: &str, wish: Wish) -> Result<Response, Problem> {
    let id: ProductId = id_in_path(id)?;
    let shown = queries.shown(&[Products::NAME], wish).await?;
    let (page, shown) = match queries.models.products().product(id).await {
        Ok(Some(page)) => {
            last.keep(id, page.clone(), shown);
            (page, shown)
        }
        Ok(None) => return Err(Problem::not_found(format!("there is no product {id}"))),
        Err(error @ StoreError::Unavailable(_)) => last.instead(&id, wish).ok_or_else(|| unreadable(error))?,
        Err(error) => return Err(unreadable(error)),
    };
    if page.delisted {
        return Err(Problem::not_found(format!("{} is no longer sold", page.title))
            .of_type("product-delisted", "This product is no longer sold"));
    }
    let version = page.version;
    let view = ProductView {
        image_url: page.image.as_ref().map(|image| image_url(&image.key)),
        page,
    };
    Ok(shown.public(reply::with_etag(reply::ok(&view), version)))
}
