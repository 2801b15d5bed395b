//! Faults as clients look for them: a gRPC status, and in the trailers the name of the fault and its particulars.

use std::fmt::Write;

use event_log::{AppendError, ExpectedVersion, LogError, StreamVersion};
use event_schemas::StreamName;
use tonic::{
    Code, Status,
    metadata::{AsciiMetadataKey, AsciiMetadataValue},
};

/// A status whose trailers name the fault (`exception`) and its particulars.
pub(crate) fn fault(
    code: Code,
    exception: &str,
    message: impl Into<String>,
    particulars: &[(&'static str, &str)],
) -> Status {
    let mut status = Status::new(code, message);
    for (name, value) in [("exception", exception)].iter().chain(particulars) {
        if let Ok(value) = AsciiMetadataValue::try_from(header_text(value)) {
            status.metadata_mut().insert(AsciiMetadataKey::from_static(name), value);
        }
    }
    status
}

/// A stream's name may hold what a header may not: those bytes are percent-encoded.
fn header_text(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for byte in text.bytes() {
        if (b' '..=b'~').contains(&byte) {
            safe.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(safe, "%{byte:02X}");
        }
    }
    safe
}

/// The stream was tombstoned.
pub(crate) fn stream_deleted(stream: &StreamName) -> Status {
    let message = format!("Event stream '{stream}' is deleted.");
    fault(
        Code::FailedPrecondition,
        "stream-deleted",
        message,
        &[("stream-name", stream.as_str())],
    )
}

/// The stream holds something else than its writer believed.
pub(crate) fn wrong_expected_version(
    operation: &'static str,
    stream: &StreamName,
    expected: ExpectedVersion,
    actual: Option<StreamVersion>,
) -> Status {
    let expected = expected_text(expected);
    let actual = actual.map_or_else(|| "-1".to_owned(), |version| version.to_string());
    // Clients take this apart, down to the commas.
    let message = format!(
        "{operation} failed due to WrongExpectedVersion. Stream: {stream}, Expected version: {expected}, Actual version: {actual}"
    );
    let particulars = [
        ("stream-name", stream.as_str()),
        ("expected-version", expected.as_str()),
        ("actual-version", actual.as_str()),
    ];
    fault(
        Code::FailedPrecondition,
        "wrong-expected-version",
        message,
        &particulars,
    )
}

/// As the protocol numbers expectations: -1 no stream, -2 any, -4 exists.
pub(crate) fn expected_text(expected: ExpectedVersion) -> String {
    match expected {
        ExpectedVersion::None => "-1".to_owned(),
        ExpectedVersion::Any => "-2".to_owned(),
        ExpectedVersion::Exists => "-4".to_owned(),
        ExpectedVersion::Exact(version) => version.to_string(),
    }
}

/// More than the log takes at once.
pub(crate) fn too_large(limit: usize) -> Status {
    let text = limit.to_string();
    let message = format!("Maximum Append Size of {limit} Exceeded.");
    fault(
        Code::InvalidArgument,
        "maximum-append-size-exceeded",
        message,
        &[("maximum-append-size", &text)],
    )
}

/// The caller may not.
pub(crate) fn access_denied(message: impl Into<String>) -> Status {
    fault(Code::PermissionDenied, "access-denied", message, &[])
}

/// The request makes no sense.
pub(crate) fn bad_request(message: impl Into<String>) -> Status {
    Status::invalid_argument(message)
}

/// The log failed.
pub(crate) fn log_fault(error: &LogError) -> Status {
    match error {
        LogError::Unavailable(_) => Status::unavailable(error.to_string()),
        LogError::Damaged { .. } => Status::data_loss(error.to_string()),
    }
}

/// Why an append did not happen, where a conflict has no better place to be told.
pub(crate) fn append_fault(error: AppendError) -> Status {
    match error {
        AppendError::Conflict {
            stream,
            expected,
            actual,
        } => wrong_expected_version("Append", &stream, expected, actual),
        AppendError::Deleted { stream } => stream_deleted(&stream),
        AppendError::Refused(_) => bad_request(error.to_string()),
        AppendError::Log(error) => log_fault(&error),
    }
}
