//! A parcel. Stream `shipment-<shipment id>`; the id is derived from the order's, and the seller's where there are several.
//!
//! Carriers tell things late, twice and out of order: what is already known, or was overtaken, changes nothing.

use event_schemas::{
    OrderId, SellerId, ShipmentId, Timestamp,
    order::Reason,
    shipment::{
        ParcelDelivered, ParcelItem, ParcelPickedUp, ParcelScanned, ParcelStatus, ShipmentBooked, ShipmentCancelled,
        ShipmentEvent,
    },
};

use crate::{Aggregate, Refusal, values::Findings};

/// A parcel: not booked, or on its way.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shipment(Option<Parcel>);

/// A booked parcel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parcel {
    /// Its id.
    pub shipment_id: ShipmentId,
    /// For this order.
    pub order_id: OrderId,
    /// Who carries it.
    pub carrier: String,
    /// The carrier's name for it.
    pub tracking_number: String,
    /// Whose goods; none where the order was placed before each seller had a parcel.
    pub seller_id: Option<SellerId>,
    /// Where it stands.
    pub status: ParcelStatus,
    /// Where it was last seen; may be empty.
    pub location: String,
}

/// What can be asked of a parcel, or told about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ShipmentCommand {
    /// The carrier agreed to fetch it.
    Book {
        /// The parcel.
        shipment_id: ShipmentId,
        /// For this order.
        order_id: OrderId,
        /// Who carries it.
        carrier: String,
        /// The carrier's name for it.
        tracking_number: String,
        /// Whose goods.
        seller_id: Option<SellerId>,
        /// What is inside.
        items: Vec<ParcelItem>,
        /// Where it goes, as far as a carrier's page would show: a city.
        destination: String,
        /// When the carrier says it will arrive.
        estimated_delivery: Option<Timestamp>,
    },
    /// The carrier has it.
    RecordPickedUp {
        /// Where; may be empty.
        location: String,
    },
    /// The carrier saw it: in transit or out for delivery.
    RecordScanned {
        /// Which of the two.
        status: ParcelStatus,
        /// Where; may be empty.
        location: String,
    },
    /// The customer has it.
    RecordDelivered {
        /// Where; may be empty.
        location: String,
    },
    /// The carrier is called off. Does nothing where the parcel is under way already.
    Cancel {
        /// Why, where a seller or the carrier says so.
        reason: Option<Reason>,
    },
}

impl Shipment {
    /// The parcel, once it is booked.
    pub const fn parcel(&self) -> Option<&Parcel> {
        self.0.as_ref()
    }
}

impl Parcel {
    fn picked_up(&self, location: &str) -> ShipmentEvent {
        ParcelPickedUp {
            shipment_id: self.shipment_id,
            order_id: self.order_id,
            location: location.to_owned(),
        }
        .into()
    }

    fn decide(&self, command: &ShipmentCommand) -> Result<Vec<ShipmentEvent>, Refusal> {
        let (shipment_id, order_id) = (self.shipment_id, self.order_id);
        let (location, news): (&str, Option<ShipmentEvent>) = match command {
            ShipmentCommand::Book { .. } => return Ok(vec![]),
            ShipmentCommand::Cancel { reason } if self.status == ParcelStatus::Booked => {
                check_reason(reason.as_ref())?;
                let cancelled = ShipmentCancelled {
                    shipment_id,
                    order_id,
                    reason: reason.clone(),
                };
                return Ok(vec![cancelled.into()]);
            }
            ShipmentCommand::Cancel { .. } => return Ok(vec![]),
            _ if self.status == ParcelStatus::Cancelled => {
                return Err(Refusal::conflict(
                    "shipment-cancelled",
                    "The parcel was called off before it was fetched; the carrier should bring it back.",
                ));
            }
            ShipmentCommand::RecordPickedUp { location } => (location, None),
            ShipmentCommand::RecordScanned { status, location } => {
                if !matches!(status, ParcelStatus::InTransit | ParcelStatus::OutForDelivery) {
                    return Err(Refusal::field("status", "must be in_transit or out_for_delivery"));
                }
                let known = *status == self.status && *location == self.location;
                let scanned = (!known && reached(*status) >= reached(self.status)).then(|| ParcelScanned {
                    shipment_id,
                    order_id,
                    status: *status,
                    location: location.clone(),
                });
                (location, scanned.map(Into::into))
            }
            ShipmentCommand::RecordDelivered { location } => {
                let delivered = (self.status != ParcelStatus::Delivered).then(|| ParcelDelivered {
                    shipment_id,
                    order_id,
                    location: location.clone(),
                });
                (location, delivered.map(Into::into))
            }
        };
        check_location(location)?;
        // Whatever the carrier saw, it must have fetched before.
        let fetched = (self.status == ParcelStatus::Booked).then(|| self.picked_up(location));
        Ok(fetched.into_iter().chain(news).collect())
    }
}

