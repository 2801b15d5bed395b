//! One operation under way: announced, asked of the provider, its outcome recorded.

use domain::{
    Payment,
    payment::{Details, Operation, OperationId, PaymentCommand, Progress},
};
use event_schemas::{Money, PaymentId, ids::derived_uuid, payment::PaymentOperation};
use tokio::time::timeout;

use super::{OperationKey, Outcome, Payments};
use crate::{execution::CommandContext, services::ServiceError};

/// What is asked of one payment, while it is its turn.
pub(super) struct Asked<'a> {
    service: &'a Payments,
    context: &'a CommandContext,
    payment_id: PaymentId,
}

impl<'a> Asked<'a> {
    pub(super) const fn new(service: &'a Payments, context: &'a CommandContext, payment_id: PaymentId) -> Self {
        Self {
            service,
            context,
            payment_id,
        }
    }

    /// Announces the operation, unless that was done, and brings it to an outcome, unless it has one.
    pub(super) async fn ask(&self, id: OperationId, request: PaymentCommand) -> Result<(), ServiceError> {
        let payment = self.tell(&format!("{id} requested"), &request).await?;
        match (payment.details(), payment.operation(id)) {
            (Some(details), Some(asked)) => match asked.progress {
                Progress::InFlight => self.call(details, asked).await,
                Progress::Unknown => self.find_out(details, asked).await,
                Progress::Happened | Progress::Refused => Ok(()),
            },
            _ => Err(no_such_payment(self.payment_id)),
        }
    }

    /// Asks the provider what became of an operation; of every open one where none is named.
    pub(super) async fn inquire(&self, id: Option<OperationId>) -> Result<(), ServiceError> {
        let payment = self.service.execution.load(self.payment_id.uuid()).await?;
        let Some(details) = payment.state.details() else {
            return Err(no_such_payment(self.payment_id));
        };
        for asked in payment.state.operations() {
            if id.map_or(asked.progress.is_open(), |id| id == asked.id) {
                self.find_out(details, asked).await?;
            }
        }
        Ok(())
    }

    /// Where the provider never heard of it, it is asked again: with the same key, so that a request that is still on its
    /// way does nothing any more when it arrives. What it had refused is recorded where it was done after all.
    async fn find_out(&self, details: &Details, asked: &Operation) -> Result<(), ServiceError> {
        if asked.progress == Progress::Happened {
            return Ok(());
        }
        let key = OperationKey::new(details.payment_id, asked.id);
        let reference = details.provider_reference.as_deref();
        let known = self.in_time(self.service.provider.look_up(&key, reference)).await;
        match known.unwrap_or_else(|detail| Some(Outcome::Unknown { detail })) {
            Some(Outcome::Happened { reference }) => self.record(asked.id, Outcome::Happened { reference }).await,
            _ if asked.progress == Progress::Refused => Ok(()),
            Some(outcome) => self.record(asked.id, outcome).await,
            None => self.call(details, asked).await,
        }
    }

    async fn call(&self, details: &Details, asked: &Operation) -> Result<(), ServiceError> {
        let (provider, key) = (&self.service.provider, OperationKey::new(details.payment_id, asked.id));
        let reference = details.provider_reference.as_deref().unwrap_or_default();
        let amount = Money::new(asked.amount, details.amount.currency);
        let called = match asked.id.operation {
            PaymentOperation::Authorise => provider.authorise(&key, amount, &details.method),
            PaymentOperation::Capture => provider.capture(&key, reference, amount),
            PaymentOperation::Void => provider.void(&key, reference, amount),
            PaymentOperation::Refund => provider.refund(&key, reference, amount),
        };
        let answered = self.in_time(called).await;
        let outcome = answered.unwrap_or_else(|detail| Outcome::Unknown { detail });
        metrics::counter!("jangteo_payment_calls_total",
            "operation" => asked.id.word(), "outcome" => outcome.word())
        .increment(1);
        self.record(asked.id, outcome).await
    }

    async fn record(&self, id: OperationId, outcome: Outcome) -> Result<(), ServiceError> {
        let step = format!("{id} {}", outcome.word());
        let command = match outcome {
            Outcome::Happened { reference } => PaymentCommand::RecordHappened {
                id,
                provider_reference: reference,
            },
            Outcome::Declined { reason } => PaymentCommand::RecordRefused { id, reason },
            Outcome::Unknown { detail } => PaymentCommand::RecordUnknown { id, detail },
            // Nothing happened and nothing is in doubt: whoever asked asks again.
            Outcome::NotAsked { detail } => return Err(ServiceError::Fault(detail)),
        };
        self.tell(&step, &command).await.map(|_| ())
    }

    /// Executes a command of the payment under an id of its own, derived from the payment: whoever comes to the same point
    /// writes the same event.
    async fn tell(&self, step: &str, command: &PaymentCommand) -> Result<Payment, ServiceError> {
        let id = self.payment_id.uuid();
        let context = CommandContext {
            command_id: derived_uuid(id, step),
            ..self.context.clone()
        };
        let executed = self.service.execution.execute(id, command, &context).await?;
        Ok(executed.aggregate.state.clone())
    }

    async fn in_time<T>(&self, call: impl Future<Output = T>) -> Result<T, String> {
        let patience = self.service.call_timeout;
        timeout(patience, call)
            .await
            .map_err(|_| format!("no answer within {patience:?}"))
    }
}

fn no_such_payment(payment_id: PaymentId) -> ServiceError {
    domain::Refusal::not_found("payment-not-found", format!("there is no payment {payment_id}")).into()
}
