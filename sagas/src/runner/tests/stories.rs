//! What orders meet.

use event_schemas::payment::PaymentOperation;

use crate::world::Script;

/// What an order meets, and when it is called off.
pub(super) type Story = (Script, Option<&'static str>);

/// What definition 1 of `place_order` could tell, too: `fixtures/place_order_1` holds what it told.
pub(super) fn stories() -> Vec<(&'static str, Story)> {
    let smooth = Script {
        from_cart: true,
        ..Script::default()
    };
    let lost = |operation| Script {
        answer_lost: Some((operation, 0)),
        ..Script::default()
    };
    let declined = Script {
        declined: true,
        ..Script::default()
    };
    vec![
        ("smooth", (smooth, None)),
        (
            "out of stock",
            (
                Script {
                    out_of_stock: true,
                    ..Script::default()
                },
                None,
            ),
        ),
        ("declined", (declined, None)),
        ("authorisation lost", (lost(PaymentOperation::Authorise), None)),
        (
            "decline lost",
            (
                Script {
                    answer_lost: Some((PaymentOperation::Authorise, 0)),
                    ..declined
                },
                None,
            ),
        ),
        ("capture lost", (lost(PaymentOperation::Capture), None)),
        ("cancelled at once", (smooth, Some("OrderPlaced"))),
        ("cancelled when reserved", (smooth, Some("StockReserved"))),
        ("cancelled when authorised", (smooth, Some("PaymentAuthorised"))),
        ("cancelled when confirmed", (smooth, Some("OrderConfirmed"))),
        ("cancelled when booked", (smooth, Some("ShipmentBooked"))),
        (
            "cancelled when unknown",
            (lost(PaymentOperation::Authorise), Some("PaymentOutcomeUnknown")),
        ),
        ("void lost", (lost(PaymentOperation::Void), Some("OrderConfirmed"))),
    ]
}

pub(super) fn all_stories() -> impl Iterator<Item = (&'static str, Story)> {
    stories().into_iter().chain(larger_stories())
}

/// Several sellers, and credit.
fn larger_stories() -> Vec<(&'static str, Story)> {
    let three = Script {
        sellers: 3,
        ..Script::default()
    };
    let invoice = Script {
        sellers: 2,
        invoice: true,
        ..Script::default()
    };
    let one_missing = |script| Script {
        cannot_send: Some(1),
        ..script
    };
    let capture_lost = Script {
        answer_lost: Some((PaymentOperation::Capture, 1)),
        ..three
    };
    let void_lost = Script {
        answer_lost: Some((PaymentOperation::Void, 0)),
        ..one_missing(three)
    };
    let beyond = Script {
        declined: true,
        ..invoice
    };
    let only = Script {
        cannot_send: Some(0),
        ..Script::default()
    };
    vec![
        ("three parcels", (three, None)),
        ("three parcels, cancelled", (three, Some("ShipmentBooked"))),
        ("one of three is not sent", (one_missing(three), None)),
        ("one of three captures lost", (capture_lost, None)),
        ("void of the rest lost", (void_lost, None)),
        ("the only parcel is not sent", (only, None)),
        ("by invoice", (invoice, None)),
        ("by invoice, one not sent", (one_missing(invoice), None)),
        ("by invoice, cancelled", (invoice, Some("OrderConfirmed"))),
        ("beyond the credit limit", (beyond, None)),
    ]
}
