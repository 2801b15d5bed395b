//! A carrier that plays an outside party: it fetches parcels and moves them along, on a clock that can run faster than ours,
//! and reports each step as a real one would.
//!
//! One task looks after all parcels. It keeps nothing: after a restart it reads in the log which parcels are under way
//! (one pass over the shipments' events, holding unfinished parcels only) and goes on from where they were last seen.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use event_log::{EventFilter, EventLog, LogError, Position, RecordedEvent};
use event_schemas::{
    Category, ShipmentId, Timestamp,
    shipment::{ParcelStatus, ShipmentEvent},
};
use futures_util::{StreamExt, stream};
use quick_cache::sync::Cache;
use tokio::{
    sync::Notify,
    time::{Instant, sleep, sleep_until},
};
use uuid::Uuid;

use super::{
    Report, Shipping,
    carrier::{Booked, Booking, Cancelled, Carrier, CarrierError},
    timetable::{Due, Timetable},
};
use crate::services::ServiceError;

/// The simulator's name.
pub const NAME: &str = "simulator";

/// Reports under way at a time.
const AT_ONCE: usize = 64;
/// Events read at a time when resuming.
const PAGE: usize = 1024;
/// A report that was refused this often is given up: its parcel was never booked, or is booked again.
const ATTEMPTS: u32 = 12;
/// Parcels called off that are remembered.
const CALLED_OFF: usize = 10_000;
const FIRST_PAUSE: Duration = Duration::from_millis(200);

const HOUR: Duration = Duration::from_secs(60 * 60);

/// The simulated carrier.
pub struct CarrierSimulator {
    speed: f64,
    timetable: Mutex<Timetable>,
    /// Called off lately: asking again gets the same answer.
    called_off: Cache<ShipmentId, ()>,
    changed: Notify,
}

impl CarrierSimulator {
    /// A carrier whose clock runs `speed` times as fast as ours; 1 takes two days for a parcel.
    pub fn new(speed: f64) -> Arc<Self> {
        let sensible = speed.is_finite() && speed > 0.0;
        Arc::new(Self {
            speed: if sensible { speed } else { 1.0 },
            timetable: Mutex::default(),
            called_off: Cache::new(CALLED_OFF),
            changed: Notify::new(),
        })
    }

