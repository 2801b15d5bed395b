//! The outlet: one call after the other through bulkhead, breaker, deadline and retries.

use std::{
    fmt,
    future::Future,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use backon::{BackoffBuilder, ExponentialBuilder};
use tokio::{
    sync::Semaphore,
    time::{sleep, timeout},
};
use tower::retry::budget::{Budget, TpsBudget};

use crate::{CallError, Condition, Failure, Settings, breaker::Breaker, condition};

/// Over what the retry budget is counted.
const BUDGET_WINDOW: Duration = Duration::from_secs(10);

/// The way out to one server. Clones are the same outlet.
///
/// A call first gets a place (bulkhead); each attempt then needs the breaker's leave and has a deadline; what may be repeated
/// is, after a wait with jitter and as far as the budget goes.
#[derive(Clone)]
pub struct Outlet {
    body: Arc<Body>,
}

impl Outlet {
    /// The way out to the server called `name`, which operators and metrics will read.
    #[must_use]
    pub fn new(name: &'static str, settings: Settings) -> Self {
        let body = Arc::new(Body::new(name, settings));
        condition::enter(&body);
        Self { body }
    }

    /// Makes a call that may be made again: it reads, or carries a key by which the server knows it. Errors that
    /// [may pass](CallError::may_pass) and attempts that are late are repeated.
    ///
    /// # Errors
    /// See [`Failure`].
    pub async fn call<T, E, F>(&self, attempt: impl FnMut() -> F) -> Result<T, Failure<E>>
    where
        E: CallError,
        F: Future<Output = Result<T, E>>,
    {
        self.body.call(self.body.settings.attempts, attempt).await
    }

    /// Makes a call that must not be made twice: one attempt, whatever comes of it.
    ///
    /// # Errors
    /// See [`Failure`].
    pub async fn call_once<T, E, F>(&self, attempt: impl FnOnce() -> F) -> Result<T, Failure<E>>
    where
        E: CallError,
        F: Future<Output = Result<T, E>>,
    {
        let mut attempt = Some(attempt);
        // One attempt takes the closure once; a second would find none, and wait for ever, which the deadline ends.
        let only = || {
            let attempt = attempt.take();
            async move {
                match attempt {
                    Some(attempt) => attempt().await,
                    None => std::future::pending().await,
                }
            }
        };
        self.body.call(1, only).await
    }

    /// Goes on with what a call began, such as the next statement on a connection that a call took: one attempt within the
    /// deadline. It needs no place and no leave, it is under way already; the breaker learns how it went.
    ///
    /// # Errors
    /// [`Failure::Late`] and [`Failure::Failed`].
    pub async fn go_on<T, E>(&self, next: impl Future<Output = Result<T, E>>) -> Result<T, Failure<E>>
    where
        E: CallError,
    {
        let started = Instant::now();
        let result = self.body.judged(next).await;
        self.body.count(started, &result);
        result
    }

    /// How it is.
    #[must_use]
    pub fn condition(&self) -> Condition {
        self.body.condition()
    }
}

/// Its name and settings.
impl fmt::Debug for Outlet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Body { name, settings, .. } = &*self.body;
        f.debug_struct("Outlet")
            .field("name", name)
            .field("settings", settings)
            .finish_non_exhaustive()
    }
}

/// What the clones of an outlet share.
pub(crate) struct Body {
    name: &'static str,
    settings: Settings,
    places: Semaphore,
    breaker: Breaker,
    budget: TpsBudget,
    calls: AtomicU64,
    failed_calls: AtomicU64,
    repeats: AtomicU64,
    failures_in_a_row: AtomicU64,
    last_error: Mutex<Option<String>>,
}

impl Body {
    fn new(name: &'static str, settings: Settings) -> Self {
        let per_call = settings.repeats_per_call.clamp(0.0, 1000.0);
        Self {
            name,
            places: Semaphore::new(settings.places),
            breaker: Breaker::new(name, &settings),
            budget: TpsBudget::new(BUDGET_WINDOW, settings.repeats_per_second.min(1_000_000), per_call),
            settings,
            calls: AtomicU64::new(0),
            failed_calls: AtomicU64::new(0),
            repeats: AtomicU64::new(0),
            failures_in_a_row: AtomicU64::new(0),
            last_error: Mutex::new(None),
        }
    }

    async fn call<T, E, F>(&self, attempts: usize, attempt: impl FnMut() -> F) -> Result<T, Failure<E>>
    where
        E: CallError,
        F: Future<Output = Result<T, E>>,
    {
        let started = Instant::now();
        let result = match timeout(self.settings.patience, self.places.acquire()).await {
            Ok(Ok(_place)) => self.repeatedly(attempts, attempt).await,
            // Nobody closes the semaphore, so that the second is as good as the first.
            Err(_) | Ok(Err(_)) => Err(Failure::Full { outlet: self.name }),
        };
        self.count(started, &result);
        result
    }

