//! News: what happened to an order is mailed once, told to the receiver of notifications, and worth its points.

use std::collections::{BTreeMap, BTreeSet};

use event_schemas::{
    DeadLetterId, OrderId, ShopEvent,
    returns::ReturnEvent,
    subscription::{DeadLetterEvent, MailEvent, PointsEvent},
};
use subscribers::notifications;
use uuid::Uuid;

use crate::{
    carrier::Whereabouts,
    evidence::{Evidence, shares},
    mailbox::Delivery,
};

/// What a customer is written about.
const MAILED: [&str; 7] = [
    "OrderPlaced",
    "OrderConfirmed",
    "OrderShipped",
    "OrderDelivered",
    "OrderRejected",
    "OrderCancelled",
    "ReturnCompleted",
];

/// The events that an operator found not worth telling `subscriber`.
fn discarded(evidence: &Evidence, subscriber: &str) -> BTreeSet<Uuid> {
    let mut letters = BTreeMap::new();
    let mut discarded = BTreeSet::new();
    for (_, fact) in evidence.facts() {
        match fact {
            ShopEvent::DeadLetter(DeadLetterEvent::DeadLettered(e)) if e.subscriber == subscriber => {
                letters.insert(e.dead_letter_id, e.event_id);
            }
            ShopEvent::DeadLetter(DeadLetterEvent::DeadLetterDiscarded(e)) => {
                discarded.extend(letters.get(&e.dead_letter_id));
            }
            _ => {}
        }
    }
    discarded
}

fn by_event(deliveries: &[Delivery]) -> BTreeMap<Uuid, Vec<Delivery>> {
    let mut by_event: BTreeMap<Uuid, Vec<Delivery>> = BTreeMap::new();
    for delivery in deliveries {
        by_event.entry(delivery.about).or_default().push(*delivery);
    }
    by_event
}

/// A mail may be handed over again only as long as the log does not say that it was sent.
pub(super) fn mailed_once(evidence: &Evidence, found: &mut Vec<String>) {
    let mut handed_over = by_event(&evidence.letters);
    let mut recorded: BTreeMap<Uuid, Vec<event_log::Position>> = BTreeMap::new();
    for (event, fact) in evidence.facts() {
        if let ShopEvent::Mail(MailEvent::MailSent(sent)) = fact {
            recorded.entry(sent.about).or_default().push(event.position);
        }
    }
    let discarded = discarded(evidence, "mails");
    for event in evidence
        .events
        .iter()
        .filter(|event| MAILED.contains(&&*event.event_type))
    {
        let handed_over = handed_over.remove(&event.id).unwrap_or_default();
        let once = match recorded.remove(&event.id).as_deref() {
            Some(&[sent]) => !handed_over.is_empty() && handed_over.iter().all(|one| one.at < sent),
            Some(_) => false,
            None => discarded.contains(&event.id),
        };
        if !once {
            let event_type = &event.event_type;
            found.push(format!("{event_type} {} was handed over {handed_over:?}", event.id));
        }
    }
    if !handed_over.is_empty() || !recorded.is_empty() {
        found.push(format!("mails about nothing: {handed_over:?} {recorded:?}"));
    }
}

/// At least once.
pub(super) fn notified(evidence: &Evidence, found: &mut Vec<String>) {
    let (heard, discarded) = (by_event(&evidence.notifications), discarded(evidence, "notifications"));
    let told = |event_type: &str| notifications::EVENTS.contains(&event_type);
    for event in evidence.events.iter().filter(|event| told(&event.event_type)) {
        if !heard.contains_key(&event.id) && !discarded.contains(&event.id) {
            found.push(format!("{} {} was told to nobody", event.event_type, event.id));
        }
    }
}

pub(super) fn dead_letters_are_decided(evidence: &Evidence, found: &mut Vec<String>) {
    let mut waiting: BTreeMap<DeadLetterId, &str> = BTreeMap::new();
    for (_, fact) in evidence.facts() {
        let ShopEvent::DeadLetter(fact) = fact else { continue };
        match fact {
            DeadLetterEvent::DeadLettered(e) => drop(waiting.insert(e.dead_letter_id, &e.event_type)),
            DeadLetterEvent::DeadLetterRetried(e) => drop(waiting.remove(&e.dead_letter_id)),
            DeadLetterEvent::DeadLetterDiscarded(e) => drop(waiting.remove(&e.dead_letter_id)),
        }
    }
    found.extend(
        waiting
            .iter()
            .map(|(id, event_type)| format!("{event_type}, dead letter {id}")),
    );
}

/// A point for each hundred won of what was sent and kept.
pub(super) fn points_are_what_was_bought(evidence: &Evidence, found: &mut Vec<String>) {
    let mut points: BTreeMap<OrderId, i128> = BTreeMap::new();
    let mut paid_back: BTreeMap<OrderId, i64> = BTreeMap::new();
    for (_, fact) in evidence.facts() {
        match fact {
            ShopEvent::Points(PointsEvent::PointsEarned(e)) => {
                *points.entry(e.order_id).or_default() += i128::from(e.points);
            }
            ShopEvent::Points(PointsEvent::PointsTakenBack(e)) => {
                *points.entry(e.order_id).or_default() -= i128::from(e.points);
            }
            ShopEvent::Returns(ReturnEvent::ReturnCompleted(e)) => {
                *paid_back.entry(e.order_id).or_default() += e.refunded.amount;
            }
            _ => {}
        }
    }
    let types = evidence.order_types();
    for (order_id, placed) in evidence.orders() {
        let delivered = types.get(&order_id).is_some_and(|own| own.contains(&"OrderDelivered"));
        let fetched = |parcel| {
            evidence
                .parcels
                .get(parcel)
                .is_some_and(|place| *place >= Whereabouts::Fetched)
        };
        let sent: i64 = shares(placed)
            .iter()
            .filter(|(parcel, _)| delivered && fetched(*parcel))
            .map(|(_, share)| share)
            .sum();
        let kept = sent - paid_back.get(&order_id).copied().unwrap_or_default();
        let points = points.get(&order_id).copied().unwrap_or_default();
        if points != i128::from(kept / 100) {
            found.push(format!("order {order_id}: {points} points for {kept} KRW"));
        }
    }
}
