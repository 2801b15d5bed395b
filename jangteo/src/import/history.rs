//! Events of the past, with ids that are the same at every import.

use event_schemas::{Actor, Category, DomainEvent, Id, Metadata, NewEvent, Timestamp, ids::derived_uuid};
use uuid::Uuid;

use crate::sink::ImportedStream;

/// The parent of every imported identity: `derived_uuid(IMPORT_NAMESPACE, "olist:order:<their id>")`.
pub const IMPORT_NAMESPACE: Uuid = Uuid::from_u128(0x6a61_6e67_7465_8f00_a96d_706f_7274_6564);

/// The id of a thing that the source calls `name`, such as `icecat:product:3920564`.
pub(super) fn imported_id<K>(name: &str) -> Id<K> {
    Id::derived(IMPORT_NAMESPACE, name)
}

/// The history of one stream while it is put together. Each event type happens at most once in it: an event's id is derived
/// from the stream's and the type's name.
#[derive(Debug)]
pub(super) struct History {
    stream: ImportedStream,
    parent: Uuid,
    correlation_id: Uuid,
}

impl History {
    /// The (still empty) history of the thing called `id`, caused by `correlation_id`.
    pub(super) fn new(category: Category, id: Uuid, correlation_id: Uuid) -> Self {
        let stream = ImportedStream {
            stream: category.stream(id),
            events: vec![],
        };
        let parent = derived_uuid(id, category.as_str());
        Self {
            stream,
            parent,
            correlation_id,
        }
    }

    /// `event` happened at `at`.
    pub(super) fn add<E: DomainEvent>(&mut self, at: Timestamp, event: impl Into<E>) {
        let event = event.into();
        let metadata = Metadata {
            imported: true,
            ..Metadata::new(at, self.correlation_id, Actor::system("import"))
        };
        let id = derived_uuid(self.parent, event.event_type());
        self.stream.events.push(NewEvent::new(id, &event, &metadata));
    }

    /// All that happened; none where nothing did.
    pub(super) fn finish(self) -> Option<ImportedStream> {
        (!self.stream.events.is_empty()).then_some(self.stream)
    }
}

/// A history of a single event.
pub(super) fn single<E: DomainEvent>(id: Uuid, at: Timestamp, event: impl Into<E>) -> ImportedStream {
    let mut history = History::new(E::CATEGORY, id, id);
    history.add::<E>(at, event);
    history.stream
}
