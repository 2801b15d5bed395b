//! Appends: once, however often they are sent.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use event_log::{Append, AppendError, Appended, Direction, ExpectedVersion, LogError, Position, StreamVersion};
use event_schemas::{StreamName, Timestamp};
use eventstore::{AppendToStreamOptions, Client, CurrentRevision, Error, EventData, ExpectedRevision};
use futures_util::FutureExt;
use uuid::Uuid;

use crate::{
    error::{Fault, refusal},
    events,
    line::within,
    log::EventStoreLog,
    reading::Found,
    recent::Held,
};

/// How far back a stream is searched for ids before an append.
pub(crate) const LOOK_BACK: usize = 1000;
/// Ids made within this time are new to the server, or it remembers them.
const FRESH: i64 = 60_000;
/// How far the clock of who made an id and that of the server may be apart.
const CLOCKS: i64 = 600_000;

/// What a stream holds of an append's ids.
enum Known {
    Nothing,
    /// All of them; the last one has this version.
    All(StreamVersion),
    /// This one, and not all others.
    Part(Uuid),
    /// Nobody knows any more: the stream was deleted for good.
    Buried,
}

impl EventStoreLog {
    pub(crate) async fn append_events(&self, append: Append) -> Result<Appended, AppendError> {
        let ids = distinct_ids(&append)?;
        let proposed = append
            .events
            .iter()
            .map(events::proposed)
            .collect::<Result<Vec<_>, _>>();
        let proposed = proposed.map_err(AppendError::Refused)?;
        let (stream, expected) = (&append.stream, append.expected);
        // What is at this position or before it was there before this append was sent.
        let seen = match self.seen() {
            Position::START => self.last_position().await?,
            seen => seen,
        };
        if !ids
            .iter()
            .all(|id| made_at(*id).is_some_and(|made| made > Timestamp::now().as_millis() - FRESH))
        {
            let known = self.look_for(stream, expected, &ids).await?;
            if let Some(answer) = self.answer_known(stream, known).await {
                return answer;
            }
        }
        let (version, position) = match self.send(stream, expected, &ids, proposed).await {
            Ok(sent) => sent,
            Err(fault) => return self.refused(stream, expected, &ids, fault).await,
        };
        let position = match position {
            // EventStoreDB: a repetition may be answered without the position.
            Position::START => self.position_of(stream, version).await?,
            position => position,
        };
        let first = (version + 1).saturating_sub(ids.len() as StreamVersion);
        self.recent.extend(stream, first, ids);
        let duplicate = self.recent.answered_before(position) || position <= seen;
        self.see(position);
        Ok(Appended {
            version,
            position,
            duplicate,
        })
    }

    /// The version and the position of the last event.
    async fn send(
        &self,
        stream: &StreamName,
        expected: ExpectedVersion,
        ids: &[Uuid],
        proposed: Vec<EventData>,
    ) -> Result<(StreamVersion, Position), Fault> {
        let options = AppendToStreamOptions::default().expected_revision(revision(expected));
        let options = match &self.board.login {
            Some(login) => options.authenticated(login.credentials()),
            None => options,
        };
        let repeated = Arc::new(AtomicBool::new(false));
        let (name, ids, reading) = (stream.as_str().to_owned(), ids.to_vec(), self.read_options());
        let attempt = move |client: Client, limit: Duration| {
            let (name, ids, proposed) = (name.clone(), ids.clone(), proposed.clone());
            let (options, reading) = (options.clone().deadline(limit), reading.clone());
            let repeats = repeated.swap(true, Ordering::AcqRel);
            async move {
                // The attempt before may have been carried out. With an exact version, or none, the server finds that out by itself.
                if repeats && matches!(expected, ExpectedVersion::Any | ExpectedVersion::Exists) {
                    let last = reading
                        .position(eventstore::StreamPosition::End)
                        .backwards()
                        .max_count(LOOK_BACK);
                    if let Some(written) = written_before(&client, &name, &last, &ids, limit).await? {
                        return Ok(written);
                    }
                }
                let result = within(limit, client.append_to_stream(name, &options, proposed)).await?;
                // Called "next expected", it is the version of the last event.
                Ok((result.next_expected_version, Position(result.position.commit)))
            }
            .boxed()
        };
        self.line.call("take an append", attempt).await
    }

