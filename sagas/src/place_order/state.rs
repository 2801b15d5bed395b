//! What `place_order` knows, and the commands that can be built from it.

use domain::commands::ServiceCommand;
use event_schemas::{
    Address, CustomerId, Money, OrderId, PaymentId, ShipmentId,
    order::{OrderPlaced, PaymentMethod, Reason},
    payment::PaymentOperation,
    shipment::ParcelItem,
};
use serde::{Deserialize, Serialize};

/// What is known of one order's way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlaceOrderState {
    /// The order; the saga's id too.
    pub order_id: OrderId,
    /// Of the goods.
    pub stock: Stock,
    /// Of the money.
    pub payment: Payment,
    /// Of the parcel.
    pub parcel: Parcel,
    /// Of the order itself.
    pub order: Order,
    /// Whose cart is still to be emptied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) cart_of: Option<CustomerId>,
    /// Why everything is undone, if it is: the first cause.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) undo: Option<Reason>,
    /// Timeouts since something was last learned.
    #[serde(default)]
    pub(super) attempts: u32,
    /// What the commands say; forgotten as soon as none of them can be needed again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) brief: Option<Box<Brief>>,
}

/// What an order says that its commands repeat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Brief {
    pub(super) lines: Vec<ParcelItem>,
    pub(super) amount: Money,
    pub(super) method: PaymentMethod,
    pub(super) address: Address,
}

/// The goods. In the four enums below the order of the variants carries meaning: what is known moves down, never up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stock {
    /// Asked for, not answered.
    Asked,
    /// Something is short; nothing is set aside.
    Refused,
    /// Set aside.
    Reserved,
    /// Given back.
    Released,
    /// Out of the house.
    Issued,
}

/// The money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Payment {
    /// Nobody was asked for anything.
    Untouched,
    /// The authorisation was asked for, and is not answered.
    Asked,
    /// Nobody knows whether the money is set aside.
    AuthorisationUnknown,
    /// No money moved.
    Declined,
    /// Set aside.
    Authorised,
    /// Nobody knows whether the money was given back.
    VoidUnknown,
    /// Nobody knows whether the money was taken.
    CaptureUnknown,
    /// Given back.
    Voided,
    /// Taken.
    Captured,
}

impl Payment {
    /// Whether nobody knows what happened.
    pub const fn unknown(self) -> bool {
        matches!(
            self,
            Self::AuthorisationUnknown | Self::VoidUnknown | Self::CaptureUnknown
        )
    }
}

/// The parcel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Parcel {
    /// No carrier was asked.
    Untouched,
    /// A carrier was asked and has not answered.
    Asked,
    /// Will be fetched.
    Booked,
    /// Will not be fetched.
    CalledOff,
    /// With the carrier, even if it had been called off.
    PickedUp,
    /// With the customer.
    Delivered,
}

/// The order itself, as its own stream tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Placed.
    Placed,
    /// Confirmed.
    Confirmed,
    /// Rejected by the shop.
    Rejected,
    /// Called off.
    Cancelled,
    /// With the carrier: it can no longer be called off.
    Shipped,
    /// With the customer.
    Delivered,
}

impl From<&OrderPlaced> for PlaceOrderState {
    fn from(placed: &OrderPlaced) -> Self {
        let lines = placed.items.iter().map(|item| ParcelItem {
            product_id: item.product_id,
            quantity: item.quantity,
        });
        Self {
            order_id: placed.order_id,
            stock: Stock::Asked,
            payment: Payment::Untouched,
            parcel: Parcel::Untouched,
            order: Order::Placed,
            cart_of: placed.from_cart.then_some(placed.customer_id),
            undo: None,
            attempts: 0,
            brief: Some(Box::new(Brief {
                lines: lines.collect(),
                amount: placed.total,
                method: placed.payment.clone(),
                address: placed.shipping_address.clone(),
            })),
        }
    }
}

impl PlaceOrderState {
    /// Whether everything is on its way back. Never once the goods are with the carrier and the order says so.
    pub(super) fn undoing(&self) -> bool {
        self.undo.is_some() && self.order < Order::Shipped
    }

    /// Whether nothing is left to do and nothing can come.
    pub(super) fn closed(&self) -> bool {
        let over = self.undoing() || self.order == Order::Delivered;
        over && self.asks().is_empty() && self.contradiction().is_none()
    }

    /// Whether the carrier has the goods, or had.
    pub(super) fn under_way(&self) -> bool {
        self.parcel >= Parcel::PickedUp
    }

