//! The adapter over the wire: its own endpoint, on loopback, in this process.

mod cluster;
mod contract;
mod latency;
mod middleman;
mod outages;
mod repeating;
mod slow;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use event_log::{
    Append, AppendError, Appended, EventFilter, EventLog, ExpectedVersion, LogError, Position, RecordedEvent,
    Subscription,
};
use event_schemas::{ContentType, NewEvent, StreamName};
use log_endpoint::{Endpoint, EndpointSettings, Limits, Security};
use tokio::net::TcpListener;
use uuid::Uuid;

use crate::{EventStoreLog, Settings};

/// Longer than anything here takes on a slow machine.
const DEADLINE: Duration = Duration::from_secs(60);

async fn within<T>(waiting: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, waiting).await.expect("not in time")
}

/// Serves `log` without TLS; port 0 for any.
async fn serve(log: &Arc<dyn EventLog>, port: u16) -> Endpoint {
    // A port that was served a moment ago may be free only in a moment.
    let listener = within(async {
        loop {
            match TcpListener::bind(("127.0.0.1", port)).await {
                Ok(listener) => return listener,
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    });
    let settings = EndpointSettings {
        log: Arc::clone(log),
        listener: listener.await,
        security: Security::Insecure,
        limits: Limits::default(),
    };
    Endpoint::start(settings).await.unwrap()
}

fn memory() -> Arc<dyn EventLog> {
    event_log::memory::MemoryLog::new()
}

fn url(address: SocketAddr) -> String {
    format!("esdb://{address}?tls=false")
}

async fn connect(address: SocketAddr) -> Arc<EventStoreLog> {
    EventStoreLog::connect(&url(address), Settings::default())
        .await
        .unwrap()
}

fn settings(call_deadline: u64, silence: u64) -> Settings {
    Settings {
        call_deadline: Duration::from_millis(call_deadline),
        silence: Duration::from_millis(silence),
    }
}

/// A port at which nobody listens.
async fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().port()
}

fn event(id: Uuid, bytes: usize) -> NewEvent {
    NewEvent {
        id,
        event_type: "Tested".to_owned(),
        content: ContentType::Json,
        metadata: Bytes::from_static(br#"{"schema_version":1}"#),
        data: serde_json::to_vec(&"x".repeat(bytes)).unwrap().into(),
    }
}

fn new_events(count: usize) -> Vec<NewEvent> {
    (0..count).map(|_| event(Uuid::now_v7(), 20)).collect()
}

fn stream(name: &str) -> StreamName {
    name.parse().unwrap()
}

async fn append(
    log: &dyn EventLog,
    name: &str,
    expected: ExpectedVersion,
    events: Vec<NewEvent>,
) -> Result<Appended, AppendError> {
    let append = Append {
        stream: stream(name),
        expected,
        events,
    };
    within(log.append(append)).await
}

async fn add(log: &dyn EventLog, name: &str, count: usize) -> Appended {
    append(log, name, ExpectedVersion::Any, new_events(count))
        .await
        .unwrap()
}

async fn follow(log: &Arc<EventStoreLog>, after: Position) -> Subscription {
    Arc::clone(log).subscribe(after, EventFilter::default()).await.unwrap()
}

/// Follows until `until`.
async fn heard_until(subscription: &mut Subscription, until: Position) -> Vec<Arc<RecordedEvent>> {
    let mut all = vec![];
    loop {
        let (events, at) = within(subscription.next(100)).await.unwrap();
        all.extend(events);
        if at >= until {
            return all;
        }
    }
}

/// Everything in the log, read from where it is.
async fn all_of(log: &dyn EventLog) -> Vec<Arc<RecordedEvent>> {
    let (mut all, mut at) = (vec![], Position::START);
    loop {
        let (events, next) = log.read_all(at, &EventFilter::default(), 1000).await.unwrap();
        if next == at {
            return all;
        }
        all.extend(events);
        at = next;
    }
}

fn positions(events: &[Arc<RecordedEvent>]) -> Vec<u64> {
    events.iter().map(|event| event.position.0).collect()
}

fn unavailable(error: &AppendError) -> &str {
    match error {
        AppendError::Log(LogError::Unavailable(text)) => text,
        other => panic!("{other:?}"),
    }
}