    /// What it means that the server did not take an append.
    pub(crate) async fn refused(
        &self,
        stream: &StreamName,
        expected: ExpectedVersion,
        ids: &[Uuid],
        fault: Fault,
    ) -> Result<Appended, AppendError> {
        let error = match fault {
            Fault::Log(error) => return Err(error.into()),
            Fault::Server(error) => error,
        };
        match error {
            Error::WrongExpectedVersion { current, .. } => {
                let actual = match current {
                    CurrentRevision::Current(version) => Some(version),
                    CurrentRevision::NoStream => None,
                };
                let known = if actual.is_some() {
                    self.search(stream, ids).await?
                } else {
                    Known::Nothing
                };
                if let Some(answer) = self.answer_known(stream, known).await {
                    return answer;
                }
                Err(AppendError::Conflict {
                    stream: stream.clone(),
                    expected,
                    actual,
                })
            }
            Error::ResourceDeleted => Err(AppendError::Deleted { stream: stream.clone() }),
            error => match refusal(&error) {
                Some(why) => Err(AppendError::Refused(why)),
                None => Err(self.board.speaker.unexpected("appending", Fault::Server(error)).into()),
            },
        }
    }

    /// What to say to an append whose ids are known; none if they are not.
    async fn answer_known(&self, stream: &StreamName, known: Known) -> Option<Result<Appended, AppendError>> {
        match known {
            Known::Nothing => None,
            Known::All(version) => Some(match self.position_of(stream, version).await {
                Ok(position) => Ok(Appended {
                    version,
                    position,
                    duplicate: true,
                }),
                Err(error) => Err(error.into()),
            }),
            Known::Part(id) => Some(Err(AppendError::Refused(format!(
                "some of its events, such as {id}, are in {stream} already, others are not"
            )))),
            Known::Buried => Some(Err(AppendError::Deleted { stream: stream.clone() })),
        }
    }

    /// Looks for the ids where they would be if the append had been made before, before it is sent.
    async fn look_for(&self, stream: &StreamName, expected: ExpectedVersion, ids: &[Uuid]) -> Result<Known, LogError> {
        // Who expects nothing is refused if there is anything.
        if expected == ExpectedVersion::None {
            return Ok(Known::Nothing);
        }
        let held = match self.recent.held(stream) {
            Some(held) if matches!(expected, ExpectedVersion::Exact(version) if held.next() > version) => held,
            Some(held) => {
                let from = Some(held.next());
                match self.read_versions(stream, from, Direction::Forwards, LOOK_BACK).await? {
                    Found::Buried => return Ok(Known::Buried),
                    Found::Events(more) => {
                        let ids = more.iter().map(|event| event.id);
                        self.recent.extend(stream, held.next(), ids);
                        self.recent.held(stream).unwrap_or(held)
                    }
                }
            }
            None => match self
                .read_versions(stream, None, Direction::Backwards, LOOK_BACK)
                .await?
            {
                Found::Buried => return Ok(Known::Buried),
                Found::Events(mut last) => {
                    last.reverse();
                    let Some(held) = Held::of(&last) else {
                        return Ok(Known::Nothing);
                    };
                    if !held.ids.is_empty() {
                        self.recent.hold(stream, held.clone());
                    }
                    held
                }
            },
        };
        Ok(known_of(ids, |id| held.version(id)))
    }

