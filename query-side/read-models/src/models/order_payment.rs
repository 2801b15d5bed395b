//! The money of an order, by card or by invoice: what is set aside, taken and given back. Shown on the order's page.

use event_schemas::{
    Money, RefundId, ShipmentId, ShopEvent, Timestamp, credit::CreditEvent, payment::PaymentEvent,
    payment::PaymentOperation,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::projection::Fact;

/// What is known of the money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PaymentStatus {
    /// The provider has not answered yet, or was not asked yet.
    Pending,
    /// Set aside: on the customer's card, or of their credit limit.
    Authorised,
    /// Taken, or owed where it is paid by invoice; all of it or what the parcels sent so far come to.
    Captured,
    /// Nothing was taken, and nothing is set aside any more.
    Voided,
    /// The provider said no, or the credit limit is exceeded; no money moved.
    Declined,
    /// The provider's answer was lost; it is being asked.
    Unknown,
    /// All that was taken is the customer's again.
    Refunded,
}

/// How an order is paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PaymentView {
    /// What is known.
    pub status: PaymentStatus,
    /// The order's total.
    pub amount: Money,
    /// `card`, or `invoice`: against the customer's credit limit.
    #[serde(default = "card")]
    pub method: String,
    /// What was set aside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorised: Option<Money>,
    /// The sum of `captures`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub captured: Option<Money>,
    /// The sum of `refunds`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refunded: Option<Money>,
    /// What was set aside and will not be taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voided: Option<Money>,
    /// What was taken, parcel by parcel as each is picked up.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub captures: Vec<CaptureView>,
    /// What was given back for goods that came back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refunds: Vec<RefundView>,
    /// What the provider was asked and whose answer is lost.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unknown: Vec<UnknownOutcome>,
}

/// Money that was taken for a parcel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CaptureView {
    /// The parcel; none where the whole order was paid at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipment_id: Option<ShipmentId>,
    /// How much.
    pub amount: Money,
    /// When.
    pub at: Timestamp,
}

/// Money that was given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RefundView {
    /// The refund.
    pub id: RefundId,
    /// How much.
    pub amount: Money,
    /// When.
    pub at: Timestamp,
}

/// Something the provider was asked, and nobody knows whether it did it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UnknownOutcome {
    /// What it was asked to do.
    pub operation: PaymentOperation,
    /// Of which part: the parcel of a capture, the refund's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<Uuid>,
    /// Since when.
    pub since: Timestamp,
}

fn card() -> String {
    "card".to_owned()
}

impl PaymentView {
    /// Before anybody was asked for the money.
    pub const fn pending(method: String, amount: Money) -> Self {
        Self {
            status: PaymentStatus::Pending,
            amount,
            method,
            authorised: None,
            captured: None,
            refunded: None,
            voided: None,
            captures: vec![],
            refunds: vec![],
            unknown: vec![],
        }
    }

    /// What an event makes known of the money. Says whether that is news.
    pub(super) fn take_in(&mut self, fact: &Fact<'_>) -> bool {
        let before = self.clone();
        match fact.event {
            ShopEvent::Payment(event) => self.provider_says(event, fact.at),
            ShopEvent::Credit(event) => self.accounts_say(event, fact.at),
            _ => return false,
        }
        self.settle();
        *self != before
    }

    fn provider_says(&mut self, event: &PaymentEvent, at: Timestamp) {
        match event {
            PaymentEvent::PaymentAuthorised(event) => {
                self.known(PaymentOperation::Authorise, None);
                self.authorised = Some(event.amount);
            }
            PaymentEvent::PaymentDeclined(_) => {
                self.known(PaymentOperation::Authorise, None);
                self.status = PaymentStatus::Declined;
            }
            PaymentEvent::PaymentCaptured(event) => {
                self.known(PaymentOperation::Capture, event.shipment_id.map(ShipmentId::uuid));
                self.capture(event.shipment_id, event.amount, at);
            }
            PaymentEvent::PaymentVoided(event) => {
                self.known(PaymentOperation::Void, None);
                self.voided = Some(event.amount);
            }
            PaymentEvent::PaymentRefunded(event) => {
                self.known(PaymentOperation::Refund, Some(event.refund_id.uuid()));
                self.refund(event.refund_id, event.amount, at);
            }
            PaymentEvent::PaymentOutcomeUnknown(event) => {
                let (operation, part) = (event.operation, event.part);
                if !self.unknown.iter().any(|lost| lost.is_of(operation, part)) {
                    let since = at;
                    self.unknown.push(UnknownOutcome { operation, part, since });
                }
            }
            PaymentEvent::PaymentOperationRefused(event) => self.known(event.operation, event.part),
            // Mere intentions.
            PaymentEvent::PaymentAuthorisationRequested(_)
            | PaymentEvent::PaymentCaptureRequested(_)
            | PaymentEvent::PaymentVoidRequested(_)
            | PaymentEvent::PaymentRefundRequested(_) => {}
        }
    }

    fn accounts_say(&mut self, event: &CreditEvent, at: Timestamp) {
        match event {
            CreditEvent::CreditReserved(event) => self.authorised = Some(event.amount),
            CreditEvent::CreditLimitExceeded(_) => self.status = PaymentStatus::Declined,
            CreditEvent::CreditCharged(event) => self.capture(Some(event.shipment_id), event.amount, at),
            CreditEvent::CreditReleased(event) => self.voided = Some(event.amount),
            CreditEvent::CreditRefunded(event) => self.refund(event.refund_id, event.amount, at),
        }
    }

    fn known(&mut self, operation: PaymentOperation, part: Option<Uuid>) {
        self.unknown.retain(|lost| !lost.is_of(operation, part));
    }

    fn capture(&mut self, shipment_id: Option<ShipmentId>, amount: Money, at: Timestamp) {
        if !self.captures.iter().any(|capture| capture.shipment_id == shipment_id) {
            self.captures.push(CaptureView {
                shipment_id,
                amount,
                at,
            });
            self.captured = sum(self.captured, amount);
        }
    }

    fn refund(&mut self, id: RefundId, amount: Money, at: Timestamp) {
        if !self.refunds.iter().any(|refund| refund.id == id) {
            self.refunds.push(RefundView { id, amount, at });
            self.refunded = sum(self.refunded, amount);
        }
    }

    /// What all that is known comes to.
    fn settle(&mut self) {
        let amount = |money: Option<Money>| money.map_or(0, |money| money.amount);
        self.status = if !self.unknown.is_empty() {
            PaymentStatus::Unknown
        } else if self.refunded.is_some() && amount(self.refunded) >= amount(self.captured) {
            PaymentStatus::Refunded
        } else if self.captured.is_some() {
            PaymentStatus::Captured
        } else if self.voided.is_some() {
            PaymentStatus::Voided
        } else if self.authorised.is_some() {
            PaymentStatus::Authorised
        } else if self.status == PaymentStatus::Unknown {
            PaymentStatus::Pending
        } else {
            self.status
        };
    }
}

impl UnknownOutcome {
    fn is_of(&self, operation: PaymentOperation, part: Option<Uuid>) -> bool {
        self.operation == operation && self.part == part
    }
}

fn sum(before: Option<Money>, more: Money) -> Option<Money> {
    let before = before.map_or(0, |before| before.amount);
    Some(Money::new(before.saturating_add(more.amount), more.currency))
}