    /// Moves parcels until dropped: first those that `log` says are under way, then whatever is booked.
    pub async fn run(self: Arc<Self>, log: Arc<dyn EventLog>, shipping: Arc<Shipping>) {
        let mut pause = FIRST_PAUSE;
        while let Err(error) = self.resume(&*log).await {
            tracing::warn!(%error, "the carrier waits for the log");
            sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(10));
        }
        loop {
            let next = self.timetable().next_at();
            let changed = self.changed.notified();
            match next {
                None => changed.await,
                Some(at) => tokio::select! {
                    () = sleep_until(at) => self.deliver(&shipping).await,
                    () = changed => {}
                },
            }
        }
    }

    /// Enters the parcels that were under way when an earlier process ended.
    async fn resume(&self, log: &dyn EventLog) -> Result<(), LogError> {
        let filter = EventFilter::categories(&[Category::Shipment]);
        let end = log.head().await?;
        let (mut at, mut under_way) = (Position::START, HashMap::new());
        while at < end {
            let (events, next) = log.read_all(at, &filter, PAGE).await?;
            for event in &events {
                follow(&mut under_way, event);
            }
            if next == at {
                break;
            }
            at = next;
        }
        let (now, clock) = (Instant::now(), Timestamp::now());
        let mut timetable = self.timetable();
        for (shipment_id, (status, since)) in under_way {
            // Booked since we began to read: entered already.
            if timetable.contains(shipment_id) {
                continue;
            }
            let waited = u64::try_from(clock.as_millis() - since.as_millis()).unwrap_or(0);
            if let Some((next, takes)) = self.next_step(status) {
                let left = takes.saturating_sub(Duration::from_millis(waited));
                let due = Due {
                    shipment_id,
                    next,
                    failures: 0,
                };
                timetable.enter(now + left, due);
            }
        }
        Ok(())
    }

    /// Reports what is due.
    async fn deliver(&self, shipping: &Shipping) {
        let due = self.timetable().take_due(Instant::now(), AT_ONCE * 8);
        let reports = due.into_iter().map(|due| self.report(shipping, due));
        stream::iter(reports).buffer_unordered(AT_ONCE).collect::<()>().await;
    }

    async fn report(&self, shipping: &Shipping, due: Due) {
        let report = Report {
            shipment_id: due.shipment_id,
            status: due.next,
            location: location(due.next).to_owned(),
            occurred_at: Timestamp::now(),
            event_id: format!("{:?}", due.next),
        };
        let now = Instant::now();
        match shipping.report(NAME, &report).await {
            Ok(reported) => {
                // From where the shop sees it: a real report by hand may have been faster.
                if let Some((next, takes)) = self.next_step(reported.status) {
                    self.timetable().enter(
                        now + takes,
                        Due {
                            next,
                            failures: 0,
                            ..due
                        },
                    );
                }
            }
            Err(ServiceError::Refused(refusal)) if due.failures >= ATTEMPTS || refusal.code == "shipment-cancelled" => {
                tracing::debug!(shipment = %due.shipment_id, %refusal, "the carrier gives a parcel up");
            }
            Err(error) => {
                tracing::debug!(shipment = %due.shipment_id, %error, "the carrier reports again later");
                let pause = FIRST_PAUSE * 2u32.pow(due.failures.min(8));
                let failures = due.failures.saturating_add(1);
                self.timetable().enter(now + pause, Due { failures, ..due });
            }
        }
    }

    /// What comes after a status, and how long it takes on this clock.
    fn next_step(&self, status: ParcelStatus) -> Option<(ParcelStatus, Duration)> {
        let (next, hours) = match status {
            ParcelStatus::Booked => (ParcelStatus::PickedUp, 6),
            ParcelStatus::PickedUp => (ParcelStatus::InTransit, 10),
            ParcelStatus::InTransit => (ParcelStatus::OutForDelivery, 26),
            ParcelStatus::OutForDelivery => (ParcelStatus::Delivered, 6),
            ParcelStatus::Delivered | ParcelStatus::Cancelled => return None,
        };
        Some((next, (HOUR * hours).div_f64(self.speed)))
    }

    fn timetable(&self) -> MutexGuard<'_, Timetable> {
        self.timetable.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Carrier for CarrierSimulator {
    fn name(&self) -> &str {
        NAME
    }

    async fn book(&self, booking: &Booking) -> Result<Booked, CarrierError> {
        let shipment_id = booking.shipment_id;
        if let Some((next, takes)) = self.next_step(ParcelStatus::Booked) {
            let mut timetable = self.timetable();
            if !timetable.contains(shipment_id) {
                let due = Due {
                    shipment_id,
                    next,
                    failures: 0,
                };
                timetable.enter(Instant::now() + takes, due);
            }
        }
        self.changed.notify_one();
        let all = (HOUR * 48).div_f64(self.speed);
        Ok(Booked {
            tracking_number: format!("SIM{:X}", shipment_id.uuid().simple()),
            estimated_delivery: i64::try_from(all.as_millis())
                .ok()
                .map(|millis| Timestamp::now().plus_millis(millis)),
        })
    }

    /// A parcel that waits to be fetched is struck out. One that is not in the timetable is being reported at this moment, or
    /// was not read from the log yet, in which case what is found there (booked, or called off) decides.
    async fn cancel(&self, shipment_id: ShipmentId, _tracking_number: &str) -> Result<Cancelled, CarrierError> {
        let mut timetable = self.timetable();
        match timetable.strike(shipment_id) {
            Some(due) if due.next == ParcelStatus::PickedUp => {
                self.called_off.insert(shipment_id, ());
                Ok(Cancelled::CalledOff)
            }
            Some(due) => {
                timetable.enter(Instant::now(), due);
                Ok(Cancelled::TooLate)
            }
            None if self.called_off.get(&shipment_id).is_some() => Ok(Cancelled::CalledOff),
            None => Err(CarrierError {
                carrier: NAME.to_owned(),
                detail: "the parcel is being looked for; ask again".to_owned(),
            }),
        }
    }

    fn shipment_of(&self, tracking_number: &str) -> Option<ShipmentId> {
        let digits = tracking_number
            .strip_prefix("SIM")
            .filter(|digits| digits.len() == 32)?;
        Uuid::try_parse(digits).ok().map(ShipmentId::from_uuid)
    }
}

/// Notes where a parcel stands, as long as it is under way and ours.
fn follow(under_way: &mut HashMap<ShipmentId, (ParcelStatus, Timestamp)>, event: &RecordedEvent) {
    let Ok(read) = event.decode::<ShipmentEvent>() else {
        tracing::warn!(position = %event.position, "the carrier skips an event it cannot read");
        return;
    };
    let (id, status) = match read {
        ShipmentEvent::ShipmentBooked(booked) => {
            let ours = booked.carrier == NAME && event.metadata().is_ok_and(|metadata| !metadata.imported);
            if ours {
                under_way.insert(booked.shipment_id, (ParcelStatus::Booked, event.recorded_at));
            }
            return;
        }
        ShipmentEvent::ParcelPickedUp(parcel) => (parcel.shipment_id, ParcelStatus::PickedUp),
        ShipmentEvent::ParcelScanned(parcel) => (parcel.shipment_id, parcel.status),
        ShipmentEvent::ParcelDelivered(parcel) => (parcel.shipment_id, ParcelStatus::Delivered),
        ShipmentEvent::ShipmentCancelled(parcel) => (parcel.shipment_id, ParcelStatus::Cancelled),
    };
    if matches!(status, ParcelStatus::Delivered | ParcelStatus::Cancelled) {
        under_way.remove(&id);
    } else if let Some(parcel) = under_way.get_mut(&id) {
        *parcel = (status, event.recorded_at);
    }
}

const fn location(status: ParcelStatus) -> &'static str {
    match status {
        ParcelStatus::InTransit => "옥천 HUB",
        ParcelStatus::OutForDelivery => "배송 캠프",
        ParcelStatus::Delivered => "문 앞",
        _ => "집하 센터",
    }
}
