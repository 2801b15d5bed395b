//! The parcels of an order, one for each of its sellers. Shown on the order's page and, each its own, to sellers.

use event_schemas::{
    Money, ProductId, SellerId, ShipmentId, ShopEvent, Timestamp,
    order::{OrderEvent, Reason},
    shipment::{ParcelItem, ParcelStatus, ShipmentBooked, ShipmentEvent},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::order_view::OrderLine;
use crate::projection::Fact;

/// A parcel of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ParcelView {
    /// The parcel.
    pub id: ShipmentId,
    /// Whose goods; none where the order was placed before each seller had a parcel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seller_id: Option<SellerId>,
    /// Where it stands; `cancelled` if it will not be sent.
    pub status: ParcelStatus,
    /// Why it will not be sent, where somebody said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// What is inside.
    pub items: Vec<ParcelLine>,
    /// What is inside costs so much; taken when the parcel is picked up, never if it is not sent.
    pub amount: Money,
    /// Who carries it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carrier: Option<String>,
    /// The carrier's name for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracking_number: Option<String>,
    /// When the carrier says it will arrive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimated_delivery: Option<Timestamp>,
    /// When the carrier fetched it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picked_up_at: Option<Timestamp>,
    /// When it arrived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivered_at: Option<Timestamp>,
}

/// So many pieces of a product that was ordered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ParcelLine {
    /// The product.
    pub product_id: ProductId,
    /// Its title when it was sold; empty where the order does not name it.
    pub title: String,
    /// Pieces.
    pub quantity: u32,
    /// For all pieces.
    pub line_total: Money,
}

impl ParcelLine {
    /// Of goods that are named by product and quantity, what the order says of them.
    pub(super) fn of(goods: &ParcelItem, ordered: &[OrderLine]) -> Self {
        let line = ordered.iter().find(|line| line.product_id == goods.product_id);
        let price = line.map_or(Money::krw(0), |line| line.unit_price);
        Self {
            product_id: goods.product_id,
            title: line.map(|line| line.title.clone()).unwrap_or_default(),
            quantity: goods.quantity,
            line_total: Money::new(price.amount.saturating_mul(goods.quantity.into()), price.currency),
        }
    }
}

/// What an event does to the parcels of an order. Says whether that is news.
pub(super) fn take_in(parcels: &mut Vec<ParcelView>, ordered: &[OrderLine], fact: &Fact<'_>) -> bool {
    match fact.event {
        ShopEvent::Shipment(ShipmentEvent::ShipmentBooked(booked)) => book(parcels, ordered, booked),
        ShopEvent::Shipment(event) => {
            // A parcel that was booked before parcels were shown is not known, and stays so until a rebuild.
            let parcel = parcels.iter_mut().find(|parcel| parcel.id == event.shipment_id());
            parcel.is_some_and(|parcel| report(parcel, event, fact.at))
        }
        ShopEvent::Order(OrderEvent::OrderItemsCancelled(event)) => {
            let known = parcels.iter().position(|parcel| parcel.id == event.shipment_id);
            let at = known.unwrap_or_else(|| {
                let items = lines(&event.items, ordered);
                parcels.push(ParcelView::new(event.shipment_id, items, event.amount));
                parcels.len() - 1
            });
            call_off(&mut parcels[at], Some(&event.reason))
        }
        _ => false,
    }
}

fn lines(goods: &[ParcelItem], ordered: &[OrderLine]) -> Vec<ParcelLine> {
    goods.iter().map(|item| ParcelLine::of(item, ordered)).collect()
}

fn book(parcels: &mut Vec<ParcelView>, ordered: &[OrderLine], booked: &ShipmentBooked) -> bool {
    if parcels.iter().any(|parcel| parcel.id == booked.shipment_id) {
        return false;
    }
    let items = lines(&booked.items, ordered);
    let currency = ordered.first().map_or(Money::krw(0), |line| line.unit_price).currency;
    let amount = items.iter().map(|line| line.line_total.amount);
    let amount = Money::new(amount.fold(0, i64::saturating_add), currency);
    parcels.push(ParcelView {
        seller_id: booked.seller_id,
        carrier: Some(booked.carrier.clone()),
        tracking_number: Some(booked.tracking_number.clone()),
        estimated_delivery: booked.estimated_delivery,
        ..ParcelView::new(booked.shipment_id, items, amount)
    });
    true
}

fn report(parcel: &mut ParcelView, event: &ShipmentEvent, at: Timestamp) -> bool {
    let before = parcel.clone();
    // Carriers report late: a scan that arrives after the delivery is history, not news.
    let ended = matches!(parcel.status, ParcelStatus::Delivered | ParcelStatus::Cancelled);
    match event {
        ShipmentEvent::ShipmentCancelled(event) => return call_off(parcel, event.reason.as_ref()),
        ShipmentEvent::ParcelPickedUp(_) if !ended => {
            parcel.status = ParcelStatus::PickedUp;
            parcel.picked_up_at.get_or_insert(at);
        }
        ShipmentEvent::ParcelScanned(event) if !ended => parcel.status = event.status,
        ShipmentEvent::ParcelDelivered(_) if !ended => {
            parcel.status = ParcelStatus::Delivered;
            parcel.delivered_at = Some(at);
        }
        _ => {}
    }
    *parcel != before
}

fn call_off(parcel: &mut ParcelView, reason: Option<&Reason>) -> bool {
    let before = parcel.clone();
    if parcel.status != ParcelStatus::Delivered {
        parcel.status = ParcelStatus::Cancelled;
        // Who called it off first gave the reason: what follows from that tells it again.
        parcel.reason = parcel.reason.take().or_else(|| reason.cloned());
    }
    *parcel != before
}

impl ParcelView {
    const fn new(id: ShipmentId, items: Vec<ParcelLine>, amount: Money) -> Self {
        Self {
            id,
            seller_id: None,
            status: ParcelStatus::Booked,
            reason: None,
            items,
            amount,
            carrier: None,
            tracking_number: None,
            estimated_delivery: None,
            picked_up_at: None,
            delivered_at: None,
        }
    }
}
