//! What `place_order` knows of one order.

use domain::commands::ServiceCommand;
use event_schemas::{
    Address, CustomerId, Money, OrderId, ShipmentId, Timestamp,
    order::{OrderPlaced, PaymentMethod, Reason},
};
use serde::{Deserialize, Serialize};

use super::{
    facts::{RESERVATION_EXPIRED, own},
    parcel::{Carriage, Parcel, Share},
};

/// What is known of one order's way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlaceOrderState {
    /// The order; the saga's id too.
    pub order_id: OrderId,
    /// Of the order itself.
    pub order: Order,
    /// Of all goods together.
    pub stock: Stock,
    /// Of all money together.
    pub funds: Funds,
    /// Of each parcel.
    pub parcels: Vec<Parcel>,
    /// The customer wants it called off after it was confirmed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancellation: Option<Cancellation>,
    /// Whose credit it is bought on; none for a card.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) invoiced_to: Option<CustomerId>,
    /// Whose cart is still to be emptied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) cart_of: Option<CustomerId>,
    /// When the goods are let go if the order is not confirmed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) expires_at: Option<Timestamp>,
    /// Why everything is undone, if it is: the first cause.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) undo: Option<Reason>,
    /// What the provider said when it last refused to take or give back money.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) refusal: Option<String>,
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
    pub(super) amount: Money,
    /// With the card's token: forgotten as soon as the card was charged or declined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) method: Option<PaymentMethod>,
    pub(super) address: Address,
}

/// The goods, all together. What becomes of each parcel's is told by [`super::Goods`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stock {
    /// Asked for, not answered.
    Asked,
    /// Something is short; nothing is set aside.
    Refused,
    /// Set aside.
    Reserved,
}

/// The money, all together: set aside on a card, or counted against a credit limit. What is taken of it for each parcel is
/// told by [`Share`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Funds {
    /// Nobody was asked for anything.
    Untouched,
    /// Asked for, not answered.
    Asked,
    /// Nobody knows whether the money is set aside.
    AuthorisationUnknown,
    /// No money moved: the card was declined, or the credit limit exceeded.
    Declined,
    /// Set aside.
    Held,
    /// Nobody knows whether what was not taken was given back.
    VoidUnknown,
    /// The provider will not give it back.
    VoidRefused,
    /// What was not taken was given back.
    GivenBack,
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
    /// The first parcel is with the carrier: it can no longer be called off.
    Shipped,
    /// The customer has all that was sent.
    Delivered,
}

/// A customer's wish to call off an order that is confirmed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cancellation {
    /// Every parcel is called off, if no carrier was faster.
    Requested(Reason),
    /// A carrier was.
    Denied,
}

impl From<&OrderPlaced> for PlaceOrderState {
    fn from(placed: &OrderPlaced) -> Self {
        Self {
            order_id: placed.order_id,
            order: Order::Placed,
            stock: Stock::Asked,
            funds: Funds::Untouched,
            parcels: Parcel::of_order(placed),
            cancellation: None,
            invoiced_to: (placed.payment.method == INVOICE).then_some(placed.customer_id),
            cart_of: placed.from_cart.then_some(placed.customer_id),
            expires_at: None,
            undo: None,
            refusal: None,
            attempts: 0,
            brief: Some(Box::new(Brief {
                amount: placed.total,
                method: Some(placed.payment.clone()),
                address: placed.shipping_address.clone(),
            })),
        }
    }
}

/// The method of payment that counts against the customer's credit.
const INVOICE: &str = "invoice";

impl PlaceOrderState {
    /// Whether everything is on its way back. Never once the goods are with the carrier and the order says so.
    pub(super) fn undoing(&self) -> bool {
        self.undo.is_some() && self.order < Order::Shipped
    }

    /// Whether nothing is left to do and nothing can come.
    pub(super) fn closed(&self) -> bool {
        let over = self.undoing() || self.order == Order::Delivered;
        over && self.asks().is_empty() && !self.needs_operator()
    }

    /// Whether nobody knows what became of some of the money.
    pub fn outcome_unknown(&self) -> bool {
        matches!(self.funds, Funds::AuthorisationUnknown | Funds::VoidUnknown)
            || self.parcels.iter().any(|parcel| parcel.share == Share::CaptureUnknown)
    }

    /// Whether the carrier has any goods, or had.
    pub(super) fn under_way(&self) -> bool {
        self.parcels.iter().any(Parcel::under_way)
    }

