//! Where an order's parcels are.

use event_schemas::{
    Category, OrderId, SellerId, ShipmentId, ShopEvent, Timestamp,
    order::Reason,
    shipment::{ParcelStatus, ShipmentBooked, ShipmentEvent},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    documents::{Collection, IndexKeys, Model, StoreError},
    projection::{Fact, Key, Projection, Unexpected},
};

/// The answer to `GET orders/{id}/tracking`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TrackingView {
    /// The order's parcels, in the order they were booked.
    pub shipments: Vec<ShipmentView>,
}

/// A parcel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ShipmentView {
    /// The parcel.
    pub id: ShipmentId,
    /// Whose goods; none where the order was placed before each seller had a parcel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seller_id: Option<SellerId>,
    /// Who carries it.
    pub carrier: String,
    /// The carrier's name for it.
    pub tracking_number: String,
    /// Where it stands.
    pub status: ParcelStatus,
    /// Why it will not be fetched, where somebody said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// Where it goes.
    pub destination: String,
    /// When the carrier says it will arrive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimated_delivery: Option<Timestamp>,
    /// What the carrier reported, oldest first.
    pub events: Vec<TrackingEvent>,
}

/// Something the carrier reported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TrackingEvent {
    /// Where the parcel then stood.
    pub status: ParcelStatus,
    /// When.
    pub at: Timestamp,
    /// Where, as the carrier says it; may be empty.
    pub location: String,
}

/// The read model `tracking`.
#[derive(Debug, Clone, Copy)]
pub enum Tracking {}

impl Model for Tracking {
    const NAME: &'static str = "tracking";
    type Key = OrderId;
    type Document = TrackingView;

    fn index(_: &TrackingView) -> IndexKeys {
        vec![]
    }
}

impl Collection<Tracking> {
    /// An order's parcels; none before the first is booked.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn of_order(&self, id: OrderId) -> Result<Option<TrackingView>, StoreError> {
        self.get(&id).await
    }
}

/// Fills the tracking pages.
#[derive(Debug, Default)]
pub struct TrackingProjection;

impl Projection for TrackingProjection {
    type Model = Tracking;
    const CATEGORIES: &'static [Category] = &[Category::Shipment];

    fn about(&mut self, fact: &Fact<'_>, keys: &mut Vec<Key<Self>>) -> Result<(), Unexpected> {
        if let ShopEvent::Shipment(event) = fact.event {
            keys.push(event.order_id());
        }
        Ok(())
    }

    fn apply(
        &mut self,
        fact: &Fact<'_>,
        _: &Key<Self>,
        document: &mut Option<TrackingView>,
    ) -> Result<bool, Unexpected> {
        let ShopEvent::Shipment(event) = fact.event else {
            return Ok(false);
        };
        let (id, status, location) = match event {
            ShipmentEvent::ShipmentBooked(booked) => {
                book(document.get_or_insert_default(), booked);
                (booked.shipment_id, ParcelStatus::Booked, "")
            }
            ShipmentEvent::ParcelPickedUp(event) => (event.shipment_id, ParcelStatus::PickedUp, &*event.location),
            ShipmentEvent::ParcelScanned(event) => (event.shipment_id, event.status, &*event.location),
            ShipmentEvent::ParcelDelivered(event) => (event.shipment_id, ParcelStatus::Delivered, &*event.location),
            ShipmentEvent::ShipmentCancelled(event) => (event.shipment_id, ParcelStatus::Cancelled, ""),
        };
        let shipment = document.as_mut().and_then(|tracking| shipment(tracking, id));
        let shipment = shipment.ok_or(Unexpected::NoSuch("a parcel"))?;
        if let ShopEvent::Shipment(ShipmentEvent::ShipmentCancelled(cancelled)) = fact.event {
            shipment.reason.clone_from(&cancelled.reason);
        }
        let event = TrackingEvent {
            status,
            at: fact.at,
            location: location.to_owned(),
        };
        Ok(report(shipment, event))
    }
}

fn book(tracking: &mut TrackingView, booked: &ShipmentBooked) {
    if shipment(tracking, booked.shipment_id).is_none() {
        tracking.shipments.push(ShipmentView {
            id: booked.shipment_id,
            seller_id: booked.seller_id,
            carrier: booked.carrier.clone(),
            tracking_number: booked.tracking_number.clone(),
            status: ParcelStatus::Booked,
            reason: None,
            destination: booked.destination.clone(),
            estimated_delivery: booked.estimated_delivery,
            events: vec![],
        });
    }
}

fn shipment(tracking: &mut TrackingView, id: ShipmentId) -> Option<&mut ShipmentView> {
    tracking.shipments.iter_mut().find(|shipment| shipment.id == id)
}

fn report(shipment: &mut ShipmentView, event: TrackingEvent) -> bool {
    if shipment.events.contains(&event) {
        return false;
    }
    // Carriers report late: a scan that arrives after the delivery is history, not news.
    if !matches!(shipment.status, ParcelStatus::Delivered | ParcelStatus::Cancelled) {
        shipment.status = event.status;
    }
    shipment.events.push(event);
    true
}
