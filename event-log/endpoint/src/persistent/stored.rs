//! What the groups keep in the log: their configuration, their checkpoints, their parked messages.
//!
//! Nothing is ever taken out of the log, so a group that is made anew under an old name must not take up what its
//! namesake left: its configuration says from which versions on checkpoints and parked messages are its own.

use std::sync::Arc;

use bytes::Bytes;
use event_log::{
    Append, AppendError, Direction, EventFilter, EventLog, ExpectedVersion, LogError, Position, RecordedEvent,
    StreamVersion, TOMBSTONE,
};
use event_schemas::{ContentType, NewEvent, StreamName, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tonic::Status;
use uuid::Uuid;

use super::{
    key::{CONFIGURATION, Key, Source},
    settings::{Settings, Start},
    sought::Sought,
};
use crate::{
    reading::Resolved,
    status::{append_fault, log_fault},
    streams::{DELETED, METADATA_TYPE, metastream_of},
};

const CONFIGURATION_TYPE: &str = "$PersistentConfig";
const CHECKPOINT_TYPE: &str = "$SubscriptionCheckpoint";
const LINK_TYPE: &str = "$>";

/// A group as its configuration says it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Entry {
    #[serde(flatten)]
    pub(super) key: Key,
    pub(super) settings: Settings,
    pub(super) start: Start,
    /// What `start` meant when the group was made: everything up to here is not for it.
    pub(super) after: Option<u64>,
    pub(super) filter: Option<Sought>,
    /// Checkpoints of lower versions are those of a namesake.
    checkpoints_from: StreamVersion,
    /// Parked messages of lower versions are those of a namesake.
    parked_from: StreamVersion,
}

/// All groups, and the version that says so.
#[derive(Debug, Clone, Default)]
pub(super) struct Configuration {
    pub(super) entries: Vec<Entry>,
    version: Option<StreamVersion>,
}

#[derive(Serialize, Deserialize)]
struct ConfigurationDocument {
    entries: Vec<Entry>,
}

/// Which messages are parked: versions of the stream of parked messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Parked {
    /// Lower ones are handled.
    pub(super) first: StreamVersion,
    /// The version that the next one will have.
    pub(super) next: StreamVersion,
    /// Those before this version are being replayed.
    pub(super) replay_to: StreamVersion,
}

#[derive(Default, Deserialize)]
struct ParkedDocument {
    #[serde(rename = "$tb", default)]
    first: StreamVersion,
    #[serde(rename = "replayTo", default)]
    replay_to: StreamVersion,
}

/// The groups' part of the log.
#[derive(Clone)]
pub(super) struct Stored {
    log: Arc<dyn EventLog>,
}

impl Stored {
    pub(super) fn new(log: Arc<dyn EventLog>) -> Self {
        Self { log }
    }

    pub(super) async fn configuration(&self) -> Result<Configuration, Status> {
        let Some(last) = self.last(&configuration_stream()?).await? else {
            return Ok(Configuration::default());
        };
        let document: ConfigurationDocument = serde_json::from_slice(&last.data).map_err(|error| {
            Status::data_loss(format!(
                "{CONFIGURATION} cannot be read at version {}: {error}",
                last.version
            ))
        })?;
        let version = Some(last.version);
        Ok(Configuration {
            entries: document.entries,
            version,
        })
    }

    /// Replaces the configuration, if nobody else did since it was read.
    pub(super) async fn configure(&self, before: &Configuration, entries: Vec<Entry>) -> Result<Configuration, Status> {
        let document = ConfigurationDocument { entries };
        let data = serde_json::to_vec(&document).map_err(|error| Status::internal(error.to_string()))?;
        let event = event(CONFIGURATION_TYPE, Bytes::new(), data.into(), ContentType::Json);
        let expected = before.version.map_or(ExpectedVersion::None, ExpectedVersion::Exact);
        let stream = configuration_stream()?;
        match self.append(stream, expected, vec![event]).await {
            Ok(version) => Ok(Configuration {
                entries: document.entries,
                version: Some(version),
            }),
            Err(AppendError::Conflict { .. }) => Err(Status::unavailable(
                "the groups were changed by somebody else just now: try again",
            )),
            Err(error) => Err(append_fault(error)),
        }
    }

