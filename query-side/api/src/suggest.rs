//! `GET /api/v1/suggest`: how what is being typed may go on.

use std::sync::Arc;

use edge::{Problem, ProblemDocument, Response, reply};
use read_models::{
    catalogue::{Catalogue, Suggestions},
    documents::Model,
};
use warp::{Filter, filters::BoxedFilter};

use crate::{
    Queries,
    description::{BadParameter, FreshnessHeaders},
    freshness::{Wish, wish},
    parameters::{self, Parameters},
    product::image_url,
    search::failed,
    with,
};

/// Of each kind, where the client does not say.
const DEFAULT_SIZE: usize = 8;
const LARGEST_SIZE: usize = 20;

pub(crate) fn route(queries: &Arc<Queries>) -> BoxedFilter<(Response,)> {
    warp::path!("api" / "v1" / "suggest")
        .and(warp::get())
        .and(with(queries))
        .and(parameters::raw())
        .and(wish())
        .then(async |queries: Arc<Queries>, given, wish| suggest(&queries, given, wish).await)
        .map(reply::finish)
        .boxed()
}

/// Complete what is being typed.
///
/// Products by their titles, categories, and what others searched for. The last word may be unfinished, its last syllable too:
/// `커ㅍ` goes on as 커피, and so do its initials, `ㅋㅍ`.
#[utoipa::path(get, path = "/api/v1/suggest", tag = "Catalogue", operation_id = "suggest",
    params(
        ("q" = Option<String>, Query, description = "What was typed so far.", example = "cof"),
        ("size" = Option<u32>, Query, description = "Of each kind at most so many, 1 to 20; 8 unless said otherwise."),
        FreshnessHeaders,
    ),
    responses(
        (status = 200, description = "How it may go on.", body = Suggestions,
            headers(("Consistency-Token" = String), ("Stale" = Option<String>))),
        BadParameter,
        (status = 503, description = "Not caught up with the token, or the catalogue cannot be searched right now.",
            body = ProblemDocument, content_type = "application/problem+json"),
    ))]
async fn suggest(queries: &Queries, given: Vec<(String, String)>, wish: Wish) -> Result<Response, Problem> {
    let parameters = Parameters::of(given, &["q", "size"])?;
    let expected = format!("a number from 1 to {LARGEST_SIZE}");
    let size = parameters.parsed("size", &expected)?.unwrap_or(DEFAULT_SIZE);
    if !(1..=LARGEST_SIZE).contains(&size) {
        return Err(Problem::bad_parameter("size", format!("expected {expected}")));
    }
    let typed = parameters.text("q").unwrap_or_default();
    let shown = queries.shown(&[Catalogue::NAME], wish).await?;
    let mut suggestions = queries.models.suggest(typed, size).await.map_err(failed)?;
    for product in &mut suggestions.products {
        product.image = product.image.as_deref().map(image_url);
    }
    Ok(shown.public(reply::ok(&suggestions)))
}
