//! The append itself.

use event_log::{Append, AppendError, ExpectedVersion, LogError, Position, StreamVersion};
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
    let deleted = match (streams::original_of(&stream), believed) {
        // With a stream goes its metadata.
        (Some(_), _) => match service.streams.view(&stream).await? {
            view if view.tombstoned => return Err(Refusal::Deleted(stream)),
            _ => None,
        },
        // Most streams are new to their first writer: that a deleted one is not, the log says.
        (None, ExpectedVersion::None) => None,
        (None, _) => deletion(service, &stream).await?,
    };
    if deleted.is_some() && believed == ExpectedVersion::Exists {
        return Err(Refusal::Deleted(stream));
    }
    Ok(Prepared {
        stream,
        believed,
        events,
        deleted,
    })
}

/// The stream, if it is deleted.
async fn deletion(service: &Service, stream: &StreamName) -> Result<Option<StreamView>, LogError> {
    if !service.streams.metadata(stream).await?.is_deletion() {
        return Ok(None);
    }
    Ok(Some(service.streams.view(stream).await?).filter(StreamView::soft_deleted))
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
        events,
        mut deleted,
    } = prepared;
    if events.is_empty() {
        return nothing(service, stream, believed).await;
    }
    let count = events.len() as u64;
    let append = Append {
        stream: stream.clone(),
        expected: believed,
        events,
    };
    // Only those who say that the stream is there, or that it is not, can be wrong in a way that the log does not know of.
    let again = matches!(believed, ExpectedVersion::None | ExpectedVersion::Exists).then(|| append.clone());
    let appended = match (service.log.append(append).await, again) {
        (Err(AppendError::Conflict { actual, .. }), Some(append)) => {
            let expected = match believed {
                ExpectedVersion::None => {
                    deleted = deletion(service, &stream).await?;
                    deleted.as_ref().map(|view| recreating(view, believed))
                }
                // A stream with metadata and no event exists for a writer who asks for no more.
                _ if actual.is_none() && service.streams.metadata(&stream).await?.version.is_some() => {
                    Some(ExpectedVersion::None)
                }
                _ => None,
            };
            match expected {
                Some(expected) => service.log.append(Append { expected, ..append }).await,
                None => {
                    return Err(Refusal::Conflict {
                        stream,
                        expected: believed,
                        actual,
                    });
                }
            }
        }
        (outcome, _) => outcome,
    };
    let appended = appended.map_err(|error| Refusal::of(error, believed))?;
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

/// An append of no event only asks whether its writer is right.
async fn nothing(service: &Service, stream: StreamName, believed: ExpectedVersion) -> Result<Written, Refusal> {
    let view = service.streams.view(&stream).await?;
    let actual = view.last.map(|last| last.version);
    if view.tombstoned {
        return Err(Refusal::Deleted(stream));
    }
    if !recreating(&view, believed).fits(actual) {
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
