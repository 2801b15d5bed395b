//! The port to a carrier.

use async_trait::async_trait;
use event_schemas::{Address, OrderId, SellerId, ShipmentId, Timestamp, shipment::ParcelItem};

/// A parcel to be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Booking {
    /// The parcel. Given to the carrier as our reference: a second booking with it is the same parcel.
    pub shipment_id: ShipmentId,
    /// For this order.
    pub order_id: OrderId,
    /// Where it is fetched; none where the order was placed before each seller had a parcel.
    pub seller_id: Option<SellerId>,
    /// What is inside.
    pub items: Vec<ParcelItem>,
    /// Where it goes.
    pub address: Address,
}

/// The carrier will fetch it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Booked {
    /// The carrier's name for the parcel.
    pub tracking_number: String,
    /// When it says it will arrive.
    pub estimated_delivery: Option<Timestamp>,
}

/// What became of a cancellation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cancelled {
    /// The parcel will not be fetched.
    CalledOff,
    /// It was fetched already.
    TooLate,
}

/// The carrier could not be asked, or gave no sensible answer. Asking again is safe.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the carrier {carrier} failed: {detail}")]
pub struct CarrierError {
    /// Which.
    pub carrier: String,
    /// What went wrong.
    pub detail: String,
}

/// A carrier.
#[async_trait]
pub trait Carrier: Send + Sync + 'static {
    /// Its name, as in `POST carriers/{name}/events`.
    fn name(&self) -> &str;

    /// Books a parcel; the same parcel again gets the same answer.
    ///
    /// # Errors
    /// When the carrier cannot be asked.
    async fn book(&self, booking: &Booking) -> Result<Booked, CarrierError>;

    /// Calls a parcel off that was not fetched yet; again gets the same answer.
    ///
    /// # Errors
    /// When the carrier cannot be asked.
    async fn cancel(&self, shipment_id: ShipmentId, tracking_number: &str) -> Result<Cancelled, CarrierError>;

    /// Our reference for the parcel of that tracking number, where the number tells.
    fn shipment_of(&self, tracking_number: &str) -> Option<ShipmentId>;
}
