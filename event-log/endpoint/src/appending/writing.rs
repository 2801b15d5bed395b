//! The append itself.

use event_log::{Append, AppendError, Appended, ExpectedVersion, Position, StreamVersion};
use event_schemas::{NewEvent, StreamName};

use super::refusal::Refusal;
use crate::{
    service::Service,
    streams::{self, StreamView},
};

/// An append that may be sent to the log.
pub(super) struct Prepared {
    stream: StreamName,
    /// What the writer believed, as it said it.
    believed: ExpectedVersion,
    /// The same in the log's eyes.
    expected: ExpectedVersion,
    events: Vec<NewEvent>,
    /// The stream is deleted, and this append makes it anew.
    deleted: Option<StreamView>,
}

/// The append is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Written {
    /// The version of the stream's last event of this append; none if nothing was to be appended to no stream.
    pub(super) version: Option<StreamVersion>,
    /// None if nothing was to be appended.
    pub(super) position: Option<Position>,
}

/// Looks at the stream. Appends that are prepared one after the other and then written reach the log in this order.
pub(super) async fn prepare(
    service: &Service,
    stream: StreamName,
    believed: ExpectedVersion,
    events: Vec<NewEvent>,
) -> Result<Prepared, Refusal> {
    if streams::is_reserved(&stream) {
        return Err(Refusal::Bad(format!("nothing can be appended to {stream}")));
    }
    let deleted = match streams::original_of(&stream) {
        // With a stream goes its metadata.
        Some(_) => match service.streams.view(&stream).await? {
            view if view.tombstoned => return Err(Refusal::Deleted(stream)),
            _ => None,
        },
        None if service.streams.metadata(&stream).await?.is_deletion() => {
            Some(service.streams.view(&stream).await?).filter(StreamView::soft_deleted)
        }
        None => None,
    };
    let expected = match (&deleted, believed) {
        (Some(_), ExpectedVersion::Exists) => return Err(Refusal::Deleted(stream)),
        (Some(view), believed) => recreating(view, believed),
        (None, believed) => believed,
    };
    Ok(Prepared {
        stream,
        believed,
        expected,
        events,
        deleted,
    })
}

/// For its writer a deleted stream is no stream; for the log it has a last version.
pub(crate) fn recreating(view: &StreamView, believed: ExpectedVersion) -> ExpectedVersion {
    match (believed, view.last) {
        (ExpectedVersion::None, Some(last)) if view.soft_deleted() => ExpectedVersion::Exact(last.version),
        _ => believed,
    }
}

/// Writes it.
pub(super) async fn write(service: &Service, prepared: Prepared) -> Result<Written, Refusal> {
    let Prepared {
        stream,
        believed,
        expected,
        events,
        deleted,
    } = prepared;
    if events.is_empty() {
        return nothing(service, stream, believed, expected).await;
    }
    let count = events.len() as u64;
    let append = Append {
        stream: stream.clone(),
        expected,
        events,
    };
    let appended = append_or_begin(service, append, believed).await?;
    service.streams.appended(&stream);
    if let Some(view) = deleted {
        let first = (appended.version + 1).saturating_sub(count);
        service.streams.recreated(&stream, &view.metadata, first).await;
    }
    Ok(Written {
        version: Some(appended.version),
        position: Some(appended.position),
    })
}

/// A stream with metadata and no event exists for a writer who asks for no more.
async fn append_or_begin(service: &Service, append: Append, believed: ExpectedVersion) -> Result<Appended, Refusal> {
    // Only writers who ask that the stream exist can be wrong in this way: nobody else pays for a copy.
    let again = (believed == ExpectedVersion::Exists).then(|| append.clone());
    match (service.log.append(append).await, again) {
        (Ok(appended), _) => Ok(appended),
        (Err(AppendError::Conflict { actual: None, .. }), Some(append))
            if service.streams.metadata(&append.stream).await?.version.is_some() =>
        {
            let expected = ExpectedVersion::None;
            Ok(service.log.append(Append { expected, ..append }).await?)
        }
        (Err(AppendError::Conflict { stream, actual, .. }), _) => Err(Refusal::Conflict {
            stream,
            expected: believed,
            actual,
        }),
        (Err(error), _) => Err(error.into()),
    }
}

/// An append of no event only asks whether its writer is right.
async fn nothing(
    service: &Service,
    stream: StreamName,
    believed: ExpectedVersion,
    expected: ExpectedVersion,
) -> Result<Written, Refusal> {
    let view = service.streams.view(&stream).await?;
    let actual = view.last.map(|last| last.version);
    if view.tombstoned {
        return Err(Refusal::Deleted(stream));
    }
    if !expected.fits(actual) {
        return Err(Refusal::Conflict {
            stream,
            expected: believed,
            actual,
        });
    }
    Ok(Written {
        version: actual,
        position: None,
    })
}
