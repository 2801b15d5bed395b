//! What one append may hold.

use crate::port::{Append, AppendError};

/// The largest appends that the log takes.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of one event, data and metadata together; at most 512 MiB.
    pub event_bytes: usize,
    /// Events of one append.
    pub append_events: usize,
    /// Bytes of one append; never less than one event may have.
    pub append_bytes: usize,
}

/// More than this the store's lengths cannot say.
const MOST_EVENT_BYTES: usize = 512 * 1024 * 1024;

impl Default for Limits {
    fn default() -> Self {
        Self {
            event_bytes: 1024 * 1024,
            append_events: 4096,
            append_bytes: 16 * 1024 * 1024,
        }
    }
}

impl Limits {
    /// Refuses what is too large, before it waits for anything.
    pub(super) fn check(&self, append: &Append) -> Result<(), AppendError> {
        let refused = |text: String| Err(AppendError::Refused(text));
        let count = append.events.len();
        if count == 0 {
            return refused("it holds no event; append at least one".to_owned());
        }
        if count > self.append_events {
            return refused(format!(
                "it holds {count} events, at most {} are taken at once; split it",
                self.append_events
            ));
        }
        let event_bytes = self.event_bytes.min(MOST_EVENT_BYTES);
        let append_bytes = self.append_bytes.max(event_bytes);
        let mut total = 0;
        for event in &append.events {
            let bytes = event.data.len() + event.metadata.len();
            if bytes > event_bytes {
                return refused(format!(
                    "{} {} has {bytes} bytes, an event may have at most {}; keep large content elsewhere and refer to it",
                    event.event_type, event.id, event_bytes
                ));
            }
            if event.event_type.is_empty() || event.event_type.len() > usize::from(u8::MAX) {
                return refused(format!("the event type of {} must have 1 to 255 bytes", event.id));
            }
            total += bytes;
        }
        if total > append_bytes {
            return refused(format!(
                "it has {total} bytes, at most {} are taken at once; split it",
                append_bytes
            ));
        }
        Ok(())
    }
}
