//! What the simulation found, each as a short story.

use super::*;
use crate::step_key;

fn two_parcels(further: &[fn(Tell) -> ShopEvent]) -> (Tell, Told) {
    let t = told_of(Script {
        sellers: 2,
        ..Script::default()
    });
    let mut events = vec![t.placed(), t.reserved(), t.authorised(), t.confirmed()];
    events.extend([t.booked(0), t.booked(1)]);
    events.extend(further.iter().map(|event| event(t)));
    (t, given(&events))
}

fn outstanding(told: &Told) -> Vec<String> {
    let asks = told.saga.outstanding(told.state.as_ref().unwrap());
    asks.iter().map(|ask| step_key(ask).into_owned()).collect()
}

/// Seed 1845: the carrier called the parcel off and its answer was lost; a denied cancellation must not forget it.
#[test]
fn a_parcel_that_is_being_called_off_is_asked_about_until_it_is_known() {
    let (t, mut told) = two_parcels(&[
        Tell::cancellation_requested,
        |t| t.picked_up(1),
        |t| t.shipped(1),
        Tell::cancellation_denied,
    ]);
    let call_off = format!("cancel_shipment {}", t.shipment_id(0));
    assert!(outstanding(&told).contains(&call_off), "{:?}", outstanding(&told));
    told.when(&t.called_off(0));
    let drop = format!("cancel_order_items {}", t.shipment_id(0));
    let asks = outstanding(&told);
    assert!(asks.contains(&drop) && !asks.contains(&call_off), "{asks:?}");
}

/// Seed 903: an order that was delivered before it knew what was not sent took goods back that had never left.
#[test]
fn an_order_is_delivered_only_when_it_knows_what_was_not_sent() {
    let (t, mut told) = two_parcels(&[
        |t| t.dropped_by_seller(0),
        |t| t.picked_up(1),
        |t| t.shipped(1),
        |t| t.captured(Some(t.shipment_id(1))),
        |t| t.issued(Some(t.shipment_id(1))),
        |t| t.released(Some(t.shipment_id(0))),
        Tell::voided,
        |t| t.parcel_delivered(1),
    ]);
    assert_eq!(outstanding(&told), [format!("cancel_order_items {}", t.shipment_id(0))]);
    told.when(&t.items_cancelled(0));
    assert_eq!(outstanding(&told), ["mark_order_delivered"]);
}
