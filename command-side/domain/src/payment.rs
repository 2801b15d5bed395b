//! The payment for an order. Stream `payment-<payment id>`; the id is derived from the order's.
//!
//! A call to the provider is announced before it is made, and its outcome recorded after. While nobody knows the outcome,
//! nothing else is asked of the provider: the money is neither assumed to be taken nor assumed to be left.

use event_schemas::{
    Money, OrderId, PaymentId,
    order::{PaymentMethod, Reason},
    payment::{
        PaymentAuthorisationRequested, PaymentAuthorised, PaymentCaptureRequested, PaymentCaptured, PaymentDeclined,
        PaymentEvent, PaymentOperation, PaymentOutcomeUnknown, PaymentVoidRequested, PaymentVoided,
    },
};

use crate::{Aggregate, Refusal, values::Findings};

/// A payment: nothing yet, or an authorisation and what became of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Payment {
    details: Option<Details>,
    stage: Stage,
    outcome_unknown: bool,
}

/// What the payment is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Details {
    /// The payment.
    pub payment_id: PaymentId,
    /// For this order.
    pub order_id: OrderId,
    /// How much.
    pub amount: Money,
    /// How the customer pays.
    pub method: PaymentMethod,
    /// The provider's name for the authorisation, once there is one.
    pub provider_reference: Option<String>,
}

/// How far the payment is. The `…ing` stages wait for the provider.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Nothing was asked of the provider.
    #[default]
    New,
    /// The provider is asked to set the money aside.
    Authorising,
    /// The provider said no. The end.
    Declined,
    /// The money is set aside.
    Authorised,
    /// The provider is asked to take the money.
    Capturing,
    /// The money is ours. The end.
    Captured,
    /// The provider is asked to give the money back.
    Voiding,
    /// The money is the customer's again. The end.
    Voided,
}

/// What can be asked of a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PaymentCommand {
    /// Announce that the provider will be asked to set the money aside.
    RequestAuthorisation {
        /// The payment.
        payment_id: PaymentId,
        /// For this order.
        order_id: OrderId,
        /// How much.
        amount: Money,
        /// How the customer pays.
        method: PaymentMethod,
    },
    /// The provider set the money aside.
    RecordAuthorised {
        /// The provider's name for it.
        provider_reference: String,
    },
    /// The provider said no.
    RecordDeclined {
        /// What it said.
        reason: Reason,
    },
    /// Announce that the provider will be asked to take the money.
    RequestCapture,
    /// The provider took the money.
    RecordCaptured,
    /// Announce that the provider will be asked to give the money back.
    RequestVoid,
    /// The provider gave the money back.
    RecordVoided,
    /// The provider's answer was lost.
    RecordUnknown {
        /// What had been asked.
        operation: PaymentOperation,
        /// What went wrong, for operators.
        detail: String,
    },
}

impl Payment {
    /// How far it is.
    pub const fn stage(&self) -> Stage {
        self.stage
    }

    /// What it is about; none before the first request.
    pub const fn details(&self) -> Option<&Details> {
        self.details.as_ref()
    }

    /// What the provider was asked and has not answered yet.
    pub const fn in_flight(&self) -> Option<PaymentOperation> {
        match self.stage {
            Stage::Authorising => Some(PaymentOperation::Authorise),
            Stage::Capturing => Some(PaymentOperation::Capture),
            Stage::Voiding => Some(PaymentOperation::Void),
            _ => None,
        }
    }

    /// Whether the answer to what is in flight was lost, and the provider must be asked what became of it.
    pub const fn is_outcome_unknown(&self) -> bool {
        self.outcome_unknown
    }

    fn decide_for(&self, details: &Details, command: &PaymentCommand) -> Result<Vec<PaymentEvent>, Refusal> {
        let (payment_id, order_id, amount) = (details.payment_id, details.order_id, details.amount);
        let event: PaymentEvent = match (command, self.stage) {
            // What was done before is not done again.
            (PaymentCommand::RequestAuthorisation { .. }, _)
            | (
                PaymentCommand::RecordAuthorised { .. },
                Stage::Authorised | Stage::Capturing | Stage::Captured | Stage::Voiding | Stage::Voided,
            )
            | (PaymentCommand::RecordDeclined { .. }, Stage::Declined)
            | (PaymentCommand::RequestCapture, Stage::Capturing | Stage::Captured)
            | (PaymentCommand::RecordCaptured, Stage::Captured)
            | (PaymentCommand::RequestVoid, Stage::Voiding | Stage::Voided)
            | (PaymentCommand::RecordVoided, Stage::Voided) => return Ok(vec![]),

            (PaymentCommand::RecordAuthorised { provider_reference }, Stage::Authorising) => PaymentAuthorised {
                payment_id,
                order_id,
                amount,
                provider_reference: provider_reference.clone(),
            }
            .into(),
            (PaymentCommand::RecordDeclined { reason }, Stage::Authorising) => PaymentDeclined {
                payment_id,
                order_id,
                reason: reason.clone(),
            }
            .into(),
            (PaymentCommand::RequestCapture, Stage::Authorised) => PaymentCaptureRequested {
                payment_id,
                order_id,
                amount,
                shipment_id: None,
            }
            .into(),
            (PaymentCommand::RecordCaptured, Stage::Capturing) => PaymentCaptured {
                payment_id,
                order_id,
                amount,
                shipment_id: None,
            }
            .into(),
            (PaymentCommand::RequestVoid, Stage::Authorised) => PaymentVoidRequested { payment_id, order_id }.into(),
            (PaymentCommand::RecordVoided, Stage::Voiding) => PaymentVoided {
                payment_id,
                order_id,
                amount,
            }
            .into(),
            (PaymentCommand::RecordUnknown { operation, detail }, _) => {
                return self.decide_unknown(details, *operation, detail);
            }
            (refused, stage) => return Err(not_in_this_stage(refused, stage)),
        };
        Ok(vec![event])
    }

