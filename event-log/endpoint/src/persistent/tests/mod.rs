//! Groups over the wire, on the embedded log.

mod consuming;
mod full_disk;
mod groups;
mod parking;
mod restarts;

use std::{path::Path, sync::Arc, time::Duration};

use event_log::{Append, EventLog, ExpectedVersion, embedded::EmbeddedLog};
use event_schemas::{ContentType, NewEvent};
use http::Uri;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc,
};
use tonic::{Status, Streaming};
use uuid::Uuid;

use crate::{
    Endpoint, EndpointSettings, Limits, Security,
    messages::{Ids, id_from},
    testing::{Connection, identifier, name, soon},
    wire::{
        client::{self, AllStreamPosition, Empty, StreamOptions, UuidOption, stream_options::RevisionOption},
        persistent_subscriptions::{
            AllOptions, CreateReq, DeleteReq, GetInfoReq, ReadReq, ReadResp, ReplayParkedReq, Settings,
            SubscriptionInfo, UpdateReq,
            all_options::{AllOption, FilterOption},
            create_req, delete_req, get_info_req,
            persistent_subscriptions_client::PersistentSubscriptionsClient,
            read_req,
            read_resp::{Content, ReadEvent, read_event::Count},
            replay_parked_req,
            settings::{CheckpointAfter, MessageTimeout},
            update_req,
        },
    },
};

/// An endpoint on the embedded log of a folder.
struct House {
    endpoint: Endpoint,
    log: Arc<EmbeddedLog>,
    groups: PersistentSubscriptionsClient<Connection>,
}

impl House {
    async fn open(folder: &Path) -> Self {
        let log = EmbeddedLog::open(folder).unwrap();
        Self::serve(Arc::clone(&log), log).await
    }

    /// With an endpoint that sees `served` where the tests see `log`.
    async fn serve(log: Arc<EmbeddedLog>, served: Arc<dyn EventLog>) -> Self {
        let settings = EndpointSettings {
            log: served,
            listener: TcpListener::bind("127.0.0.1:0").await.unwrap(),
            security: Security::Insecure,
            limits: Limits::default(),
        };
        let endpoint = Endpoint::start(settings).await.unwrap();
        let stream = TcpStream::connect(endpoint.address()).await.unwrap();
        let origin: Uri = format!("http://{}", endpoint.address()).parse().unwrap();
        let groups = PersistentSubscriptionsClient::with_origin(Connection::over(stream).await, origin);
        Self { endpoint, log, groups }
    }

    async fn close(self) {
        let Self { endpoint, log, groups } = self;
        drop(groups);
        soon(endpoint.stop()).await;
        log.close();
    }

    /// Appends events whose data are these.
    async fn append(&self, stream: &str, data: &[&str]) {
        let events = data.iter().map(|data| NewEvent {
            id: Uuid::now_v7(),
            event_type: "Told".to_owned(),
            content: ContentType::Json,
            metadata: "{}".into(),
            data: (*data).to_owned().into(),
        });
        self.append_events(stream, events.collect()).await;
    }

    async fn append_events(&self, stream: &str, events: Vec<NewEvent>) {
        let (stream, expected) = (name(stream), ExpectedVersion::Any);
        self.log
            .append(Append {
                stream,
                expected,
                events,
            })
            .await
            .unwrap();
    }

    async fn create(&mut self, of: Of<'_>, start: RevisionOption, settings: Settings) -> Result<(), Status> {
        let options = create_req::Options {
            stream_option: Some(of.create(start)),
            group_name: GROUP.to_owned(),
            settings: Some(settings),
            ..Default::default()
        };
        soon(self.groups.create(CreateReq { options: Some(options) }))
            .await
            .map(|_| ())
    }

    async fn update(&mut self, stream: &str, start: RevisionOption, settings: Settings) -> Result<(), Status> {
        let options = update_req::Options {
            stream_option: Some(update_req::options::StreamOption::Stream(StreamOptions {
                stream_identifier: identifier(stream),
                revision_option: Some(start),
            })),
            group_name: GROUP.to_owned(),
            settings: Some(settings),
            ..Default::default()
        };
        soon(self.groups.update(UpdateReq { options: Some(options) }))
            .await
            .map(|_| ())
    }

    async fn delete(&mut self, stream: &str) -> Result<(), Status> {
        let options = delete_req::Options {
            stream_option: identifier(stream).map(delete_req::options::StreamOption::StreamIdentifier),
            group_name: GROUP.to_owned(),
        };
        soon(self.groups.delete(DeleteReq { options: Some(options) }))
            .await
            .map(|_| ())
    }

    async fn info(&mut self, stream: &str) -> Result<SubscriptionInfo, Status> {
        let options = get_info_req::Options {
            stream_option: identifier(stream).map(get_info_req::options::StreamOption::StreamIdentifier),
            group_name: GROUP.to_owned(),
        };
        let told = soon(self.groups.get_info(GetInfoReq { options: Some(options) })).await?;
        Ok(told.into_inner().subscription_info.unwrap())
    }

