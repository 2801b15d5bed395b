//! Which group is meant, and the names of the streams that it keeps its state in.

use std::fmt;

use event_log::RecordedEvent;
use event_schemas::StreamName;
use serde::{Deserialize, Serialize};
use tonic::{Code, Status};

use crate::{
    messages::stream_from,
    status::{bad_request, fault},
    streams::metastream_of,
    wire::client::StreamIdentifier,
};

const ALL: &str = "$all";
/// Every stream of a group's own begins with this.
const OWN: &str = "$persistentsubscription-";
/// Where the configuration of all groups stands.
pub(super) const CONFIGURATION: &str = "$persistentSubscriptionConfig";

/// What a group follows.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Source {
    /// The whole log.
    All,
    Stream(StreamName),
}

impl Source {
    pub(super) fn as_str(&self) -> &str {
        match self {
            Self::All => ALL,
            Self::Stream(stream) => stream.as_str(),
        }
    }

    pub(super) fn from_wire(identifier: Option<&StreamIdentifier>) -> Result<Self, Status> {
        stream_from(identifier).map(Self::from)
    }

    /// A place as clients read it.
    pub(super) fn place(&self, place: u64) -> String {
        match self {
            Self::All => format!("C:{place}/P:{place}"),
            Self::Stream(_) => place.to_string(),
        }
    }
}

impl From<StreamName> for Source {
    fn from(stream: StreamName) -> Self {
        if stream.as_str() == ALL {
            Self::All
        } else {
            Self::Stream(stream)
        }
    }
}

impl Serialize for Source {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
impl<'de> Deserialize<'de> for Source {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        StreamName::deserialize(deserializer).map(Self::from)
    }
}

/// A group of consumers, by what it follows and its own name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct Key {
    pub(super) stream: Source,
    pub(super) group: String,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}::{}", self.stream.as_str(), self.group)
    }
}

impl Key {
    pub(super) fn new(stream: Source, group: &str) -> Result<Self, Status> {
        if group.is_empty() {
            return Err(bad_request("the group's name is missing"));
        }
        let group = group.to_owned();
        Ok(Self { stream, group })
    }

    /// Where the group's checkpoints stand.
    pub(super) fn checkpoints(&self) -> Result<StreamName, Status> {
        self.own("checkpoint")
    }

    /// Where links to the group's parked events stand.
    pub(super) fn parked(&self) -> Result<StreamName, Status> {
        self.own("parked")
    }

    /// The metadata of [`Self::parked`].
    pub(super) fn parked_metadata(&self) -> Result<StreamName, Status> {
        metastream_of(&self.parked()?).ok_or_else(|| self.too_long())
    }

    fn own(&self, what: &str) -> Result<StreamName, Status> {
        format!("{OWN}{self}-{what}").parse().map_err(|_| self.too_long())
    }

    fn too_long(&self) -> Status {
        let room = StreamName::MAX_LEN - OWN.len() - "$$::-checkpoint".len();
        bad_request(format!(
            "{self}: stream and group together have at most {room} bytes, printable"
        ))
    }

    pub(super) fn exists(&self) -> Status {
        self.fault(Code::AlreadyExists, "persistent-subscription-exists", "exists")
    }

    pub(super) fn does_not_exist(&self) -> Status {
        self.fault(
            Code::NotFound,
            "persistent-subscription-does-not-exist",
            "does not exist",
        )
    }

    /// What the consumers of a group hear that is deleted or changed.
    pub(super) fn dropped(&self) -> Status {
        self.fault(Code::Cancelled, "persistent-subscription-dropped", "was dropped")
    }

    pub(super) fn full(&self) -> Status {
        let Self { stream, group } = self;
        let message = format!(
            "Maximum subscriptions reached for subscription group {group} on stream {}",
            stream.as_str()
        );
        self.named(Code::FailedPrecondition, "maximum-subscribers-reached", message)
    }

    fn fault(&self, code: Code, exception: &str, what: &str) -> Status {
        let message = format!(
            "Subscription group {} on stream {} {what}.",
            self.group,
            self.stream.as_str()
        );
        self.named(code, exception, message)
    }

    fn named(&self, code: Code, exception: &str, message: String) -> Status {
        let particulars = [
            ("stream-name", self.stream.as_str()),
            ("group-name", self.group.as_str()),
        ];
        fault(code, exception, message, &particulars)
    }
}

/// Whether an event is some group's own state: no group to the whole log is told of it, or each would keep the others
/// busy.
pub(super) fn is_own(event: &RecordedEvent) -> bool {
    let name = event.stream.as_str();
    let name = name.strip_prefix("$$").unwrap_or(name);
    name.starts_with(OWN) || name == CONFIGURATION
}
