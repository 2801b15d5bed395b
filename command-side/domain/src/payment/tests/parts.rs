//! Several captures, what is left over, and refunds.

use event_schemas::payment::{PaymentOperationRefused, PaymentRefundRequested, PaymentRefunded};

use super::*;

fn capture_of(parcel: u128, amount: i64) -> PaymentCommand {
    PaymentCommand::RequestCapture {
        shipment_id: Some(id(parcel)),
        amount: Some(Money::krw(amount)),
    }
}
fn parcel_requested(parcel: u128, amount: i64) -> PaymentEvent {
    PaymentCaptureRequested {
        payment_id: id(1),
        order_id: id(2),
        amount: Money::krw(amount),
        shipment_id: Some(id(parcel)),
    }
    .into()
}
fn parcel_captured(parcel: u128, amount: i64) -> PaymentEvent {
    PaymentCaptured {
        payment_id: id(1),
        order_id: id(2),
        amount: Money::krw(amount),
        shipment_id: Some(id(parcel)),
    }
    .into()
}
fn refund(number: u128, amount: i64) -> PaymentCommand {
    PaymentCommand::RequestRefund {
        refund_id: id(number),
        amount: Money::krw(amount),
    }
}
fn refund_requested(number: u128, amount: i64) -> PaymentEvent {
    PaymentRefundRequested {
        payment_id: id(1),
        order_id: id(2),
        refund_id: id(number),
        amount: Money::krw(amount),
    }
    .into()
}
fn refunded(number: u128, amount: i64) -> PaymentEvent {
    PaymentRefunded {
        payment_id: id(1),
        order_id: id(2),
        refund_id: id(number),
        amount: Money::krw(amount),
    }
    .into()
}
fn first_parcel() -> OperationId {
    OperationId::capture(Some(id(11)))
}
fn parcel_unknown() -> PaymentEvent {
    PaymentOutcomeUnknown {
        payment_id: id(1),
        order_id: id(2),
        operation: PaymentOperation::Capture,
        part: first_parcel().part,
        detail: "timed out".to_owned(),
    }
    .into()
}
fn capture_refused() -> PaymentEvent {
    PaymentOperationRefused {
        payment_id: id(1),
        order_id: id(2),
        operation: PaymentOperation::Capture,
        part: first_parcel().part,
        reason: reason(),
    }
    .into()
}
fn authorised_and(events: impl IntoIterator<Item = PaymentEvent>) -> Given<Payment> {
    payment([authorisation_requested(), authorised()].into_iter().chain(events))
}

#[test]
fn each_parcel_is_paid_for_on_its_own_and_the_rest_is_given_back() {
    set_aside()
        .when(capture_of(11, 200_000))
        .then([parcel_requested(11, 200_000)]);
    let one = authorised_and([parcel_requested(11, 200_000)]);
    one.when(capture_of(11, 200_000)).then_nothing();
    one.when(record(first_parcel())).then([parcel_captured(11, 200_000)]);
    one.when(capture_of(12, 60_000)).then([parcel_requested(12, 60_000)]);

    let taken = authorised_and([parcel_requested(11, 200_000), parcel_captured(11, 200_000)]);
    taken.when(PaymentCommand::RequestVoid).then([void_requested()]);
    let voiding = authorised_and([
        parcel_requested(11, 200_000),
        parcel_captured(11, 200_000),
        void_requested(),
    ]);
    let rest = PaymentVoided {
        payment_id: id(1),
        order_id: id(2),
        amount: Money::krw(63_000),
    };
    voiding.when(record_voided()).then([rest.into()]);
    voiding.when(capture_of(12, 1)).then_refused("payment-voided");
}

#[test]
fn never_more_is_taken_than_was_set_aside() {
    let one = authorised_and([parcel_requested(11, 200_000)]);
    one.when(capture_of(12, 63_001))
        .then_refused("payment-exceeds-authorisation");
    one.when(capture_of(12, 0))
        .then_refused("payment-exceeds-authorisation");
    let dollars = PaymentCommand::RequestCapture {
        shipment_id: Some(id(12)),
        amount: Some(Money::new(1, "USD".parse().unwrap())),
    };
    one.when(dollars).then_refused("payment-exceeds-authorisation");
    one.when(request_capture()).then([PaymentCaptureRequested {
        payment_id: id(1),
        order_id: id(2),
        amount: Money::krw(63_000),
        shipment_id: None,
    }
    .into()]);
}

#[test]
fn one_parcels_unknown_holds_up_the_void_and_no_other_parcel() {
    let in_doubt = authorised_and([parcel_requested(11, 200_000), parcel_unknown()]);
    in_doubt
        .when(PaymentCommand::RequestVoid)
        .then_refused("payment-in-flight");
    in_doubt
        .when(capture_of(12, 63_000))
        .then([parcel_requested(12, 63_000)]);
    in_doubt
        .when(record(first_parcel()))
        .then([parcel_captured(11, 200_000)]);
}

#[test]
fn what_was_taken_can_be_refunded_and_no_more() {
    let taken = authorised_and([parcel_requested(11, 200_000), parcel_captured(11, 200_000)]);
    taken.when(refund(21, 150_000)).then([refund_requested(21, 150_000)]);
    taken.when(refund(21, 200_001)).then_refused("payment-exceeds-captured");
    let returning = authorised_and([
        parcel_requested(11, 200_000),
        parcel_captured(11, 200_000),
        refund_requested(21, 150_000),
    ]);
    returning.when(refund(21, 150_000)).then_nothing();
    returning
        .when(refund(22, 50_001))
        .then_refused("payment-exceeds-captured");
    returning.when(refund(22, 50_000)).then([refund_requested(22, 50_000)]);
    returning
        .when(record(OperationId::refund(id(21))))
        .then([refunded(21, 150_000)]);
    set_aside().when(refund(21, 1)).then_refused("payment-exceeds-captured");
}

#[test]
fn money_in_doubt_cannot_be_refunded() {
    authorised_and([parcel_requested(11, 200_000), parcel_unknown()])
        .when(refund(21, 1))
        .then_refused("payment-exceeds-captured");
}

#[test]
fn a_refused_capture_is_for_an_operator_who_may_settle_it_after_all() {
    let asked = authorised_and([parcel_requested(11, 200_000)]);
    let refuse = PaymentCommand::RecordRefused {
        id: first_parcel(),
        reason: reason(),
    };
    asked.when(refuse.clone()).then([capture_refused()]);
    let stuck = authorised_and([parcel_requested(11, 200_000), capture_refused()]);
    stuck.when(refuse).then_nothing();
    stuck.when(capture_of(11, 200_000)).then_nothing();
    stuck.when(record(first_parcel())).then([parcel_captured(11, 200_000)]);
    // Not taken for certain: it may be given back.
    stuck.when(PaymentCommand::RequestVoid).then([void_requested()]);
}

#[test]
fn imported_history_tells_outcomes_alone() {
    let imported = payment([authorisation_requested(), authorised(), captured()]);
    assert_eq!(imported.0.stage(), Stage::Captured);
    assert_eq!(imported.0.captured(), AMOUNT.amount);
}
