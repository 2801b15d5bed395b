//! BatchAppend: many appends over one stream of messages, each in one or more pieces, each answered on its own.

use std::{collections::HashMap, sync::Arc, time::Duration};

use event_log::ExpectedVersion;
use event_schemas::{StreamName, Timestamp};
use futures_util::{
    FutureExt, Stream, StreamExt,
    future::BoxFuture,
    stream::{FuturesUnordered, unfold},
};
use tokio::time::timeout;
use tonic::{Code, Status, Streaming};
use uuid::Uuid;

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
        client::{self, StreamIdentifier},
        streams::{
            BatchAppendReq, BatchAppendResp,
            batch_append_req::{
                Options,
                options::{DeadlineOption, ExpectedStreamPosition as Expected},
            },
            batch_append_resp::{
                ExpectedStreamPosition as Echoed, Result as Answer, Success,
                success::{CurrentRevisionOption, PositionOption},
            },
        },
    },
};

/// Appends of one call that the log works on at once. The next ones wait in the connection.
const IN_FLIGHT: usize = 256;
/// Appends of one call of which only a part is here yet.
const BEGUN: usize = 64;
/// However long a client is ready to wait: some of them say an absolute time where the protocol means a span.
const LONGEST: Duration = Duration::from_secs(60);
const SHORTEST: Duration = Duration::from_millis(1);
const USUAL: Duration = Duration::from_secs(10);

/// Answers one call of BatchAppend. Ends when the client has said all and everything is answered.
pub(crate) fn batch(
    service: Arc<Service>,
    messages: Streaming<BatchAppendReq>,
) -> impl Stream<Item = Result<BatchAppendResp, Status>> + Send {
    let session = Session {
        service,
        messages,
        ended: false,
        begun: HashMap::new(),
        in_flight: FuturesUnordered::new(),
    };
    unfold(Some(session), |session| async {
        let mut session = session?;
        match session.next().await {
            Ok(None) => None,
            Ok(Some(answer)) => Some((Ok(answer), Some(session))),
            Err(status) => Some((Err(status), None)),
        }
    })
}

struct Session {
    service: Arc<Service>,
    messages: Streaming<BatchAppendReq>,
    /// The client has said all.
    ended: bool,
    begun: HashMap<Uuid, Begun>,
    in_flight: FuturesUnordered<BoxFuture<'static, BatchAppendResp>>,
}

/// An append of which there may be more to come.
struct Begun {
    address: Address,
    patience: Duration,
    events: Collected,
}

/// Whose answer it is. Given back as it came.
struct Address {
    correlation: client::Uuid,
    identifier: Option<StreamIdentifier>,
    expected: Option<Expected>,
}

impl Session {
    /// The next answer; none when all is answered.
    async fn next(&mut self) -> Result<Option<BatchAppendResp>, Status> {
        loop {
            let room = !self.ended && self.in_flight.len() < IN_FLIGHT;
            tokio::select! {
                Some(answer) = self.in_flight.next() => return Ok(Some(answer)),
                message = self.messages.message(), if room => match message {
                    Ok(Some(message)) => self.take(message).await?,
                    Ok(None) => self.ended = true,
                    Err(status) if status.code() == Code::OutOfRange => {
                        return Err(Refusal::TooLarge(self.service.limits.append_bytes).status());
                    }
                    Err(status) => return Err(status),
                },
                else => return Ok(None),
            }
        }
    }

    /// Takes a piece, and sends the append to the log when it is the last one.
    async fn take(&mut self, message: BatchAppendReq) -> Result<(), Status> {
        let BatchAppendReq {
            correlation_id,
            options,
            proposed_messages,
            is_final,
        } = message;
        let id = messages::id_from(correlation_id.as_ref())?;
        let mut begun = match (self.begun.remove(&id), options) {
            (Some(begun), _) => begun,
            (None, Some(options)) => Begun::new(correlation_id.unwrap_or_default(), options),
            (None, None) => return Err(bad_request("the first piece of an append says where to")),
        };
        for message in proposed_messages {
            begun.events.push(message, &self.service.limits);
        }
        if is_final {
            self.finish(begun).await;
            return Ok(());
        }
        let held: usize = self.begun.values().map(|begun| begun.events.bytes()).sum();
        if held + begun.events.bytes() > self.service.limits.append_bytes {
            begun.events.refuse(Refusal::TooLarge(self.service.limits.append_bytes));
        }
        if self.begun.len() >= BEGUN {
            return Err(Status::resource_exhausted(format!(
                "more than {BEGUN} appends are begun and not finished"
            )));
        }
        self.begun.insert(id, begun);
        Ok(())
    }

