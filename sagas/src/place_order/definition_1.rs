//! Definition 1 of `place_order`, which knew one parcel and one capture: what its stored states say, and what they are under
//! the definition of today. An order that was placed under it goes on as the one parcel it is, with the commands and keys it
//! was begun with: its parcel has no seller and no amount, so captures and goods are those of the whole order.

use event_schemas::{
    Address, CustomerId, Money, OrderId, ShipmentId,
    order::{PaymentMethod, Reason},
    shipment::ParcelItem,
};
use serde::Deserialize;

use super::{
    parcel::{Carriage, Goods, Parcel, Share},
    state::{Brief, Funds, Order, PlaceOrderState, Stock},
};

/// A state as definition 1 stored it.
#[derive(Debug, Deserialize)]
pub(super) struct State {
    order_id: OrderId,
    stock: Inventory,
    payment: Payment,
    parcel: Carriage,
    order: Order,
    #[serde(default)]
    cart_of: Option<CustomerId>,
    #[serde(default)]
    undo: Option<Reason>,
    #[serde(default)]
    attempts: u32,
    #[serde(default)]
    brief: Option<Whole>,
}

#[derive(Debug, Deserialize)]
struct Whole {
    lines: Vec<ParcelItem>,
    amount: Money,
    method: PaymentMethod,
    address: Address,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Inventory {
    Asked,
    Refused,
    Reserved,
    Released,
    Issued,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Payment {
    Untouched,
    Asked,
    AuthorisationUnknown,
    Declined,
    Authorised,
    VoidUnknown,
    CaptureUnknown,
    Voided,
    Captured,
}

impl From<State> for PlaceOrderState {
    fn from(old: State) -> Self {
        let (stock, goods) = match old.stock {
            Inventory::Asked => (Stock::Asked, Goods::Held),
            Inventory::Refused => (Stock::Refused, Goods::Held),
            Inventory::Reserved => (Stock::Reserved, Goods::Held),
            Inventory::Released => (Stock::Reserved, Goods::Released),
            Inventory::Issued => (Stock::Reserved, Goods::Issued),
        };
        let (funds, share) = match old.payment {
            Payment::Untouched => (Funds::Untouched, Share::Due),
            Payment::Asked => (Funds::Asked, Share::Due),
            Payment::AuthorisationUnknown => (Funds::AuthorisationUnknown, Share::Due),
            Payment::Declined => (Funds::Declined, Share::Due),
            Payment::Authorised => (Funds::Held, Share::Due),
            Payment::VoidUnknown => (Funds::VoidUnknown, Share::Due),
            Payment::CaptureUnknown => (Funds::Held, Share::CaptureUnknown),
            Payment::Voided => (Funds::GivenBack, Share::Due),
            Payment::Captured => (Funds::Held, Share::Taken),
        };
        let (items, brief) = match old.brief {
            Some(whole) => (
                whole.lines,
                Some(Box::new(Brief {
                    amount: whole.amount,
                    method: Some(whole.method),
                    address: whole.address,
                })),
            ),
            None => (vec![], None),
        };
        let shipment_id = ShipmentId::derived(old.order_id.uuid(), "shipment");
        Self {
            order_id: old.order_id,
            order: old.order,
            stock,
            funds,
            parcels: vec![Parcel {
                carriage: old.parcel,
                goods,
                share,
                items,
                ..Parcel::untouched(shipment_id)
            }],
            cancellation: None,
            invoiced_to: None,
            cart_of: old.cart_of,
            expires_at: None,
            undo: old.undo,
            refusal: None,
            attempts: old.attempts,
            brief,
        }
    }
}
