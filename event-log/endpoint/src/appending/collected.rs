//! The events of one append, as they come in, never more than the log takes.

use event_schemas::NewEvent;

use super::refusal::Refusal;
use crate::{messages, server::Limits, wire::client::ProposedMessage};

/// Events that wait for the rest of their append. Once something is wrong with it, nothing of it is kept.
pub(super) struct Collected {
    events: Result<Vec<NewEvent>, Refusal>,
    bytes: usize,
}

impl Collected {
    pub(super) const fn new() -> Self {
        Self {
            events: Ok(vec![]),
            bytes: 0,
        }
    }

    /// Bytes that are held.
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn refuse(&mut self, refusal: Refusal) {
        self.bytes = 0;
        self.events = Err(refusal);
    }

    pub(super) fn push(&mut self, message: ProposedMessage, limits: &Limits) {
        let Ok(events) = &mut self.events else { return };
        let event = match messages::proposed(message) {
            Ok(event) => event,
            Err(status) => return self.refuse(Refusal::of_message(&status)),
        };
        let bytes = event.data.len() + event.metadata.len();
        if bytes > limits.event_bytes {
            return self.refuse(Refusal::TooLarge(limits.event_bytes));
        }
        if self.bytes + bytes > limits.append_bytes {
            return self.refuse(Refusal::TooLarge(limits.append_bytes));
        }
        if events.len() >= limits.append_events {
            let why = format!("an append may hold at most {} events; split it", limits.append_events);
            return self.refuse(Refusal::Bad(why));
        }
        self.bytes += bytes;
        events.push(event);
    }

    pub(super) fn events(self) -> Result<Vec<NewEvent>, Refusal> {
        self.events
    }
}
