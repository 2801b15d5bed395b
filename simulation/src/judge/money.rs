//! Money: what the provider did is what the log says, both ways, and nobody pays for what was not sent.

use std::collections::BTreeMap;

use command_services::payments::{OperationKey, payment_of};
use domain::payment::OperationId;
use event_schemas::{
    OrderId, PaymentId, ShipmentId, ShopEvent,
    credit::CreditEvent,
    payment::{PaymentEvent, PaymentOperation},
    saga::SagaStatus,
};
use uuid::Uuid;

use crate::{
    carrier::Whereabouts,
    evidence::{Evidence, shares},
};

/// An operation of a payment, the part of the order it is for, and how much it moved.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Moved {
    payment_id: PaymentId,
    operation: PaymentOperation,
    part: Option<Uuid>,
    amount: i64,
}

/// What the log says was done.
fn told(evidence: &Evidence) -> Vec<Moved> {
    use PaymentOperation as Asked;
    let moved = |fact: &ShopEvent| {
        let ShopEvent::Payment(fact) = fact else { return None };
        let (payment_id, operation, part, amount) = match fact {
            PaymentEvent::PaymentAuthorised(e) => (e.payment_id, Asked::Authorise, None, e.amount),
            PaymentEvent::PaymentCaptured(e) => {
                let parcel = e.shipment_id.map(ShipmentId::uuid);
                (e.payment_id, Asked::Capture, parcel, e.amount)
            }
            PaymentEvent::PaymentVoided(e) => (e.payment_id, Asked::Void, None, e.amount),
            PaymentEvent::PaymentRefunded(e) => (e.payment_id, Asked::Refund, Some(e.refund_id.uuid()), e.amount),
            _ => return None,
        };
        Some(Moved {
            payment_id,
            operation,
            part,
            amount: amount.amount,
        })
    };
    evidence.facts().filter_map(|(_, fact)| moved(fact)).collect()
}

/// What the provider did, by the keys it was given.
fn done(evidence: &Evidence, found: &mut Vec<String>) -> Vec<Moved> {
    let mut done = vec![];
    for entry in &evidence.ledger {
        match entry.key.parse::<OperationKey>() {
            Ok(key) => done.push(Moved {
                payment_id: key.payment_id,
                operation: entry.operation,
                part: key.id.part,
                amount: entry.amount,
            }),
            Err(error) => found.push(format!("{error}: {entry:?}")),
        }
    }
    done
}

pub(super) fn ledger_is_the_log(evidence: &Evidence, found: &mut Vec<String>) {
    let mut done = done(evidence, found);
    for moved in told(evidence) {
        match done.iter().position(|one| *one == moved) {
            Some(index) => drop(done.swap_remove(index)),
            None => found.push(format!("the log says, the provider does not: {moved:?}")),
        }
    }
    for moved in done {
        found.push(format!("the provider did, the log does not say: {moved:?}"));
    }
}

/// What each parcel was paid with: captured from a card, or charged to credit.
fn paid(evidence: &Evidence) -> BTreeMap<ShipmentId, Vec<i64>> {
    let mut paid: BTreeMap<ShipmentId, Vec<i64>> = BTreeMap::new();
    for (_, fact) in evidence.facts() {
        let (shipment_id, amount) = match fact {
            ShopEvent::Payment(PaymentEvent::PaymentCaptured(e)) => (e.shipment_id, e.amount),
            ShopEvent::Credit(CreditEvent::CreditCharged(e)) => (Some(e.shipment_id), e.amount),
            _ => continue,
        };
        paid.entry(shipment_id.unwrap_or(ShipmentId::from_uuid(Uuid::nil())))
            .or_default()
            .push(amount.amount);
    }
    paid
}

fn was_fetched(evidence: &Evidence, shipment_id: ShipmentId) -> bool {
    let place = evidence.parcels.get(&shipment_id);
    place.is_some_and(|place| *place >= Whereabouts::Fetched)
}

pub(super) fn taken_only_if_picked_up(evidence: &Evidence, found: &mut Vec<String>) {
    for (shipment_id, amounts) in paid(evidence) {
        if !was_fetched(evidence, shipment_id) {
            found.push(format!("{amounts:?} for parcel {shipment_id}, which nobody fetched"));
        }
    }
}

pub(super) fn parcels_are_paid(evidence: &Evidence, found: &mut Vec<String>) {
    let (paid, sagas, settled) = (paid(evidence), evidence.sagas(), evidence.settled());
    for (order_id, placed) in evidence.orders() {
        let over = sagas
            .get(&order_id)
            .is_some_and(|saga| saga.status == SagaStatus::Completed);
        for (shipment_id, share) in shares(placed) {
            let amounts = paid.get(&shipment_id).map(Vec::as_slice).unwrap_or_default();
            let capture = OperationKey::new(payment_of(order_id), OperationId::capture(Some(shipment_id)));
            let owed = over && was_fetched(evidence, shipment_id) && !settled.contains(&capture.to_string());
            let as_due = amounts == [share] || (amounts.is_empty() && !owed);
            if !as_due {
                found.push(format!(
                    "order {order_id}: {amounts:?} of {share} for parcel {shipment_id}"
                ));
            }
        }
    }
}

pub(super) fn nothing_is_held(evidence: &Evidence, found: &mut Vec<String>) {
    let (orders, sagas) = (evidence.payments(), evidence.sagas());
    let mut held: BTreeMap<OrderId, i64> = BTreeMap::new();
    for moved in told(evidence) {
        let Some(order_id) = orders.get(&moved.payment_id) else {
            found.push(format!("payment {} is of no order", moved.payment_id));
            continue;
        };
        *held.entry(*order_id).or_default() += match moved.operation {
            PaymentOperation::Authorise => moved.amount,
            PaymentOperation::Capture | PaymentOperation::Void => -moved.amount,
            PaymentOperation::Refund => 0,
        };
    }
    for (_, fact) in evidence.facts() {
        let (order_id, amount) = match fact {
            ShopEvent::Credit(CreditEvent::CreditReserved(e)) => (e.order_id, e.amount.amount),
            ShopEvent::Credit(CreditEvent::CreditCharged(e)) => (e.order_id, -e.amount.amount),
            ShopEvent::Credit(CreditEvent::CreditReleased(e)) => (e.order_id, -e.amount.amount),
            _ => continue,
        };
        *held.entry(order_id).or_default() += amount;
    }
    let settled = evidence.settled();
    for (order_id, saga) in sagas {
        let of_order = format!("{}/", payment_of(order_id));
        if settled.iter().any(|key| key.starts_with(&of_order)) {
            // What of it is still set aside is no business of the shop's any more.
            continue;
        }
        let held = held.get(&order_id).copied().unwrap_or_default();
        let over = matches!(saga.status, SagaStatus::Completed | SagaStatus::Compensated);
        if held < 0 || (over && held != 0) {
            found.push(format!("order {order_id} is {:?} and holds {held}", saga.status));
        }
    }
    let paid = paid(evidence);
    for (order_id, placed) in evidence.orders() {
        let off = evidence
            .sagas()
            .get(&order_id)
            .is_some_and(|saga| saga.status == SagaStatus::Compensated);
        if off && shares(placed).keys().any(|shipment_id| paid.contains_key(shipment_id)) {
            found.push(format!("order {order_id} is undone, and paid"));
        }
    }
}
