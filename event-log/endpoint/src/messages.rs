//! The log's words in the wire's: ids, stream names, events.

use std::{collections::HashMap, str::FromStr};

use bytes::Bytes;
use event_log::{Position, RecordedEvent};
use event_schemas::{ContentType, NewEvent, StreamName};
use tonic::Status;
use uuid::Uuid;

use crate::{
    status::bad_request,
    wire::client::{self, AllStreamPosition, Empty, StreamIdentifier, UuidOption, uuid::Structured, uuid::Value},
};

const TYPE: &str = "type";
const CONTENT_TYPE: &str = "content-type";
const CREATED: &str = "created";
const JSON: &str = "application/json";
const BINARY: &str = "application/octet-stream";
pub(crate) const TICKS_PER_MILLI: i64 = 10_000;

/// How a reader wants ids spelt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ids {
    /// Two halves.
    Structured,
    /// Text.
    Text,
}

impl Ids {
    pub(crate) fn wanted(option: Option<&UuidOption>) -> Self {
        match option.and_then(|option| option.content.as_ref()) {
            Some(client::uuid_option::Content::String(Empty {})) => Self::Text,
            Some(client::uuid_option::Content::Structured(Empty {})) | None => Self::Structured,
        }
    }

    pub(crate) fn write(self, id: Uuid) -> client::Uuid {
        let value = match self {
            Self::Structured => {
                let (most, least) = id.as_u64_pair();
                Value::Structured(Structured {
                    most_significant_bits: most.cast_signed(),
                    least_significant_bits: least.cast_signed(),
                })
            }
            Self::Text => Value::String(id.to_string()),
        };
        client::Uuid { value: Some(value) }
    }
}

/// An id in either spelling.
pub(crate) fn id_from(id: Option<&client::Uuid>) -> Result<Uuid, Status> {
    match id.and_then(|id| id.value.as_ref()) {
        Some(Value::Structured(halves)) => Ok(Uuid::from_u64_pair(
            halves.most_significant_bits.cast_unsigned(),
            halves.least_significant_bits.cast_unsigned(),
        )),
        Some(Value::String(text)) => text.parse().map_err(|_| bad_request(format!("{text:?} is no id"))),
        None => Err(bad_request("an id is missing")),
    }
}

/// The stream's name, if it can be one.
pub(crate) fn stream_from(identifier: Option<&StreamIdentifier>) -> Result<StreamName, Status> {
    let name = identifier.ok_or_else(|| bad_request("the stream's name is missing"))?;
    let name = std::str::from_utf8(&name.stream_name).map_err(|_| bad_request("the stream's name is no UTF-8"))?;
    StreamName::from_str(name).map_err(|error| bad_request(error.to_string()))
}

pub(crate) fn identifier(stream: &StreamName) -> StreamIdentifier {
    StreamIdentifier {
        stream_name: Bytes::copy_from_slice(stream.as_str().as_bytes()),
    }
}

pub(crate) const fn position(position: Position) -> AllStreamPosition {
    AllStreamPosition {
        commit_position: position.0,
        prepare_position: position.0,
    }
}

/// An event as readers get it.
pub(crate) fn recorded(event: &RecordedEvent, ids: Ids) -> client::RecordedEvent {
    let content = match event.content {
        ContentType::Json => JSON,
        ContentType::Binary => BINARY,
    };
    let created = event.recorded_at.as_millis().saturating_mul(TICKS_PER_MILLI);
    client::RecordedEvent {
        id: Some(ids.write(event.id)),
        stream_identifier: Some(identifier(&event.stream)),
        stream_revision: event.version,
        prepare_position: event.position.0,
        commit_position: event.position.0,
        metadata: HashMap::from([
            (TYPE.to_owned(), event.event_type.to_string()),
            (CONTENT_TYPE.to_owned(), content.to_owned()),
            (CREATED.to_owned(), created.to_string()),
        ]),
        custom_metadata: event.metadata.clone(),
        data: event.data.clone(),
    }
}

/// An event that is to be appended.
pub(crate) fn proposed(message: client::ProposedMessage) -> Result<NewEvent, Status> {
    let id = id_from(message.id.as_ref())?;
    let mut words = message.metadata;
    let event_type = words
        .remove(TYPE)
        .ok_or_else(|| bad_request("an event's metadata lacks `type`"))?;
    let content = match words.get(CONTENT_TYPE).map(String::as_str) {
        Some(JSON) => ContentType::Json,
        Some(BINARY) => ContentType::Binary,
        Some(other) => {
            return Err(bad_request(format!(
                "content type {other:?} is neither {JSON} nor {BINARY}"
            )));
        }
        None => return Err(bad_request("an event's metadata lacks `content-type`")),
    };
    Ok(NewEvent {
        id,
        event_type,
        content,
        metadata: message.custom_metadata,
        data: message.data,
    })
}
