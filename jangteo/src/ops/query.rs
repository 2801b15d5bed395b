//! Query parameters, refused by name.

use std::{collections::HashMap, fmt::Display, str::FromStr};

use edge::Problem;
use warp::{Filter, Rejection};

/// The parameters of a request.
#[derive(Debug, Clone, Default)]
pub(super) struct Query(HashMap<String, String>);

/// Extracts them.
pub(super) fn query() -> impl Filter<Extract = (Query,), Error = Rejection> + Clone {
    warp::query::<HashMap<String, String>>().map(Query)
}

impl Query {
    /// Refuses any parameter but those: a misspelt one must not be taken for none.
    pub(super) fn only(&self, known: &[&str]) -> Result<(), Problem> {
        match self.0.keys().find(|name| !known.contains(&name.as_str())) {
            None => Ok(()),
            Some(unknown) if known.is_empty() => Err(Problem::bad_parameter(unknown, "no parameter is taken here")),
            Some(unknown) => Err(Problem::bad_parameter(
                unknown,
                format!("known here: {}", known.join(", ")),
            )),
        }
    }

    /// A parameter as it is; none where it is empty.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|text| !text.is_empty())
    }

    /// A parameter, read.
    pub(super) fn parsed<T: FromStr<Err: Display>>(&self, name: &str) -> Result<Option<T>, Problem> {
        let read = |text: &str| {
            text.parse()
                .map_err(|error| Problem::bad_parameter(name, format!("{text:?}: {error}")))
        };
        self.text(name).map(read).transpose()
    }
}
