//! Payments: asking a provider for money, and never guessing what became of it.
//!
//! Each operation (authorise, capture of a parcel, void, refund) goes through the log: what will be asked is announced
//! there, then the provider is asked, then its answer is recorded. Whatever interrupts this, asking again is safe, because
//! the provider is given the same idempotency key each time ([`OperationKey`]): it does each operation of a payment once.
//! An answer that does not come in time, or is lost, is recorded as unknown, and from then on the provider is asked what it
//! knows before anything else.
//!
//! - [`provider`]: the port; `contract`: what every provider must do;
//! - [`simulator`]: one that plays an outside party, in the process or as a server; [`providers`]: adapters to others;
//! - [`webhooks`]: what a provider tells by itself; [`reconciliation`]: its books against ours, all the time.

mod asked;
#[cfg(test)]
mod contract;
mod key;
pub mod provider;
pub mod providers;
pub mod reconciliation;
pub mod simulator;
#[cfg(test)]
mod tests;
mod turns;
pub mod webhooks;

use std::{sync::Arc, time::Duration};

use domain::{
    Payment,
    commands::{Directive, ServiceCommand},
    payment::{OperationId, PaymentCommand},
};
use event_log::EventLog;
use event_schemas::{OrderId, PaymentId};

use self::{asked::Asked, turns::Turns};
pub use self::{
    key::{NoOperationKey, OperationKey},
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

    /// Does what a saga asks: authorise, capture, void, refund or inquire. Answered by an event; an inquiry that finds
    /// nothing new is answered by none.
    ///
    /// # Errors
    /// When the payment does not allow it, the provider cannot be reached, the command is not for payments, or the log
    /// fails.
    pub async fn execute(&self, directive: &Directive) -> Result<(), ServiceError> {
        let Some(asked) = read(&directive.command) else {
            return Err(ServiceError::Fault(format!(
                "not for payments: {:?}",
                directive.command
            )));
        };
        let context = CommandContext::of_directive(directive, "payments");
        let _turn = self.turns.of(asked.payment_id.uuid()).await;
        let payment = Asked::new(self, &context, asked.payment_id);
        match asked.request {
            Some(request) => payment.ask(asked.id, request).await,
            None => payment.inquire(Some(asked.id)).await,
        }
    }

    /// Asks the provider about everything of a payment whose outcome is open: somebody says there is news.
    ///
    /// # Errors
    /// When there is no such payment, the provider cannot be reached, or the log fails.
    pub async fn look_into(&self, payment_id: PaymentId, context: &CommandContext) -> Result<(), ServiceError> {
        let _turn = self.turns.of(payment_id.uuid()).await;
        Asked::new(self, context, payment_id).inquire(None).await
    }
}

/// A command for a payment, taken apart. No request: an inquiry.
struct Read {
    payment_id: PaymentId,
    id: OperationId,
    request: Option<PaymentCommand>,
}

fn read(command: &ServiceCommand) -> Option<Read> {
    let (payment_id, id, request) = match command {
        ServiceCommand::AuthorisePayment {
            payment_id,
            order_id,
            amount,
            method,
        } => {
            let request = PaymentCommand::RequestAuthorisation {
                payment_id: *payment_id,
                order_id: *order_id,
                amount: *amount,
                method: method.clone(),
            };
            (payment_id, OperationId::AUTHORISE, Some(request))
        }
        ServiceCommand::CapturePayment {
            payment_id,
            shipment_id,
            amount,
            ..
        } => {
            let (shipment_id, amount) = (*shipment_id, *amount);
            let request = PaymentCommand::RequestCapture { shipment_id, amount };
            (payment_id, OperationId::capture(shipment_id), Some(request))
        }
        ServiceCommand::VoidPayment { payment_id, .. } => {
            (payment_id, OperationId::VOID, Some(PaymentCommand::RequestVoid))
        }
        ServiceCommand::RefundPayment {
            payment_id,
            refund_id,
            amount,
            ..
        } => {
            let (refund_id, amount) = (*refund_id, *amount);
            let request = PaymentCommand::RequestRefund { refund_id, amount };
            (payment_id, OperationId::refund(refund_id), Some(request))
        }
        ServiceCommand::InquirePayment {
            payment_id,
            operation,
            part,
            ..
        } => {
            let (operation, part) = (*operation, *part);
            (payment_id, OperationId { operation, part }, None)
        }
        _ => return None,
    };
    Some(Read {
        payment_id: *payment_id,
        id,
        request,
    })
}

/// The payment of an order.
pub fn payment_of(order_id: OrderId) -> PaymentId {
    PaymentId::derived(order_id.uuid(), "payment")
}
