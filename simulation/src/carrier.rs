//! The carrier: an outside party that fetches parcels when it comes by, and reports late, twice and in any order.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use command_services::{
    services::ServiceError,
    shipping::{Booked, Booking, Cancelled, Carrier, Report, carrier::CarrierError},
};
use event_schemas::{ShipmentId, shipment::ParcelStatus};
use sagas::Clock;

use crate::{
    chance::Chance,
    clock::{VirtualClock, WallClock},
    house::House,
    weather::Weather,
};

const NAME: &str = "haulier";
/// How long after its first attempt a report is sent again that nobody took, in milliseconds.
const AGAIN: u64 = 20_000;

/// The carrier.
pub struct Haulier {
    parcels: Mutex<BTreeMap<ShipmentId, Whereabouts>>,
    house: Arc<House>,
    clock: Arc<VirtualClock>,
    weather: Arc<Weather>,
    chance: Chance,
    habits: Habits,
}

/// How this carrier works.
#[derive(Debug, Clone, Copy)]
struct Habits {
    /// The longest until it fetches a parcel.
    fetches_within: u64,
    /// The longest that a parcel is on its way.
    delivers_within: u64,
    /// Parcels that it will not fetch, in a thousand.
    rejects: u64,
}

/// Where a parcel is in truth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Whereabouts {
    /// With the seller.
    Waiting,
    /// Called off.
    CalledOff,
    /// With the carrier.
    Fetched,
    /// With the customer.
    Handed,
}

impl Haulier {
    /// A carrier with habits of its own, that reports to this house.
    pub fn new(seed: u64, house: &Arc<House>, clock: &Arc<VirtualClock>, weather: &Arc<Weather>) -> Arc<Self> {
        let chance = Chance::of(seed, "carrier");
        let longest = if chance.hits(500) { 60_000 } else { 1_800_000 };
        let habits = Habits {
            fetches_within: chance.between(1_000, longest),
            delivers_within: chance.between(1_000, longest),
            rejects: if chance.hits(400) { 120 } else { 0 },
        };
        Arc::new(Self {
            parcels: Mutex::default(),
            house: Arc::clone(house),
            clock: Arc::clone(clock),
            weather: Arc::clone(weather),
            chance,
            habits,
        })
    }

    /// Where each parcel is in truth.
    pub fn parcels(&self) -> BTreeMap<ShipmentId, Whereabouts> {
        self.known().clone()
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<ShipmentId, Whereabouts>> {
        self.parcels.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The same parcel is taken once.
    fn take(self: &Arc<Self>, shipment_id: ShipmentId) {
        let new = !self.known().contains_key(&shipment_id);
        if new {
            self.known().insert(shipment_id, Whereabouts::Waiting);
            tokio::spawn(Arc::clone(self).journey(shipment_id));
        }
    }

    fn call_off(&self, shipment_id: ShipmentId) -> Cancelled {
        match self.known().get_mut(&shipment_id) {
            Some(place @ (Whereabouts::Waiting | Whereabouts::CalledOff)) => {
                *place = Whereabouts::CalledOff;
                Cancelled::CalledOff
            }
            _ => Cancelled::TooLate,
        }
    }

    async fn journey(self: Arc<Self>, shipment_id: ShipmentId) {
        let Habits {
            fetches_within,
            delivers_within,
            rejects,
        } = self.habits;
        self.clock.pause(self.chance.between(1, fetches_within)).await;
        if self.known().get(&shipment_id) != Some(&Whereabouts::Waiting) {
            return;
        }
        if self.chance.hits(rejects) {
            self.call_off(shipment_id);
            return self.report(shipment_id, ParcelStatus::Cancelled);
        }
        self.known().insert(shipment_id, Whereabouts::Fetched);
        self.report(shipment_id, ParcelStatus::PickedUp);
        self.clock.pause(self.chance.between(1, delivers_within)).await;
        self.report(shipment_id, ParcelStatus::InTransit);
        self.clock.pause(self.chance.between(1, delivers_within)).await;
        self.known().insert(shipment_id, Whereabouts::Handed);
        self.report(shipment_id, ParcelStatus::Delivered);
    }

    /// Reports on its own, until the shop took it.
    fn report(self: &Arc<Self>, shipment_id: ShipmentId, status: ParcelStatus) {
        let times = if self.weather.hits(|storm| storm.reports_doubled) {
            2
        } else {
            1
        };
        let report = Report {
            shipment_id,
            status,
            location: String::new(),
            occurred_at: WallClock(Arc::clone(&self.clock)).now(),
            event_id: format!("{status:?}"),
        };
        for _ in 0..times {
            let (haulier, report) = (Arc::clone(self), report.clone());
            tokio::spawn(async move {
                haulier.weather.takes(|storm| storm.command_takes).await;
                while !haulier.told(report.clone()).await {
                    haulier.clock.pause(AGAIN).await;
                }
            });
        }
    }

    /// Whether the shop took it, or does not want it.
    async fn told(&self, report: Report) -> bool {
        let told = self
            .house
            .ask(|services| async move { services.shipping.report(NAME, &report).await })
            .await;
        // A parcel that the shop does not know yet is one whose booking is still on its way into the log.
        match told {
            Ok(Ok(_)) => true,
            Ok(Err(ServiceError::Refused(refusal))) => refusal.code != "parcel-not-found",
            Ok(Err(ServiceError::Fault(_))) | Err(_) => false,
        }
    }

    async fn reached(&self) -> Result<(), CarrierError> {
        self.weather.takes(|storm| storm.provider_takes).await;
        self.failed(self.weather.hits(|storm| storm.carrier_fails))
    }

    async fn answered(&self) -> Result<(), CarrierError> {
        self.weather.takes(|storm| storm.provider_takes).await;
        self.failed(self.weather.hits(|storm| storm.carrier_forgotten))
    }

    fn failed(&self, failed: bool) -> Result<(), CarrierError> {
        let error = || CarrierError {
            carrier: NAME.to_owned(),
            detail: "bad weather".to_owned(),
        };
        if failed { Err(error()) } else { Ok(()) }
    }
}

/// The carrier as the shop reaches it.
pub struct HaulierLine(pub Arc<Haulier>);

#[async_trait]
impl Carrier for HaulierLine {
    fn name(&self) -> &str {
        NAME
    }

    async fn book(&self, booking: &Booking) -> Result<Booked, CarrierError> {
        self.0.reached().await?;
        self.0.take(booking.shipment_id);
        self.0.answered().await?;
        Ok(Booked {
            tracking_number: format!("H{}", booking.shipment_id),
            estimated_delivery: None,
        })
    }

    async fn cancel(&self, shipment_id: ShipmentId, _: &str) -> Result<Cancelled, CarrierError> {
        self.0.reached().await?;
        let cancelled = self.0.call_off(shipment_id);
        self.0.answered().await?;
        Ok(cancelled)
    }

    fn shipment_of(&self, tracking_number: &str) -> Option<ShipmentId> {
        tracking_number.strip_prefix('H')?.parse().ok()
    }
}