    /// Waits until the group is as wanted.
    async fn until(&mut self, stream: &str, wanted: impl Fn(&SubscriptionInfo) -> bool) -> SubscriptionInfo {
        let waiting = async {
            loop {
                let info = self.info(stream).await.unwrap();
                if wanted(&info) {
                    return info;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        soon(waiting).await
    }

    async fn replay(&mut self, stream: &str, stop_at: Option<i64>) {
        let stop_at = stop_at.map_or(replay_parked_req::options::StopAtOption::NoLimit(Empty {}), |version| {
            replay_parked_req::options::StopAtOption::StopAt(version)
        });
        let options = replay_parked_req::Options {
            group_name: GROUP.to_owned(),
            stream_option: identifier(stream).map(replay_parked_req::options::StreamOption::StreamIdentifier),
            stop_at_option: Some(stop_at),
        };
        soon(self.groups.replay_parked(ReplayParkedReq { options: Some(options) }))
            .await
            .unwrap();
    }

    /// A consumer, let in.
    async fn consume(&self, stream: &str, buffer: i32) -> Result<Consumer, Status> {
        let (say, said) = mpsc::channel(64);
        let options = read_req::Options {
            stream_option: Some(match stream {
                ALL => read_req::options::StreamOption::All(Empty {}),
                stream => read_req::options::StreamOption::StreamIdentifier(identifier(stream).unwrap()),
            }),
            group_name: GROUP.to_owned(),
            buffer_size: buffer,
            uuid_option: Some(UuidOption {
                content: Some(client::uuid_option::Content::String(Empty {})),
            }),
        };
        say.send(read_req::Content::Options(options)).await.unwrap();
        let said = futures_util::stream::unfold(said, |mut said: mpsc::Receiver<read_req::Content>| async {
            let content = said.recv().await?;
            Some((ReadReq { content: Some(content) }, said))
        });
        let mut replies = soon(self.groups.clone().read(said)).await?.into_inner();
        let confirmed = soon(replies.message()).await?.unwrap().content.unwrap();
        let Content::SubscriptionConfirmation(confirmation) = confirmed else {
            panic!("{confirmed:?}");
        };
        assert_eq!(confirmation.subscription_id, format!("{stream}::{GROUP}"));
        Ok(Consumer { say, replies })
    }
}

const GROUP: &str = "clerks";
const ALL: &str = "$all";
const START: RevisionOption = RevisionOption::Start(Empty {});
const END: RevisionOption = RevisionOption::End(Empty {});

/// What a group is to follow.
enum Of<'a> {
    Stream(&'a str),
    All(FilterOption),
}

impl Of<'_> {
    fn create(self, start: RevisionOption) -> create_req::options::StreamOption {
        match self {
            Of::Stream(stream) => create_req::options::StreamOption::Stream(StreamOptions {
                stream_identifier: identifier(stream),
                revision_option: Some(start),
            }),
            Of::All(filter) => create_req::options::StreamOption::All(AllOptions {
                all_option: Some(match start {
                    RevisionOption::Start(_) => AllOption::Start(Empty {}),
                    RevisionOption::End(_) => AllOption::End(Empty {}),
                    RevisionOption::Revision(place) => AllOption::Position(AllStreamPosition {
                        commit_position: place,
                        prepare_position: place,
                    }),
                }),
                filter_option: Some(filter),
            }),
        }
    }
}

/// As clients send them by default, but with a checkpoint for each event.
fn settings() -> Settings {
    Settings {
        max_retry_count: 10,
        min_checkpoint_count: 1,
        max_checkpoint_count: 1,
        live_buffer_size: 500,
        read_batch_size: 20,
        history_buffer_size: 500,
        message_timeout: Some(MessageTimeout::MessageTimeoutMs(30_000)),
        checkpoint_after: Some(CheckpointAfter::CheckpointAfterMs(1)),
        consumer_strategy: "RoundRobin".to_owned(),
        ..Default::default()
    }
}

/// What of the fault clients look for.
fn exception(status: &Status) -> &str {
    status
        .metadata()
        .get("exception")
        .map_or("", |name| name.to_str().unwrap())
}

struct Consumer {
    say: mpsc::Sender<read_req::Content>,
    replies: Streaming<ReadResp>,
}

/// A message as a consumer sees it.
#[derive(Debug)]
struct Got {
    /// What to acknowledge.
    id: Uuid,
    data: String,
    retries: i32,
    linked: bool,
    event: ReadEvent,
}

impl Consumer {
    async fn next(&mut self) -> Result<Got, Status> {
        let reply = soon(self.replies.message()).await?.unwrap();
        let Some(Content::Event(event)) = reply.content else {
            panic!("{reply:?}");
        };
        let recorded = event.event.as_ref().unwrap();
        let acknowledged = event.link.as_ref().unwrap_or(recorded);
        Ok(Got {
            id: id_from(acknowledged.id.as_ref()).unwrap(),
            data: String::from_utf8(recorded.data.to_vec()).unwrap(),
            retries: match event.count {
                Some(Count::RetryCount(retries)) => retries,
                other => panic!("{other:?}"),
            },
            linked: event.link.is_some(),
            event,
        })
    }

    async fn all(&mut self, count: usize) -> Vec<Got> {
        let mut all = vec![];
        for _ in 0..count {
            all.push(self.next().await.unwrap());
        }
        all
    }

    async fn ack(&self, got: &[Got]) {
        let ids = got.iter().map(|got| Ids::Structured.write(got.id)).collect();
        let ack = read_req::Ack {
            ids,
            ..Default::default()
        };
        self.say.send(read_req::Content::Ack(ack)).await.unwrap();
    }

    async fn nack(&self, got: &[Got], action: read_req::nack::Action) {
        let nack = read_req::Nack {
            ids: got.iter().map(|got| Ids::Text.write(got.id)).collect(),
            action: action.into(),
            reason: "because".to_owned(),
            ..Default::default()
        };
        self.say.send(read_req::Content::Nack(nack)).await.unwrap();
    }
}

fn data(got: &[Got]) -> Vec<&str> {
    got.iter().map(|got| got.data.as_str()).collect()
}
