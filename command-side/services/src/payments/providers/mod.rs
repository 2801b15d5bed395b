//! Adapters to providers in other processes. Each calls out through an outlet (`wire`): deadline, repeats under the same
//! idempotency key, breaker, bulkhead.
//!
//! - `own`: the simulator's own JSON; [`HttpProvider`];
//! - [`StripeProvider`]: Stripe; [`TossProvider`]: Toss Payments.

mod http;
pub(crate) mod own;
mod stripe;
mod toss;
mod wire;

use std::time::Duration;

pub use self::{http::HttpProvider, stripe::StripeProvider, toss::TossProvider};

/// Where a provider is, and how long it may take.
#[derive(Debug, Clone)]
pub struct ProviderPlace {
    /// `https://api.stripe.com`.
    pub url: String,
    /// The secret key it gave the shop.
    pub key: Option<String>,
    /// How long one attempt may take.
    pub deadline: Duration,
}

/// The provider cannot be spoken to as it was configured.
#[derive(Debug, thiserror::Error)]
#[error("no client for the payment provider at {url}: {detail}")]
pub struct NoProvider {
    url: String,
    detail: String,
}
