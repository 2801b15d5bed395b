//! How fresh an answer must be, and how fresh it is.
//!
//! A client that passes back the `Consistency-Token` of a command sees that command's effect: the query waits for the read
//! model a moment. When the moment is over it is a 503 with `Retry-After`; or, where the client prefers an old answer to none
//! (`Prefer: return=stale`, RFC 7240), what there is, marked `Stale: true`; also where the store is away, if it answered the same
//! question before. Every answer says which position it reflects.

use std::time::Instant;

use edge::{ConsistencyToken, Problem, Response, consistency_token, reply};
use warp::{
    Filter, Rejection,
    http::{HeaderValue, header::CACHE_CONTROL},
};

use crate::Queries;

/// The header that marks an answer older than was asked for.
pub const STALE: &str = "stale";
/// What a client sends in `Prefer` to get such an answer.
pub const PREFER_STALE: &str = "return=stale";

/// What the client asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Wish {
    pub(crate) token: Option<ConsistencyToken>,
    /// Rather an old answer than none.
    pub(crate) stale_will_do: bool,
}

/// What the answer will reflect, at least.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    pub(crate) position: u64,
    pub(crate) stale: bool,
}

/// Extracts the client's wish.
pub fn wish() -> impl Filter<Extract = (Wish,), Error = Rejection> + Clone {
    let prefer = warp::header::optional::<String>("prefer");
    consistency_token()
        .and(prefer)
        .map(|token, prefer: Option<String>| Wish {
            token,
            stale_will_do: prefer.is_some_and(|preferences| prefers_stale(&preferences)),
        })
}

fn prefers_stale(preferences: &str) -> bool {
    preferences.split([',', ';']).any(|preference| {
        preference
            .split_whitespace()
            .collect::<String>()
            .eq_ignore_ascii_case(PREFER_STALE)
    })
}

impl Queries {
    /// Waits until all of these read models are as fresh as the client wishes, within the shop's patience.
    pub(crate) async fn shown(&self, models: &[&'static str], wish: Wish) -> Result<Shown, Problem> {
        let progress = self.models.progress();
        let deadline = Instant::now() + self.patience;
        let mut stale = false;
        if let Some(token) = wish.token {
            for model in models {
                match progress.wait_for(model, token.position(), deadline).await {
                    Ok(()) => {}
                    Err(_) if wish.stale_will_do => stale = true,
                    Err(behind) => {
                        tracing::warn!(%behind, "a query could not be as fresh as asked");
                        return Err(not_there_yet());
                    }
                }
            }
        }
        // Read before the documents are: they can only be fresher than this.
        let position = models
            .iter()
            .map(|model| progress.position(model))
            .min()
            .unwrap_or_default();
        Ok(Shown { position, stale })
    }
}

fn not_there_yet() -> Problem {
    Problem::unavailable(
        1,
        "what the Consistency-Token stands for is not shown yet: ask again, or send `Prefer: return=stale` to get what there is",
    )
    .of_type("not-caught-up", "The shop has not caught up with that yet")
}

impl Shown {
    /// The same, of an answer that is given again.
    pub(crate) const fn as_it_was(self) -> Self {
        Self { stale: true, ..self }
    }

    /// Marks an answer that is the same for everybody.
    pub(crate) fn public(self, response: Response) -> Response {
        self.mark(response, HeaderValue::from_static("no-cache"))
    }

    /// Marks an answer that is for one person only.
    pub(crate) fn private(self, response: Response) -> Response {
        self.mark(response, HeaderValue::from_static("private, no-store"))
    }

    fn mark(self, response: Response, cache: HeaderValue) -> Response {
        let mut response = reply::with_token(response, ConsistencyToken::at(self.position));
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, cache);
        if self.stale {
            headers.insert(STALE, HeaderValue::from_static("true"));
            headers.insert("preference-applied", HeaderValue::from_static(PREFER_STALE));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_preference_is_found_among_others() {
        for yes in ["return=stale", "wait=10, return=stale", "respond-async; Return = Stale"] {
            assert!(prefers_stale(yes), "{yes}");
        }
        for no in ["", "return=minimal", "stale", "return=stale-ish"] {
            assert!(!prefers_stale(no), "{no}");
        }
    }
}
