//! A log of a test's own, and readers of it.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use event_log::{
    Append, Appended, EventLog, ExpectedVersion, Position, Recorded, RecordedEvent, StreamVersion, memory::MemoryLog,
};
use event_schemas::{ContentType, NewEvent, StreamName, Timestamp};
use futures_util::{FutureExt, StreamExt};
use tokio::sync::watch;
use tonic::Status;
use uuid::Uuid;

use crate::{
    reading::{Answers, read, request::Place},
    server::Limits,
    service::Service,
    wire::{
        client::{
            AllStreamPosition, Empty, FilterOptions, StreamIdentifier, StreamOptions, UuidOption,
            filter_options::{Expression, Filter, Window},
            stream_options::RevisionOption,
            uuid_option,
        },
        streams::{
            ReadReq, ReadResp,
            read_req::{
                Options,
                options::{
                    AllOptions, ControlOption, CountOption, FilterOption, ReadDirection, StreamOption,
                    SubscriptionOptions, all_options::AllOption,
                },
            },
            read_resp::Content,
        },
    },
};

/// An event with data of that size.
pub(crate) fn recorded_of(bytes: usize) -> Arc<RecordedEvent> {
    Arc::new(RecordedEvent::new(Recorded {
        position: Position(1),
        stream: name("order-1"),
        version: 0,
        id: Uuid::now_v7(),
        event_type: "Tested".into(),
        recorded_at: Timestamp::from_millis(0),
        content: ContentType::Json,
        metadata: Bytes::new(),
        data: vec![b'x'; bytes].into(),
    }))
}

pub(super) fn name(stream: &str) -> StreamName {
    stream.parse().unwrap()
}

/// A log and what serves it.
pub(super) struct Corner {
    pub(super) log: Arc<dyn EventLog>,
    service: Arc<Service>,
    _stop: watch::Sender<bool>,
}

impl Corner {
    pub(super) fn new() -> Self {
        Self::on(MemoryLog::new())
    }

    pub(super) fn on(log: Arc<dyn EventLog>) -> Self {
        let (stop, stopping) = watch::channel(false);
        Self {
            service: Service::new(Arc::clone(&log), Limits::default(), stopping),
            log,
            _stop: stop,
        }
    }

    /// Appends events of these types and data.
    pub(super) async fn add(&self, stream: &str, events: &[(&str, &str)]) -> Appended {
        let events = events.iter().map(|(event_type, data)| NewEvent {
            id: Uuid::now_v7(),
            event_type: (*event_type).to_owned(),
            content: ContentType::Json,
            metadata: Bytes::new(),
            data: Bytes::copy_from_slice(data.as_bytes()),
        });
        let append = Append {
            stream: name(stream),
            expected: ExpectedVersion::Any,
            events: events.collect(),
        };
        let appended = self.log.append(append).await.unwrap();
        self.service.streams.appended(&name(stream));
        appended
    }

    /// Appends so many events, all of one type.
    pub(super) async fn add_many(&self, stream: &str, count: usize) -> Appended {
        self.add(stream, &vec![("Tested", "{}"); count]).await
    }

    /// What is answered to the end.
    pub(super) async fn lines(&self, wish: Wish) -> Vec<String> {
        let answers = read(&self.service, wish.request()).await.unwrap();
        answers.map(|reply| line(&reply.unwrap())).collect().await
    }

    /// The first reply.
    pub(super) async fn first(&self, request: ReadReq) -> ReadResp {
        let mut answers = read(&self.service, request).await.unwrap();
        answers.next().await.unwrap().unwrap()
    }

    /// Why it is not answered.
    pub(super) async fn refused(&self, request: ReadReq) -> Option<Status> {
        read(&self.service, request).await.err()
    }

    pub(super) async fn follow(&self, wish: Wish) -> Follower {
        Follower(read(&self.service, wish.request()).await.unwrap())
    }
}

/// A subscriber.
pub(super) struct Follower(pub(super) Answers);

impl Follower {
    /// The next reply, which must come.
    pub(super) async fn next(&mut self) -> Result<String, Status> {
        let reply = tokio::time::timeout(Duration::from_secs(20), self.0.next())
            .await
            .unwrap();
        reply.unwrap().map(|reply| line(&reply))
    }

    pub(super) async fn expect(&mut self, lines: &[&str]) {
        for line in lines {
            assert_eq!(self.next().await.unwrap(), *line);
        }
    }

    /// Nothing more comes for now.
    pub(super) fn waits(&mut self) -> bool {
        self.0.next().now_or_never().is_none()
    }
}

/// What to ask for, with what most tests want filled in.
#[derive(Clone)]
pub(super) struct Wish {
    source: StreamOption,
    backwards: bool,
    count: Option<u64>,
    filter: Option<FilterOptions>,
    resolve_links: bool,
    compatibility: u32,
}

