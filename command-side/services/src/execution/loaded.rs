//! An aggregate as the log tells it.

use std::{
    collections::VecDeque,
    hash::{DefaultHasher, Hash, Hasher},
};

use domain::Aggregate;
use event_log::{Position, RecordedEvent, StreamVersion};
use uuid::Uuid;

use super::decode;
use crate::services::ServiceError;

/// Commands that an aggregate remembers. One that is older and comes again is still recognised by the log.
const REMEMBERED: usize = 32;

/// An aggregate, and what must be known to change it.
#[derive(Debug, Clone, Default)]
pub struct Loaded<A> {
    /// What its events made it.
    pub state: A,
    /// The version of its last event; none before its first.
    pub version: Option<StreamVersion>,
    /// The position of its last event.
    pub position: Position,
    done: VecDeque<Done>,
}

/// A command that was executed.
#[derive(Debug, Clone, Copy)]
pub struct Done {
    command_id: Uuid,
    // Of this process only, and only ever compared: the log holds the fingerprint itself.
    fingerprint: u64,
    /// Where its last event is.
    pub position: Position,
}

impl Done {
    pub(super) fn has_fingerprint(&self, fingerprint: Option<&str>) -> bool {
        self.fingerprint == short(fingerprint)
    }
}

impl<A: Aggregate> Loaded<A> {
    /// What became of that command, if it is one of the last that changed this aggregate.
    pub fn done(&self, command_id: Uuid) -> Option<&Done> {
        self.done.iter().find(|done| done.command_id == command_id)
    }

    pub(super) fn take_in(&mut self, event: &RecordedEvent) -> Result<(), ServiceError> {
        let (metadata, decoded) = decode::<A::Event>(event)?;
        self.state.evolve(&decoded);
        self.version = Some(event.version);
        self.position = event.position;
        if let Some(command_id) = metadata.command_id {
            self.remember(command_id, metadata.fingerprint.as_deref(), event.position);
        }
        Ok(())
    }

    pub(super) fn remember(&mut self, command_id: Uuid, fingerprint: Option<&str>, position: Position) {
        if let Some(done) = self.done.iter_mut().find(|done| done.command_id == command_id) {
            done.position = position;
            return;
        }
        if self.done.len() == REMEMBERED {
            self.done.pop_front();
        }
        self.done.push_back(Done {
            command_id,
            fingerprint: short(fingerprint),
            position,
        });
    }
}

fn short(fingerprint: Option<&str>) -> u64 {
    let mut hasher = DefaultHasher::new();
    fingerprint.hash(&mut hasher);
    hasher.finish()
}