    /// An answer that was lost is news only while nobody knows better.
    fn decide_unknown(
        &self,
        details: &Details,
        operation: PaymentOperation,
        detail: &str,
    ) -> Result<Vec<PaymentEvent>, Refusal> {
        let settled = match operation {
            PaymentOperation::Authorise => self.stage > Stage::Authorising,
            PaymentOperation::Capture => self.stage == Stage::Captured,
            PaymentOperation::Void => self.stage == Stage::Voided,
            PaymentOperation::Refund => false,
        };
        let in_flight = self.in_flight() == Some(operation);
        if settled || (in_flight && self.outcome_unknown) {
            return Ok(vec![]);
        }
        if !in_flight {
            return Err(Refusal::conflict(
                "payment-operation-not-requested",
                format!("The provider was never asked to {operation:?}; record the request first."),
            ));
        }
        let unknown = PaymentOutcomeUnknown {
            payment_id: details.payment_id,
            order_id: details.order_id,
            operation,
            part: None,
            detail: detail.to_owned(),
        };
        Ok(vec![unknown.into()])
    }
}

fn not_in_this_stage(command: &PaymentCommand, stage: Stage) -> Refusal {
    let (code, message) = match (command, stage) {
        (PaymentCommand::RequestCapture | PaymentCommand::RequestVoid, Stage::Authorising) => (
            "payment-in-flight",
            "The provider has not answered the authorisation yet; wait for its answer or inquire.",
        ),
        (PaymentCommand::RequestCapture, Stage::Voiding | Stage::Voided) => (
            "payment-voided",
            "The money went back to the customer and cannot be captured any more.",
        ),
        (PaymentCommand::RequestVoid, Stage::Capturing | Stage::Captured) => (
            "payment-captured",
            "The money is captured and cannot be voided any more; refund it instead.",
        ),
        (PaymentCommand::RequestCapture | PaymentCommand::RequestVoid, Stage::Declined) => (
            "payment-declined",
            "The provider declined this payment: there is no money to capture or to give back.",
        ),
        _ => (
            "payment-outcome-contradicts",
            "This answer does not belong to what the provider was asked, or contradicts its earlier answer; look into it.",
        ),
    };
    Refusal::conflict(code, message)
}

impl Aggregate for Payment {
    type Event = PaymentEvent;
    type Command = PaymentCommand;

    fn evolve(&mut self, event: &PaymentEvent) {
        self.outcome_unknown = false;
        self.stage = match event {
            PaymentEvent::PaymentAuthorisationRequested(requested) => {
                self.details = Some(Details {
                    payment_id: requested.payment_id,
                    order_id: requested.order_id,
                    amount: requested.amount,
                    method: requested.method.clone(),
                    provider_reference: None,
                });
                Stage::Authorising
            }
            PaymentEvent::PaymentAuthorised(authorised) => {
                if let Some(details) = &mut self.details {
                    details.provider_reference = Some(authorised.provider_reference.clone());
                }
                Stage::Authorised
            }
            PaymentEvent::PaymentDeclined(_) => Stage::Declined,
            PaymentEvent::PaymentCaptureRequested(_) => Stage::Capturing,
            PaymentEvent::PaymentCaptured(_) => Stage::Captured,
            PaymentEvent::PaymentVoidRequested(_) => Stage::Voiding,
            PaymentEvent::PaymentVoided(_) => Stage::Voided,
            PaymentEvent::PaymentOutcomeUnknown(_) => {
                self.outcome_unknown = true;
                self.stage
            }
            PaymentEvent::PaymentRefundRequested(_)
            | PaymentEvent::PaymentRefunded(_)
            | PaymentEvent::PaymentOperationRefused(_) => self.stage,
        };
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

#[cfg(test)]
mod tests;