impl Wish {
    pub(super) fn of_stream(stream: &str, from: Place<StreamVersion>) -> Self {
        let identifier = StreamIdentifier {
            stream_name: Bytes::copy_from_slice(stream.as_bytes()),
        };
        let revision = match from {
            Place::Start => RevisionOption::Start(Empty {}),
            Place::At(version) => RevisionOption::Revision(version),
            Place::End => RevisionOption::End(Empty {}),
        };
        Self::of(StreamOption::Stream(StreamOptions {
            stream_identifier: Some(identifier),
            revision_option: Some(revision),
        }))
    }

    pub(super) fn of_all(from: Place<u64>) -> Self {
        let option = match from {
            Place::Start => AllOption::Start(Empty {}),
            Place::At(position) => AllOption::Position(AllStreamPosition {
                commit_position: position,
                prepare_position: position,
            }),
            Place::End => AllOption::End(Empty {}),
        };
        Self::of(StreamOption::All(AllOptions {
            all_option: Some(option),
        }))
    }

    fn of(source: StreamOption) -> Self {
        Self {
            source,
            backwards: false,
            count: Some(u64::MAX),
            filter: None,
            resolve_links: false,
            compatibility: 1,
        }
    }

    pub(super) fn backwards(self) -> Self {
        Self {
            backwards: true,
            ..self
        }
    }

    pub(super) fn count(self, count: u64) -> Self {
        Self {
            count: Some(count),
            ..self
        }
    }

    pub(super) fn for_ever(self) -> Self {
        Self { count: None, ..self }
    }

    pub(super) fn filter(self, filter: FilterOptions) -> Self {
        Self {
            filter: Some(filter),
            ..self
        }
    }

    pub(super) fn links(self) -> Self {
        Self {
            resolve_links: true,
            ..self
        }
    }

    /// As clients ask that know nothing of stream positions.
    pub(super) fn older(self) -> Self {
        Self {
            compatibility: 0,
            ..self
        }
    }

    pub(super) fn request(self) -> ReadReq {
        let direction = if self.backwards {
            ReadDirection::Backwards
        } else {
            ReadDirection::Forwards
        };
        ReadReq {
            options: Some(Options {
                stream_option: Some(self.source),
                read_direction: direction.into(),
                resolve_links: self.resolve_links,
                count_option: Some(match self.count {
                    Some(count) => CountOption::Count(count),
                    None => CountOption::Subscription(SubscriptionOptions {}),
                }),
                filter_option: Some(match self.filter {
                    Some(filter) => FilterOption::Filter(filter),
                    None => FilterOption::NoFilter(Empty {}),
                }),
                uuid_option: Some(UuidOption {
                    content: Some(uuid_option::Content::String(Empty {})),
                }),
                control_option: Some(ControlOption {
                    compatibility: self.compatibility,
                }),
            }),
        }
    }
}

/// A filter on stream names with these prefixes; a checkpoint after every `window` events.
pub(super) fn prefixes(prefixes: &[&str], window: u32) -> FilterOptions {
    let expression = Expression {
        regex: String::new(),
        prefix: prefixes.iter().map(|prefix| (*prefix).to_owned()).collect(),
    };
    filter(Filter::StreamIdentifier(expression), window)
}

/// A filter on event types by an expression.
pub(super) fn types(regex: &str) -> FilterOptions {
    let expression = Expression {
        regex: regex.to_owned(),
        prefix: vec![],
    };
    filter(Filter::EventType(expression), 1000)
}

fn filter(on: Filter, window: u32) -> FilterOptions {
    FilterOptions {
        filter: Some(on),
        window: Some(Window::Max(window)),
        checkpoint_interval_multiplier: 1,
    }
}

/// A reply in a few words.
pub(super) fn line(reply: &ReadResp) -> String {
    let place = |event: &crate::wire::client::RecordedEvent| {
        let stream = event.stream_identifier.as_ref().unwrap();
        let stream = std::str::from_utf8(&stream.stream_name).unwrap();
        format!("{stream}/{}", event.stream_revision)
    };
    match reply.content.as_ref().unwrap() {
        Content::Event(read) => match (&read.event, &read.link) {
            (Some(event), None) => place(event),
            (Some(event), Some(link)) => format!("{} by {}", place(event), place(link)),
            (None, Some(link)) => format!("nothing by {}", place(link)),
            (None, None) => panic!("neither event nor link"),
        },
        Content::Confirmation(confirmation) => {
            confirmation.subscription_id.parse::<Uuid>().unwrap();
            "confirmed".to_owned()
        }
        Content::Checkpoint(at) => format!("checkpoint {}", at.commit_position),
        Content::StreamNotFound(_) => "not found".to_owned(),
        Content::FirstStreamPosition(version) => format!("first {version}"),
        Content::LastStreamPosition(version) => format!("last {version}"),
        Content::LastAllStreamPosition(at) => format!("last of all {}", at.commit_position),
        Content::CaughtUp(_) => "caught up".to_owned(),
        Content::FellBehind(_) => "fell behind".to_owned(),
    }
}
