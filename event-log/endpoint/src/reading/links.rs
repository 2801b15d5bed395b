//! Links: events of type `$>` that stand for an event elsewhere, named as `<version>@<stream>`.

use std::sync::Arc;

use event_log::{Direction, Position, RecordedEvent, StreamVersion};
use event_schemas::StreamName;
use tonic::Status;

use crate::{service::Service, status};

/// The type of links.
const LINK: &str = "$>";

/// An event, and the link it was found by. A link whose event is gone stands alone.
#[derive(Debug)]
pub(crate) struct Resolved {
    pub(crate) event: Option<Arc<RecordedEvent>>,
    pub(crate) link: Option<Arc<RecordedEvent>>,
}

impl Resolved {
    /// An event that was found where it stands.
    pub(crate) const fn plain(event: Arc<RecordedEvent>) -> Self {
        Self {
            event: Some(event),
            link: None,
        }
    }

    /// Where the reader stands: at the link, if it came by one.
    pub(crate) fn place(&self) -> Option<Position> {
        let read = self.link.as_ref().or(self.event.as_ref());
        read.map(|event| event.position)
    }
}

/// Follows `event` if it is a link.
///
/// # Errors
/// When the log fails.
pub(crate) async fn resolve(service: &Service, event: Arc<RecordedEvent>) -> Result<Resolved, Status> {
    if &*event.event_type != LINK {
        return Ok(Resolved::plain(event));
    }
    let found = match target(&event.data) {
        Some((stream, version)) => find(service, &stream, version).await?,
        None => None,
    };
    Ok(Resolved {
        event: found,
        link: Some(event),
    })
}

fn target(data: &[u8]) -> Option<(StreamName, StreamVersion)> {
    let (version, stream) = std::str::from_utf8(data).ok()?.split_once('@')?;
    Some((stream.parse().ok()?, version.parse().ok()?))
}

async fn find(
    service: &Service,
    stream: &StreamName,
    version: StreamVersion,
) -> Result<Option<Arc<RecordedEvent>>, Status> {
    let view = service.view(stream).await?;
    if view.tombstoned {
        return Ok(None);
    }
    let read = service
        .log
        .read_stream(stream, Some(version), Direction::Forwards, 1)
        .await;
    let found = read.map_err(|error| status::log_fault(&error))?.pop();
    Ok(found.filter(|event| event.version == version && view.shows(event)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_names_a_version_and_a_stream_that_may_hold_an_at_sign() {
        let (stream, version) = target(b"12@mail-a@b").unwrap();
        assert_eq!((stream.as_str(), version), ("mail-a@b", 12));
        for broken in ["", "12", "@order-1", "x@order-1", "-1@order-1", "1@"] {
            assert!(target(broken.as_bytes()).is_none(), "{broken:?}");
        }
        assert!(target(&[0xff, b'@', b'a']).is_none());
    }
}
