//! Filters that ask who is there.

use std::sync::Arc;

use warp::{Filter, Rejection};

use crate::{
    principal::{Principal, Role},
    problem::Problem,
    tokens::Tokens,
};

/// Extracts who is asking; a request without a valid bearer token is a 401.
pub fn authenticated(tokens: Arc<Tokens>) -> impl Filter<Extract = (Principal,), Error = Rejection> + Clone {
    warp::header::optional::<String>("authorization").and_then(move |header: Option<String>| {
        let principal = match header {
            Some(header) => bearer(&header).and_then(|token| tokens.verify(token)),
            None => Err(Problem::unauthenticated(
                "send the access_token of POST /api/v1/sessions as `Authorization: Bearer …`",
            )),
        };
        std::future::ready(principal.map_err(Rejection::from))
    })
}

/// Extracts who is asking, if anybody; a token that is sent must be valid all the same.
pub fn optional_principal(
    tokens: Arc<Tokens>,
) -> impl Filter<Extract = (Option<Principal>,), Error = Rejection> + Clone {
    warp::header::optional::<String>("authorization").and_then(move |header: Option<String>| {
        let principal = header.map(|header| bearer(&header).and_then(|token| tokens.verify(token)));
        std::future::ready(principal.transpose().map_err(Rejection::from))
    })
}

/// Holds a principal against the roles of which it needs one.
///
/// # Errors
/// 403 that names them.
pub fn require(principal: &Principal, roles: &[Role]) -> Result<(), Problem> {
    if principal.has_any(roles) {
        return Ok(());
    }
    let names: Vec<_> = roles.iter().map(|role| role.as_str()).collect();
    Err(Problem::forbidden(format!("this needs the role {}", names.join(" or "))).with("required_roles", names))
}

fn bearer(header: &str) -> Result<&str, Problem> {
    match header.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") && !token.trim().is_empty() => Ok(token.trim()),
        _ => Err(Problem::unauthenticated(
            "expected `Authorization: Bearer <access_token>`",
        )),
    }
}
