//! Several sellers, several parcels: shipped, dropped and called off side by side.

use event_schemas::{Money, order::OrderEvent};

use super::*;
use crate::step_key;

pub(super) fn two_sellers() -> Tell {
    told_of(Script {
        sellers: 2,
        ..Script::default()
    })
}

/// Two parcels, booked.
pub(super) fn booked(t: Tell) -> Told {
    given(&[
        t.placed(),
        t.reserved(),
        t.authorised(),
        t.confirmed(),
        t.booked(0),
        t.booked(1),
    ])
}

impl Told {
    #[track_caller]
    pub(super) fn tells(&mut self, event: ShopEvent, status: SagaStatus, step: &str, asks: &[&str]) {
        self.when(&event);
        self.then(status, step, asks);
    }

    pub(super) fn asked(&self) -> Vec<String> {
        let asks = &self.last.as_ref().unwrap().directives;
        asks.iter().map(|ask| step_key(ask).into_owned()).collect()
    }
}

pub(super) fn step(name: &str, t: Tell, n: usize) -> String {
    format!("{name} {}", t.shipment_id(n))
}

#[test]
fn each_seller_has_a_parcel_and_each_parcel_its_share() {
    let t = two_sellers();
    let mut told = given(&[t.placed(), t.reserved(), t.authorised(), t.confirmed()]);
    assert_eq!(told.asked(), [step("book_shipment", t, 0), step("book_shipment", t, 1)]);
    told.tells(t.booked(1), Running, "book_shipment", &[]);
    told.tells(t.booked(0), Running, "pick_up", &[]);
    told.tells(t.picked_up(1), Running, "mark_order_shipped", &["mark_order_shipped"]);
    told.when(&t.shipped(1));
    assert_eq!(told.asked(), [step("capture_payment", t, 1), step("issue_stock", t, 1)]);
    let ServiceCommand::CapturePayment { amount, .. } = told.last.as_ref().unwrap().directives[0] else {
        panic!("{:?}", told.asked())
    };
    assert_eq!(amount, Some(Money::krw(43_000)), "one piece of the second seller");
    told.tells(t.captured(Some(t.shipment_id(1))), Running, "issue_stock", &[]);
    told.tells(t.issued(Some(t.shipment_id(1))), Running, "pick_up", &[]);
    told.tells(t.parcel_delivered(1), Running, "pick_up", &[]);
    told.when(&t.picked_up(0));
    assert_eq!(told.asked(), [step("capture_payment", t, 0), step("issue_stock", t, 0)]);
    for event in [t.captured(Some(t.shipment_id(0))), t.issued(Some(t.shipment_id(0)))] {
        told.when(&event);
    }
    told.tells(
        t.parcel_delivered(0),
        Running,
        "mark_order_delivered",
        &["mark_order_delivered"],
    );
    told.tells(t.delivered(), Completed, "nothing", &[]);
}

#[test]
fn a_parcel_that_is_not_sent_is_dropped_and_its_money_never_taken() {
    let t = two_sellers();
    let mut told = booked(t);
    told.when(&t.dropped_by_seller(0));
    assert_eq!(
        told.asked(),
        [step("cancel_order_items", t, 0), step("release_stock", t, 0)]
    );
    let ServiceCommand::CancelOrderItems {
        items, amount, reason, ..
    } = &told.last.as_ref().unwrap().directives[0]
    else {
        panic!()
    };
    assert_eq!(
        (items.len(), *amount, reason.code.as_str()),
        (2, Money::krw(129_000), "broken")
    );
    told.tells(t.items_cancelled(0), Running, "release_stock", &[]);
    told.tells(t.released(Some(t.shipment_id(0))), Running, "pick_up", &[]);
    told.tells(t.picked_up(1), Running, "mark_order_shipped", &["mark_order_shipped"]);
    told.tells(
        t.shipped(1),
        Running,
        "capture_payment",
        &["capture_payment", "issue_stock"],
    );
    // What was set aside for the first parcel goes back as soon as nothing is to be taken any more.
    told.tells(
        t.captured(Some(t.shipment_id(1))),
        Running,
        "issue_stock",
        &["void_payment"],
    );
    told.tells(t.voided(), Running, "issue_stock", &[]);
    told.tells(t.issued(Some(t.shipment_id(1))), Running, "delivery", &[]);
    assert_eq!(told.last.as_ref().unwrap().reason, None);
    told.tells(
        t.parcel_delivered(1),
        Running,
        "mark_order_delivered",
        &["mark_order_delivered"],
    );
    told.tells(t.delivered(), Completed, "nothing", &[]);
}

