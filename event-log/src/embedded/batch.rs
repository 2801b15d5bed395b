//! One group commit: the appends that were in the queue, checked one after the other, written together.

use std::{collections::HashMap, sync::Arc};

use event_schemas::{NewEvent, StreamName, Timestamp};
use fjall::{PersistMode, Slice};
use uuid::Uuid;

use super::{
    record::{self, Location, SEGMENT_BYTES},
    shared::{Shared, StreamHead},
    store::{Store, TOTALS_KEY, stream_key},
    totals::Totals,
};
use crate::port::{
    Append, AppendError, Appended, ExpectedVersion, LogError, Position, Recorded, RecordedEvent, StreamVersion,
    TOMBSTONE, stream_deleted,
};

/// The events admitted so far. Nothing outside it changes before it is durable, so a batch that fails is simply dropped.
pub(super) struct Batch<'a> {
    shared: &'a Shared,
    store: &'a Store,
    recorded_at: Timestamp,
    next: u64,
    pub(super) events: Vec<Arc<RecordedEvent>>,
    pub(super) heads: HashMap<StreamName, StreamHead>,
    /// Where in `events` an id stands.
    ids: HashMap<Uuid, usize>,
}

/// An event that stands in the log (or in this batch) under an id that is to be appended.
struct Standing {
    stream: StreamName,
    head: StreamHead,
}

impl<'a> Batch<'a> {
    pub(super) fn new(shared: &'a Shared, store: &'a Store, recorded_at: Timestamp) -> Self {
        Self {
            shared,
            store,
            recorded_at,
            next: shared.head().0 + 1,
            events: vec![],
            heads: HashMap::new(),
            ids: HashMap::new(),
        }
    }

    /// Checks an append against the log and what this batch holds already, and takes it in.
    pub(super) fn admit(&mut self, append: Append) -> Result<Appended, AppendError> {
        let Append {
            stream,
            expected,
            events,
        } = append;
        let actual = self.version(&stream)?;
        if let Some(appended) = self.duplicate(&stream, &events)? {
            return Ok(appended);
        }
        check(&stream, expected, actual)?;
        Ok(self.take(stream, actual.map_or(0, |version| version + 1), events))
    }

    /// As [`Self::admit`], for the end of a stream.
    pub(super) fn admit_tombstone(
        &mut self,
        stream: StreamName,
        expected: ExpectedVersion,
    ) -> Result<Appended, AppendError> {
        check(&stream, expected, self.version(&stream)?)?;
        Ok(self.take(stream, TOMBSTONE, vec![stream_deleted()]))
    }

    /// The version of a stream's last event.
    fn version(&self, stream: &StreamName) -> Result<Option<StreamVersion>, AppendError> {
        match self.head(stream)?.map(|head| head.version) {
            Some(TOMBSTONE) => Err(AppendError::Deleted { stream: stream.clone() }),
            version => Ok(version),
        }
    }

    /// The first of `events` gets the version `first`.
    fn take(&mut self, stream: StreamName, first: StreamVersion, events: Vec<NewEvent>) -> Appended {
        let mut version = first;
        for event in events {
            self.ids.insert(event.id, self.events.len());
            self.events.push(Arc::new(RecordedEvent::new(Recorded {
                position: Position(self.next),
                stream: stream.clone(),
                version,
                id: event.id,
                event_type: event.event_type.into_boxed_str(),
                recorded_at: self.recorded_at,
                content: event.content,
                metadata: event.metadata,
                data: event.data,
            })));
            (self.next, version) = (self.next + 1, version + 1);
        }
        let head = StreamHead {
            version: version - 1,
            position: self.next - 1,
        };
        self.heads.insert(stream, head);
        Appended {
            version: head.version,
            position: Position(head.position),
            duplicate: false,
        }
    }

    fn head(&self, stream: &StreamName) -> Result<Option<StreamHead>, LogError> {
        if let Some(head) = self.heads.get(stream) {
            return Ok(Some(*head));
        }
        if let Some(head) = self.shared.heads.get(stream) {
            return Ok(Some(head));
        }
        let head = self.store.stream_head(stream.as_str())?;
        Ok(head.map(|(version, location)| StreamHead {
            version,
            position: location.position,
        }))
    }

