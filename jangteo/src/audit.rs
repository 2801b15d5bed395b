//! What operators and admins do is written down: events in their own audit stream.

use std::sync::Arc;

use async_trait::async_trait;
use edge::{Problem, RequestContext};
use event_log::{Append, EventLog, ExpectedVersion};
use event_schemas::{
    AccountId, Actor, Category, CustomerId, Metadata, NewEvent,
    audit::{
        AuditEvent, CustomerPageViewed, ReadModelAuditRequested, RebuildDecided, RebuildDecision, RebuildRequested,
        SagaRetryRequested,
    },
    ids::derived_uuid,
};
use projections::{AuditScope, Decision};
use query_api::AuditTrail;
use uuid::Uuid;

/// Appends to `audit-<account>`.
#[derive(Clone)]
pub struct Audit {
    log: Arc<dyn EventLog>,
}

impl Audit {
    /// Into that log.
    pub fn new(log: Arc<dyn EventLog>) -> Self {
        Self { log }
    }

    /// An operator asked for a read model to be rebuilt.
    ///
    /// # Errors
    /// When it cannot be written down: then it must not happen either.
    pub async fn rebuild_requested(
        &self,
        operator_id: AccountId,
        projection: &str,
        request: &RequestContext,
    ) -> Result<(), Problem> {
        let event = RebuildRequested {
            operator_id,
            projection: projection.to_owned(),
        };
        self.write(operator_id, event.into(), request).await
    }

    /// An operator asked for a read model to be held against the log.
    ///
    /// # Errors
    /// As above.
    pub async fn audit_requested(
        &self,
        operator_id: AccountId,
        projection: &str,
        scope: AuditScope,
        request: &RequestContext,
    ) -> Result<(), Problem> {
        let event = ReadModelAuditRequested {
            operator_id,
            projection: projection.to_owned(),
            all: scope.all,
            repair: scope.repair,
        };
        self.write(operator_id, event.into(), request).await
    }

    /// An operator decided what becomes of a read model that was rebuilt, or was live before.
    ///
    /// # Errors
    /// As [`Self::rebuild_requested`].
    pub async fn rebuild_decided(
        &self,
        operator_id: AccountId,
        projection: &str,
        decision: Decision,
        request: &RequestContext,
    ) -> Result<(), Problem> {
        let event = RebuildDecided {
            operator_id,
            projection: projection.to_owned(),
            decision: match decision {
                Decision::Approve => RebuildDecision::Approved,
                Decision::Reject => RebuildDecision::Rejected,
                Decision::RollBack => RebuildDecision::RolledBack,
            },
        };
        self.write(operator_id, event.into(), request).await
    }

    /// An operator told a saga to try again; the saga reads it here.
    ///
    /// # Errors
    /// As [`Self::rebuild_requested`].
    pub async fn saga_retried(
        &self,
        operator_id: AccountId,
        saga: &str,
        saga_id: Uuid,
        request: &RequestContext,
    ) -> Result<(), Problem> {
        let event = SagaRetryRequested {
            operator_id,
            saga: saga.to_owned(),
            saga_id,
        };
        self.write(operator_id, event.into(), request).await
    }

    async fn write(&self, who: AccountId, event: AuditEvent, request: &RequestContext) -> Result<(), Problem> {
        let command_id = request.command_id(Some(who));
        let metadata = Metadata {
            command_id: Some(command_id),
            traceparent: request.traceparent.clone(),
            ..Metadata::new(request.received_at, request.correlation_id, Actor::Account(who))
        };
        let append = Append {
            stream: Category::Audit.stream(who.uuid()),
            expected: ExpectedVersion::Any,
            events: vec![NewEvent::new(derived_uuid(command_id, "0"), &event, &metadata)],
        };
        let appended = self.log.append(append).await.map(|_| ());
        appended.map_err(|error| {
            tracing::error!(%error, "the audit trail cannot be written");
            Problem::unavailable(
                5,
                "this is only done when it can be written down, and it cannot right now",
            )
        })
    }
}

#[async_trait]
impl AuditTrail for Audit {
    async fn customer_page_viewed(
        &self,
        viewer: AccountId,
        customer: CustomerId,
        request: &RequestContext,
    ) -> Result<(), Problem> {
        let event = CustomerPageViewed {
            viewer_id: viewer,
            customer_id: customer,
        };
        self.write(viewer, event.into(), request).await
    }
}
