use ParcelStatus::{InTransit, OutForDelivery};

use super::*;
use crate::testing::{Given, given, given_nothing, samples::id};

fn book() -> ShipmentCommand {
    ShipmentCommand::Book {
        shipment_id: id(1),
        order_id: id(2),
        carrier: "simulator".to_owned(),
        tracking_number: "SIM-1".to_owned(),
        seller_id: Some(id(5)),
        items: vec![ParcelItem {
            product_id: id(3),
            quantity: 2,
        }],
        destination: "서울".to_owned(),
        estimated_delivery: None,
    }
}
fn booked() -> ShipmentEvent {
    ShipmentBooked {
        shipment_id: id(1),
        order_id: id(2),
        carrier: "simulator".to_owned(),
        tracking_number: "SIM-1".to_owned(),
        seller_id: Some(id(5)),
        items: vec![ParcelItem {
            product_id: id(3),
            quantity: 2,
        }],
        destination: "서울".to_owned(),
        estimated_delivery: None,
    }
    .into()
}
fn picked_up(location: &str) -> ShipmentEvent {
    ParcelPickedUp {
        shipment_id: id(1),
        order_id: id(2),
        location: location.to_owned(),
    }
    .into()
}
fn scanned(status: ParcelStatus, location: &str) -> ShipmentEvent {
    ParcelScanned {
        shipment_id: id(1),
        order_id: id(2),
        status,
        location: location.to_owned(),
    }
    .into()
}
fn delivered() -> ShipmentEvent {
    ParcelDelivered {
        shipment_id: id(1),
        order_id: id(2),
        location: "door".to_owned(),
    }
    .into()
}
fn cancelled() -> ShipmentEvent {
    ShipmentCancelled {
        reason: None,
        shipment_id: id(1),
        order_id: id(2),
    }
    .into()
}

const fn call_off() -> ShipmentCommand {
    ShipmentCommand::Cancel { reason: None }
}
fn record_picked_up(location: &str) -> ShipmentCommand {
    ShipmentCommand::RecordPickedUp {
        location: location.to_owned(),
    }
}
fn record_scanned(status: ParcelStatus, location: &str) -> ShipmentCommand {
    ShipmentCommand::RecordScanned {
        status,
        location: location.to_owned(),
    }
}
fn record_delivered() -> ShipmentCommand {
    ShipmentCommand::RecordDelivered {
        location: "door".to_owned(),
    }
}
fn parcel(events: impl IntoIterator<Item = ShipmentEvent>) -> Given<Shipment> {
    given(events)
}

#[test]
fn a_parcel_travels_from_the_shop_to_the_customer() {
    given_nothing::<Shipment>().when(book()).then([booked()]);
    parcel([booked()])
        .when(record_picked_up("Icheon"))
        .then([picked_up("Icheon")]);
    let mut so_far = vec![booked(), picked_up("Icheon")];
    for (status, location) in [(InTransit, "Icheon"), (InTransit, "Seoul"), (OutForDelivery, "Seoul")] {
        parcel(so_far.clone())
            .when(record_scanned(status, location))
            .then([scanned(status, location)]);
        so_far.push(scanned(status, location));
    }
    parcel(so_far).when(record_delivered()).then([delivered()]);
}

#[test]
fn what_the_carrier_says_twice_changes_nothing() {
    parcel([booked()]).when(book()).then_nothing();
    parcel([booked(), picked_up("a")])
        .when(record_picked_up("a"))
        .then_nothing();
    parcel([booked(), picked_up("a"), scanned(InTransit, "b")])
        .when(record_scanned(InTransit, "b"))
        .then_nothing();
    parcel([booked(), picked_up("a"), delivered()])
        .when(record_delivered())
        .then_nothing();
}

#[test]
fn what_the_carrier_says_late_changes_nothing() {
    let nearly_there = parcel([booked(), picked_up("a"), scanned(OutForDelivery, "c")]);
    nearly_there.when(record_scanned(InTransit, "b")).then_nothing();
    nearly_there.when(record_picked_up("a")).then_nothing();
    parcel([booked(), picked_up("a"), delivered()])
        .when(record_scanned(InTransit, "b"))
        .then_nothing();
}

#[test]
fn a_parcel_seen_anywhere_was_fetched_before() {
    parcel([booked()])
        .when(record_scanned(InTransit, "b"))
        .then([picked_up("b"), scanned(InTransit, "b")]);
    parcel([booked()])
        .when(record_delivered())
        .then([picked_up("door"), delivered()]);
}

#[test]
fn a_parcel_is_called_off_only_before_it_is_fetched() {
    parcel([booked()]).when(call_off()).then([cancelled()]);
    parcel([booked(), cancelled()]).when(call_off()).then_nothing();
    parcel([booked(), picked_up("a")]).when(call_off()).then_nothing();
    for late in [
        record_picked_up("a"),
        record_scanned(InTransit, "a"),
        record_delivered(),
    ] {
        parcel([booked(), cancelled()])
            .when(late)
            .then_refused("shipment-cancelled");
    }
}

#[test]
fn a_seller_says_why_a_parcel_is_not_sent() {
    let cannot = |message: &str| ShipmentCommand::Cancel {
        reason: Some(Reason::new("cannot_send", message)),
    };
    let told = ShipmentCancelled {
        shipment_id: id(1),
        order_id: id(2),
        reason: Some(Reason::new("cannot_send", "The kiln broke.")),
    };
    parcel([booked()]).when(cannot("The kiln broke.")).then([told.into()]);
    parcel([booked()]).when(cannot("a\nb")).then_refused_fields(["reason"]);
}

#[test]
fn nonsense_is_refused() {
    parcel([booked()])
        .when(record_scanned(ParcelStatus::Delivered, "a"))
        .then_refused_fields(["status"]);
    parcel([booked()])
        .when(record_picked_up("a\nb"))
        .then_refused_fields(["location"]);
    given_nothing::<Shipment>()
        .when(record_delivered())
        .then_refused("shipment-not-found");
    given_nothing::<Shipment>()
        .when(call_off())
        .then_refused("shipment-not-found");
    let ShipmentCommand::Book {
        shipment_id, order_id, ..
    } = book()
    else {
        unreachable!()
    };
    let empty = ShipmentCommand::Book {
        shipment_id,
        order_id,
        carrier: String::new(),
        tracking_number: " ".to_owned(),
        seller_id: None,
        items: vec![],
        destination: String::new(),
        estimated_delivery: None,
    };
    given_nothing::<Shipment>()
        .when(empty)
        .then_refused_fields(["carrier", "tracking_number", "items"]);
}
