//! Append: one append per call.

use event_log::{ExpectedVersion, StreamVersion};
use event_schemas::StreamName;
use tonic::{Code, Status, Streaming};

use super::{
    collected::Collected,
    refusal::Refusal,
    writing::{Written, prepare, write},
};
use crate::{
    messages,
    service::Service,
    status::bad_request,
    wire::{
        client::Empty,
        streams::{
            AppendReq, AppendResp,
            append_req::{Content, Options, options::ExpectedStreamRevision},
            append_resp::{
                Result as Answer, Success, WrongExpectedVersion,
                success::{CurrentRevisionOption, PositionOption},
                wrong_expected_version as wrong,
            },
        },
    },
};

/// Answers one call of Append.
pub(crate) async fn append(service: &Service, messages: Streaming<AppendReq>) -> Result<AppendResp, Status> {
    let (stream, expected, events) = collect(service, messages).await?;
    let written = async {
        let prepared = prepare(service, stream, expected, events.events()?).await?;
        write(service, prepared).await
    };
    let answer = match written.await {
        Ok(written) => Answer::Success(success(written)),
        Err(Refusal::Conflict { actual, .. }) => Answer::WrongExpectedVersion(conflict(expected, actual)),
        Err(refusal) => return Err(refusal.status()),
    };
    Ok(AppendResp { result: Some(answer) })
}

/// The whole call. What is too large is read to its end and not kept, so that its sender hears why it is refused.
async fn collect(
    service: &Service,
    mut messages: Streaming<AppendReq>,
) -> Result<(StreamName, ExpectedVersion, Collected), Status> {
    let first = messages.message().await?.and_then(|message| message.content);
    let Some(Content::Options(options)) = first else {
        return Err(bad_request("the first message of an append says where to"));
    };
    let (stream, expected) = target(&options)?;
    let mut events = Collected::new();
    loop {
        match messages.message().await {
            Ok(None) => return Ok((stream, expected, events)),
            Ok(Some(AppendReq {
                content: Some(Content::ProposedMessage(message)),
            })) => events.push(message, &service.limits),
            Ok(Some(_)) => return Err(bad_request("after its first message an append holds events only")),
            Err(status) if status.code() == Code::OutOfRange => {
                return Err(Refusal::TooLarge(service.limits.event_bytes).status());
            }
            Err(status) => return Err(status),
        }
    }
}

fn target(options: &Options) -> Result<(StreamName, ExpectedVersion), Status> {
    let stream = messages::stream_from(options.stream_identifier.as_ref())?;
    let expected = match options.expected_stream_revision {
        Some(ExpectedStreamRevision::Revision(version)) => ExpectedVersion::Exact(version),
        Some(ExpectedStreamRevision::NoStream(Empty {})) => ExpectedVersion::None,
        Some(ExpectedStreamRevision::StreamExists(Empty {})) => ExpectedVersion::Exists,
        Some(ExpectedStreamRevision::Any(Empty {})) => ExpectedVersion::Any,
        None => return Err(bad_request("the append does not say what it expects of the stream")),
    };
    Ok((stream, expected))
}

fn success(written: Written) -> Success {
    Success {
        current_revision_option: Some(written.version.map_or(
            CurrentRevisionOption::NoStream(Empty {}),
            CurrentRevisionOption::CurrentRevision,
        )),
        position_option: Some(
            written
                .position
                .map_or(PositionOption::NoPosition(Empty {}), |position| {
                    PositionOption::Position(messages::position(position))
                }),
        ),
    }
}

/// A conflict is no fault of the call: its answer tells it, in the words of both ages.
fn conflict(expected: ExpectedVersion, actual: Option<StreamVersion>) -> WrongExpectedVersion {
    let (old, new) = match expected {
        ExpectedVersion::Exact(version) => (
            wrong::ExpectedRevisionOption2060::ExpectedRevision2060(version),
            wrong::ExpectedRevisionOption::ExpectedRevision(version),
        ),
        ExpectedVersion::Any => (
            wrong::ExpectedRevisionOption2060::Any2060(Empty {}),
            wrong::ExpectedRevisionOption::ExpectedAny(Empty {}),
        ),
        ExpectedVersion::Exists => (
            wrong::ExpectedRevisionOption2060::StreamExists2060(Empty {}),
            wrong::ExpectedRevisionOption::ExpectedStreamExists(Empty {}),
        ),
        // The old words know no expected absence.
        ExpectedVersion::None => (
            wrong::ExpectedRevisionOption2060::Any2060(Empty {}),
            wrong::ExpectedRevisionOption::ExpectedNoStream(Empty {}),
        ),
    };
    WrongExpectedVersion {
        current_revision_option_20_6_0: Some(actual.map_or(
            wrong::CurrentRevisionOption2060::NoStream2060(Empty {}),
            wrong::CurrentRevisionOption2060::CurrentRevision2060,
        )),
        expected_revision_option_20_6_0: Some(old),
        current_revision_option: Some(actual.map_or(
            wrong::CurrentRevisionOption::CurrentNoStream(Empty {}),
            wrong::CurrentRevisionOption::CurrentRevision,
        )),
        expected_revision_option: Some(new),
    }
}
