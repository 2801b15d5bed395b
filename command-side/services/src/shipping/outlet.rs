//! A carrier that is called with care: through an outlet with a bulkhead, a breaker, a deadline and repeats.
//!
//! Bookings and cancellations carry our reference for the parcel, so a repeat does nothing twice. While the breaker is open
//! nobody is asked: the command fails at once, the saga asks again when its patience ends, and the order waits meanwhile.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use event_schemas::ShipmentId;
use resilience::{CallError, Failure, Outlet, Settings};

use super::carrier::{Booked, Booking, Cancelled, Carrier, CarrierError};

/// How long one attempt may take. Three of them fit into [`super::CALL_TIMEOUT`].
const ATTEMPT: Duration = Duration::from_millis(1_500);

/// A carrier behind its outlet.
pub struct CarrierOutlet {
    carrier: Arc<dyn Carrier>,
    outlet: Outlet,
}

impl CarrierOutlet {
    /// The way to a carrier, with the settings of the shop.
    pub fn new(carrier: Arc<dyn Carrier>) -> Self {
        Self::with(carrier, Settings::default().deadline(ATTEMPT))
    }

    /// With settings of one's own.
    pub fn with(carrier: Arc<dyn Carrier>, settings: Settings) -> Self {
        let outlet = Outlet::new("carrier", settings);
        Self { carrier, outlet }
    }

    fn told(&self, failure: Failure<CarrierError>) -> CarrierError {
        failure.into_error(|failure| CarrierError {
            carrier: self.carrier.name().to_owned(),
            detail: failure.to_string(),
        })
    }
}

#[async_trait]
impl Carrier for CarrierOutlet {
    fn name(&self) -> &str {
        self.carrier.name()
    }

    async fn book(&self, booking: &Booking) -> Result<Booked, CarrierError> {
        let booked = self.outlet.call(|| self.carrier.book(booking)).await;
        booked.map_err(|failure| self.told(failure))
    }

    async fn cancel(&self, shipment_id: ShipmentId, tracking_number: &str) -> Result<Cancelled, CarrierError> {
        let cancelled = self
            .outlet
            .call(|| self.carrier.cancel(shipment_id, tracking_number))
            .await;
        cancelled.map_err(|failure| self.told(failure))
    }

    fn shipment_of(&self, tracking_number: &str) -> Option<ShipmentId> {
        self.carrier.shipment_of(tracking_number)
    }
}

/// Whatever a carrier says, asking again is safe and may do better.
impl CallError for CarrierError {
    fn may_pass(&self) -> bool {
        true
    }
}
