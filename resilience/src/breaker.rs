//! The circuit breaker: failsafe's state machine, with one call at a time to try a server that failed.

use std::{
    iter::Iterator,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use failsafe::{
    Config, Instrument, StateMachine,
    failure_policy::{self, ConsecutiveFailures, FailurePolicy, OrElse, SuccessRateOverTimeWindow},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{Circuit, Settings};

/// Over what the success rate is taken, and how many calls it takes to mean something.
const WINDOW: Duration = Duration::from_secs(30);
const ENOUGH_CALLS: u32 = 20;

type Policy = OrElse<ConsecutiveFailures<Breaks>, SuccessRateOverTimeWindow<Breaks>>;

/// The breaker of one outlet.
pub(crate) struct Breaker {
    machine: StateMachine<Policy, Lamp>,
    lamp: Lamp,
    /// While half open, the one who tries.
    trial: Arc<Semaphore>,
}

/// Leave to make one attempt. Dropped before the breaker learned anything, an attempt says nothing about the server.
pub(crate) struct Admission {
    _trial: Option<OwnedSemaphorePermit>,
}

impl Breaker {
    pub(crate) fn new(outlet: &'static str, settings: &Settings) -> Self {
        let breaks = Breaks {
            next: settings.first_break,
            longest: settings.longest_break,
        };
        let in_a_row = failure_policy::consecutive_failures(settings.failures_in_a_row, breaks.clone());
        let rate = settings.success_rate.clamp(0.0, 1.0);
        let by_rate = failure_policy::success_rate_over_time_window(rate, ENOUGH_CALLS, WINDOW, breaks);
        let lamp = Lamp::new(outlet);
        let config = Config::new().failure_policy(in_a_row.or_else(by_rate));
        Self {
            machine: config.instrument(lamp.clone()).build(),
            lamp,
            trial: Arc::new(Semaphore::new(1)),
        }
    }

    /// Leave to make an attempt; none while the server is given a rest, or somebody else is trying it.
    pub(crate) fn admit(&self) -> Option<Admission> {
        if !self.machine.is_call_permitted() {
            return None;
        }
        if self.lamp.shown().0 != Circuit::HalfOpen {
            return Some(Admission { _trial: None });
        }
        let trial = Arc::clone(&self.trial).try_acquire_owned().ok()?;
        Some(Admission { _trial: Some(trial) })
    }

    /// How an attempt went.
    pub(crate) fn learn(&self, well: bool) {
        if well {
            self.machine.on_success();
        } else {
            self.machine.on_error();
        }
    }

    /// The state, and since when. Open lasts until a call comes that may try.
    pub(crate) fn shown(&self) -> (Circuit, Instant) {
        self.lamp.shown()
    }
}

/// How long the breaker stays open, each time in a row: doubling up to a limit.
#[derive(Debug, Clone)]
struct Breaks {
    next: Duration,
    longest: Duration,
}

impl Iterator for Breaks {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let now = self.next;
        self.next = (now * 2).min(self.longest);
        Some(now)
    }
}

/// Shows the state machine's state: to us, in the log and in the metrics.
#[derive(Clone)]
struct Lamp {
    outlet: &'static str,
    shown: Arc<Mutex<(Circuit, Instant)>>,
}

impl Lamp {
    fn new(outlet: &'static str) -> Self {
        let shown = Arc::new(Mutex::new((Circuit::Closed, Instant::now())));
        Self { outlet, shown }
    }

    fn shown(&self) -> (Circuit, Instant) {
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn show(&self, circuit: Circuit) {
        let was = std::mem::replace(
            &mut *self.shown.lock().unwrap_or_else(PoisonError::into_inner),
            (circuit, Instant::now()),
        );
        metrics::gauge!("jangteo_circuit_state", "outlet" => self.outlet).set(circuit.metric());
        match circuit {
            Circuit::Open if was.0 == Circuit::Closed => {
                tracing::warn!(
                    outlet = self.outlet,
                    "a circuit opened: calls to this server fail, it is given a rest"
                );
            }
            Circuit::Closed if was.0 != Circuit::Closed => tracing::info!(outlet = self.outlet, "a circuit closed"),
            _ => {}
        }
    }
}

impl Instrument for Lamp {
    fn on_call_rejected(&self) {}

    fn on_open(&self) {
        self.show(Circuit::Open);
    }

    fn on_half_open(&self) {
        self.show(Circuit::HalfOpen);
    }

    fn on_closed(&self) {
        self.show(Circuit::Closed);
    }
}
