//! Orders: one fate each, and what was promised.

use event_schemas::{OrderId, ShopEvent, returns::ReturnEvent, saga::SagaStatus};

use crate::{
    customers::Promise,
    evidence::{Evidence, standing},
};

pub(super) fn every_saga_is_over(evidence: &Evidence, found: &mut Vec<String>) {
    found.extend(evidence.restless());
}

pub(super) fn sagas_tell_the_truth(evidence: &Evidence, found: &mut Vec<String>) {
    let types = evidence.order_types();
    for (order_id, saga) in evidence.sagas() {
        let own = types.get(&order_id).map(Vec::as_slice).unwrap_or_default();
        let true_word = match saga.status {
            SagaStatus::Completed => own.contains(&"OrderDelivered"),
            SagaStatus::Compensated => own.contains(&"OrderRejected") || own.contains(&"OrderCancelled"),
            _ => true,
        };
        if !true_word {
            found.push(format!("order {order_id} is {own:?}, its saga {}", standing(saga)));
        }
    }
}

pub(super) fn promises_are_kept(evidence: &Evidence, found: &mut Vec<String>) {
    let (orders, types) = (evidence.orders(), evidence.order_types());
    for promise in &evidence.promises {
        match *promise {
            Promise::Placed { order_id, command_id } => {
                if OrderId::derived(command_id, "order") != order_id || !orders.contains_key(&order_id) {
                    found.push(format!("order {order_id} was promised and is nowhere"));
                }
            }
            Promise::Cancelled { order_id, at_once } => {
                let own = types.get(&order_id).map(Vec::as_slice).unwrap_or_default();
                let ends = own
                    .iter()
                    .filter(|own| ["OrderCancelled", "OrderCancellationDenied"].contains(own));
                let kept = ends.count() == 1 && (!at_once || own.contains(&"OrderCancelled"));
                if !kept {
                    found.push(format!("order {order_id} was to be cancelled, and is {own:?}"));
                }
            }
            Promise::TakenBack { order_id, return_id } => {
                let requested = |event: &ReturnEvent| matches!(event, ReturnEvent::ReturnRequested(e) if e.return_id == return_id && e.order_id == order_id);
                if returned(evidence, requested) != 1 {
                    found.push(format!("return {return_id} was promised"));
                }
            }
            Promise::Inspected { return_id, pieces } => {
                let settled = |event: &ReturnEvent| match event {
                    ReturnEvent::ReturnInspected(e) if e.return_id == return_id => {
                        e.accepted.iter().map(|item| item.quantity).sum::<u32>() == pieces
                    }
                    ReturnEvent::ReturnRefused(e) => e.return_id == return_id && pieces == 0,
                    _ => false,
                };
                if returned(evidence, settled) != 1 {
                    found.push(format!("{pieces} pieces of return {return_id} were accepted"));
                }
            }
        }
    }
}

/// How many events of returns are like this.
fn returned(evidence: &Evidence, like: impl Fn(&ReturnEvent) -> bool) -> usize {
    let like = |fact: &ShopEvent| matches!(fact, ShopEvent::Returns(event) if like(event));
    evidence.facts().filter(|(_, fact)| like(fact)).count()
}

pub(super) fn one_fate(evidence: &Evidence, found: &mut Vec<String>) {
    const ONCE: [&str; 8] = [
        "OrderPlaced",
        "OrderConfirmed",
        "OrderShipped",
        "OrderDelivered",
        "OrderRejected",
        "OrderCancelled",
        "OrderCancellationRequested",
        "OrderCancellationDenied",
    ];
    for (order_id, own) in evidence.order_types() {
        for once in ONCE {
            if own.iter().filter(|own| **own == once).count() > 1 {
                found.push(format!("order {order_id}: {once} more than once in {own:?}"));
            }
        }
        let fates = ["OrderShipped", "OrderRejected", "OrderCancelled"];
        if fates.iter().filter(|fate| own.contains(fate)).count() > 1 {
            found.push(format!("order {order_id} has more than one fate: {own:?}"));
        }
    }
}