#[test]
fn an_order_none_of_whose_parcels_is_sent_is_cancelled_and_undone() {
    let t = two_sellers();
    let mut told = booked(t);
    told.when(&t.dropped_by_seller(1));
    told.tells(t.dropped_by_seller(0), Running, "cancel_order", &["cancel_order"]);
    told.tells(t.cancelled(), Compensating, "void_payment", &["void_payment"]);
    told.tells(t.voided(), Compensating, "release_stock", &["release_stock"]);
    told.tells(t.released(None), Compensated, "nothing", &[]);
}

#[test]
fn a_cancel_calls_every_parcel_off_before_the_order_is_cancelled() {
    let t = two_sellers();
    let mut told = booked(t);
    told.when(&t.cancellation_requested());
    assert_eq!(
        told.asked(),
        [step("cancel_shipment", t, 0), step("cancel_shipment", t, 1)]
    );
    told.tells(t.called_off(1), Running, "cancel_shipment", &[]);
    told.tells(t.called_off(0), Running, "cancel_order", &["cancel_order"]);
    told.tells(t.cancelled(), Compensating, "void_payment", &["void_payment"]);
    told.tells(t.voided(), Compensating, "release_stock", &["release_stock"]);
    told.tells(t.released(None), Compensated, "nothing", &[]);

    // While a carrier is being asked, its answer is waited for.
    let mut told = given(&[t.placed(), t.reserved(), t.authorised(), t.confirmed(), t.booked(0)]);
    told.tells(
        t.cancellation_requested(),
        Running,
        "cancel_shipment",
        &["cancel_shipment"],
    );
    told.when(&t.called_off(0));
    told.tells(t.booked(1), Running, "cancel_shipment", &["cancel_shipment"]);
}

#[test]
fn a_carrier_that_was_faster_wins_and_what_was_called_off_is_dropped() {
    let t = two_sellers();
    let mut told = booked(t);
    told.when(&t.cancellation_requested());
    told.tells(t.called_off(1), Running, "cancel_shipment", &[]);
    told.when(&t.picked_up(0));
    let drop = [step("cancel_order_items", t, 1), step("release_stock", t, 1)];
    assert_eq!(
        told.asked(),
        ["mark_order_shipped".to_owned(), drop[0].clone(), drop[1].clone()]
    );
    told.when(&t.shipped(0));
    let settle = [step("capture_payment", t, 0), step("issue_stock", t, 0)];
    assert_eq!(
        told.asked(),
        [settle[0].clone(), settle[1].clone(), "deny_cancellation".to_owned()]
    );
    let captured = t.captured(Some(t.shipment_id(0)));
    told.tells(captured, Running, "issue_stock", &["void_payment"]);
    told.when(&t.cancellation_denied());
    for event in [
        t.voided(),
        t.issued(Some(t.shipment_id(0))),
        t.released(Some(t.shipment_id(1))),
        t.items_cancelled(1),
        t.parcel_delivered(0),
    ] {
        told.when(&event);
    }
    told.tells(t.delivered(), Completed, "nothing", &[]);
}

#[test]
fn a_parcel_that_was_to_be_called_off_is_asked_about_until_it_is_known() {
    let t = two_sellers();
    let mut told = booked(t);
    for event in [
        t.cancellation_requested(),
        t.picked_up(0),
        t.shipped(0),
        t.cancellation_denied(),
    ] {
        told.when(&event);
    }
    // The carrier may have called it off, and its answer may be lost.
    told.time_out(None);
    assert!(
        told.asked().contains(&step("cancel_shipment", t, 1)),
        "{:?}",
        told.asked()
    );
    told.when(&t.picked_up(1));
    told.time_out(None);
    assert!(
        !told.asked().contains(&step("cancel_shipment", t, 1)),
        "{:?}",
        told.asked()
    );
}

#[test]
fn an_order_is_delivered_only_when_it_knows_what_was_not_sent() {
    let t = two_sellers();
    let mut told = booked(t);
    for event in [
        t.dropped_by_seller(1),
        t.picked_up(0),
        t.shipped(0),
        t.parcel_delivered(0),
    ] {
        told.when(&event);
    }
    told.time_out(None);
    assert!(
        !told.asked().contains(&"mark_order_delivered".to_owned()),
        "{:?}",
        told.asked()
    );
    told.when(&t.items_cancelled(1));
    assert_eq!(told.asked(), ["mark_order_delivered"]);
}

#[test]
fn a_seller_and_a_customer_who_give_up_at_once_are_told_their_own_reasons() {
    let t = two_sellers();
    let mut told = booked(t);
    told.when(&t.cancellation_requested());
    told.when(&t.dropped_by_seller(0));
    told.when(&t.called_off(1));
    let ServiceCommand::CancelOrder { reason, .. } = &told.last.as_ref().unwrap().directives[0] else {
        panic!("{:?}", told.asked())
    };
    let ShopEvent::Order(OrderEvent::OrderCancellationRequested(wish)) = t.cancellation_requested() else {
        panic!()
    };
    assert_eq!(*reason, wish.reason);
}