/// How far along a status is: a parcel never goes back.
const fn reached(status: ParcelStatus) -> u8 {
    match status {
        ParcelStatus::Booked => 0,
        ParcelStatus::PickedUp => 1,
        ParcelStatus::InTransit => 2,
        ParcelStatus::OutForDelivery => 3,
        ParcelStatus::Delivered | ParcelStatus::Cancelled => 4,
    }
}

impl Aggregate for Shipment {
    type Event = ShipmentEvent;
    type Command = ShipmentCommand;

    fn evolve(&mut self, event: &ShipmentEvent) {
        let (status, location) = match event {
            ShipmentEvent::ShipmentBooked(booked) => {
                self.0 = Some(Parcel {
                    shipment_id: booked.shipment_id,
                    order_id: booked.order_id,
                    carrier: booked.carrier.clone(),
                    tracking_number: booked.tracking_number.clone(),
                    seller_id: booked.seller_id,
                    status: ParcelStatus::Booked,
                    location: String::new(),
                });
                return;
            }
            ShipmentEvent::ParcelPickedUp(picked_up) => (ParcelStatus::PickedUp, &picked_up.location),
            ShipmentEvent::ParcelScanned(scanned) => (scanned.status, &scanned.location),
            ShipmentEvent::ParcelDelivered(delivered) => (ParcelStatus::Delivered, &delivered.location),
            ShipmentEvent::ShipmentCancelled(_) => (ParcelStatus::Cancelled, &String::new()),
        };
        if let Some(parcel) = &mut self.0 {
            parcel.status = status;
            parcel.location.clone_from(location);
        }
    }

    fn decide(&self, command: &ShipmentCommand) -> Result<Vec<ShipmentEvent>, Refusal> {
        match (&self.0, command) {
            (Some(parcel), command) => parcel.decide(command),
            (
                None,
                ShipmentCommand::Book {
                    shipment_id,
                    order_id,
                    carrier,
                    tracking_number,
                    seller_id,
                    items,
                    destination,
                    estimated_delivery,
                },
            ) => {
                let mut findings = Findings::default();
                findings.line("carrier", carrier, 40);
                findings.line("tracking_number", tracking_number, 80);
                findings.line_or_empty("destination", destination, 200);
                if items.is_empty() {
                    findings.add("items", "must name what is inside");
                }
                findings.into_result()?;
                let booked = ShipmentBooked {
                    shipment_id: *shipment_id,
                    order_id: *order_id,
                    carrier: carrier.clone(),
                    tracking_number: tracking_number.clone(),
                    seller_id: *seller_id,
                    items: items.clone(),
                    destination: destination.clone(),
                    estimated_delivery: *estimated_delivery,
                };
                Ok(vec![booked.into()])
            }
            (None, _) => Err(Refusal::not_found(
                "shipment-not-found",
                "There is no such parcel; it must be booked first.",
            )),
        }
    }
}

fn check_reason(reason: Option<&Reason>) -> Result<(), Refusal> {
    let mut findings = Findings::default();
    if let Some(reason) = reason {
        findings.line("reason", &reason.message, 300);
    }
    findings.into_result()
}

fn check_location(location: &str) -> Result<(), Refusal> {
    let mut findings = Findings::default();
    findings.line_or_empty("location", location, 200);
    findings.into_result()
}

#[cfg(test)]
mod tests;
