//! What a command brings along beside what it asks.

use std::borrow::Cow;

use domain::commands::Directive;
use edge::{Principal, RequestContext};
use event_schemas::{Actor, Metadata, Timestamp};
use uuid::Uuid;

/// Who asks, when, under which identity. Goes into the metadata of every event that follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandContext {
    /// The command's id: the same id again does nothing again.
    pub command_id: Uuid,
    /// A digest of the request's body, so that an id used again with another body is noticed.
    pub fingerprint: Option<String>,
    /// Shared by everything that one request sets in motion.
    pub correlation_id: Uuid,
    /// The event that caused the command.
    pub causation_id: Option<Uuid>,
    /// Who asks.
    pub actor: Actor,
    /// When.
    pub at: Timestamp,
    /// W3C trace context of the request.
    pub traceparent: Option<String>,
}

impl CommandContext {
    /// Of a request from someone signed in. `fingerprint` is that of the body.
    pub fn of_request(request: &RequestContext, principal: &Principal, fingerprint: impl Into<String>) -> Self {
        Self {
            command_id: request.command_id(Some(principal.account_id)),
            // Without a key nobody can repeat the command, and there is nothing to compare.
            fingerprint: request.idempotency_key.is_some().then(|| fingerprint.into()),
            correlation_id: request.correlation_id,
            causation_id: None,
            actor: Actor::Account(principal.account_id),
            at: request.received_at,
            traceparent: request.traceparent.clone(),
        }
    }

    /// Of a saga's directive, done by that part of the shop.
    pub fn of_directive(directive: &Directive, part: &'static str) -> Self {
        Self {
            causation_id: Some(directive.causation_id),
            correlation_id: directive.correlation_id,
            ..Self::within(part, directive.id, directive.at)
        }
    }

    /// Of a part of the shop itself, such as `demo`, with an id of its own choice.
    pub fn within(part: impl Into<Cow<'static, str>>, command_id: Uuid, at: Timestamp) -> Self {
        Self {
            command_id,
            fingerprint: None,
            correlation_id: command_id,
            causation_id: None,
            actor: Actor::System(part.into()),
            at,
            traceparent: None,
        }
    }

    /// As it stands beside each of the command's events.
    pub fn metadata(&self) -> Metadata {
        Metadata {
            causation_id: self.causation_id,
            command_id: Some(self.command_id),
            fingerprint: self.fingerprint.clone(),
            traceparent: self.traceparent.clone(),
            ..Metadata::new(self.at, self.correlation_id, self.actor.clone())
        }
    }
}