    /// A new group that has nothing in common with one that had its name before.
    pub(super) async fn new_entry(
        &self,
        key: Key,
        settings: Settings,
        start: Start,
        filter: Option<Sought>,
    ) -> Result<Entry, Status> {
        // The longest of its names.
        key.parked_metadata()?;
        let checkpoints = key.checkpoints()?;
        let document = event(
            METADATA_TYPE,
            Bytes::new(),
            json!({"$maxCount": 2}).to_string().into(),
            ContentType::Json,
        );
        if let Some(metadata) = metastream_of(&checkpoints) {
            self.append(metadata, ExpectedVersion::Any, vec![document])
                .await
                .map_err(append_fault)?;
        }
        Ok(Entry {
            after: self.before(&key.stream, start).await?,
            checkpoints_from: self.next_version(&checkpoints).await?,
            parked_from: self.next_version(&key.parked()?).await?,
            key,
            settings,
            start,
            filter,
        })
    }

    /// The last place before `start`.
    pub(super) async fn before(&self, source: &Source, start: Start) -> Result<Option<u64>, Status> {
        match (start, source) {
            (Start::Beginning, _) => Ok(None),
            (Start::At(place), _) => Ok(place.checked_sub(1)),
            (Start::End, source) => self.end(source).await,
        }
    }

    /// The place of the last event that there is to follow.
    pub(super) async fn end(&self, source: &Source) -> Result<Option<u64>, Status> {
        match source {
            Source::All => {
                let head = self.log.head().await.map_err(|error| log_fault(&error))?;
                Ok((head > Position::START).then_some(head.0))
            }
            Source::Stream(stream) => {
                let last = self.last(stream).await?;
                Ok(last.map(|last| last.version).filter(|version| *version != TOMBSTONE))
            }
        }
    }

    /// Up to where the group has handled everything.
    pub(super) async fn checkpoint(&self, entry: &Entry) -> Result<Option<u64>, Status> {
        let last = self.last(&entry.key.checkpoints()?).await?;
        let Some(last) = last.filter(|last| last.version >= entry.checkpoints_from) else {
            return match &entry.key.stream {
                Source::All => self.known_start(entry.after).await,
                Source::Stream(_) => Ok(entry.after),
            };
        };
        let Some(place) = place_of(&last) else {
            let stream = &last.stream;
            return Err(Status::data_loss(format!(
                "{stream} holds no checkpoint at version {}",
                last.version
            )));
        };
        let moved = match &entry.key.stream {
            Source::All => place >= last.position.0 || self.event_at(place).await? != event_of(&last),
            Source::Stream(_) => false,
        };
        if moved {
            let key = &entry.key;
            tracing::warn!(%key, place, "the checkpoint is that of another log: the group begins from the start");
            return Ok(None);
        }
        Ok(Some(place))
    }

    /// A position from before the log was copied to another one means nothing there.
    async fn known_start(&self, after: Option<u64>) -> Result<Option<u64>, Status> {
        let head = self.log.head().await.map_err(|error| log_fault(&error))?;
        Ok(after.filter(|after| *after <= head.0))
    }

    /// The id of the event at a position of the log.
    async fn event_at(&self, place: u64) -> Result<Option<Uuid>, Status> {
        let after = Position(place.saturating_sub(1));
        let read = self.log.read_all(after, &EventFilter::default(), 1).await;
        let (events, _) = read.map_err(|error| log_fault(&error))?;
        let found = events.first().filter(|event| event.position.0 == place);
        Ok(found.map(|event| event.id))
    }

    /// Everything up to `place` is handled.
    pub(super) async fn save_checkpoint(&self, key: &Key, place: u64) -> Result<(), Status> {
        let metadata = match &key.stream {
            Source::All => json!({"event": self.event_at(place).await?}).to_string().into(),
            Source::Stream(_) => Bytes::new(),
        };
        let data = json!(key.stream.place(place)).to_string();
        let checkpoint = event(CHECKPOINT_TYPE, metadata, data.into(), ContentType::Json);
        let appended = self
            .append(key.checkpoints()?, ExpectedVersion::Any, vec![checkpoint])
            .await;
        appended.map(|_| ()).map_err(append_fault)
    }

    pub(super) async fn parked(&self, entry: &Entry) -> Result<Parked, Status> {
        let marked = self.last(&entry.key.parked_metadata()?).await?;
        let document = marked.and_then(|marked| serde_json::from_slice::<ParkedDocument>(&marked.data).ok());
        let document = document
            .filter(|document| document.first != DELETED)
            .unwrap_or_default();
        let next = self.next_version(&entry.key.parked()?).await?;
        let first = document.first.max(entry.parked_from).min(next);
        let replay_to = document.replay_to.clamp(first, next);
        Ok(Parked { first, next, replay_to })
    }

