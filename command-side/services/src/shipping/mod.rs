//! Shipping: having a carrier fetch a parcel, and hearing from it where the parcel is.
//!
//! - [`cannot_send`]: a seller who cannot send a parcel that was booked;
//! - [`carrier`]: the port; [`simulator`]: a carrier that plays an outside party on a clock of its own; [`outlet`]: the careful way
//!   to any of them;
//! - [`webhook`]: what carriers report, signed, over HTTP. The simulator reports through the same [`Shipping::report`].

pub mod cannot_send;
pub mod carrier;
pub mod outlet;
pub mod simulator;
#[cfg(test)]
mod tests;
mod timetable;
pub mod webhook;

use std::{sync::Arc, time::Duration};

use domain::{
    Aggregate, Refusal, Shipment,
    commands::{Directive, ServiceCommand},
    shipment::ShipmentCommand,
};
use event_log::{EventLog, Position};
use event_schemas::{Address, ShipmentId, Timestamp, ids::derived_uuid, order::Reason, shipment::ParcelStatus};
use tokio::time::timeout;

pub use self::{
    carrier::{Booked, Booking, Cancelled, Carrier},
    outlet::CarrierOutlet,
    simulator::CarrierSimulator,
    webhook::{CarrierEvent, openapi, routes},
};
use crate::{
    execution::{CommandContext, Execution, Loaded},
    services::ServiceError,
};

/// How long the carrier may take to answer unless configured otherwise.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(5);

/// The shipping service.
pub struct Shipping {
    execution: Execution<Shipment>,
    carrier: Arc<dyn Carrier>,
    call_timeout: Duration,
}

/// What a carrier says about a parcel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The parcel.
    pub shipment_id: ShipmentId,
    /// Where it stands.
    pub status: ParcelStatus,
    /// Where it is; may be empty.
    pub location: String,
    /// When the carrier saw it.
    pub occurred_at: Timestamp,
    /// The carrier's name for this report: the same again changes nothing.
    pub event_id: String,
}

/// A report was taken in, now or before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reported {
    /// Where the parcel stands now, as far as the shop knows.
    pub status: ParcelStatus,
    /// From where in the log that can be seen.
    pub position: Position,
}

impl Shipping {
    /// Over a log and a carrier, which may take `call_timeout` to answer.
    pub fn new(log: Arc<dyn EventLog>, carrier: Arc<dyn Carrier>, call_timeout: Duration) -> Self {
        Self {
            execution: Execution::new(log),
            carrier,
            call_timeout,
        }
    }

    /// Does what a saga asks: book or cancel. Answered by an event; a cancellation that comes too late by none.
    ///
    /// # Errors
    /// When the carrier or the log fails, or the command is not for shipping.
    pub async fn execute(&self, directive: &Directive) -> Result<(), ServiceError> {
        let context = CommandContext::of_directive(directive, "shipping");
        match &directive.command {
            ServiceCommand::BookShipment {
                shipment_id,
                order_id,
                seller_id,
                items,
                address,
            } => {
                let booking = Booking {
                    shipment_id: *shipment_id,
                    order_id: *order_id,
                    seller_id: *seller_id,
                    items: items.clone(),
                    address: address.clone(),
                };
                self.book(booking, &context).await
            }
            ServiceCommand::CancelShipment { shipment_id, .. } => {
                self.call_off(*shipment_id, None, &context).await.map(|_| ())
            }
            other => Err(ServiceError::Fault(format!("not for shipping: {other:?}"))),
        }
    }

    /// The carrier is asked first: it takes a parcel it knows for the same parcel, so a crash before the booking is in the log
    /// leads to a repeat that books nothing twice.
    async fn book(&self, booking: Booking, context: &CommandContext) -> Result<(), ServiceError> {
        let id = booking.shipment_id.uuid();
        if self.execution.load(id).await?.state.parcel().is_some() {
            return Ok(());
        }
        let booked = self.in_time(self.carrier.book(&booking)).await?;
        let command = ShipmentCommand::Book {
            shipment_id: booking.shipment_id,
            order_id: booking.order_id,
            carrier: self.carrier.name().to_owned(),
            tracking_number: booked.tracking_number,
            seller_id: booking.seller_id,
            items: booking.items,
            destination: destination(&booking.address),
            estimated_delivery: booked.estimated_delivery,
        };
        self.execution.execute(id, &command, context).await.map(|_| ())
    }

