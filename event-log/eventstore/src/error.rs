//! What the client's errors mean.

use std::{convert::Infallible, fmt, time::Duration};

use event_log::LogError;
use eventstore::Error;
use resilience::{CallError, Failure};

use crate::address::Node;

/// What to do about an error of the client.
pub(crate) enum Verdict {
    /// The connection, or the client with it, is gone: make a new client and try again.
    Gone,
    /// Another node takes this.
    Elsewhere(Node),
    /// The server cannot just now: try again.
    Later,
    /// An answer.
    Final,
}

/// gRPC's codes, by number: the client's version of them is not ours.
const CANCELLED: i32 = 1;
const INVALID_ARGUMENT: i32 = 3;
const RESOURCE_EXHAUSTED: i32 = 8;
const FAILED_PRECONDITION: i32 = 9;
const ABORTED: i32 = 10;
const OUT_OF_RANGE: i32 = 11;

pub(crate) fn verdict(error: &Error) -> Verdict {
    match error {
        Error::NotLeaderException(leader) => Verdict::Elsewhere(leader.clone().into()),
        // A client whose first use failed says "Connection is closed." for ever after; the crate also counts UNKNOWN and INTERNAL as
        // a server gone. No answer in time: the connection may be half open, so the next attempt gets another.
        Error::ServerError(_)
        | Error::ConnectionClosed
        | Error::GrpcConnectionError(_)
        | Error::InitializationError(_)
        | Error::InternalClientError
        | Error::DeadlineExceeded => Verdict::Gone,
        Error::Grpc { code, message } => match i32::from(*code) {
            // EventStoreDB: ABORTED is a write or a read that took it too long.
            CANCELLED | ABORTED => Verdict::Later,
            // Too many calls at once; a message too large is no such thing.
            RESOURCE_EXHAUSTED if !about_size(message) => Verdict::Later,
            _ => Verdict::Final,
        },
        _ => Verdict::Final,
    }
}

fn about_size(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    ["size", "too large", "exceed"]
        .iter()
        .any(|word| message.contains(word))
}

/// The server will not take such an append, now or ever: too large, malformed.
pub(crate) fn refusal(error: &Error) -> Option<String> {
    match error {
        Error::Grpc { code, message } => {
            let refused = matches!(i32::from(*code), INVALID_ARGUMENT | RESOURCE_EXHAUSTED | OUT_OF_RANGE);
            refused.then(|| message.clone())
        }
        _ => None,
    }
}

/// The stream was not as expected, where the protocol says so by a status (tombstones).
pub(crate) fn precondition_failed(error: &Error) -> bool {
    matches!(error, Error::Grpc { code, .. } if i32::from(*code) == FAILED_PRECONDITION)
}

/// A call that came to nothing.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The server answered.
    Server(Error),
    /// It did not, or what it answered cannot be used.
    Log(LogError),
}

impl From<LogError> for Fault {
    fn from(error: LogError) -> Self {
        Self::Log(error)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Server(error) => error.fmt(f),
            Self::Log(error) => error.fmt(f),
        }
    }
}

/// A call was repeated until its deadline before it comes to this. Whatever the server says, it is well.
impl CallError for Fault {
    fn may_pass(&self) -> bool {
        matches!(self, Self::Log(LogError::Unavailable(_)))
    }
}

/// What to tell of the server: where it is, who we are to it.
#[derive(Debug, Clone)]
pub(crate) struct Speaker {
    pub(crate) address: String,
    pub(crate) user: Option<String>,
}

impl Speaker {
    /// No answer, however often it was asked.
    pub(crate) fn away(&self, what: &str, waited: Duration, last: &str) -> LogError {
        LogError::Unavailable(format!(
            "{} did not {what} within {:.1} s: {last}",
            self.address,
            waited.as_secs_f64()
        ))
    }

    /// It was not asked, because it did not answer lately.
    pub(crate) fn resting(&self, what: &str, failure: &Failure<Infallible>, last: Option<String>) -> LogError {
        let last = last.map_or_else(String::new, |last| format!(" ({last})"));
        LogError::Unavailable(format!("{} was not asked to {what}: {failure}{last}", self.address))
    }

    /// A subscription came to an end.
    pub(crate) fn lost(&self, cause: &str) -> LogError {
        LogError::Unavailable(format!("{} cannot be followed: {cause}", self.address))
    }

    /// An answer that the port has no word for.
    pub(crate) fn unexpected(&self, what: &str, fault: Fault) -> LogError {
        let error = match fault {
            Fault::Log(error) => return error,
            Fault::Server(error) => error,
        };
        let address = &self.address;
        LogError::Unavailable(match (&error, &self.user) {
            (Error::AccessDenied, Some(user)) => format!(
                "{address} denies access to {user:?} ({what}): check the user and the password in the connection string, and that this \
                 user may read $all"
            ),
            (Error::AccessDenied, None) => format!(
                "{address} denies access ({what}): it wants a user and a password, esdb://user:password@host:port"
            ),
            (Error::UnsupportedFeature, _) => format!("{address} does not offer this ({what})"),
            _ => format!("{address} failed ({what}): {error}"),
        })
    }
}
