//! How long `place_order` waits, and when it calls an operator.

use domain::commands::ServiceCommand;

use super::PlaceOrderState;
use crate::{Fact, step_name};

/// How patient the saga is, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Before a command that nobody answered is sent again; doubled each time.
    pub first_retry: i64,
    /// Before the provider is asked again what became of a payment; doubled each time.
    pub first_inquiry: i64,
    /// Neither grows beyond this.
    pub longest_retry: i64,
    /// So many fruitless attempts, and an operator is called.
    pub attempts: u32,
    /// A stuck saga goes on asking, at this pace: it heals by itself when the service does.
    pub stuck_retry: i64,
    /// A carrier that says nothing for so long is looked into by an operator.
    pub carrier_silence: i64,
}

impl Default for Policy {
    /// Calls an operator after some four hours; after thirty days for a silent carrier.
    fn default() -> Self {
        Self {
            first_retry: 5_000,
            first_inquiry: 1_000,
            longest_retry: 300_000,
            attempts: 50,
            stuck_retry: 3_600_000,
            carrier_silence: 30 * 86_400_000,
        }
    }
}

impl Policy {
    /// Why an operator is needed, if one is.
    pub(super) fn stuck(&self, state: &PlaceOrderState, asks: &[ServiceCommand], fact: &Fact<'_>) -> Option<String> {
        let Some(ask) = asks.first() else {
            let silent = (state.attempts > 0).then_some("the carrier has said nothing for too long");
            return state.contradiction().or(silent).map(str::to_owned);
        };
        if state.attempts < self.attempts {
            return None;
        }
        let fruitless = format!(
            "{} was asked for {} times and not answered",
            step_name(ask),
            state.attempts
        );
        Some(match fact {
            Fact::Timeout {
                last_error: Some(error),
            } => format!("{fruitless}; last error: {error}"),
            _ => fruitless,
        })
    }

    /// How long to wait for the next fact, in milliseconds: exponential backoff, spread by the order's id so that what
    /// failed together is not tried again together.
    pub(super) fn patience(&self, state: &PlaceOrderState, asks: &[ServiceCommand], stuck: bool) -> Option<i64> {
        if state.closed() {
            return None;
        }
        let wait = match asks.first() {
            None if stuck => return None,
            None => return Some(self.carrier_silence),
            Some(_) if stuck => self.stuck_retry,
            Some(ServiceCommand::InquirePayment { .. }) => self.doubled(self.first_inquiry, state.attempts),
            Some(_) => self.doubled(self.first_retry, state.attempts),
        };
        let spread = state
            .order_id
            .uuid()
            .as_u128()
            .rotate_right(state.attempts.wrapping_mul(7))
            % 1_000;
        let jitter = i64::try_from(spread).unwrap_or(0).saturating_mul(wait / 4) / 1_000;
        Some(wait.saturating_add(jitter))
    }

    fn doubled(&self, first: i64, attempts: u32) -> i64 {
        first.saturating_mul(1_i64 << attempts.min(30)).min(self.longest_retry)
    }
}
