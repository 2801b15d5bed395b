//! The invariants. Each looks at the evidence alone and says what it finds wrong; in a shop without bugs, nothing.

mod credit;
mod money;
mod news;
mod orders;
mod repairs;
mod returns;
mod stock;

use crate::evidence::Evidence;

/// An invariant by its name.
type Invariant = (&'static str, fn(&Evidence, &mut Vec<String>));

/// All of them.
const INVARIANTS: &[Invariant] = &[
    ("the log can be read", readable),
    (
        "the provider's ledger is the payments in the log",
        money::ledger_is_the_log,
    ),
    (
        "money is taken only for parcels that were picked up",
        money::taken_only_if_picked_up,
    ),
    (
        "a parcel that was sent is paid, once and no more",
        money::parcels_are_paid,
    ),
    ("an order that is over holds no money", money::nothing_is_held),
    ("nobody owes more than their limit", credit::within_the_limit),
    (
        "stock on hand, reserved and issued is constant and never negative",
        stock::constant,
    ),
    ("an order that is over holds no goods", stock::nothing_is_held),
    ("every saga is over", orders::every_saga_is_over),
    (
        "what a saga says is what became of the order",
        orders::sagas_tell_the_truth,
    ),
    ("every promise was kept, once", orders::promises_are_kept),
    (
        "an order has one fate, and nothing happens to it twice",
        orders::one_fate,
    ),
    (
        "what came back is paid back and on the shelf, once",
        returns::paid_back_once,
    ),
    ("what happened is mailed, once", news::mailed_once),
    ("what happened is told, at least once", news::notified),
    ("points are what was bought", news::points_are_what_was_bought),
    ("no dead letter waits", news::dead_letters_are_decided),
    ("what is refused is a repair case", repairs::refusals_are_cases),
    ("no repair case stays open", repairs::every_case_ends),
];

/// Those that come to hold when everything rests: something may be on its way until then.
const AT_REST: &[fn(&Evidence, &mut Vec<String>)] = &[
    orders::every_saga_is_over,
    repairs::every_case_ends,
    news::dead_letters_are_decided,
    news::notified,
    news::mailed_once,
    news::points_are_what_was_bought,
];

/// Whether nothing is on its way any more.
pub fn at_rest(evidence: &Evidence) -> bool {
    AT_REST.iter().all(|holds| {
        let mut found = vec![];
        holds(evidence, &mut found);
        found.is_empty()
    })
}

/// What does not hold, by the invariant's name.
pub fn broken(evidence: &Evidence) -> Vec<String> {
    let mut broken = vec![];
    for (name, holds) in INVARIANTS {
        let mut found = vec![];
        holds(evidence, &mut found);
        broken.extend(found.into_iter().map(|found| format!("{name}: {found}")));
    }
    broken
}

fn readable(evidence: &Evidence, found: &mut Vec<String>) {
    for event in &evidence.events {
        if let Err(error) = event.shop_event() {
            found.push(format!("{} {}: {error}", event.stream, event.event_type));
        }
    }
}
