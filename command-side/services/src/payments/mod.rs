//! Payments: asking a provider for money, and never guessing what became of it.
//!
//! Each operation (authorise, capture, void) goes through the log: what will be asked is announced there, then the provider
//! is asked, then its answer is recorded. Whatever interrupts this, asking again is safe, because the provider is given the
//! same idempotency key each time ([`key`]): it does each operation of a payment once. An answer that does not come in
//! time, or is lost, is recorded as unknown, and from then on the provider is asked what it knows before anything else.
//!
//! - [`provider`]: the port; `contract`: what every provider must do; [`simulator`]: one that plays an outside party.

#[cfg(test)]
mod contract;
pub mod provider;
pub mod simulator;
#[cfg(test)]
mod tests;
mod turns;

use std::{sync::Arc, time::Duration};

use domain::{
    Payment,
    commands::{Directive, ServiceCommand},
    payment::{Details, PaymentCommand},
};
use event_log::EventLog;
use event_schemas::{OrderId, PaymentId, ids::derived_uuid, payment::PaymentOperation};
use tokio::time::timeout;

use self::turns::Turns;
pub use self::{
    provider::{Outcome, PaymentProvider},
    simulator::{ProviderSimulator, SimulatorSettings},
};
use crate::{
    execution::{CommandContext, Execution},
    services::ServiceError,
};

/// How long the provider may take to answer unless configured otherwise.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(2);

/// The payment service.
pub struct Payments {
    execution: Execution<Payment>,
    provider: Arc<dyn PaymentProvider>,
    call_timeout: Duration,
    turns: Turns,
}

impl Payments {
    /// Over a log and a provider, which may take `call_timeout` to answer.
    pub fn new(log: Arc<dyn EventLog>, provider: Arc<dyn PaymentProvider>, call_timeout: Duration) -> Self {
        Self {
            execution: Execution::new(log),
            provider,
            call_timeout,
            turns: Turns::default(),
        }
    }

    /// Does what a saga asks: authorise, capture, void or inquire. Answered by an event; an inquiry that finds nothing new is
    /// answered by none.
    ///
    /// # Errors
    /// When the payment does not allow it, the command is not for payments, or the log fails.
    pub async fn execute(&self, directive: &Directive) -> Result<(), ServiceError> {
        let payment = Asked::new(self, directive);
        match &directive.command {
            ServiceCommand::AuthorisePayment {
                payment_id,
                order_id,
                amount,
                method,
            } => {
                let _turn = self.turns.of(payment_id.uuid()).await;
                let request = PaymentCommand::RequestAuthorisation {
                    payment_id: *payment_id,
                    order_id: *order_id,
                    amount: *amount,
                    method: method.clone(),
                };
                payment.ask(*payment_id, PaymentOperation::Authorise, request).await
            }
            ServiceCommand::CapturePayment { payment_id, .. } => {
                let _turn = self.turns.of(payment_id.uuid()).await;
                payment
                    .ask(*payment_id, PaymentOperation::Capture, PaymentCommand::RequestCapture)
                    .await
            }
            ServiceCommand::VoidPayment { payment_id, .. } => {
                let _turn = self.turns.of(payment_id.uuid()).await;
                payment
                    .ask(*payment_id, PaymentOperation::Void, PaymentCommand::RequestVoid)
                    .await
            }
            ServiceCommand::InquirePayment {
                payment_id, operation, ..
            } => {
                let _turn = self.turns.of(payment_id.uuid()).await;
                payment.inquire(*payment_id, *operation).await
            }
            other => Err(ServiceError::Fault(format!("not for payments: {other:?}"))),
        }
    }
}

/// The name under which the provider knows an operation of a payment, for good: given the same key again it answers as before
/// and does nothing.
pub fn key(payment_id: PaymentId, operation: PaymentOperation) -> String {
    format!("{payment_id}/{}", word(operation))
}

const fn word(operation: PaymentOperation) -> &'static str {
    match operation {
        PaymentOperation::Authorise => "authorise",
        PaymentOperation::Capture => "capture",
        PaymentOperation::Void => "void",
        PaymentOperation::Refund => "refund",
    }
}

/// A directive under way.
struct Asked<'a> {
    service: &'a Payments,
    directive: &'a Directive,
}

impl<'a> Asked<'a> {
    const fn new(service: &'a Payments, directive: &'a Directive) -> Self {
        Self { service, directive }
    }

