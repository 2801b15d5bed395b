//! How a payment's events make it what it is.

use event_schemas::payment::{PaymentAuthorisationRequested, PaymentEvent};

use super::{Details, OperationId, Payment, PaymentCommand, Progress};
use crate::{Aggregate, Refusal, values::Findings};

impl Aggregate for Payment {
    type Event = PaymentEvent;
    type Command = PaymentCommand;

    fn evolve(&mut self, event: &PaymentEvent) {
        use PaymentEvent as E;
        match event {
            E::PaymentAuthorisationRequested(requested) => {
                self.details = Some(Details {
                    payment_id: requested.payment_id,
                    order_id: requested.order_id,
                    amount: requested.amount,
                    method: requested.method.clone(),
                    provider_reference: None,
                });
                self.begin(OperationId::AUTHORISE, requested.amount.amount);
            }
            E::PaymentAuthorised(authorised) => {
                if let Some(details) = &mut self.details {
                    details.provider_reference = Some(authorised.provider_reference.clone());
                }
                self.settle(
                    OperationId::AUTHORISE,
                    Some(authorised.amount.amount),
                    Progress::Happened,
                );
            }
            E::PaymentDeclined(_) => self.settle(OperationId::AUTHORISE, None, Progress::Refused),
            E::PaymentCaptureRequested(requested) => {
                self.begin(OperationId::capture(requested.shipment_id), requested.amount.amount);
            }
            E::PaymentCaptured(captured) => {
                let id = OperationId::capture(captured.shipment_id);
                self.settle(id, Some(captured.amount.amount), Progress::Happened);
            }
            E::PaymentVoidRequested(_) => {
                let left = self.details.as_ref().map_or(0, |details| self.left(details));
                self.begin(OperationId::VOID, left);
            }
            E::PaymentVoided(voided) => self.settle(OperationId::VOID, Some(voided.amount.amount), Progress::Happened),
            E::PaymentRefundRequested(requested) => {
                self.begin(OperationId::refund(requested.refund_id), requested.amount.amount);
            }
            E::PaymentRefunded(refunded) => {
                let id = OperationId::refund(refunded.refund_id);
                self.settle(id, Some(refunded.amount.amount), Progress::Happened);
            }
            E::PaymentOutcomeUnknown(unknown) => {
                let (operation, part) = (unknown.operation, unknown.part);
                self.settle(OperationId { operation, part }, None, Progress::Unknown);
            }
            E::PaymentOperationRefused(refused) => {
                let (operation, part) = (refused.operation, refused.part);
                self.settle(OperationId { operation, part }, None, Progress::Refused);
            }
        }
    }

    fn decide(&self, command: &PaymentCommand) -> Result<Vec<PaymentEvent>, Refusal> {
        match (&self.details, command) {
            (Some(details), command) => self.decide_for(details, command),
            (
                None,
                PaymentCommand::RequestAuthorisation {
                    payment_id,
                    order_id,
                    amount,
                    method,
                },
            ) => {
                let mut findings = Findings::default();
                findings.payment_method("method", method);
                if amount.amount < 1 {
                    findings.add("amount.amount", "must be at least 1 minor unit");
                }
                findings.into_result()?;
                let requested = PaymentAuthorisationRequested {
                    payment_id: *payment_id,
                    order_id: *order_id,
                    amount: *amount,
                    method: method.clone(),
                };
                Ok(vec![requested.into()])
            }
            (None, _) => Err(Refusal::not_found(
                "payment-not-found",
                "There is no such payment; its authorisation must be requested first.",
            )),
        }
    }
}
