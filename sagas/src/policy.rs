//! How long sagas wait, and when they call an operator.

use domain::commands::ServiceCommand;
use uuid::Uuid;

use crate::{Fact, dispatch::REFUSED, step_name};

/// How patient sagas are, in milliseconds.
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
    /// So many where the service refuses: that heals by itself only where another fact is on its way.
    pub refusals: u32,
    /// A stuck saga goes on asking, at this pace: it heals by itself when the service does.
    pub stuck_retry: i64,
    /// A carrier that says nothing for so long is looked into by an operator.
    pub carrier_silence: i64,
    /// So are goods that a customer would send back and that nobody received or looked at.
    pub return_silence: i64,
}

impl Default for Policy {
    /// Calls an operator after some four hours, after some three minutes of refusals; after thirty days for a silent carrier, sixty for goods that do not come back.
    fn default() -> Self {
        Self {
            first_retry: 5_000,
            first_inquiry: 1_000,
            longest_retry: 300_000,
            attempts: 50,
            refusals: 5,
            stuck_retry: 3_600_000,
            carrier_silence: 30 * 86_400_000,
            return_silence: 60 * 86_400_000,
        }
    }
}

impl Policy {
    /// Why an operator is needed, where a command was asked for too often.
    pub(crate) fn fruitless(&self, ask: &ServiceCommand, attempts: u32, fact: &Fact<'_>) -> Option<String> {
        let last_error = match fact {
            Fact::Timeout { last_error } => *last_error,
            Fact::Event(_) => None,
        };
        let refused = last_error.is_some_and(|error| error.starts_with(REFUSED));
        if attempts < if refused { self.refusals } else { self.attempts } {
            return None;
        }
        let fruitless = format!("{} was asked for {attempts} times and not answered", step_name(ask));
        Some(match last_error {
            Some(error) => format!("{fruitless}; last error: {error}"),
            None => fruitless,
        })
    }

    /// How long to wait before `ask` is repeated, in milliseconds: exponential backoff, spread by the saga's id so that what
    /// failed together is not tried again together.
    pub(crate) fn pause(&self, ask: &ServiceCommand, attempts: u32, saga_id: Uuid) -> i64 {
        let wait = match ask {
            _ if attempts >= self.attempts => self.stuck_retry,
            ServiceCommand::InquirePayment { .. } => self.doubled(self.first_inquiry, attempts),
            _ => self.doubled(self.first_retry, attempts),
        };
        let spread = saga_id.as_u128().rotate_right(attempts.wrapping_mul(7)) % 1_000;
        let jitter = i64::try_from(spread).unwrap_or(0).saturating_mul(wait / 4) / 1_000;
        wait.saturating_add(jitter)
    }

    fn doubled(&self, first: i64, attempts: u32) -> i64 {
        first.saturating_mul(1_i64 << attempts.min(30)).min(self.longest_retry)
    }
}
