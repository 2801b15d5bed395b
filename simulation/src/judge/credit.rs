//! Credit: what a customer owes and what orders under way hold, against the limit.

use std::collections::BTreeMap;

use event_schemas::{
    CustomerId, Money, ShopEvent,
    credit::{CreditAccountEvent, CreditEvent},
};

use crate::evidence::Evidence;

/// A customer's credit, as the log tells it.
#[derive(Debug, Clone, Copy, Default)]
struct Account {
    limit: i64,
    reserved: i64,
    owed: i64,
}

impl Account {
    fn available(self) -> i64 {
        (self.limit - self.reserved - self.owed).max(0)
    }
}

pub(super) fn within_the_limit(evidence: &Evidence, found: &mut Vec<String>) {
    let mut accounts: BTreeMap<CustomerId, Account> = BTreeMap::new();
    for (event, fact) in evidence.facts() {
        let (customer_id, available) = match fact {
            ShopEvent::CreditAccount(CreditAccountEvent::CreditLimitSet(e)) => {
                accounts.entry(e.customer_id).or_default().limit = e.limit.amount;
                (e.customer_id, None)
            }
            ShopEvent::Credit(fact) => credit(fact, &mut accounts),
            _ => continue,
        };
        let account = accounts.get(&customer_id).copied().unwrap_or_default();
        let reserving = *event.event_type == *"CreditReserved";
        let too_much = reserving && account.reserved + account.owed > account.limit;
        let told_wrong = available.is_some_and(|told: Money| told.amount != account.available());
        if too_much || told_wrong || account.reserved < 0 {
            found.push(format!("customer {customer_id} after {fact:?}: {account:?}"));
        }
    }
}

/// Whose account it changed, and what the event says is left.
fn credit(fact: &CreditEvent, accounts: &mut BTreeMap<CustomerId, Account>) -> (CustomerId, Option<Money>) {
    let mut change = |customer_id, reserved, owed| {
        let account = accounts.entry(customer_id).or_default();
        account.reserved += reserved;
        account.owed += owed;
        customer_id
    };
    match fact {
        CreditEvent::CreditReserved(e) => {
            let customer_id = change(e.customer_id, e.amount.amount, 0);
            (customer_id, Some(e.available))
        }
        CreditEvent::CreditLimitExceeded(e) => (e.customer_id, Some(e.available)),
        CreditEvent::CreditCharged(e) => {
            let customer_id = change(e.customer_id, -e.amount.amount, e.amount.amount);
            (customer_id, None)
        }
        CreditEvent::CreditReleased(e) => {
            let customer_id = change(e.customer_id, -e.amount.amount, 0);
            (customer_id, Some(e.available))
        }
        CreditEvent::CreditRefunded(e) => {
            let customer_id = change(e.customer_id, 0, -e.amount.amount);
            (customer_id, Some(e.available))
        }
    }
}
