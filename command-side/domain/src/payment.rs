//! The payment for an order. Stream `payment-<payment id>`; the id is derived from the order's.
//!
//! Money is set aside once, taken parcel by parcel (never more than was set aside), what is not taken is given back, and
//! what was taken can be refunded (never more than was taken). A call to the provider is announced before it is made, and
//! its outcome recorded after, for each operation on its own: while nobody knows what became of one, nothing is asked that
//! contradicts it, and the money is neither assumed to be taken nor assumed to be left.

mod command;
mod evolve;
mod operations;
#[cfg(test)]
mod tests;

use event_schemas::{
    Money, OrderId, PaymentId, RefundId, ShipmentId,
    order::PaymentMethod,
    payment::{
        PaymentAuthorised, PaymentCaptureRequested, PaymentCaptured, PaymentDeclined, PaymentEvent, PaymentOperation,
        PaymentOperationRefused, PaymentOutcomeUnknown, PaymentRefundRequested, PaymentRefunded, PaymentVoidRequested,
        PaymentVoided,
    },
};

pub use self::{
    command::PaymentCommand,
    operations::{Operation, OperationId, Progress},
};
use crate::Refusal;

/// A payment: nothing yet, or an authorisation and what became of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Payment {
    details: Option<Details>,
    operations: Vec<Operation>,
}

/// What the payment is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Details {
    /// The payment.
    pub payment_id: PaymentId,
    /// For this order.
    pub order_id: OrderId,
    /// How much is set aside.
    pub amount: Money,
    /// How the customer pays.
    pub method: PaymentMethod,
    /// The provider's name for the authorisation, once there is one.
    pub provider_reference: Option<String>,
}

/// The payment in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Nothing was asked of the provider.
    New,
    /// The provider is asked to set the money aside.
    Authorising,
    /// The provider said no. The end.
    Declined,
    /// The money is set aside, none of it taken.
    Authorised,
    /// Some of the money is ours, or all.
    Captured,
    /// None of it was taken, and it is the customer's again. The end.
    Voided,
}

impl Payment {
    /// The payment in a word.
    pub fn stage(&self) -> Stage {
        match self.progress(OperationId::AUTHORISE) {
            None => Stage::New,
            Some(Progress::InFlight | Progress::Unknown) => Stage::Authorising,
            Some(Progress::Refused) => Stage::Declined,
            Some(Progress::Happened) if self.captured() > 0 => Stage::Captured,
            Some(Progress::Happened) => match self.progress(OperationId::VOID) {
                Some(Progress::Happened) => Stage::Voided,
                _ => Stage::Authorised,
            },
        }
    }

    /// What it is about; none before the first request.
    pub const fn details(&self) -> Option<&Details> {
        self.details.as_ref()
    }

    /// Everything that was asked of the provider, oldest first.
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// An operation, if it was asked for.
    pub fn operation(&self, id: OperationId) -> Option<&Operation> {
        self.operations.iter().find(|operation| operation.id == id)
    }

    fn progress(&self, id: OperationId) -> Option<Progress> {
        self.operation(id).map(|operation| operation.progress)
    }

    fn sum(&self, operation: PaymentOperation, counts: impl Fn(Progress) -> bool) -> i64 {
        let of_kind = self.operations.iter().filter(|asked| asked.id.operation == operation);
        of_kind
            .filter(|asked| counts(asked.progress))
            .fold(0, |sum, asked| sum.saturating_add(asked.amount))
    }

    /// How much was taken for certain.
    pub fn captured(&self) -> i64 {
        self.sum(PaymentOperation::Capture, Progress::has_happened)
    }

    /// What is set aside and was neither taken nor may have been.
    fn left(&self, details: &Details) -> i64 {
        let taken = self.sum(PaymentOperation::Capture, Progress::may_have_happened);
        details.amount.amount.saturating_sub(taken)
    }

    /// What was taken and was neither given back nor may have been.
    fn refundable(&self) -> i64 {
        let returned = self.sum(PaymentOperation::Refund, Progress::may_have_happened);
        self.captured().saturating_sub(returned)
    }

    /// Whether what is not taken goes back, or may have gone.
    fn is_voided(&self) -> bool {
        self.progress(OperationId::VOID)
            .is_some_and(Progress::may_have_happened)
    }

