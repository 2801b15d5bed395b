mod parts;

use event_schemas::{order::PaymentMethod, payment::PaymentAuthorisationRequested};

use super::*;
use crate::testing::{
    Given, given, given_nothing,
    samples::{card, id, reason},
};

const AMOUNT: Money = Money::krw(263_000);

fn authorisation_requested() -> PaymentEvent {
    PaymentAuthorisationRequested {
        payment_id: id(1),
        order_id: id(2),
        amount: AMOUNT,
        method: card(),
    }
    .into()
}
fn authorised() -> PaymentEvent {
    PaymentAuthorised {
        payment_id: id(1),
        order_id: id(2),
        amount: AMOUNT,
        provider_reference: "auth-7".to_owned(),
    }
    .into()
}
fn declined() -> PaymentEvent {
    PaymentDeclined {
        payment_id: id(1),
        order_id: id(2),
        reason: reason(),
    }
    .into()
}
fn capture_requested() -> PaymentEvent {
    PaymentCaptureRequested {
        shipment_id: None,
        payment_id: id(1),
        order_id: id(2),
        amount: AMOUNT,
    }
    .into()
}
fn captured() -> PaymentEvent {
    PaymentCaptured {
        shipment_id: None,
        payment_id: id(1),
        order_id: id(2),
        amount: AMOUNT,
    }
    .into()
}
fn void_requested() -> PaymentEvent {
    PaymentVoidRequested {
        payment_id: id(1),
        order_id: id(2),
    }
    .into()
}
fn voided() -> PaymentEvent {
    PaymentVoided {
        payment_id: id(1),
        order_id: id(2),
        amount: AMOUNT,
    }
    .into()
}
fn unknown(operation: PaymentOperation) -> PaymentEvent {
    PaymentOutcomeUnknown {
        part: None,
        payment_id: id(1),
        order_id: id(2),
        operation,
        detail: "timed out".to_owned(),
    }
    .into()
}

fn request_authorisation(amount: Money, method: PaymentMethod) -> PaymentCommand {
    PaymentCommand::RequestAuthorisation {
        payment_id: id(1),
        order_id: id(2),
        amount,
        method,
    }
}
fn record_authorised() -> PaymentCommand {
    PaymentCommand::RecordHappened {
        id: OperationId::AUTHORISE,
        provider_reference: "auth-7".to_owned(),
    }
}
fn record_declined() -> PaymentCommand {
    PaymentCommand::RecordRefused {
        id: OperationId::AUTHORISE,
        reason: reason(),
    }
}
fn record_unknown(operation: PaymentOperation) -> PaymentCommand {
    PaymentCommand::RecordUnknown {
        id: OperationId { operation, part: None },
        detail: "timed out".to_owned(),
    }
}

fn request_capture() -> PaymentCommand {
    PaymentCommand::RequestCapture {
        shipment_id: None,
        amount: None,
    }
}
fn record(id: OperationId) -> PaymentCommand {
    PaymentCommand::RecordHappened {
        id,
        provider_reference: "auth-7".to_owned(),
    }
}
fn record_captured() -> PaymentCommand {
    record(OperationId::capture(None))
}
fn record_voided() -> PaymentCommand {
    record(OperationId::VOID)
}

fn payment(events: impl IntoIterator<Item = PaymentEvent>) -> Given<Payment> {
    given(events)
}
fn authorising() -> Given<Payment> {
    payment([authorisation_requested()])
}
fn set_aside() -> Given<Payment> {
    payment([authorisation_requested(), authorised()])
}
fn capturing() -> Given<Payment> {
    payment([authorisation_requested(), authorised(), capture_requested()])
}
fn voiding() -> Given<Payment> {
    payment([authorisation_requested(), authorised(), void_requested()])
}
fn taken() -> Given<Payment> {
    payment([authorisation_requested(), authorised(), capture_requested(), captured()])
}
fn given_back() -> Given<Payment> {
    payment([authorisation_requested(), authorised(), void_requested(), voided()])
}
fn refused() -> Given<Payment> {
    payment([authorisation_requested(), declined()])
}

fn progress(payment: &Given<Payment>, id: OperationId) -> Option<Progress> {
    payment.0.operation(id).map(|operation| operation.progress)
}

