//! Deleting streams: softly, by metadata, or for good.

use std::sync::Arc;

use bytes::Bytes;
use event_log::{Append, AppendError, Appended, Direction, EventLog, ExpectedVersion, LogError, StreamVersion};
use event_schemas::{ContentType, NewEvent, StreamName};
use serde_json::{Map, Value};
use tonic::Status;
use uuid::Uuid;

use super::{DELETED, METADATA_TYPE, StreamMetadata, Streams, is_metastream, is_reserved, metastream_of};
use crate::{
    appending, messages,
    service::Service,
    status::{self, bad_request},
    wire::{
        client::Empty,
        streams::{
            DeleteReq, DeleteResp, TombstoneReq, TombstoneResp, delete_req, delete_resp, tombstone_req, tombstone_resp,
        },
    },
};

/// What the ids of metadata begin with that tells of a stream made anew: a random one.
const ANEW: Uuid = Uuid::from_u128(0x6d1c_3f0e_5b0a_4b8e_9a57_2f64_c8d1_e3b2);
/// How often metadata is written again when somebody else was quicker.
const ATTEMPTS: usize = 8;

/// Hides everything of a stream.
pub(crate) async fn delete(service: &Service, request: DeleteReq) -> Result<DeleteResp, Status> {
    use delete_req::options::ExpectedStreamRevision as Expected;
    let options = request
        .options
        .ok_or_else(|| bad_request("which stream is to be deleted?"))?;
    let stream = deletable(messages::stream_from(options.stream_identifier.as_ref())?)?;
    let expected = match options.expected_stream_revision {
        Some(Expected::Revision(version)) => ExpectedVersion::Exact(version),
        Some(Expected::NoStream(Empty {})) => ExpectedVersion::None,
        Some(Expected::StreamExists(Empty {})) => ExpectedVersion::Exists,
        Some(Expected::Any(Empty {})) | None => ExpectedVersion::Any,
    };
    let deleted = service.streams.delete(&stream, expected).await;
    let deleted = deleted.map_err(|error| fault("Delete", error))?;
    Ok(DeleteResp {
        position_option: Some(delete_resp::PositionOption::Position(messages::position(
            deleted.position,
        ))),
    })
}

/// Deletes a stream for good.
pub(crate) async fn tombstone(service: &Service, request: TombstoneReq) -> Result<TombstoneResp, Status> {
    use tombstone_req::options::ExpectedStreamRevision as Expected;
    let options = request
        .options
        .ok_or_else(|| bad_request("which stream is to be deleted?"))?;
    let stream = deletable(messages::stream_from(options.stream_identifier.as_ref())?)?;
    let believed = match options.expected_stream_revision {
        Some(Expected::Revision(version)) => ExpectedVersion::Exact(version),
        Some(Expected::NoStream(Empty {})) => ExpectedVersion::None,
        Some(Expected::StreamExists(Empty {})) => ExpectedVersion::Exists,
        Some(Expected::Any(Empty {})) | None => ExpectedVersion::Any,
    };
    let view = service.view(&stream).await?;
    let expected = appending::recreating(&view, believed);
    let tombstoned = service.log.tombstone(&stream, expected).await;
    let tombstoned = tombstoned.map_err(|error| fault("Tombstone", error))?;
    Ok(TombstoneResp {
        position_option: Some(tombstone_resp::PositionOption::Position(messages::position(
            tombstoned.position,
        ))),
    })
}

fn deletable(stream: StreamName) -> Result<StreamName, Status> {
    if is_reserved(&stream) || is_metastream(&stream) {
        return Err(bad_request(format!("{stream} cannot be deleted")));
    }
    Ok(stream)
}

fn fault(operation: &'static str, error: AppendError) -> Status {
    match error {
        AppendError::Conflict {
            stream,
            expected,
            actual,
        } => status::wrong_expected_version(operation, &stream, expected, actual),
        error => status::append_fault(error),
    }
}

impl Streams {
    /// Hides what stands in the stream now. What its metadata says besides stays.
    async fn delete(&self, stream: &StreamName, expected: ExpectedVersion) -> Result<Appended, AppendError> {
        let view = self.view(stream).await?;
        let actual = view.last.map(|last| last.version);
        let gone = view.tombstoned || (view.soft_deleted() && expected == ExpectedVersion::Exists);
        if gone {
            return Err(AppendError::Deleted { stream: stream.clone() });
        }
        if !appending::recreating(&view, expected).fits(actual) {
            return Err(AppendError::Conflict {
                stream: stream.clone(),
                expected,
                actual,
            });
        }
        let mut attempts = 0;
        loop {
            let written = self.put_truncation(stream, None, DELETED, Uuid::now_v7()).await;
            attempts += 1;
            if attempts == ATTEMPTS || !matches!(written, Err(AppendError::Conflict { .. })) {
                return written;
            }
        }
    }

    /// Says in the metadata that the stream begins anew with `first`. Readers find that out without it, so a failure here hides
    /// nothing; and if somebody changed the metadata meanwhile, theirs holds.
    pub(crate) async fn recreated(&self, stream: &StreamName, deletion: &Arc<StreamMetadata>, first: StreamVersion) {
        // The same in every copy of this log: one that is made over the wire meets its own events again.
        let id = Uuid::new_v5(&ANEW, format!("{stream}/{first}").as_bytes());
        if let Err(error) = self.put_truncation(stream, deletion.version, first, id).await {
            tracing::debug!(%stream, %error, "the metadata still says that the stream is deleted");
        }
    }

    /// Writes `$tb` into the metadata, on top of `version` of it, or of its last.
    async fn put_truncation(
        &self,
        stream: &StreamName,
        version: Option<StreamVersion>,
        before: StreamVersion,
        id: Uuid,
    ) -> Result<Appended, AppendError> {
        let Some(metastream) = metastream_of(stream) else {
            return Err(AppendError::Refused(format!(
                "{stream} is too long a name to have metadata"
            )));
        };
        let (last, mut document) = document(&*self.log, &metastream).await?;
        document.insert("$tb".to_owned(), before.into());
        let event = NewEvent {
            id,
            event_type: METADATA_TYPE.to_owned(),
            content: ContentType::Json,
            metadata: Bytes::new(),
            data: Value::Object(document).to_string().into(),
        };
        let append = Append {
            stream: metastream.clone(),
            expected: version.or(last).map_or(ExpectedVersion::None, ExpectedVersion::Exact),
            events: vec![event],
        };
        let appended = self.log.append(append).await?;
        self.appended(&metastream);
        Ok(appended)
    }
}

/// The last metadata as it was written; none of it if it is no document.
async fn document(
    log: &dyn EventLog,
    metastream: &StreamName,
) -> Result<(Option<StreamVersion>, Map<String, Value>), LogError> {
    let last = log.read_stream(metastream, None, Direction::Backwards, 1).await?;
    Ok(last.first().map_or_else(Default::default, |event| {
        (
            Some(event.version),
            serde_json::from_slice(&event.data).unwrap_or_default(),
        )
    }))
}
