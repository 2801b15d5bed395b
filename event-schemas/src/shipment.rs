//! A parcel. Stream `shipment-<shipment id>`; the id is derived from the order's, and the seller's where there are several.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{OrderId, ProductId, SellerId, ShipmentId, Timestamp, family::event_family, order::Reason};

event_family! {
    /// What can happen to a parcel.
    ShipmentEvent in Shipment about shipment_id: ShipmentId, order_id: OrderId {
        ShipmentBooked = 1,
        ParcelPickedUp = 1,
        ParcelScanned = 1,
        ParcelDelivered = 1,
        ShipmentCancelled = 1,
    }
}

/// So many pieces of a product in a parcel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ParcelItem {
    /// The product.
    pub product_id: ProductId,
    /// Pieces.
    pub quantity: u32,
}

/// The carrier will fetch the parcel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ShipmentBooked {
    /// The parcel.
    pub shipment_id: ShipmentId,
    /// For this order.
    pub order_id: OrderId,
    /// The carrier's name, such as `simulator`.
    pub carrier: String,
    /// The carrier's name for the parcel.
    pub tracking_number: String,
    /// Whose goods. None where the order was placed before each seller had a parcel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seller_id: Option<SellerId>,
    /// What is inside.
    pub items: Vec<ParcelItem>,
    /// Where it goes, as far as a carrier's page would show: a city.
    pub destination: String,
    /// When the carrier says it will arrive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimated_delivery: Option<Timestamp>,
}

/// The carrier has the parcel: the order counts as shipped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ParcelPickedUp {
    /// The parcel.
    pub shipment_id: ShipmentId,
    /// For this order.
    pub order_id: OrderId,
    /// Where, as the carrier says it; may be empty.
    pub location: String,
}

/// The carrier saw the parcel on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ParcelScanned {
    /// The parcel.
    pub shipment_id: ShipmentId,
    /// For this order.
    pub order_id: OrderId,
    /// `in_transit` or `out_for_delivery`.
    pub status: ParcelStatus,
    /// Where, as the carrier says it; may be empty.
    pub location: String,
}

/// Where a parcel stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ParcelStatus {
    /// The carrier knows of it.
    Booked,
    /// The carrier has it.
    PickedUp,
    /// On its way.
    InTransit,
    /// In the van.
    OutForDelivery,
    /// With the customer.
    Delivered,
    /// Called off before it was fetched.
    Cancelled,
}

/// The customer has the parcel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ParcelDelivered {
    /// The parcel.
    pub shipment_id: ShipmentId,
    /// For this order.
    pub order_id: OrderId,
    /// Where, as the carrier says it; may be empty.
    pub location: String,
}

/// The parcel will not be fetched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ShipmentCancelled {
    /// The parcel.
    pub shipment_id: ShipmentId,
    /// For this order.
    pub order_id: OrderId,
    /// Why, where a seller or the carrier says so; none where the shop called it off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}