    /// Announces the operation, unless that was done, and brings it to an outcome, unless it has one.
    async fn ask(
        &self,
        payment_id: PaymentId,
        operation: PaymentOperation,
        request: PaymentCommand,
    ) -> Result<(), ServiceError> {
        let payment = self
            .tell(payment_id, &format!("{} requested", word(operation)), &request)
            .await?;
        if payment.in_flight() != Some(operation) {
            return Ok(());
        }
        if payment.is_outcome_unknown() {
            return self.inquire(payment_id, operation).await;
        }
        match payment.details() {
            Some(details) => self.call(details, operation).await,
            None => Err(no_such_payment(payment_id)),
        }
    }

    /// Asks the provider what became of an operation. Where it never heard of it, it is asked again: with the same key, so
    /// that a request that is still on its way does nothing any more when it arrives.
    async fn inquire(&self, payment_id: PaymentId, operation: PaymentOperation) -> Result<(), ServiceError> {
        let payment = self.service.execution.load(payment_id.uuid()).await?;
        let Some(details) = payment.state.details() else {
            return Err(no_such_payment(payment_id));
        };
        if payment.state.in_flight() != Some(operation) {
            return Ok(());
        }
        let key = key(payment_id, operation);
        match self.in_time(self.service.provider.look_up(&key)).await {
            Ok(Some(outcome)) => self.record(details, operation, outcome).await,
            Ok(None) => self.call(details, operation).await,
            Err(detail) => self.record(details, operation, Outcome::Unknown { detail }).await,
        }
    }

    async fn call(&self, details: &Details, operation: PaymentOperation) -> Result<(), ServiceError> {
        let (provider, key) = (&self.service.provider, key(details.payment_id, operation));
        let reference = details.provider_reference.as_deref().unwrap_or_default();
        let answer = match operation {
            PaymentOperation::Authorise => {
                self.in_time(provider.authorise(&key, details.amount, &details.method))
                    .await
            }
            PaymentOperation::Capture => self.in_time(provider.capture(&key, reference, details.amount)).await,
            PaymentOperation::Void => self.in_time(provider.void(&key, reference)).await,
            PaymentOperation::Refund => Err("refunds are not asked for yet".to_owned()),
        };
        let outcome = answer.unwrap_or_else(|detail| Outcome::Unknown { detail });
        metrics::counter!("jangteo_payment_calls_total",
            "operation" => word(operation), "outcome" => outcome.word())
        .increment(1);
        self.record(details, operation, outcome).await
    }

    async fn record(
        &self,
        details: &Details,
        operation: PaymentOperation,
        outcome: Outcome,
    ) -> Result<(), ServiceError> {
        let outcome_word = outcome.word();
        let command = match (operation, outcome) {
            (PaymentOperation::Authorise, Outcome::Happened { reference }) => PaymentCommand::RecordAuthorised {
                provider_reference: reference,
            },
            (PaymentOperation::Authorise, Outcome::Declined { reason }) => PaymentCommand::RecordDeclined { reason },
            (PaymentOperation::Capture, Outcome::Happened { .. }) => PaymentCommand::RecordCaptured,
            (PaymentOperation::Void, Outcome::Happened { .. }) => PaymentCommand::RecordVoided,
            (PaymentOperation::Refund, Outcome::Happened { .. }) => PaymentCommand::RecordUnknown {
                operation,
                detail: "refunds are not recorded yet".to_owned(),
            },
            (_, Outcome::Unknown { detail }) => PaymentCommand::RecordUnknown { operation, detail },
            // Money that was set aside and can be neither taken nor given back: no rule of ours settles that. It stays
            // unknown, with what the provider said, until an operator looks into it.
            (_, Outcome::Declined { reason }) => PaymentCommand::RecordUnknown {
                operation,
                detail: format!("the provider refused: {} ({})", reason.message, reason.code),
            },
        };
        let step = format!("{} {outcome_word}", word(operation));
        self.tell(details.payment_id, &step, &command).await.map(|_| ())
    }

    /// Executes a command of the payment under an id of its own, derived from the payment: whoever comes to the same point
    /// writes the same event.
    async fn tell(&self, id: PaymentId, step: &str, command: &PaymentCommand) -> Result<Payment, ServiceError> {
        let context = CommandContext {
            command_id: derived_uuid(id.uuid(), step),
            ..CommandContext::of_directive(self.directive, "payments")
        };
        let executed = self.service.execution.execute(id.uuid(), command, &context).await?;
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

/// The payment of an order.
pub fn payment_of(order_id: OrderId) -> PaymentId {
    PaymentId::derived(order_id.uuid(), "payment")
}
