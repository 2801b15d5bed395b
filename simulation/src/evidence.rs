//! What is left of a world when it is over, sorted for the judge.

use std::{
    collections::{BTreeMap, BTreeSet},
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use command_services::payments::payment_of;
use event_log::RecordedEvent;
use event_schemas::{
    OrderId, PaymentId, ProductId, RepairCaseId, ReturnId, ShipmentId, ShopEvent,
    order::{OrderEvent, OrderPlaced},
    repair::{Discrepancy, RepairCaseEvent, RepairCaseOpened},
    returns::{ReturnEvent, ReturnInspected},
    saga::{PlaceOrderEvent, ReturnGoodsEvent, SagaAdvanced, SagaStatus},
};

use crate::{carrier::Whereabouts, customers::Promise, mailbox::Delivery, provider::Entry};

/// The log, and what the parties outside know.
#[derive(Debug, Clone)]
pub struct Evidence {
    /// The whole log.
    pub events: Vec<Arc<RecordedEvent>>,
    /// What customers were promised.
    pub promises: Vec<Promise>,
    /// What the provider did.
    pub ledger: Vec<Entry>,
    /// The mails that were taken.
    pub letters: Vec<Delivery>,
    /// The notifications that were taken.
    pub notifications: Vec<Delivery>,
    /// Where the parcels are.
    pub parcels: BTreeMap<ShipmentId, Whereabouts>,
    /// Pieces on hand and reserved, as inventory counts them.
    pub counted: BTreeMap<ProductId, (u64, u64)>,
}

impl Evidence {
    /// The log's events, read. An event that cannot be read is left out here, and a broken invariant of its own.
    pub fn facts(&self) -> impl Iterator<Item = (&RecordedEvent, &ShopEvent)> {
        self.events.iter().filter_map(|event| {
            let (_, fact) = event.shop_event().ok()?;
            Some((&**event, fact))
        })
    }

    /// The orders that were placed.
    pub fn orders(&self) -> BTreeMap<OrderId, &OrderPlaced> {
        let placed = self.facts().filter_map(|(_, fact)| match fact {
            ShopEvent::Order(OrderEvent::OrderPlaced(placed)) => Some((placed.order_id, placed)),
            _ => None,
        });
        placed.collect()
    }

    /// How far each order's saga is.
    pub fn sagas(&self) -> BTreeMap<OrderId, &SagaAdvanced> {
        let advanced = self.facts().filter_map(|(event, fact)| match fact {
            ShopEvent::PlaceOrder(PlaceOrderEvent::SagaAdvanced(advanced)) => {
                Some((event.stream.id().parse().ok()?, advanced))
            }
            _ => None,
        });
        advanced.collect()
    }

    /// The types of the events of each order's own stream, in order.
    pub fn order_types(&self) -> BTreeMap<OrderId, Vec<&str>> {
        let mut types: BTreeMap<OrderId, Vec<&str>> = BTreeMap::new();
        for event in self.events.iter().filter(|event| event.stream.category() == "order") {
            if let Ok(order_id) = event.stream.id().parse() {
                types.entry(order_id).or_default().push(&event.event_type);
            }
        }
        types
    }

    /// The sagas that are not over, and how they stand.
    pub fn restless(&self) -> Vec<String> {
        let sagas = self.sagas();
        let mut restless = vec![];
        for order_id in self.orders().keys() {
            match sagas.get(order_id) {
                None => restless.push(format!("order {order_id} has no saga")),
                Some(saga) if !is_over(saga) => restless.push(format!("order {order_id}: {}", standing(saga))),
                Some(_) => {}
            }
        }
        for (return_id, saga) in self.return_sagas() {
            if !is_over(saga) && !self.waits_for_a_person(return_id) {
                restless.push(format!("return {return_id}: {}", standing(saga)));
            }
        }
        restless
    }

    /// The repair cases that nobody resolved, by id.
    pub fn open_cases(&self) -> Vec<&RepairCaseOpened> {
        let (mut open, mut keys) = (BTreeMap::new(), BTreeSet::new());
        self.replay_cases(&mut open, &mut keys);
        open.into_values().collect()
    }

    /// The keys of what the provider refused and the log does not call done: it was settled by other means.
    pub fn settled(&self) -> BTreeSet<String> {
        let (mut open, mut settled) = (BTreeMap::new(), BTreeSet::new());
        self.replay_cases(&mut open, &mut settled);
        for entry in &self.ledger {
            settled.remove(&entry.key);
        }
        settled
    }

    /// The return is of an order whose money did not come through the provider, so it cannot be paid back through it either: the
    /// saga is stuck with that reason, however often the operator tries it again, and nobody has an act for it.
    pub fn waits_for_a_person(&self, return_id: ReturnId) -> bool {
        let inspected = self.inspected();
        let Some(of) = inspected.get(&return_id).map(|inspected| inspected.order_id) else {
            return false;
        };
        let captures = format!("{}/capture", payment_of(of));
        let was_stuck = self.facts().any(|(event, fact)| match fact {
            ShopEvent::ReturnGoods(ReturnGoodsEvent::SagaAdvanced(saga)) => {
                let reason = saga.reason.as_deref().unwrap_or_default();
                event.stream.id() == return_id.to_string()
                    && saga.status == SagaStatus::Stuck
                    && reason.contains("is taken and not given back")
            }
            _ => false,
        });
        was_stuck && self.settled().iter().any(|key| key.starts_with(&captures))
    }

    /// Cases that are open, and the keys of refusals that were resolved.
    fn replay_cases<'a>(
        &'a self,
        open: &mut BTreeMap<RepairCaseId, &'a RepairCaseOpened>,
        resolved: &mut BTreeSet<String>,
    ) {
        for (_, fact) in self.facts() {
            let ShopEvent::RepairCase(fact) = fact else { continue };
            match fact {
                RepairCaseEvent::RepairCaseOpened(case) => drop(open.insert(case.case_id, case)),
                RepairCaseEvent::RepairCaseResolved(case) => {
                    let case = open.remove(&case.case_id);
                    let refusal = case.filter(|case| case.discrepancy == Discrepancy::Refused);
                    resolved.extend(refusal.map(|case| case.key.clone()));
                }
            }
        }
    }

    /// A digest of the log, and of what happened outside, in order.
    pub fn trace(&self) -> u64 {
        let mut digest = DefaultHasher::new();
        for event in &self.events {
            let RecordedEvent {
                position,
                stream,
                version,
                id,
                event_type,
                metadata,
                data,
                ..
            } = &**event;
            (position.0, stream.as_str(), version, id, event_type, metadata, data).hash(&mut digest);
        }
        format!(
            "{:?} {:?} {:?} {:?} {:?} {:?}",
            self.promises, self.ledger, self.letters, self.notifications, self.parcels, self.counted
        )
        .hash(&mut digest);
        digest.finish()
    }

    /// The history of one world on a few pages: for whoever looks into a seed.
    pub fn told(&self) -> String {
        let line = |event: &Arc<RecordedEvent>| {
            let data = String::from_utf8_lossy(&event.data);
            let at = event.metadata().map(|metadata| metadata.occurred_at.to_string());
            format!(
                "{} {} {} {}",
                at.unwrap_or_default(),
                event.stream,
                event.event_type,
                data
            )
        };
        let events: Vec<_> = self.events.iter().map(line).collect();
        format!(
            "{}\nledger: {:#?}\nletters: {:?}\nparcels: {:#?}\npromises: {:#?}\ncounted: {:?}",
            events.join("\n"),
            self.ledger,
            self.letters,
            self.parcels,
            self.promises,
            self.counted
        )
    }

    /// The orders of which each payment is.
    pub fn payments(&self) -> BTreeMap<PaymentId, OrderId> {
        let payment = |order_id: &OrderId| (PaymentId::derived(order_id.uuid(), "payment"), *order_id);
        self.orders().keys().map(payment).collect()
    }

    /// The returns that were inspected and found acceptable, by return.
    pub fn inspected(&self) -> BTreeMap<ReturnId, &ReturnInspected> {
        let inspected = self.facts().filter_map(|(_, fact)| match fact {
            ShopEvent::Returns(ReturnEvent::ReturnInspected(inspected)) => Some((inspected.return_id, inspected)),
            _ => None,
        });
        inspected.collect()
    }

    /// How far each return's saga is.
    pub fn return_sagas(&self) -> BTreeMap<ReturnId, &SagaAdvanced> {
        let advanced = self.facts().filter_map(|(event, fact)| match fact {
            ShopEvent::ReturnGoods(ReturnGoodsEvent::SagaAdvanced(advanced)) => {
                Some((event.stream.id().parse().ok()?, advanced))
            }
            _ => None,
        });
        advanced.collect()
    }
}