    fn request_capture(
        &self,
        details: &Details,
        shipment_id: Option<ShipmentId>,
        amount: Option<Money>,
    ) -> Result<Vec<PaymentEvent>, Refusal> {
        if self.operation(OperationId::capture(shipment_id)).is_some() {
            return Ok(vec![]);
        }
        self.must_be_set_aside()?;
        if self.is_voided() {
            return Err(Refusal::conflict(
                "payment-voided",
                "The money went back to the customer and cannot be captured any more.",
            ));
        }
        let left = self.left(details);
        let amount = amount.unwrap_or(Money {
            amount: left,
            ..details.amount
        });
        must_be_within(
            details,
            amount,
            left,
            "payment-exceeds-authorisation",
            "set aside and not taken",
        )?;
        let (payment_id, order_id) = (details.payment_id, details.order_id);
        Ok(vec![
            PaymentCaptureRequested {
                payment_id,
                order_id,
                amount,
                shipment_id,
            }
            .into(),
        ])
    }

    fn request_void(&self, details: &Details) -> Result<Vec<PaymentEvent>, Refusal> {
        if self.operation(OperationId::VOID).is_some() {
            return Ok(vec![]);
        }
        self.must_be_set_aside()?;
        if self.left(details) == 0 {
            return Err(Refusal::conflict(
                "payment-captured",
                "The money is captured and cannot be voided any more; refund it instead.",
            ));
        }
        if self.sum(PaymentOperation::Capture, Progress::is_open) > 0 {
            return Err(in_flight("a capture"));
        }
        let (payment_id, order_id) = (details.payment_id, details.order_id);
        Ok(vec![PaymentVoidRequested { payment_id, order_id }.into()])
    }

    fn request_refund(
        &self,
        details: &Details,
        refund_id: RefundId,
        amount: Money,
    ) -> Result<Vec<PaymentEvent>, Refusal> {
        if self.operation(OperationId::refund(refund_id)).is_some() {
            return Ok(vec![]);
        }
        self.must_be_set_aside()?;
        let left = self.refundable();
        must_be_within(
            details,
            amount,
            left,
            "payment-exceeds-captured",
            "taken and not given back",
        )?;
        let (payment_id, order_id) = (details.payment_id, details.order_id);
        Ok(vec![
            PaymentRefundRequested {
                payment_id,
                order_id,
                refund_id,
                amount,
            }
            .into(),
        ])
    }

    fn must_be_set_aside(&self) -> Result<(), Refusal> {
        match self.progress(OperationId::AUTHORISE) {
            Some(Progress::Happened) => Ok(()),
            Some(Progress::Refused) => Err(Refusal::conflict(
                "payment-declined",
                "The provider declined this payment: there is no money to capture or to give back.",
            )),
            _ => Err(in_flight("the authorisation")),
        }
    }

    /// An answer of the provider's. One that comes again is no news; one that contradicts is refused, except that what was
    /// refused may have been done after all, by an operator at the provider's.
    fn record(&self, id: OperationId, outcome: Progress, event: PaymentEvent) -> Result<Vec<PaymentEvent>, Refusal> {
        let Some(known) = self.progress(id) else {
            return Err(Refusal::conflict(
                "payment-operation-not-requested",
                format!(
                    "The provider was never asked to {}; record the request first.",
                    id.word()
                ),
            ));
        };
        let news = match (known, outcome) {
            (Progress::InFlight, _) | (Progress::Unknown, Progress::Happened | Progress::Refused) => true,
            (Progress::Refused, Progress::Happened) if self.has_room_for(id) => true,
            (Progress::Happened, Progress::Refused) | (Progress::Refused, Progress::Happened) => {
                return Err(Refusal::conflict(
                    "payment-outcome-contradicts",
                    "This answer contradicts the provider's earlier one; look into it.",
                ));
            }
            _ => false,
        };
        Ok(if news { vec![event] } else { vec![] })
    }

    /// Whether what was refused can have happened after all, beside all else that was done since.
    fn has_room_for(&self, id: OperationId) -> bool {
        let (Some(details), Some(refused)) = (&self.details, self.operation(id)) else {
            return false;
        };
        match id.operation {
            PaymentOperation::Authorise => false,
            PaymentOperation::Capture => refused.amount <= self.left(details) && !self.is_voided(),
            PaymentOperation::Void => refused.amount <= self.left(details),
            PaymentOperation::Refund => refused.amount <= self.refundable(),
        }
    }