    /// Prepared here, in the order of the messages, and written side by side, so that many share one flush.
    async fn finish(&mut self, begun: Begun) {
        let Begun {
            address,
            patience,
            events,
        } = begun;
        let service = Arc::clone(&self.service);
        let prepared = async {
            let (stream, expected) = address.target()?;
            prepare(&service, stream, expected, events.events()?).await
        };
        let prepared = prepared.await;
        let outcome = async move {
            let written = async { write(&service, prepared?).await };
            let outcome = timeout(patience, written).await.unwrap_or(Err(Refusal::Late));
            address.answer(outcome)
        };
        self.in_flight.push(outcome.boxed());
    }
}

impl Begun {
    fn new(correlation: client::Uuid, options: Options) -> Self {
        Self {
            patience: patience(options.deadline_option.as_ref()),
            address: Address {
                correlation,
                identifier: options.stream_identifier,
                expected: options.expected_stream_position,
            },
            events: Collected::new(),
        }
    }
}

fn patience(deadline: Option<&DeadlineOption>) -> Duration {
    let wanted = match deadline {
        None => return USUAL,
        Some(DeadlineOption::Deadline(span)) => Duration::try_from(*span).unwrap_or(Duration::ZERO),
        Some(DeadlineOption::Deadline21100(moment)) => {
            let millis = moment
                .seconds
                .saturating_mul(1000)
                .saturating_add(i64::from(moment.nanos / 1_000_000));
            let left = millis.saturating_sub(Timestamp::now().as_millis());
            Duration::from_millis(u64::try_from(left).unwrap_or(0))
        }
    };
    wanted.clamp(SHORTEST, LONGEST)
}

impl Address {
    fn target(&self) -> Result<(StreamName, ExpectedVersion), Refusal> {
        let stream = messages::stream_from(self.identifier.as_ref()).map_err(|status| Refusal::of_message(&status))?;
        let expected = match self.expected {
            Some(Expected::StreamPosition(version)) => ExpectedVersion::Exact(version),
            Some(Expected::NoStream(())) => ExpectedVersion::None,
            Some(Expected::StreamExists(())) => ExpectedVersion::Exists,
            Some(Expected::Any(())) => ExpectedVersion::Any,
            None => {
                return Err(Refusal::Bad(
                    "the append does not say what it expects of the stream".to_owned(),
                ));
            }
        };
        Ok((stream, expected))
    }

    fn answer(self, outcome: Result<Written, Refusal>) -> BatchAppendResp {
        let answer = match outcome {
            Ok(written) => Answer::Success(success(written)),
            Err(refusal) => Answer::Error(refusal.detailed()),
        };
        BatchAppendResp {
            correlation_id: Some(self.correlation),
            result: Some(answer),
            // Clients take the stream's name from here, whatever the outcome.
            stream_identifier: Some(self.identifier.unwrap_or_default()),
            expected_stream_position: self.expected.map(|expected| match expected {
                Expected::StreamPosition(version) => Echoed::StreamPosition(version),
                Expected::NoStream(()) => Echoed::NoStream(()),
                Expected::StreamExists(()) => Echoed::StreamExists(()),
                Expected::Any(()) => Echoed::Any(()),
            }),
        }
    }
}

fn success(written: Written) -> Success {
    Success {
        current_revision_option: Some(written.version.map_or(
            CurrentRevisionOption::NoStream(()),
            CurrentRevisionOption::CurrentRevision,
        )),
        position_option: Some(written.position.map_or(PositionOption::NoPosition(()), |position| {
            PositionOption::Position(messages::position(position))
        })),
    }
}
