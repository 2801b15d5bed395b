//! What operators work through: lists by state, newest first, and one entry of each.

use std::{fmt, sync::Arc};

use edge::{Principal, Problem, Response, Role, reply, require};
use read_models::{Worklist, documents::Collection};
use serde::{Serialize, de::DeserializeOwned};
use utoipa::IntoParams;
use warp::{Filter, filters::BoxedFilter};

use crate::{
    Queries, cursor,
    freshness::{Wish, wish},
    parameters::{self, Parameters},
    signed_in, unreadable, with,
};

/// Who asks whom, and how fresh the answer must be.
pub(crate) struct Asked {
    pub(crate) queries: Arc<Queries>,
    who: Principal,
    wish: Wish,
}

/// The query parameters as they came.
pub(crate) type Given = Vec<(String, String)>;

/// `GET /api/v1/ops/NAME` and `GET /api/v1/ops/NAME/{id}`.
pub(crate) fn routes<L, E>(
    queries: &Arc<Queries>,
    name: &'static str,
    list: impl Fn(Asked, Given) -> L + Clone + Send + Sync + 'static,
    entry: impl Fn(Asked, String) -> E + Clone + Send + Sync + 'static,
) -> BoxedFilter<(Response,)>
where
    L: Future<Output = Result<Response, Problem>> + Send + 'static,
    E: Future<Output = Result<Response, Problem>> + Send + 'static,
{
    let base = warp::path!("api" / "v1" / "ops" / ..).and(warp::path(name));
    let asked = with(queries)
        .and(signed_in(queries))
        .and(wish())
        .map(|queries, who, wish| Asked { queries, who, wish });
    let all = base
        .and(warp::path::end())
        .and(warp::get())
        .and(asked.clone())
        .and(parameters::raw())
        .then(list);
    let one = base
        .and(warp::path::param::<String>())
        .and(warp::path::end())
        .and(warp::get())
        .and(asked)
        .then(move |id, asked| entry(asked, id));
    all.or(one).unify().map(reply::finish).boxed()
}

/// A page of the list: all of it, or what is in one state; `states` are those there are.
pub(crate) async fn list<M, A>(
    asked: &Asked,
    collection: &Collection<M>,
    states: &str,
    given: Given,
    answer: impl FnOnce(Vec<M::Document>, Option<String>) -> A,
) -> Result<Response, Problem>
where
    M: Worklist<State: DeserializeOwned + fmt::Debug>,
    A: Serialize,
{
    require(&asked.who, &[Role::Operator])?;
    let parameters = Parameters::of(given, &["state", "size", "cursor"])?;
    let state: Option<M::State> = parameters.word("state", states)?;
    let list = format!("{} {state:?}", M::NAME);
    let (size, after) = (parameters.size()?, parameters.cursor(&list)?);
    let shown = asked.queries.shown(&[M::NAME], asked.wish).await?;
    let page = collection.list(state, after.as_deref(), size).await;
    let page = page.map_err(unreadable)?;
    let next_cursor = page.next.as_deref().map(|place| cursor::write(&list, place));
    Ok(shown.private(reply::ok(&answer(page.items, next_cursor))))
}

/// The document of that key; where there is none, `missing` says so.
pub(crate) async fn entry<M: Worklist>(
    asked: &Asked,
    collection: &Collection<M>,
    key: impl FnOnce() -> Result<M::Key, Problem>,
    missing: &str,
) -> Result<Response, Problem> {
    require(&asked.who, &[Role::Operator])?;
    let key = key()?;
    let shown = asked.queries.shown(&[M::NAME], asked.wish).await?;
    let document = collection.get(&key).await.map_err(unreadable)?;
    let document = document.ok_or_else(|| Problem::not_found(format!("there is no {missing}")))?;
    Ok(shown.private(reply::ok(&document)))
}

/// Which page of a worklist.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only described: `Parameters` reads them")]
pub(crate) struct WhichPage {
    /// How many on a page, 1 to 100; 20 unless said otherwise.
    size: Option<u32>,
    /// The `next_cursor` of the page before, for the same state.
    cursor: Option<String>,
}