    /// What the same append answered before, if it was made before.
    fn duplicate(&self, stream: &StreamName, events: &[NewEvent]) -> Result<Option<Appended>, AppendError> {
        let refused = |text: String| Err(AppendError::Refused(text));
        let mut last = None;
        let mut standing = 0;
        for (index, event) in events.iter().enumerate() {
            if let Some(found) = self.standing(event.id)? {
                if found.stream != *stream {
                    return refused(format!("the event id {} stands in {} already", event.id, found.stream));
                }
                standing += 1;
                last = Some(found.head);
            }
            if standing != 0 && standing != index + 1 {
                return refused(format!(
                    "some of its events are in {stream} already, others such as {} are not",
                    event.id
                ));
            }
        }
        if let Some(id) = twice(events) {
            return refused(format!("it holds the event id {id} twice"));
        }
        Ok(last.map(|head| Appended {
            version: head.version,
            position: Position(head.position),
            duplicate: true,
        }))
    }

    fn standing(&self, id: Uuid) -> Result<Option<Standing>, LogError> {
        let event = match self.ids.get(&id) {
            Some(index) => Arc::clone(&self.events[*index]),
            None => match self.store.id(id)? {
                None => return Ok(None),
                Some(location) => {
                    let recent = self.shared.tail().get(location.position);
                    recent.map_or_else(|| self.store.event(location, &mut None), Ok)?
                }
            },
        };
        Ok(Some(Standing {
            stream: event.stream.clone(),
            head: StreamHead {
                version: event.version,
                position: event.position.0,
            },
        }))
    }

    /// As [`write`].
    pub(super) fn commit(&self, totals: Option<&Totals>) -> Result<(), fjall::Error> {
        write(self.store, &self.events, totals)
    }
}

/// Writes events in one fjall batch and waits for the disk, once.
///
/// # Errors
/// The store's. Nothing of it is visible then.
pub(super) fn write(store: &Store, events: &[Arc<RecordedEvent>], totals: Option<&Totals>) -> Result<(), fjall::Error> {
    let items = 3 * events.len() + 1;
    let mut batch =
        fjall::OwnedWriteBatch::with_capacity(store.db.clone(), items).durability(Some(PersistMode::SyncData));
    let mut segment = Vec::with_capacity(SEGMENT_BYTES);
    let mut first = 0;
    for event in events {
        if segment.is_empty() {
            first = event.position.0;
        }
        let location = Location {
            position: event.position.0,
            segment: first,
            offset: segment.len() as u32,
        };
        record::write(&mut segment, event);
        if segment.len() >= SEGMENT_BYTES {
            batch.insert(&store.segments, first.to_be_bytes(), Slice::new(&segment));
            segment.clear();
        }
        let location = Slice::new(&location.encode());
        batch.insert(
            &store.streams,
            stream_key(event.stream.as_str(), event.version),
            location.clone(),
        );
        batch.insert(&store.ids, *event.id.as_bytes(), location);
    }
    if !segment.is_empty() {
        batch.insert(&store.segments, first.to_be_bytes(), Slice::new(&segment));
    }
    if let Some(totals) = totals {
        // Plain numbers and names: they cannot fail to be written, and if they did a start would count from further back.
        if let Ok(json) = serde_json::to_vec(totals) {
            batch.insert(&store.totals, TOTALS_KEY, json);
        }
    }
    batch.commit()
}

fn check(stream: &StreamName, expected: ExpectedVersion, actual: Option<StreamVersion>) -> Result<(), AppendError> {
    if expected.fits(actual) {
        return Ok(());
    }
    Err(AppendError::Conflict {
        stream: stream.clone(),
        expected,
        actual,
    })
}

/// An id that occurs more than once. Appends are short: comparing all pairs is cheaper than a set up to a length.
fn twice(events: &[NewEvent]) -> Option<Uuid> {
    if events.len() < 16 {
        let mut pairs = events.iter().enumerate();
        return pairs.find_map(|(index, event)| {
            events[..index]
                .iter()
                .any(|other| other.id == event.id)
                .then_some(event.id)
        });
    }
    let mut seen = std::collections::HashSet::with_capacity(events.len());
    events.iter().find(|event| !seen.insert(event.id)).map(|event| event.id)
}
