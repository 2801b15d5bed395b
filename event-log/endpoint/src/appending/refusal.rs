//! Why nothing was appended, as either call tells it.

use event_log::{AppendError, ExpectedVersion, LogError, StreamVersion};
use event_schemas::StreamName;
use prost::Message;
use prost_types::Any;
use tonic::{Code, Status};

use crate::{
    messages, status,
    wire::{client, google::rpc},
};

/// Why nothing was appended.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The stream holds something else.
    Conflict {
        stream: StreamName,
        expected: ExpectedVersion,
        actual: Option<StreamVersion>,
    },
    /// The stream is deleted.
    Deleted(StreamName),
    /// More than this many bytes.
    TooLarge(usize),
    /// It makes no sense.
    Bad(String),
    /// Not done in time. It may happen yet.
    Late,
    /// The log failed.
    Log(LogError),
}

impl From<LogError> for Refusal {
    fn from(error: LogError) -> Self {
        Self::Log(error)
    }
}

impl Refusal {
    /// Why the log did not append, to a writer who believed so.
    pub(super) fn of(error: AppendError, believed: ExpectedVersion) -> Self {
        match error {
            AppendError::Conflict { stream, actual, .. } => Self::Conflict {
                stream,
                expected: believed,
                actual,
            },
            AppendError::Deleted { stream } => Self::Deleted(stream),
            AppendError::Refused(why) => Self::Bad(why),
            AppendError::Log(error) => Self::Log(error),
        }
    }

    /// What was wrong with a message that could not even be read.
    pub(super) fn of_message(status: &Status) -> Self {
        Self::Bad(status.message().to_owned())
    }

    /// As the outcome of a call.
    pub(super) fn status(&self) -> Status {
        match self {
            Self::Conflict {
                stream,
                expected,
                actual,
            } => status::wrong_expected_version("Append", stream, *expected, *actual),
            Self::Deleted(stream) => status::stream_deleted(stream),
            Self::TooLarge(limit) => status::too_large(*limit),
            Self::Bad(why) => status::bad_request(why),
            Self::Late => Status::deadline_exceeded("the append was not done in time; it may happen yet"),
            Self::Log(error) => status::log_fault(error),
        }
    }

    /// As a part of an answer.
    pub(super) fn detailed(&self) -> rpc::Status {
        let code = match self {
            Self::Conflict { .. } => Code::AlreadyExists,
            _ => self.status().code(),
        };
        let details = match self {
            Self::Conflict { expected, actual, .. } => detail("WrongExpectedVersion", &conflict(*expected, *actual)),
            Self::Deleted(stream) => {
                let stream_identifier = Some(messages::identifier(stream));
                detail("StreamDeleted", &client::StreamDeleted { stream_identifier })
            }
            Self::TooLarge(limit) => {
                let max_append_size = u32::try_from(*limit).unwrap_or(u32::MAX);
                detail(
                    "MaximumAppendSizeExceeded",
                    &client::MaximumAppendSizeExceeded { max_append_size },
                )
            }
            Self::Bad(why) => detail("BadRequest", &client::BadRequest { message: why.clone() }),
            Self::Late => detail("Timeout", &client::Timeout {}),
            Self::Log(_) => detail("Unknown", &client::Unknown {}),
        };
        rpc::Status {
            code: code as i32,
            message: self.status().message().to_owned(),
            details: Some(details),
        }
    }
}

fn detail(name: &str, message: &impl Message) -> Any {
    Any {
        type_url: format!("type.googleapis.com/event_store.client.{name}"),
        value: message.encode_to_vec(),
    }
}

fn conflict(expected: ExpectedVersion, actual: Option<StreamVersion>) -> client::WrongExpectedVersion {
    use client::wrong_expected_version::{
        CurrentStreamRevisionOption as Current, ExpectedStreamPositionOption as Expected,
    };
    client::WrongExpectedVersion {
        current_stream_revision_option: Some(
            actual.map_or(Current::CurrentNoStream(()), Current::CurrentStreamRevision),
        ),
        expected_stream_position_option: Some(match expected {
            ExpectedVersion::None => Expected::ExpectedNoStream(()),
            ExpectedVersion::Exists => Expected::ExpectedStreamExists(()),
            ExpectedVersion::Any => Expected::ExpectedAny(()),
            ExpectedVersion::Exact(version) => Expected::ExpectedStreamPosition(version),
        }),
    }
}
