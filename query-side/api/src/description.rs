//! What the descriptions of the queries have in common.

use edge::ProblemDocument;
use utoipa::{IntoParams, IntoResponses};

/// How fresh an answer must be, see [`crate::freshness`].
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "only described: a filter reads these headers")]
pub(crate) struct FreshnessHeaders {
    /// See at least what this token stands for.
    #[param(rename = "Consistency-Token")]
    consistency_token: Option<String>,
    /// `return=stale`: rather an old answer than a 503.
    #[param(rename = "Prefer")]
    prefer: Option<String>,
}

/// A parameter is wrong.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "only described: what is answered is a `Problem`")]
pub(crate) enum BadParameter {
    /// A parameter is unknown or not valid; `errors` names it.
    #[response(status = 400, content_type = "application/problem+json")]
    Named(ProblemDocument),
}

/// Nobody is signed in.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "only described: what is answered is a `Problem`")]
pub(crate) enum SignedOut {
    /// Sign in first.
    #[response(status = 401, content_type = "application/problem+json")]
    First(ProblemDocument),
}

/// Who asks is none.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "only described: what is answered is a `Problem`")]
pub(crate) enum NoOperator {
    /// Not an operator.
    #[response(status = 403, content_type = "application/problem+json")]
    Somebody(ProblemDocument),
}

/// The read model is behind.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "only described: what is answered is a `Problem`")]
pub(crate) enum Behind {
    /// Not caught up with the token.
    #[response(status = 503, content_type = "application/problem+json")]
    Token(ProblemDocument),
}