    fn count<T, E>(&self, started: Instant, result: &Result<T, Failure<E>>) {
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.failed_calls
            .fetch_add(u64::from(result.is_err()), Ordering::Relaxed);
        let outcome = result.as_ref().map_or_else(outcome_of, |_| "ok");
        metrics::counter!("jangteo_calls_total", "outlet" => self.name, "outcome" => outcome).increment(1);
        metrics::histogram!("jangteo_call_seconds", "outlet" => self.name).record(started.elapsed().as_secs_f64());
    }

    async fn repeatedly<T, E, F>(&self, attempts: usize, mut attempt: impl FnMut() -> F) -> Result<T, Failure<E>>
    where
        E: CallError,
        F: Future<Output = Result<T, E>>,
    {
        self.budget.deposit();
        let waits = ExponentialBuilder::new()
            .with_min_delay(self.settings.first_wait)
            .with_max_delay(self.settings.longest_wait)
            .with_max_times(attempts.saturating_sub(1))
            .with_jitter();
        let mut waits = waits.build();
        let mut told = None;
        loop {
            let failure = match self.once(&mut attempt).await {
                Ok(answer) => return Ok(answer),
                // An answer that stands settles what earlier attempts left in doubt: it was the same call.
                Err(failure) if !failure.may_pass() => return Err(failure),
                Err(failure) => failure,
            };
            // Without the breaker's leave, the next attempt would be told no as well.
            let wait = if failure.never_left() { None } else { waits.next() };
            let failure = weightier(told, failure);
            let Some(wait) = wait.filter(|_| self.budget.withdraw()) else {
                return Err(failure);
            };
            told = Some(failure);
            self.repeats.fetch_add(1, Ordering::Relaxed);
            metrics::counter!("jangteo_call_repeats_total", "outlet" => self.name).increment(1);
            sleep(wait).await;
        }
    }

    async fn once<T, E, F>(&self, attempt: &mut impl FnMut() -> F) -> Result<T, Failure<E>>
    where
        E: CallError,
        F: Future<Output = Result<T, E>>,
    {
        let Some(admission) = self.breaker.admit() else {
            return Err(Failure::Open { outlet: self.name });
        };
        let result = self.judged(attempt()).await;
        // After the verdict: nobody else tries a server that has just failed.
        drop(admission);
        result
    }

    /// An attempt within the deadline, of which the breaker learns how it went.
    async fn judged<T, E: CallError>(&self, attempt: impl Future<Output = Result<T, E>>) -> Result<T, Failure<E>> {
        let after = self.settings.deadline;
        let result = match timeout(after, attempt).await {
            Ok(result) => result.map_err(Failure::Failed),
            Err(_) => Err(Failure::Late {
                outlet: self.name,
                after,
            }),
        };
        let well = result.as_ref().err().is_none_or(|failure| !failure.counts());
        self.breaker.learn(well);
        match &result {
            Err(failure) if !well => self.note(failure),
            _ => self.failures_in_a_row.store(0, Ordering::Relaxed),
        }
        result
    }

    fn note<E: CallError>(&self, failure: &Failure<E>) {
        self.failures_in_a_row.fetch_add(1, Ordering::Relaxed);
        *self.last_error.lock().unwrap_or_else(PoisonError::into_inner) = Some(failure.to_string());
        tracing::debug!(outlet = self.name, error = %failure, "an attempt failed");
    }

    pub(crate) fn condition(&self) -> Condition {
        let (circuit, since) = self.breaker.shown();
        Condition {
            outlet: self.name.to_owned(),
            circuit,
            for_seconds: since.elapsed().as_secs(),
            failures_in_a_row: self.failures_in_a_row.load(Ordering::Relaxed),
            in_use: self.settings.places - self.places.available_permits(),
            places: self.settings.places,
            calls: self.calls.load(Ordering::Relaxed),
            failed_calls: self.failed_calls.load(Ordering::Relaxed),
            repeats: self.repeats.load(Ordering::Relaxed),
            last_error: self.last_error.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }
}

/// Which failure tells the caller more: a doubt outranks what came after it, and anything outranks not having been asked.
fn weightier<E: CallError>(earlier: Option<Failure<E>>, later: Failure<E>) -> Failure<E> {
    match earlier {
        Some(earlier) if earlier.leaves_doubt() || later.never_left() => earlier,
        _ => later,
    }
}

fn outcome_of<E>(failure: &Failure<E>) -> &'static str {
    match failure {
        Failure::Open { .. } => "open",
        Failure::Full { .. } => "full",
        Failure::Late { .. } => "late",
        Failure::Failed(_) => "failed",
    }
}