    /// Looks for the ids in the whole stream, the newest first: the server said that the stream is not as expected. Ids that say when they were
    /// made cannot be in what was recorded long before that.
    async fn search(&self, stream: &StreamName, ids: &[Uuid]) -> Result<Known, LogError> {
        let earliest = ids.iter().map(|id| made_at(*id)).min().flatten();
        let mut versions = vec![None; ids.len()];
        let mut from = None;
        loop {
            let page = match self
                .read_versions(stream, from, Direction::Backwards, LOOK_BACK)
                .await?
            {
                Found::Events(page) => page,
                Found::Buried => return Ok(Known::Buried),
            };
            for event in &page {
                if let Some(index) = ids.iter().position(|id| *id == event.id) {
                    versions[index] = Some(event.revision);
                }
            }
            let Some(last) = page.last() else { break };
            let long_before = earliest.is_some_and(|made| last.created.timestamp_millis() < made - CLOCKS);
            if versions.iter().all(Option::is_some) || last.revision == 0 || long_before {
                break;
            }
            from = Some(last.revision - 1);
        }
        let version = |id| {
            ids.iter()
                .position(|known| *known == id)
                .and_then(|index| versions[index])
        };
        Ok(known_of(ids, version))
    }

    async fn position_of(&self, stream: &StreamName, version: StreamVersion) -> Result<Position, LogError> {
        let found = self
            .read_versions(stream, Some(version), Direction::Forwards, 1)
            .await?;
        match found {
            Found::Events(events) if events.first().is_some_and(|event| event.revision == version) => {
                let position = events::position(&events[0]);
                self.see(position);
                Ok(position)
            }
            _ => Err(LogError::Damaged {
                place: stream.to_string(),
                detail: format!("event {version}, just appended, cannot be read"),
            }),
        }
    }
}

/// Of an append that is well formed.
fn distinct_ids(append: &Append) -> Result<Vec<Uuid>, AppendError> {
    let ids: Vec<Uuid> = append.events.iter().map(|event| event.id).collect();
    if ids.is_empty() {
        return Err(AppendError::Refused(
            "it holds no event; append at least one".to_owned(),
        ));
    }
    let mut sorted = ids.clone();
    sorted.sort_unstable();
    match sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(AppendError::Refused(format!("it holds the event id {} twice", pair[0]))),
        None => Ok(ids),
    }
}

fn known_of(ids: &[Uuid], version: impl Fn(Uuid) -> Option<StreamVersion>) -> Known {
    let found: Vec<_> = ids
        .iter()
        .filter_map(|id| version(*id).map(|version| (*id, version)))
        .collect();
    match found.last() {
        None => Known::Nothing,
        Some((_, version)) if found.len() == ids.len() => Known::All(*version),
        Some((id, _)) => Known::Part(*id),
    }
}

/// When an id was made, if it says so (UUIDv7): milliseconds since 1970.
fn made_at(id: Uuid) -> Option<i64> {
    let made = (id.get_version_num() == 7).then(|| id.get_timestamp()).flatten()?;
    let (seconds, nanos) = made.to_unix();
    i64::try_from(seconds)
        .ok()
        .map(|seconds| seconds * 1000 + i64::from(nanos / 1_000_000))
}

pub(crate) fn revision(expected: ExpectedVersion) -> ExpectedRevision {
    match expected {
        ExpectedVersion::None => ExpectedRevision::NoStream,
        ExpectedVersion::Exists => ExpectedRevision::StreamExists,
        ExpectedVersion::Exact(version) => ExpectedRevision::Exact(version),
        ExpectedVersion::Any => ExpectedRevision::Any,
    }
}

/// The last event's version and position, if the last of these ids is among the newest of the stream.
async fn written_before(
    client: &Client,
    stream: &str,
    last: &eventstore::ReadStreamOptions,
    ids: &[Uuid],
    limit: Duration,
) -> Result<Option<(StreamVersion, Position)>, Error> {
    let read = within(limit, client.read_stream(stream.to_owned(), last)).await;
    let mut events = match read {
        Err(Error::ResourceNotFound) => return Ok(None),
        read => read?,
    };
    loop {
        let next = match within(limit, events.next()).await {
            Err(Error::ResourceNotFound) => None,
            next => next?,
        };
        let Some(event) = next else { return Ok(None) };
        let event = events::original(event).filter(|event| ids.last() == Some(&event.id));
        if let Some(event) = event {
            return Ok(Some((event.revision, events::position(&event))));
        }
    }
}
