//! What went wrong, as HTTP says it.

use domain::{ChangedLine, Kind, Refusal};
use edge::{FieldError, Problem};
use event_schemas::{Money, ProductId};
use serde::Serialize;

use crate::services::ServiceError;

/// A line of the cart that is no longer what the customer saw.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ChangedCartLine {
    /// The product.
    pub product_id: ProductId,
    /// Its title as it was put in the cart.
    pub title: String,
    /// Its price as it was put in the cart.
    pub old_price: Money,
    /// Its price now; null when it is no longer sold.
    pub new_price: Option<Money>,
}

impl From<ChangedLine> for ChangedCartLine {
    fn from(line: ChangedLine) -> Self {
        Self {
            product_id: line.product_id,
            title: line.title,
            old_price: line.was,
            new_price: line.now,
        }
    }
}

/// How often a fault is worth another attempt, in seconds.
const RETRY_AFTER: u32 = 1;

impl From<ServiceError> for Problem {
    fn from(error: ServiceError) -> Self {
        match error {
            ServiceError::Refused(refusal) => refused(refusal),
            ServiceError::Fault(fault) => {
                tracing::error!(%fault, "a command could not be executed");
                Self::unavailable(
                    RETRY_AFTER,
                    "the shop could not do it now, and nothing was lost: repeat the request with the same Idempotency-Key",
                )
            }
        }
    }
}

/// A refusal as a problem: its code becomes the type.
pub fn refused(refusal: Refusal) -> Problem {
    if refusal.code == "idempotency-key-reused" {
        return Problem::idempotency_key_reused();
    }
    if !refusal.fields.is_empty() {
        let errors = refusal
            .fields
            .into_iter()
            .map(|refused| FieldError::new(refused.field, refused.message));
        return Problem::validation(errors.collect());
    }
    let (problem, title) = match refusal.kind {
        Kind::Invalid => (
            Problem::unprocessable(refusal.message),
            "The request makes no sense as it is",
        ),
        Kind::NotFound => (Problem::not_found(refusal.message), "There is nothing here"),
        Kind::Forbidden => (Problem::forbidden(refusal.message), "This account may not do that"),
        Kind::Conflict => (
            Problem::conflict(refusal.message),
            "That cannot be done as things stand",
        ),
        Kind::Outdated => (
            Problem::precondition_failed(refusal.message),
            "It was changed in the meantime",
        ),
    };
    let problem = problem.of_type(refusal.code, title);
    if refusal.lines.is_empty() {
        return problem;
    }
    let lines: Vec<ChangedCartLine> = refusal.lines.into_iter().map(Into::into).collect();
    problem.with("lines", lines)
}
