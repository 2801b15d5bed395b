//! The adapter: the port's calls, each handed to the file that knows it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use event_log::{
    Append, AppendError, Appended, Direction, EventFilter, EventLog, ExpectedVersion, LogError, LogStats, Position,
    RecordedEvent, StreamSummary, StreamVersion, Subscription,
};
use event_schemas::StreamName;

use crate::{
    address::{Address, ConnectError},
    census::Census,
    error::Speaker,
    following::Following,
    line::{Line, Switchboard},
    recent::Recent,
    relay::Relay,
};

/// How patient the adapter is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// How long a call may wait for the server, all attempts together.
    pub call_deadline: Duration,
    /// How long one attempt may hear nothing at all before it counts as lost and another is made over a new connection: a connection that
    /// is half open says nothing.
    pub silence: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            call_deadline: Duration::from_secs(10),
            silence: Duration::from_secs(3),
        }
    }
}

/// An event log in EventStoreDB, or in whatever speaks its protocol.
///
/// What it guarantees beyond the port, and what it cannot:
///
/// - **Idempotence.** An append that got no answer is repeated with the same ids until the deadline. Event ids are looked for in the stream
///   before an append, unless what this process read or wrote of the stream shows already that they are not there, or they were made
///   (UUIDv7) within the last minute: those the server itself remembers. With [`ExpectedVersion::Any`] and [`ExpectedVersion::Exists`],
///   or a long stream, the last 1,000 events are looked at. EventStoreDB: with an exact version it compares ids itself; with
///   `Any` only as far as it remembers since it was started.
/// - **An id in two streams** is not noticed.
/// - **`streams` and `stats`** are counted here: the first call reads the whole log, later ones what came since; the names of all streams stay in
///   memory (some 100 bytes each). Bytes on disk are not known: 0.
/// - **A deleted stream** cannot be read any more by its name; the adapter reads it out of $all, which takes as long as
///   reading the log, until the server scavenges it.
pub struct EventStoreLog {
    pub(crate) board: Arc<Switchboard>,
    /// For calls. Each subscription has a line of its own, so that one that is not read delays nobody.
    pub(crate) line: Line,
    pub(crate) census: Census,
    pub(crate) recent: Recent,
    /// The highest position seen anywhere: what stands there or before was in the log by now.
    seen: AtomicU64,
}

impl EventStoreLog {
    /// A log at `url`: `esdb://user:password@host:2113`, several `host:port` with commas, or `esdb+discover://` for a cluster.
    ///
    /// Does not wait for the server: calls do, each within its deadline.
    ///
    /// # Errors
    /// See [`ConnectError`].
    pub async fn connect(url: &str, settings: Settings) -> Result<Arc<Self>, ConnectError> {
        let address = Address::parse(url)?;
        let relay = Relay::start(&address).await?;
        let client = address.of_relay(relay.port())?;
        let speaker = Speaker {
            address: format!("the event log at {address}"),
            user: address.login.as_ref().map(|login| login.user().to_owned()),
        };
        let board = Arc::new(Switchboard::new(relay, client, address.login, speaker, settings));
        Ok(Arc::new(Self {
            line: Line::new(Arc::clone(&board)),
            board,
            census: Census::default(),
            recent: Recent::default(),
            seen: AtomicU64::new(0),
        }))
    }

    /// Calls fail from here on, subscriptions end, connections are closed.
    pub fn close(&self) {
        self.board.close();
    }

    pub(crate) fn seen(&self) -> Position {
        Position(self.seen.load(Ordering::Acquire))
    }

    pub(crate) fn see(&self, position: Position) {
        self.seen.fetch_max(position.0, Ordering::AcqRel);
    }
}

#[async_trait]
impl EventLog for EventStoreLog {
    async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        Box::pin(self.append_events(append)).await
    }

    async fn tombstone(&self, stream: &StreamName, expected: ExpectedVersion) -> Result<Appended, AppendError> {
        Box::pin(self.bury(stream, expected)).await
    }

    async fn read_stream(
        &self,
        stream: &StreamName,
        from: Option<StreamVersion>,
        direction: Direction,
        max: usize,
    ) -> Result<Vec<Arc<RecordedEvent>>, LogError> {
        Box::pin(self.stream_page(stream, from, direction, max)).await
    }

    async fn read_all(
        &self,
        after: Position,
        filter: &EventFilter,
        max: usize,
    ) -> Result<(Vec<Arc<RecordedEvent>>, Position), LogError> {
        Box::pin(self.page_forwards(after, filter, max)).await
    }

    async fn read_all_backwards(
        &self,
        before: Option<Position>,
        filter: &EventFilter,
        max: usize,
    ) -> Result<(Vec<Arc<RecordedEvent>>, Position), LogError> {
        Box::pin(self.page_backwards(before, filter, max)).await
    }

    async fn subscribe(self: Arc<Self>, after: Position, filter: EventFilter) -> Result<Subscription, LogError> {
        self.board.check_open()?;
        Ok(Subscription::of(Box::new(Following::new(self, after, filter))))
    }

    async fn head(&self) -> Result<Position, LogError> {
        Box::pin(self.last_position()).await
    }

    async fn streams(&self, prefix: &str, after: Option<&str>, max: usize) -> Result<Vec<StreamSummary>, LogError> {
        Box::pin(self.count_on()).await?;
        Ok(self.census.page(prefix, after, max).await)
    }

    async fn stats(&self) -> Result<LogStats, LogError> {
        Box::pin(self.count_on()).await?;
        Ok(self.census.stats().await)
    }
}