    /// Stores messages among the parked ones, each under an id of its own that makes a repetition harmless; the
    /// version that the next one will have.
    pub(super) async fn park(
        &self,
        key: &Key,
        messages: &[(Uuid, Arc<Resolved>, String)],
    ) -> Result<StreamVersion, Status> {
        let events = messages.iter().filter_map(|(id, message, reason)| {
            let event = message.event.as_ref().or(message.link.as_ref())?;
            let data = format!("{}@{}", event.version, event.stream);
            let added = Timestamp::now().to_string();
            let metadata = json!({"added": added, "reason": reason}).to_string();
            Some(NewEvent {
                id: *id,
                event_type: LINK_TYPE.to_owned(),
                content: ContentType::Binary,
                metadata: metadata.into(),
                data: data.into(),
            })
        });
        let appended = self.append(key.parked()?, ExpectedVersion::Any, events.collect()).await;
        Ok(appended.map_err(append_fault)? + 1)
    }

    /// Parked messages before `first` are handled, and those before `replay_to` are being replayed.
    pub(super) async fn mark_parked(
        &self,
        key: &Key,
        first: StreamVersion,
        replay_to: StreamVersion,
    ) -> Result<(), Status> {
        let document = json!({"$tb": first, "replayTo": replay_to}).to_string();
        let metadata = event(METADATA_TYPE, Bytes::new(), document.into(), ContentType::Json);
        let appended = self
            .append(key.parked_metadata()?, ExpectedVersion::Any, vec![metadata])
            .await;
        appended.map(|_| ()).map_err(append_fault)
    }

    /// A page of links to parked messages, of versions from `from` up to before `to`.
    pub(super) async fn parked_page(
        &self,
        key: &Key,
        from: StreamVersion,
        to: StreamVersion,
        most: usize,
    ) -> Result<Vec<Arc<RecordedEvent>>, Status> {
        let left = usize::try_from(to.saturating_sub(from)).unwrap_or(usize::MAX);
        let read = self
            .log
            .read_stream(&key.parked()?, Some(from), Direction::Forwards, most.min(left))
            .await;
        read.map_err(|error| log_fault(&error))
    }

    /// Hides what a deleted group leaves.
    pub(super) async fn hide(&self, key: &Key) -> Result<(), Status> {
        for stream in [key.checkpoints()?, key.parked()?] {
            let document = json!({"$tb": DELETED}).to_string();
            let metadata = event(METADATA_TYPE, Bytes::new(), document.into(), ContentType::Json);
            if let Some(metastream) = metastream_of(&stream) {
                let appended = self.append(metastream, ExpectedVersion::Any, vec![metadata]).await;
                appended.map_err(append_fault)?;
            }
        }
        Ok(())
    }

    async fn next_version(&self, stream: &StreamName) -> Result<StreamVersion, Status> {
        Ok(self
            .last(stream)
            .await?
            .map_or(0, |last| last.version.saturating_add(1)))
    }

    async fn last(&self, stream: &StreamName) -> Result<Option<Arc<RecordedEvent>>, Status> {
        let read = self.log.read_stream(stream, None, Direction::Backwards, 1).await;
        Ok(read.map_err(|error: LogError| log_fault(&error))?.pop())
    }

    async fn append(
        &self,
        stream: StreamName,
        expected: ExpectedVersion,
        events: Vec<NewEvent>,
    ) -> Result<StreamVersion, AppendError> {
        let append = Append {
            stream,
            expected,
            events,
        };
        Ok(self.log.append(append).await?.version)
    }
}

fn configuration_stream() -> Result<StreamName, Status> {
    CONFIGURATION
        .parse()
        .map_err(|_| Status::internal("the configuration has no name"))
}

fn event(event_type: &str, metadata: Bytes, data: Bytes, content: ContentType) -> NewEvent {
    let (id, event_type) = (Uuid::now_v7(), event_type.to_owned());
    NewEvent {
        id,
        event_type,
        content,
        metadata,
        data,
    }
}

/// The place that a checkpoint holds, in the spelling of [`Source::place`].
fn place_of(checkpoint: &RecordedEvent) -> Option<u64> {
    let text: String = serde_json::from_slice(&checkpoint.data).ok()?;
    let commit = text.strip_prefix("C:").and_then(|text| text.split_once('/'));
    commit.map_or(text.as_str(), |(commit, _)| commit).parse().ok()
}

/// The event that stood at the place that the checkpoint holds.
fn event_of(checkpoint: &RecordedEvent) -> Option<Uuid> {
    #[derive(Deserialize)]
    struct At {
        event: Option<Uuid>,
    }
    serde_json::from_slice::<At>(&checkpoint.metadata).ok()?.event
}
