//! Repairs: what needs a human is said, and ends when the human has seen to it.

use std::collections::BTreeSet;

use command_services::payments::OperationKey;
use domain::payment::OperationId;
use event_schemas::{
    ShopEvent,
    payment::PaymentEvent,
    repair::{Discrepancy, RepairCaseEvent},
};

use crate::evidence::Evidence;

pub(super) fn refusals_are_cases(evidence: &Evidence, found: &mut Vec<String>) {
    let opened = |fact: &ShopEvent| match fact {
        ShopEvent::RepairCase(RepairCaseEvent::RepairCaseOpened(case)) => {
            (case.discrepancy == Discrepancy::Refused).then(|| case.key.clone())
        }
        _ => None,
    };
    let cases: BTreeSet<_> = evidence.facts().filter_map(|(_, fact)| opened(fact)).collect();
    for (_, fact) in evidence.facts() {
        if let ShopEvent::Payment(PaymentEvent::PaymentOperationRefused(e)) = fact {
            let (operation, part) = (e.operation, e.part);
            let key = OperationKey::new(e.payment_id, OperationId { operation, part }).to_string();
            if !cases.contains(&key) {
                found.push(format!("{key} was refused, and nobody was told"));
            }
        }
    }
}

pub(super) fn every_case_ends(evidence: &Evidence, found: &mut Vec<String>) {
    found.extend(evidence.open_cases().iter().map(|case| format!("{case:?}")));
}
