//! How every outlet of this process is, for operators.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use serde::{Deserialize, Serialize};

use crate::outlet::Body;

/// The state of a circuit breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Circuit {
    /// Calls pass.
    Closed,
    /// One call tries the server; the others are told no.
    HalfOpen,
    /// Calls are told no at once, until the server's rest is over.
    Open,
}

impl Circuit {
    /// As `jangteo_circuit_state` shows it: 0 closed, 1 half open, 2 open.
    pub(crate) fn metric(self) -> f64 {
        match self {
            Self::Closed => 0.0,
            Self::HalfOpen => 1.0,
            Self::Open => 2.0,
        }
    }
}

/// How an outlet is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    /// The server's name.
    pub outlet: String,
    /// The breaker's state.
    pub circuit: Circuit,
    /// For how long it has been so, in seconds.
    pub for_seconds: u64,
    /// Attempts that failed since the last that succeeded.
    pub failures_in_a_row: u64,
    /// Calls that have a place now.
    pub in_use: usize,
    /// How many places there are.
    pub places: usize,
    /// Calls since the process started.
    pub calls: u64,
    /// Those that brought nothing.
    pub failed_calls: u64,
    /// Attempts beyond the first.
    pub repeats: u64,
    /// What the last failed attempt said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
}

/// Every outlet there is in this process. Weak: an outlet goes with its adapter.
static OUTLETS: Mutex<Vec<Weak<Body>>> = Mutex::new(Vec::new());

pub(crate) fn enter(outlet: &Arc<Body>) {
    let mut outlets = OUTLETS.lock().unwrap_or_else(PoisonError::into_inner);
    outlets.retain(|outlet| outlet.strong_count() > 0);
    outlets.push(Arc::downgrade(outlet));
}

/// How every outlet of this process is, by name.
#[must_use]
pub fn outlets() -> Vec<Condition> {
    let outlets = OUTLETS.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let alive = outlets.iter().filter_map(Weak::upgrade);
    let mut conditions: Vec<_> = alive.map(|outlet| outlet.condition()).collect();
    conditions.sort_by(|one, other| one.outlet.cmp(&other.outlet));
    conditions
}
