//! One client of the `eventstore` crate, and calls through it that outlive it.

use std::{
    pin::pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use event_log::LogError;
use eventstore::{Client, ClientSettings, Error};
use futures_util::future::BoxFuture;
use resilience::Outlet;

use crate::{
    address::Login,
    error::{Fault, Speaker, Verdict, verdict},
    log::Settings,
    relay::Relay,
};

/// How long to wait between two attempts: at first, and at most.
const PAUSE: Duration = Duration::from_millis(25);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// Calls under way at a time. Those who ask have narrower limits of their own.
const PLACES: usize = 2048;
/// No call takes longer: each has the log's deadline, and a long read goes on as long as the server goes on answering.
const LONGEST: Duration = Duration::from_secs(600);
/// Few: the server was tried for all of a call's deadline before that counts once.
const FAILURES_IN_A_ROW: u32 = 3;
/// Short: who tries waits for the server and goes on the moment that it is back.
const BREAK: Duration = Duration::from_millis(250);
const LONGEST_BREAK: Duration = Duration::from_secs(2);

/// What all lines of one log share.
pub(crate) struct Switchboard {
    pub(crate) relay: Relay,
    pub(crate) client: ClientSettings,
    pub(crate) login: Option<Login>,
    pub(crate) speaker: Speaker,
    pub(crate) settings: Settings,
    pub(crate) outlet: Outlet,
    closed: AtomicBool,
}

impl Switchboard {
    pub(crate) fn new(
        relay: Relay,
        client: ClientSettings,
        login: Option<Login>,
        speaker: Speaker,
        settings: Settings,
    ) -> Self {
        Self {
            relay,
            client,
            login,
            speaker,
            settings,
            outlet: outlet(settings),
            closed: AtomicBool::new(false),
        }
    }

    /// Calls fail from here on.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.relay.stop();
    }

    pub(crate) fn check_open(&self) -> Result<(), LogError> {
        if self.closed.load(Ordering::Acquire) {
            return Err(LogError::Unavailable("the event log is closed".to_owned()));
        }
        Ok(())
    }

    /// An error of the client, with what the relay knows of its cause.
    pub(crate) fn cause(&self, error: &Error) -> String {
        match self.relay.trouble() {
            Some(trouble) => trouble,
            // The client installs a provider on its first use, and panics if there is one.
            None if matches!(error, Error::ConnectionClosed) => format!(
                "{error} (if it never worked: something in this process installed a default rustls provider before this client did)"
            ),
            None => error.to_string(),
        }
    }
}

/// A client, made when it is needed and again when it is dead.
///
/// A client whose first use failed stays dead, and one that was sent to another leader would go there by itself, past the relay. So it is
/// thrown away after either; calls in flight keep theirs.
pub(crate) struct Line {
    board: Arc<Switchboard>,
    current: Mutex<Current>,
}

#[derive(Default)]
struct Current {
    client: Option<Client>,
    /// Counts the clients, so that of many calls that fail together one throws the client away, and none its successor.
    number: u64,
    made: Option<Instant>,
    /// Clients thrown away since one was of use.
    dead: u32,
}

impl Line {
    pub(crate) fn new(board: Arc<Switchboard>) -> Self {
        Self {
            board,
            current: Mutex::default(),
        }
    }

    fn current(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The client and its number.
    pub(crate) fn client(&self) -> Result<(Client, u64), Error> {
        let mut current = self.current();
        let client = match &current.client {
            Some(client) => client.clone(),
            None => {
                let client = Client::new(self.board.client.clone())?;
                current.client = Some(client.clone());
                current.number += 1;
                current.made = Some(Instant::now());
                metrics::counter!("event_log_clients_total").increment(1);
                client
            }
        };
        Ok((client, current.number))
    }

    /// The client of that number is of no use any more.
    pub(crate) fn discard(&self, number: u64) {
        let mut current = self.current();
        if current.number == number && current.client.take().is_some() {
            current.dead += 1;
        }
    }

    /// The client of that number is of use.
    fn praise(&self, number: u64) {
        let mut current = self.current();
        if current.number == number {
            current.dead = 0;
        }
    }

    /// How long not to make a client: while the server is away many callers wait, and each client costs some milliseconds of work.
    fn rest(&self) -> Duration {
        let current = self.current();
        match current.made {
            Some(made) if current.client.is_none() => {
                let pause = (PAUSE * 2_u32.pow(current.dead.min(8))).min(LONGEST_PAUSE);
                pause.saturating_sub(made.elapsed())
            }
            _ => Duration::ZERO,
        }
    }

    /// What an error means for the client it came from. Whether to try again.
    pub(crate) fn heed(&self, error: &Error, number: u64) -> bool {
        match verdict(error) {
            Verdict::Final => return false,
            Verdict::Later => {}
            Verdict::Gone => self.discard(number),
            Verdict::Elsewhere(leader) => {
                self.board.relay.lead(leader);
                self.discard(number);
            }
        }
        true
    }

    /// Calls the server until it answers, at most [`Settings::call_deadline`]. `what` names the call in errors. Where several calls in a
    /// row came to nothing, those that follow are told so at once, but for one at a time that tries.
    ///
    /// Each attempt is given how long it may wait for the server to say anything. A call must be safe to repeat: whether one that got no
    /// answer was carried out is not known.
    pub(crate) async fn call<T>(
        &self,
        what: &'static str,
        attempt: impl Fn(Client, Duration) -> BoxFuture<'static, Result<T, Error>>,
    ) -> Result<T, Fault> {
        let board = &self.board;
        board.check_open()?;
        let called = board.outlet.call_once(|| self.insist(what, attempt)).await;
        called.map_err(|failure| {
            failure.into_error(|failure| {
                let last = board.outlet.condition().last_error;
                board.speaker.resting(what, &failure, last).into()
            })
        })
    }

    async fn insist<T>(
        &self,
        what: &'static str,
        attempt: impl Fn(Client, Duration) -> BoxFuture<'static, Result<T, Error>>,
    ) -> Result<T, Fault> {
        let board = &self.board;
        let begun = Instant::now();
        let deadline = board.settings.call_deadline;
        let mut pause = PAUSE;
        loop {
            board.check_open()?;
            tokio::time::sleep(self.rest().min(deadline.saturating_sub(begun.elapsed()))).await;
            let left = deadline.saturating_sub(begun.elapsed());
            let error = match self.client() {
                Ok((client, number)) => match attempt(client, board.settings.silence.min(left)).await {
                    Err(error) if self.heed(&error, number) => error,
                    answer => {
                        self.praise(number);
                        return answer.map_err(Fault::Server);
                    }
                },
                Err(error) => error,
            };
            board.check_open()?;
            if begun.elapsed() + pause >= deadline {
                return Err(board.speaker.away(what, begun.elapsed(), &board.cause(&error)).into());
            }
            tracing::debug!(what, %error, "the event log did not answer; trying again");
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

fn outlet(settings: Settings) -> Outlet {
    let outlet = resilience::Settings::default().places(PLACES).deadline(LONGEST);
    let outlet = outlet.patience(settings.call_deadline);
    Outlet::new("event-log", outlet.breaks(FAILURES_IN_A_ROW, BREAK, LONGEST_BREAK))
}

/// The server must say something within `limit`. The client itself never gives up.
pub(crate) async fn within<T>(
    limit: Duration,
    waiting: impl Future<Output = Result<T, Error>> + Send,
) -> Result<T, Error> {
    match tokio::time::timeout(limit, pin!(waiting)).await {
        Ok(outcome) => outcome,
        Err(_) => Err(Error::DeadlineExceeded),
    }
}