    /// Calls the carrier off, if the parcel is not fetched yet, and gives the parcel as it is then.
    async fn call_off(
        &self,
        shipment_id: ShipmentId,
        reason: Option<Reason>,
        context: &CommandContext,
    ) -> Result<Arc<Loaded<Shipment>>, ServiceError> {
        let id = shipment_id.uuid();
        let loaded = self.execution.load(id).await?;
        let Some(parcel) = loaded.state.parcel() else {
            return Err(no_such_parcel().into());
        };
        let command = ShipmentCommand::Cancel { reason };
        // Decided before the carrier is asked: what cannot be written down must not be done.
        if loaded.state.decide(&command)?.is_empty() {
            return Ok(loaded);
        }
        let asked = self.carrier.cancel(shipment_id, &parcel.tracking_number);
        match self.in_time(asked).await? {
            Cancelled::CalledOff => Ok(self.execution.execute(id, &command, context).await?.aggregate),
            Cancelled::TooLate => Ok(loaded),
        }
    }

    /// Takes in what the carrier says. Reports may come late, twice and out of order.
    ///
    /// # Errors
    /// When there is no such parcel with that carrier, it was called off, or the log fails.
    pub async fn report(&self, carrier: &str, report: &Report) -> Result<Reported, ServiceError> {
        let id = report.shipment_id.uuid();
        let loaded = self.execution.load(id).await?;
        let parcel = loaded.state.parcel().filter(|parcel| parcel.carrier == carrier);
        let known = parcel.map(|parcel| parcel.status).ok_or_else(no_such_parcel)?;
        let location = report.location.clone();
        let command = match report.status {
            ParcelStatus::Booked => {
                return Ok(Reported {
                    status: known,
                    position: loaded.position,
                });
            }
            ParcelStatus::PickedUp => ShipmentCommand::RecordPickedUp { location },
            ParcelStatus::InTransit | ParcelStatus::OutForDelivery => ShipmentCommand::RecordScanned {
                status: report.status,
                location,
            },
            ParcelStatus::Delivered => ShipmentCommand::RecordDelivered { location },
            ParcelStatus::Cancelled => ShipmentCommand::Cancel {
                reason: Some(called_off_by_carrier()),
            },
        };
        let command_id = derived_uuid(id, &format!("{carrier} {}", report.event_id));
        let context = CommandContext::within(format!("carrier {carrier}"), command_id, report.occurred_at);
        let executed = self.execution.execute(id, &command, &context).await?;
        Ok(Reported {
            status: executed.aggregate.state.parcel().map_or(known, |parcel| parcel.status),
            position: executed.position,
        })
    }

    /// The shop's name for the parcel that this carrier calls by that number.
    pub fn shipment_of(&self, carrier: &str, tracking_number: &str) -> Option<ShipmentId> {
        (self.carrier.name() == carrier).then(|| self.carrier.shipment_of(tracking_number))?
    }

    async fn in_time<T>(
        &self,
        call: impl Future<Output = Result<T, carrier::CarrierError>>,
    ) -> Result<T, ServiceError> {
        match timeout(self.call_timeout, call).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(ServiceError::Fault(error.to_string())),
            Err(_) => Err(ServiceError::Fault(format!(
                "the carrier gave no answer within {:?}",
                self.call_timeout
            ))),
        }
    }
}

fn no_such_parcel() -> Refusal {
    Refusal::not_found("parcel-not-found", "this carrier has no such parcel of ours")
}

fn called_off_by_carrier() -> Reason {
    Reason::new("cancelled_by_carrier", "The carrier will not fetch the parcel.")
}

/// As far as a carrier's page would show it.
fn destination(address: &Address) -> String {
    format!("{}, {}", address.city, address.country)
}