    /// Why the customer wants it called off, while it may still be.
    pub(super) fn wish_to_cancel(&self) -> Option<&Reason> {
        match &self.cancellation {
            Some(Cancellation::Requested(reason)) if !self.under_way() => Some(reason),
            _ => None,
        }
    }

    /// Whether the time for a confirmation ran out.
    pub(super) fn expired(&self) -> bool {
        self.undo
            .as_ref()
            .is_some_and(|reason| reason.code == RESERVATION_EXPIRED.0)
    }

    /// Looks at the clock. True when the time for a confirmation runs out just now.
    pub(super) fn expire(&mut self, at: Timestamp) -> bool {
        let late = self.expires_at.is_some_and(|moment| moment <= at);
        let expires = late && self.undo.is_none() && self.order < Order::Confirmed;
        if expires {
            self.undo = Some(own(RESERVATION_EXPIRED));
        }
        expires
    }

    /// What the provider will not do, so that an operator must.
    pub(super) fn refused(&self) -> Option<String> {
        let refused = |parcel: &Parcel| parcel.share == Share::Refused;
        let any = self.funds == Funds::VoidRefused || self.parcels.iter().any(refused);
        any.then(|| {
            let said = self.refusal.as_deref().unwrap_or("no reason given");
            format!("the payment provider refuses: {said}")
        })
    }

    /// What no command can put right.
    pub(super) fn contradiction(&self) -> Option<&'static str> {
        let dropped = |parcel: &Parcel| parcel.told && parcel.under_way();
        let taken = |parcel: &Parcel| parcel.share == Share::Taken;
        match () {
            () if self.parcels.iter().any(dropped) => {
                Some("a parcel was dropped, yet the carrier has it: have it sent back")
            }
            () if !self.undoing() => None,
            () if self.parcels.iter().any(taken) => Some("the order is off, yet the money was taken: give it back"),
            () if self.under_way() => Some("the order is off, yet the carrier has the parcel: have it sent back"),
            () => None,
        }
    }

    /// Whether an operator must put something right.
    pub(super) fn needs_operator(&self) -> bool {
        self.refused().is_some() || self.contradiction().is_some()
    }

    /// What it waits for when it asks for nothing.
    pub(super) fn waits_for(&self) -> &'static str {
        match () {
            () if self.needs_operator() => "operator",
            () if self.closed() => "nothing",
            () if self.parcels.iter().any(|parcel| parcel.carriage < Carriage::CalledOff) => "pick_up",
            () => "delivery",
        }
    }

    /// Keeps the first cause. After shipping there is no way back.
    pub(super) fn undo_because(&mut self, reason: Reason) {
        if self.order < Order::Shipped {
            self.undo.get_or_insert(reason);
        }
    }

    /// From now on the outcome of what is asked must be known before it can be undone.
    pub(super) fn mark_asked(&mut self) {
        for ask in self.asks() {
            match ask {
                ServiceCommand::AuthorisePayment { .. } | ServiceCommand::ReserveCredit { .. } => {
                    self.funds = self.funds.max(Funds::Asked);
                }
                ServiceCommand::BookShipment { shipment_id, .. } => {
                    for parcel in self.parcels_of(Some(shipment_id)) {
                        parcel.carriage = parcel.carriage.max(Carriage::Asked);
                    }
                }
                ServiceCommand::CancelShipment { shipment_id, .. } => {
                    for parcel in self.parcels_of(Some(shipment_id)) {
                        parcel.calling_off = true;
                    }
                }
                _ => {}
            }
        }
    }

    /// The parcel of this id; all of them where an event names none.
    pub(super) fn parcels_of(&mut self, part: Option<ShipmentId>) -> impl Iterator<Item = &mut Parcel> {
        let named = move |parcel: &&mut Parcel| part.is_none_or(|id| id == parcel.shipment_id);
        self.parcels.iter_mut().filter(named)
    }

    /// Lets go of address, card token and goods once no command can need them again.
    pub(super) fn forget(&mut self) {
        let closed = self.closed();
        if self.order >= Order::Confirmed {
            self.expires_at = None;
        }
        for parcel in &mut self.parcels {
            parcel.forget();
        }
        if closed || self.parcels.iter().all(|parcel| parcel.carriage >= Carriage::Booked) {
            self.brief = None;
        }
        if let Some(brief) = self.brief.as_mut().filter(|_| self.funds >= Funds::Declined) {
            brief.method = None;
        }
    }
}