/// The parcels of an order and what each costs: one for each seller.
pub fn shares(placed: &OrderPlaced) -> BTreeMap<ShipmentId, i64> {
    let sellers: BTreeSet<_> = placed.items.iter().map(|item| item.seller_id).collect();
    let mut shares = BTreeMap::new();
    for item in &placed.items {
        let name = match sellers.len() {
            1 => "shipment".to_owned(),
            _ => format!("shipment {}", item.seller_id),
        };
        let share: &mut i64 = shares
            .entry(ShipmentId::derived(placed.order_id.uuid(), &name))
            .or_default();
        *share += item.unit_price.amount * i64::from(item.quantity);
    }
    shares
}

/// Whether a saga is over, seen from outside. One that is stuck is not: an operator is there to see to it.
const fn is_over(saga: &SagaAdvanced) -> bool {
    matches!(saga.status, SagaStatus::Completed | SagaStatus::Compensated)
}

/// How a saga stands, in words.
pub fn standing(saga: &SagaAdvanced) -> String {
    let SagaAdvanced {
        status,
        step,
        reason,
        state,
        ..
    } = saga;
    format!("{status:?} at {step}, {reason:?}: {}", state.get())
}

/// Whether an event says of a saga that it is stuck.
pub fn says_stuck(event: &RecordedEvent) -> bool {
    let advanced = match event.shop_event() {
        Ok((_, ShopEvent::PlaceOrder(PlaceOrderEvent::SagaAdvanced(advanced)))) => advanced,
        Ok((_, ShopEvent::ReturnGoods(ReturnGoodsEvent::SagaAdvanced(advanced)))) => advanced,
        _ => return false,
    };
    advanced.status == SagaStatus::Stuck
}
