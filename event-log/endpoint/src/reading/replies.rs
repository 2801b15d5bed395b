//! What a reader is told beside events.

use event_log::{Position, StreamVersion};
use event_schemas::StreamName;
use uuid::Uuid;

use crate::{
    messages::{identifier, position},
    wire::streams::{
        ReadResp,
        read_resp::{CaughtUp, Content, FellBehind, StreamNotFound, SubscriptionConfirmation},
    },
};

pub(super) fn reply(content: Content) -> ReadResp {
    ReadResp { content: Some(content) }
}

/// The subscription stands. Always the first reply to a subscriber.
pub(super) fn confirmation() -> ReadResp {
    reply(Content::Confirmation(SubscriptionConfirmation {
        subscription_id: Uuid::now_v7().to_string(),
    }))
}

/// Everything up to here was considered: a new subscription may begin behind it.
pub(super) fn checkpoint(at: Position) -> ReadResp {
    reply(Content::Checkpoint(position(at)))
}

/// What comes from here on is new.
pub(super) fn caught_up() -> ReadResp {
    reply(Content::CaughtUp(CaughtUp {}))
}

/// What comes from here on has been waiting.
pub(super) fn fell_behind() -> ReadResp {
    reply(Content::FellBehind(FellBehind {}))
}

/// There is no such stream.
pub(super) fn not_found(stream: &StreamName) -> ReadResp {
    reply(Content::StreamNotFound(StreamNotFound {
        stream_identifier: Some(identifier(stream)),
    }))
}

/// The first event that the stream still shows, if it is not the one the reader asked for.
pub(super) fn first_position(version: StreamVersion) -> ReadResp {
    reply(Content::FirstStreamPosition(version))
}

/// The stream's last event.
pub(super) fn last_position(version: StreamVersion) -> ReadResp {
    reply(Content::LastStreamPosition(version))
}