#[test]
fn money_is_set_aside_and_then_taken() {
    given_nothing::<Payment>()
        .when(request_authorisation(AMOUNT, card()))
        .then([authorisation_requested()]);
    authorising().when(record_authorised()).then([authorised()]);
    set_aside().when(request_capture()).then([capture_requested()]);
    capturing().when(record_captured()).then([captured()]);
}

#[test]
fn money_is_set_aside_and_then_given_back() {
    set_aside().when(PaymentCommand::RequestVoid).then([void_requested()]);
    voiding().when(record_voided()).then([voided()]);
}

#[test]
fn a_declined_payment_ends_there() {
    authorising().when(record_declined()).then([declined()]);
    refused().when(request_capture()).then_refused("payment-declined");
    refused()
        .when(PaymentCommand::RequestVoid)
        .then_refused("payment-declined");
}

#[test]
fn what_was_done_before_is_not_done_again() {
    for payment in [authorising(), set_aside(), taken(), given_back(), refused()] {
        payment.when(request_authorisation(AMOUNT, card())).then_nothing();
    }
    for payment in [set_aside(), capturing(), taken(), voiding(), given_back()] {
        payment.when(record_authorised()).then_nothing();
    }
    refused().when(record_declined()).then_nothing();
    for payment in [capturing(), taken()] {
        payment.when(request_capture()).then_nothing();
    }
    taken().when(record_captured()).then_nothing();
    for payment in [voiding(), given_back()] {
        payment.when(PaymentCommand::RequestVoid).then_nothing();
    }
    given_back().when(record_voided()).then_nothing();
}

#[test]
fn money_is_either_taken_or_given_back() {
    for payment in [capturing(), taken()] {
        payment
            .when(PaymentCommand::RequestVoid)
            .then_refused("payment-captured");
    }
    for payment in [voiding(), given_back()] {
        payment.when(request_capture()).then_refused("payment-voided");
    }
    authorising()
        .when(PaymentCommand::RequestVoid)
        .then_refused("payment-in-flight");
    authorising().when(request_capture()).then_refused("payment-in-flight");
}

#[test]
fn an_answer_to_what_was_not_asked_is_refused() {
    authorising()
        .when(record_captured())
        .then_refused("payment-operation-not-requested");
    set_aside()
        .when(record_voided())
        .then_refused("payment-operation-not-requested");
    refused()
        .when(record_authorised())
        .then_refused("payment-outcome-contradicts");
    set_aside()
        .when(record_declined())
        .then_refused("payment-outcome-contradicts");
}

#[test]
fn a_lost_answer_is_said_once_and_then_found_out() {
    use PaymentOperation::{Authorise, Capture, Void};
    authorising().when(record_unknown(Authorise)).then([unknown(Authorise)]);
    let in_doubt = payment([authorisation_requested(), unknown(Authorise)]);
    assert_eq!(progress(&in_doubt, OperationId::AUTHORISE), Some(Progress::Unknown));
    in_doubt.when(record_unknown(Authorise)).then_nothing();
    in_doubt
        .when(PaymentCommand::RequestVoid)
        .then_refused("payment-in-flight");
    in_doubt.when(record_authorised()).then([authorised()]);
    in_doubt.when(record_declined()).then([declined()]);

    capturing().when(record_unknown(Capture)).then([unknown(Capture)]);
    voiding().when(record_unknown(Void)).then([unknown(Void)]);
    taken().when(record_unknown(Capture)).then_nothing();
    set_aside().when(record_unknown(Authorise)).then_nothing();
    set_aside()
        .when(record_unknown(Capture))
        .then_refused("payment-operation-not-requested");

    let found_out = payment([authorisation_requested(), unknown(Authorise), authorised()]);
    assert_eq!(progress(&found_out, OperationId::AUTHORISE), Some(Progress::Happened));
}

#[test]
fn a_payment_is_of_some_money_by_card() {
    let mut cheque = card();
    cheque.method = "cheque".to_owned();
    given_nothing::<Payment>()
        .when(request_authorisation(Money::krw(0), cheque))
        .then_refused_fields(["method.method", "amount.amount"]);
}

#[test]
fn nothing_can_be_asked_of_a_payment_that_was_never_requested() {
    for command in [record_authorised(), request_capture(), PaymentCommand::RequestVoid] {
        given_nothing::<Payment>()
            .when(command)
            .then_refused("payment-not-found");
    }
}
