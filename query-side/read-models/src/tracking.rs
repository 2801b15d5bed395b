//! Where an order's parcels are.

use event_schemas::{OrderId, ShipmentId, Timestamp, shipment::ParcelStatus};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::documents::{Collection, IndexKeys, Model, StoreError};

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
    /// Who carries it.
    pub carrier: String,
    /// The carrier's name for it.
    pub tracking_number: String,
    /// Where it stands.
    pub status: ParcelStatus,
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