    fn happened(&self, details: &Details, id: OperationId, reference: &str) -> PaymentEvent {
        let (payment_id, order_id) = (details.payment_id, details.order_id);
        let asked = self.operation(id).map_or(0, |operation| operation.amount);
        let amount = Money {
            amount: asked,
            ..details.amount
        };
        match id.operation {
            PaymentOperation::Authorise => PaymentAuthorised {
                payment_id,
                order_id,
                amount,
                provider_reference: reference.to_owned(),
            }
            .into(),
            PaymentOperation::Capture => PaymentCaptured {
                payment_id,
                order_id,
                amount,
                shipment_id: id.part.map(ShipmentId::from_uuid),
            }
            .into(),
            PaymentOperation::Void => PaymentVoided {
                payment_id,
                order_id,
                amount,
            }
            .into(),
            PaymentOperation::Refund => PaymentRefunded {
                payment_id,
                order_id,
                // Invariant: a refund's part is its id, see `OperationId::refund`.
                refund_id: RefundId::from_uuid(id.part.unwrap_or_default()),
                amount,
            }
            .into(),
        }
    }

    fn decide_for(&self, details: &Details, command: &PaymentCommand) -> Result<Vec<PaymentEvent>, Refusal> {
        let (payment_id, order_id) = (details.payment_id, details.order_id);
        match command {
            PaymentCommand::RequestAuthorisation { .. } => Ok(vec![]),
            PaymentCommand::RequestCapture { shipment_id, amount } => {
                self.request_capture(details, *shipment_id, *amount)
            }
            PaymentCommand::RequestVoid => self.request_void(details),
            PaymentCommand::RequestRefund { refund_id, amount } => self.request_refund(details, *refund_id, *amount),
            PaymentCommand::RecordHappened { id, provider_reference } => {
                let event = self.happened(details, *id, provider_reference);
                self.record(*id, Progress::Happened, event)
            }
            PaymentCommand::RecordRefused { id, reason } => {
                let reason = reason.clone();
                let event: PaymentEvent = if *id == OperationId::AUTHORISE {
                    PaymentDeclined {
                        payment_id,
                        order_id,
                        reason,
                    }
                    .into()
                } else {
                    let OperationId { operation, part } = *id;
                    PaymentOperationRefused {
                        payment_id,
                        order_id,
                        operation,
                        part,
                        reason,
                    }
                    .into()
                };
                self.record(*id, Progress::Refused, event)
            }
            PaymentCommand::RecordUnknown { id, detail } => {
                let (OperationId { operation, part }, detail) = (*id, detail.clone());
                let event = PaymentOutcomeUnknown {
                    payment_id,
                    order_id,
                    operation,
                    part,
                    detail,
                };
                self.record(*id, Progress::Unknown, event.into())
            }
        }
    }

    fn begin(&mut self, id: OperationId, amount: i64) {
        self.operations.retain(|operation| operation.id != id);
        self.operations.push(Operation {
            id,
            amount,
            progress: Progress::InFlight,
        });
    }

    /// Takes an outcome in, also where the request is not in the log: imported history tells outcomes alone.
    fn settle(&mut self, id: OperationId, amount: Option<i64>, progress: Progress) {
        if self.operation(id).is_none() {
            self.begin(id, amount.unwrap_or_default());
        }
        if let Some(operation) = self.operations.iter_mut().find(|operation| operation.id == id) {
            operation.amount = amount.unwrap_or(operation.amount);
            operation.progress = progress;
        }
    }
}

fn must_be_within(details: &Details, asked: Money, left: i64, code: &'static str, what: &str) -> Result<(), Refusal> {
    if asked.currency == details.amount.currency && (1..=left).contains(&asked.amount) {
        return Ok(());
    }
    let left = Money {
        amount: left,
        ..details.amount
    };
    Err(Refusal::conflict(
        code,
        format!("{asked} was asked for, and {left} is {what}: ask for at least 1 minor unit and at most that."),
    ))
}

fn in_flight(what: &str) -> Refusal {
    Refusal::conflict(
        "payment-in-flight",
        format!("The provider has not answered {what} yet; wait for its answer or inquire."),
    )
}