    /// What cannot be undone by any command, so that an operator must.
    pub(super) fn contradiction(&self) -> Option<&'static str> {
        match () {
            () if !self.undoing() => None,
            () if self.payment == Payment::Captured => Some("the order is off, yet the money was taken: give it back"),
            () if self.under_way() => Some("the order is off, yet the carrier has the parcel: have it sent back"),
            () => None,
        }
    }

    /// What it waits for when it asks for nothing.
    pub(super) fn waits_for(&self) -> &'static str {
        match () {
            () if self.contradiction().is_some() => "operator",
            () if self.closed() => "nothing",
            () if self.under_way() => "delivery",
            () => "pick_up",
        }
    }

    /// Keeps the first cause.
    pub(super) fn undo_because(&mut self, reason: Option<Reason>) {
        self.undo = self.undo.take().or(reason);
    }

    /// From now on the outcome of what is asked must be known before it can be undone.
    pub(super) fn mark_asked(&mut self) {
        for ask in self.asks() {
            match ask {
                ServiceCommand::AuthorisePayment { .. } => self.payment = self.payment.max(Payment::Asked),
                ServiceCommand::BookShipment { .. } => self.parcel = self.parcel.max(Parcel::Asked),
                _ => {}
            }
        }
    }

    /// Lets go of address and card token once no command can need them again.
    pub(super) fn forget(&mut self) {
        if self.parcel >= Parcel::Booked || self.closed() {
            self.brief = None;
        }
    }
}

/// The commands, one a line where they allow it. None where the brief is gone, because then they were answered.
impl PlaceOrderState {
    fn payment_id(&self) -> PaymentId {
        PaymentId::derived(self.order_id.uuid(), "payment")
    }

    fn shipment_id(&self) -> ShipmentId {
        ShipmentId::derived(self.order_id.uuid(), "shipment")
    }

    fn briefed(&self, command: impl FnOnce(Brief) -> ServiceCommand) -> Vec<ServiceCommand> {
        self.brief.as_deref().cloned().map(command).into_iter().collect()
    }

    pub(super) fn check_out_cart(&self) -> Option<ServiceCommand> {
        let order_id = self.order_id;
        let empty = |customer_id| ServiceCommand::CheckOutCart { customer_id, order_id };
        self.cart_of.map(empty)
    }

    pub(super) fn reserve_stock(&self) -> Vec<ServiceCommand> {
        let order_id = self.order_id;
        self.briefed(|brief| ServiceCommand::ReserveStock {
            order_id,
            lines: brief.lines,
        })
    }

    pub(super) fn release_stock(&self) -> Vec<ServiceCommand> {
        vec![ServiceCommand::ReleaseStock {
            order_id: self.order_id,
            shipment_id: None,
            lines: vec![],
        }]
    }

    pub(super) fn issue_stock(&self) -> Vec<ServiceCommand> {
        vec![ServiceCommand::IssueStock {
            order_id: self.order_id,
            shipment_id: None,
            lines: vec![],
        }]
    }

    pub(super) fn authorise_payment(&self) -> Vec<ServiceCommand> {
        self.briefed(|brief| ServiceCommand::AuthorisePayment {
            payment_id: self.payment_id(),
            order_id: self.order_id,
            amount: brief.amount,
            method: brief.method,
        })
    }

    pub(super) fn capture_payment(&self) -> Vec<ServiceCommand> {
        let (payment_id, order_id) = (self.payment_id(), self.order_id);
        vec![ServiceCommand::CapturePayment {
            payment_id,
            order_id,
            shipment_id: None,
            amount: None,
        }]
    }

    pub(super) fn void_payment(&self) -> Vec<ServiceCommand> {
        let (payment_id, order_id) = (self.payment_id(), self.order_id);
        vec![ServiceCommand::VoidPayment { payment_id, order_id }]
    }

    pub(super) fn inquire(&self, operation: PaymentOperation) -> Vec<ServiceCommand> {
        let (payment_id, order_id) = (self.payment_id(), self.order_id);
        vec![ServiceCommand::InquirePayment {
            payment_id,
            order_id,
            operation,
            part: None,
        }]
    }

    pub(super) fn book_shipment(&self) -> Vec<ServiceCommand> {
        self.briefed(|brief| ServiceCommand::BookShipment {
            shipment_id: self.shipment_id(),
            order_id: self.order_id,
            seller_id: None,
            items: brief.lines,
            address: brief.address,
        })
    }

    pub(super) fn cancel_shipment(&self) -> Vec<ServiceCommand> {
        let (shipment_id, order_id) = (self.shipment_id(), self.order_id);
        vec![ServiceCommand::CancelShipment { shipment_id, order_id }]
    }

    pub(super) fn confirm_order(&self) -> Vec<ServiceCommand> {
        vec![ServiceCommand::ConfirmOrder {
            order_id: self.order_id,
        }]
    }

    pub(super) fn reject_order(&self) -> Vec<ServiceCommand> {
        let (order_id, reason) = (self.order_id, self.undo.clone());
        let reject = |reason| ServiceCommand::RejectOrder { order_id, reason };
        reason.map(reject).into_iter().collect()
    }

    pub(super) fn mark_order_shipped(&self) -> Vec<ServiceCommand> {
        let (order_id, shipment_id) = (self.order_id, self.shipment_id());
        vec![ServiceCommand::MarkOrderShipped { order_id, shipment_id }]
    }

    pub(super) fn mark_order_delivered(&self) -> Vec<ServiceCommand> {
        vec![ServiceCommand::MarkOrderDelivered {
            order_id: self.order_id,
        }]
    }
}
