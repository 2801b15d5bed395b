//! `GET /api/v1/search`: the catalogue.

use std::sync::Arc;

use edge::{Problem, ProblemDocument, Response, reply};
use read_models::{
    catalogue::{Catalogue, Filters, SearchError, SearchQuery, SearchResponse, Sort},
    documents::Model,
};
use warp::{Filter, filters::BoxedFilter};

use crate::{
    Queries, cursor,
    freshness::{Wish, wish},
    last_answers::LastAnswers,
    parameters::{self, Parameters},
    product::image_url,
    with,
};

const ONCE: [&str; 8] = [
    "q",
    "category",
    "min_price",
    "max_price",
    "in_stock",
    "sort",
    "size",
    "cursor",
];
const ATTRIBUTE: &str = "attr.";
const OFTEN: [&str; 2] = ["brand", ATTRIBUTE];

/// So many first pages are remembered for when the catalogue is away, a few megabytes.
const REMEMBERED: usize = 200;

/// What was found by whoever asked the same.
type Found = LastAnswers<String, Arc<SearchResponse>>;

pub(crate) fn route(queries: &Arc<Queries>) -> BoxedFilter<(Response,)> {
    let last = Arc::new(Found::at_most(REMEMBERED, "search"));
    warp::path!("api" / "v1" / "search")
        .and(warp::get())
        .and(with(queries))
        .and(parameters::raw())
        .and(wish())
        .then(move |queries: Arc<Queries>, given, wish| {
            let last = Arc::clone(&last);
            async move { search(&queries, &last, given, wish).await }
        })
        .map(reply::finish)
        .boxed()
}

/// Find products, or browse.
///
/// English is stemmed, Korean found with and without particles. What finds nothing as it was typed is looked for as it may have
/// been meant, see `instead`. Facets count over all pages and respect all filters but the one on themselves.
#[utoipa::path(get, path = "/api/v1/search", tag = "Catalogue", operation_id = "search",
    params(
        ("q" = Option<String>, Query, description = "What the customer typed; empty to browse.", example = "coffee"),
        ("category" = Option<String>, Query, description = "Only this category and those beneath it."),
        ("brand" = Option<Vec<String>>, Query, description = "Only this brand; given several times, these brands."),
        ("attr.NAME" = Option<Vec<String>>, Query,
            description = "Only this value of the attribute NAME; given several times, these values."),
        ("min_price" = Option<i64>, Query, description = "At this price or above, in minor units."),
        ("max_price" = Option<i64>, Query, description = "At this price or below, in minor units."),
        ("in_stock" = Option<bool>, Query, description = "Only what can, or cannot, be bought now."),
        ("sort" = Option<Sort>, Query, description = "In which order; `relevance` unless said otherwise."),
        ("size" = Option<u32>, Query, description = "Hits on a page, 1 to 100; 20 unless said otherwise."),
        ("cursor" = Option<String>, Query, description = "The `next_cursor` of the page before, with the same parameters."),
        ("Consistency-Token" = Option<String>, Header, description = "See at least what this token stands for."),
        ("Prefer" = Option<String>, Header, description = "`return=stale`: rather an old answer than a 503, also while the catalogue is away."),
    ),
    responses(
        (status = 200, description = "What was found.", body = SearchResponse,
            headers(("Consistency-Token" = String), ("Stale" = Option<String>))),
        (status = 400, description = "A parameter is unknown or not valid; `errors` names it.", body = ProblemDocument,
            content_type = "application/problem+json"),
        (status = 503, description = "Not caught up with the token, or the catalogue cannot be searched right now.", body = ProblemDocument,
            content_type = "application/problem+json"),
    ))]
async fn search(
    queries: &Queries,
    last: &Found,
    given: Vec<(String, String)>,
    wish: Wish,
) -> Result<Response, Problem> {
    let parameters = Parameters::with_lists(given, &ONCE, &OFTEN)?;
    let mut query = read(&parameters)?;
    let list = list_of(&query);
    query.after = parameters.cursor(&list)?;
    let shown = queries.shown(&[Catalogue::NAME], wish).await?;
    // Only an engine knows where a later page begins.
    let question = query.after.is_none().then(|| format!("{list} {}", query.size));
    let found = match queries.models.search(query).await {
        Ok(found) => found,
        Err(error) => {
            let before = question.and_then(|question| last.instead(&question, wish));
            let (response, shown) = before.ok_or_else(|| failed(error))?;
            return Ok(shown.public(reply::ok(&*response)));
        }
    };
    let mut response = found.into_response(|place| cursor::write(&list, place));
    for hit in &mut response.hits {
        hit.image = hit.image.as_deref().map(image_url);
    }
    let answer = shown.public(reply::ok(&response));
    if let Some(question) = question {
        last.keep(question, Arc::new(response), shown);
    }
    Ok(answer)
}

/// The search failed: what that means to a client.
pub(crate) fn failed(error: SearchError) -> Problem {
    match error {
        SearchError::BadCursor => cursor::broken(),
        SearchError::Unavailable(_) => {
            tracing::error!(%error, "a search failed");
            Problem::unavailable(2, "the catalogue cannot be searched right now: ask again")
        }
    }
}

fn read(parameters: &Parameters) -> Result<SearchQuery, Problem> {
    let query = SearchQuery {
        text: parameters.text("q").unwrap_or_default().to_owned(),
        filters: Filters {
            category: parameters.text("category").map(str::to_owned),
            brands: parameters.list("brand"),
            attributes: parameters.lists(ATTRIBUTE),
            min_price: price(parameters, "min_price")?,
            max_price: price(parameters, "max_price")?,
            in_stock: parameters.parsed("in_stock", "true or false")?,
        },
        sort: parameters
            .word("sort", "relevance, price_asc, price_desc, newest, popularity")?
            .unwrap_or_default(),
        size: parameters.size()?,
        after: None,
    };
    if let (Some(min), Some(max)) = (query.filters.min_price, query.filters.max_price)
        && min > max
    {
        return Err(Problem::bad_parameter(
            "min_price",
            format!("{min} is more than max_price, {max}"),
        ));
    }
    Ok(query)
}

fn price(parameters: &Parameters, name: &str) -> Result<Option<i64>, Problem> {
    let expected = "a whole number of minor units, 0 or more";
    match parameters.parsed::<i64>(name, expected)? {
        Some(negative) if negative < 0 => Err(Problem::bad_parameter(name, format!("expected {expected}"))),
        price => Ok(price),
    }
}

/// Names the list that a search walks through: a cursor belongs to the very search that gave it out, whatever its page size.
fn list_of(query: &SearchQuery) -> String {
    let SearchQuery {
        text, filters, sort, ..
    } = query;
    format!("search {text:?} {filters:?} {sort:?}")
}
