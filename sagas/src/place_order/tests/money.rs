//! Money by parcel and on credit, reservations that expire, and what an operator settles.

use event_schemas::{payment::PaymentOperation, repair::RepairCaseResolved};

use super::{
    parcels::{booked, step, two_sellers},
    *,
};
use crate::world::EXPIRY;

#[test]
fn an_unknown_capture_holds_up_no_other_parcel() {
    let t = two_sellers();
    let mut told = booked(t);
    let part = Some(t.shipment_id(0));
    for event in [t.picked_up(0), t.picked_up(1), t.shipped(0)] {
        told.when(&event);
    }
    told.when(&t.unknown(PaymentOperation::Capture, part));
    assert_eq!(told.last.as_ref().unwrap().status, OutcomeUnknown);
    assert_eq!(told.asked(), [step("inquire_capture", t, 0)]);
    told.when(&t.captured(Some(t.shipment_id(1))));
    assert_eq!(
        told.last.as_ref().unwrap().status,
        OutcomeUnknown,
        "the first is still unknown"
    );
    told.when(&t.captured(part));
    assert_eq!(told.last.as_ref().unwrap().status, Running);
}

#[test]
fn on_credit_the_limit_is_reserved_and_each_parcel_charged() {
    let t = told_of(Script {
        invoice: true,
        ..Script::default()
    });
    let mut told = given(&[t.placed(), t.reserved()]);
    told.then(Running, "reserve_credit", &["reserve_credit"]);
    told.tells(t.authorised(), Running, "confirm_order", &["confirm_order"]);
    for event in [t.confirmed(), t.booked(0), t.picked_up(0)] {
        told.when(&event);
    }
    told.tells(
        t.shipped(0),
        Running,
        "charge_credit",
        &["charge_credit", "issue_stock"],
    );
    told.tells(t.captured(Some(t.shipment_id(0))), Running, "issue_stock", &[]);

    let mut beyond = given(&[t.placed(), t.reserved(), t.declined()]);
    beyond.then(Compensating, "release_stock", &["release_stock"]);
    beyond.tells(t.released(None), Compensating, "reject_order", &["reject_order"]);
    assert!(
        beyond
            .last
            .unwrap()
            .reason
            .unwrap()
            .starts_with("credit_limit_exceeded: ")
    );

    let mut cancelled = given(&[t.placed(), t.reserved(), t.authorised(), t.cancelled()]);
    cancelled.then(Compensating, "release_credit", &["release_credit"]);
    cancelled.tells(t.voided(), Compensating, "release_stock", &["release_stock"]);
}

#[test]
fn an_order_that_is_not_confirmed_in_time_is_undone() {
    let t = told_of(Script {
        expires: true,
        ..Script::default()
    });
    // Before the money is known: first it is known, then it is undone.
    let unknown = t.unknown(PaymentOperation::Authorise, None);
    let mut told = given(&[t.placed(), t.reserved(), unknown]);
    told.now = EXPIRY;
    told.time_out(None);
    told.then(OutcomeUnknown, "inquire_authorisation", &[]);
    told.tells(t.authorised(), Compensating, "reject_order", &["reject_order"]);
    assert!(
        told.last
            .as_ref()
            .unwrap()
            .reason
            .as_ref()
            .unwrap()
            .starts_with("reservation_expired: ")
    );
    told.tells(
        t.rejected(Reason::new("reservation_expired", "")),
        Compensating,
        "void_payment",
        &["void_payment"],
    );
    told.tells(t.voided(), Compensating, "release_stock", &["release_stock"]);
    told.tells(t.released(None), Compensated, "nothing", &[]);

    // While the confirmation is on its way the order decides, and nothing is undone before.
    let mut told = given(&[t.placed(), t.reserved(), t.authorised()]);
    told.now = EXPIRY;
    told.time_out(None);
    told.then(Compensating, "reject_order", &["reject_order"]);
    told.tells(t.confirmed(), Running, "book_shipment", &["book_shipment"]);
    assert_eq!(told.last.unwrap().reason, None);
}

#[test]
fn the_first_to_end_of_patience_and_reservation_wakes_the_saga() {
    let t = told_of(Script {
        expires: true,
        ..Script::default()
    });
    let mut told = given(&[t.placed(), t.reserved()]);
    told.now = EXPIRY.plus_millis(-1);
    told.time_out(None);
    assert_eq!(told.last.as_ref().unwrap().wake_at, Some(EXPIRY));
    for event in [t.authorised(), t.confirmed()] {
        told.when(&event);
    }
    told.now = EXPIRY.plus_millis(1);
    told.when(&t.booked(0));
    told.then(Running, "pick_up", &[]);
}

#[test]
fn a_refused_capture_calls_an_operator_who_tries_again_or_settles_it() {
    let t = two_sellers();
    let part = Some(t.shipment_id(0));
    let refused = || {
        let mut told = booked(t);
        for event in [t.picked_up(0), t.shipped(0)] {
            told.when(&event);
        }
        told.tells(t.refused(PaymentOperation::Capture, part), Stuck, "issue_stock", &[]);
        let reason = told.last.as_ref().unwrap().reason.clone().unwrap();
        assert_eq!(reason, "the payment provider refuses: The authorisation expired.");
        told.tells(t.issued(part), Stuck, "operator", &[]);
        told.when(&t.picked_up(1));
        assert_eq!(
            told.asked()[0],
            step("capture_payment", t, 1),
            "the other parcel goes on"
        );
        told
    };
    let mut told = refused();
    told.when(&t.retry("place_order"));
    assert!(
        told.asked().contains(&step("inquire_capture", t, 0)),
        "{:?}",
        told.asked()
    );
    told.when(&t.captured(part));
    assert_eq!(told.last.as_ref().unwrap().status, Running);

    let mut told = refused();
    let settled = |key: &str| {
        ShopEvent::RepairCase(
            RepairCaseResolved {
                case_id: event_schemas::RepairCaseId::derived(Uuid::nil(), key),
                resolution: "The customer paid in cash.".to_owned(),
                order_id: Some(t.order_id),
                key: Some(key.to_owned()),
            }
            .into(),
        )
    };
    told.when(&settled(&format!("{}/capture/{}", t.payment_id(), t.shipment_id(1))));
    told.then_nothing();
    told.when(&settled(&format!("{}/capture/{}", t.payment_id(), t.shipment_id(0))));
    assert_eq!(told.last.as_ref().unwrap().status, Running);
}

#[test]
fn a_retry_asks_again_at_once_where_there_is_anything_to_ask() {
    let t = tell();
    let mut told = given(&[t.placed()]);
    told.when(&t.retry("place_order"));
    told.then_nothing();
    for _ in 0..Policy::default().attempts {
        told.time_out(None);
    }
    told.then(Stuck, "reserve_stock", &["reserve_stock"]);
    told.tells(t.retry("place_order"), Running, "reserve_stock", &["reserve_stock"]);
    let mut over = given(&happy_path());
    over.when(&t.retry("place_order"));
    over.then_nothing();
    let saga = PlaceOrder::default();
    assert_eq!(saga.concerns(&t.retry("place_order")), Some(t.order_id.uuid()));
    assert_eq!(saga.concerns(&t.retry("return_goods")), None);
}
