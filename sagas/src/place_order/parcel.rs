//! One seller's parcel: what is known of its carriage, its goods and its share of the money.

use event_schemas::{
    Money, SellerId, ShipmentId,
    order::{OrderPlaced, Reason},
    shipment::ParcelItem,
};
use serde::{Deserialize, Serialize};

/// A parcel of an order. What is known of its three parts only rises.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parcel {
    /// On its way to the customer.
    pub carriage: Carriage,
    /// Its goods in the house.
    pub goods: Goods,
    /// Its share of the money.
    pub share: Share,
    /// Its id, in the order's commands and events.
    pub shipment_id: ShipmentId,
    /// Whose goods. None where the order was placed under definition 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) seller_id: Option<SellerId>,
    /// What is inside, until no command can need it again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) items: Vec<ParcelItem>,
    /// What it costs. None where the order was placed under definition 1: whatever is set aside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) amount: Option<Money>,
    /// Why it is not sent, where a seller or the carrier said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<Reason>,
    /// The order knows that it is not sent.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) told: bool,
    /// The carrier was asked to call it off: nobody knows whether it did until the log says so, or that it was fetched.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) calling_off: bool,
}

/// The parcel on its way. In all enums of what is known the order of the variants carries meaning: it moves down, never up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Carriage {
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

/// The parcel's goods, once they are set aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Goods {
    /// In the house.
    Held,
    /// Given back.
    Released,
    /// Out of the house.
    Issued,
}

/// The parcel's share of the money, once that is set aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Share {
    /// Not taken.
    Due,
    /// Nobody knows whether it was taken.
    CaptureUnknown,
    /// The provider will not let it be taken.
    Refused,
    /// An operator dealt with it by other means.
    Settled,
    /// Taken, or owed by invoice.
    Taken,
}

impl Parcel {
    /// The parcels of an order: one for each seller, in the order of the sellers' first items.
    pub(super) fn of_order(placed: &OrderPlaced) -> Vec<Self> {
        let mut parcels: Vec<Self> = vec![];
        for item in &placed.items {
            // What is added up here was added up to the order's total before, in one currency: it fits.
            let price = item.unit_price.amount.saturating_mul(i64::from(item.quantity));
            let packed = ParcelItem {
                product_id: item.product_id,
                quantity: item.quantity,
            };
            let known = parcels.iter_mut().find(|one| one.seller_id == Some(item.seller_id));
            if let Some(parcel) = known {
                parcel.amount = parcel
                    .amount
                    .map(|sum| Money::new(sum.amount.saturating_add(price), sum.currency));
                parcel.items.push(packed);
            } else {
                parcels.push(Self {
                    seller_id: Some(item.seller_id),
                    items: vec![packed],
                    amount: Some(Money::new(price, placed.total.currency)),
                    ..Self::untouched(ShipmentId::derived(
                        placed.order_id.uuid(),
                        &format!("shipment {}", item.seller_id),
                    ))
                });
            }
        }
        if let [only] = &mut parcels[..] {
            only.shipment_id = ShipmentId::derived(placed.order_id.uuid(), "shipment");
        }
        parcels
    }

    /// A parcel of which nothing is known.
    pub(super) const fn untouched(shipment_id: ShipmentId) -> Self {
        Self {
            carriage: Carriage::Untouched,
            goods: Goods::Held,
            share: Share::Due,
            shipment_id,
            seller_id: None,
            items: vec![],
            amount: None,
            reason: None,
            told: false,
            calling_off: false,
        }
    }

    /// Whether the carrier has it, or had.
    pub(super) fn under_way(&self) -> bool {
        self.carriage >= Carriage::PickedUp
    }

    /// Whether the shop is done with its money.
    pub(super) fn paid(&self) -> bool {
        self.share >= Share::Settled
    }

    /// How commands name it: not at all where the order was placed under definition 1 and is one parcel.
    pub(super) fn part(&self) -> Option<ShipmentId> {
        self.amount.map(|_| self.shipment_id)
    }

    /// What commands say is inside, where they name it.
    pub(super) fn lines(&self) -> Vec<ParcelItem> {
        if self.amount.is_some() {
            self.items.clone()
        } else {
            vec![]
        }
    }

    /// Lets go of what no command can need again.
    pub(super) fn forget(&mut self) {
        if self.goods > Goods::Held && (self.told || self.under_way()) {
            self.items = vec![];
        }
    }
}
