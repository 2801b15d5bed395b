//! What both HTTP sides share.
//!
//! - [`problem`]: every error is an RFC 9457 `application/problem+json`; [`rejection`] sees to it that none leaves otherwise;
//! - [`tokens`], [`principal`], [`auth`]: who is asking, and what they may;
//! - [`context`], [`consistency`], [`etag`], [`body`]: what a request brings; [`reply`]: what a response takes along;
//! - [`server`]: the accept loop with its limits; [`probes`], [`telemetry`]: what the operator sees;
//! - [`openapi`]: one description out of many.
//!
//! A route is a warp filter that ends in `.then(handler)` where the handler returns `Result<Response, Problem>`, followed by
//! `.map(reply::finish)` and `.boxed()`. Only what is wrong *before* a handler (no token, a broken body) is a warp rejection.

pub mod auth;
pub mod body;
pub mod consistency;
pub mod context;
pub mod etag;
pub mod openapi;
pub mod principal;
pub mod probes;
pub mod problem;
pub mod rejection;
pub mod reply;
pub mod route_table;
pub mod server;
pub mod telemetry;
#[cfg(test)]
mod tests;
pub mod tokens;

pub use auth::{authenticated, optional_principal, require};
pub use body::{JsonBody, RawBody, json_body, raw_body};
pub use consistency::{ConsistencyToken, consistency_token};
pub use context::{RequestContext, request_context};
pub use etag::{IfMatch, if_match};
pub use principal::{Principal, Role};
pub use problem::{FieldError, Problem, ProblemDocument};
pub use rejection::recovered;
pub use reply::Response;
pub use route_table::RouteTable;
pub use server::{Limits, serve};
pub use tokens::Tokens;
