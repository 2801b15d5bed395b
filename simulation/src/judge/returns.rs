//! Returns: what was found acceptable is paid back, and what can be sold again is back on the shelf, each once.

use event_schemas::{
    ReturnId, ShopEvent, credit::CreditEvent, payment::PaymentEvent, returns::ReturnEvent, saga::SagaStatus,
    stock::ReservationEvent,
};

use crate::evidence::Evidence;

pub(super) fn paid_back_once(evidence: &Evidence, found: &mut Vec<String>) {
    let (sagas, settled_keys) = (evidence.return_sagas(), evidence.settled());
    let settled = |return_id: ReturnId| {
        let refund = format!("/refund/{return_id}");
        settled_keys.iter().any(|key| key.ends_with(&refund))
    };
    for (return_id, inspected) in evidence.inspected() {
        if evidence.waits_for_a_person(return_id) && outcome(evidence, return_id) == (vec![], vec![], 0) {
            continue;
        }
        let saga = sagas.get(&return_id).map(|saga| saga.status);
        let mut resellable: Vec<_> = inspected
            .resellable
            .iter()
            .map(|line| (line.product_id, line.quantity))
            .collect();
        resellable.sort_unstable();
        let on_shelf = if resellable.is_empty() {
            vec![]
        } else {
            vec![resellable]
        };
        let (refunds, returned, completed) = outcome(evidence, return_id);
        let paid_back = refunds == [inspected.refund.amount] || (refunds.is_empty() && settled(return_id));
        let as_due = paid_back && returned == on_shelf && completed == 1;
        if !as_due || saga != Some(SagaStatus::Completed) {
            found.push(format!(
                "return {return_id} is {saga:?}: {inspected:?}, paid back {refunds:?}, on the shelf {returned:?}, completed {completed} times"
            ));
        }
    }
}

/// So many pieces of each product.
type Pieces = Vec<(event_schemas::ProductId, u32)>;

/// What was paid back, what came back to the shelf, and how often it was called complete.
fn outcome(evidence: &Evidence, return_id: ReturnId) -> (Vec<i64>, Vec<Pieces>, usize) {
    let (mut refunds, mut returned, mut completed) = (vec![], vec![], 0);
    for (_, fact) in evidence.facts() {
        match fact {
            ShopEvent::Payment(PaymentEvent::PaymentRefunded(e)) if e.refund_id.uuid() == return_id.uuid() => {
                refunds.push(e.amount.amount);
            }
            ShopEvent::Credit(CreditEvent::CreditRefunded(e)) if e.refund_id.uuid() == return_id.uuid() => {
                refunds.push(e.amount.amount);
            }
            ShopEvent::Reservation(ReservationEvent::StockReturned(e)) if e.return_id == return_id => {
                let mut lines: Vec<_> = e.lines.iter().map(|line| (line.product_id, line.quantity)).collect();
                lines.sort_unstable();
                returned.push(lines);
            }
            ShopEvent::Returns(ReturnEvent::ReturnCompleted(e)) if e.return_id == return_id => completed += 1,
            _ => {}
        }
    }
    (refunds, returned, completed)
}
