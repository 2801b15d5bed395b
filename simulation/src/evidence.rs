//! What is left of a world when it is over, sorted for the judge.

use std::{
    collections::{BTreeMap, BTreeSet},
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use event_log::RecordedEvent;
use event_schemas::{
    OrderId, PaymentId, ProductId, ReturnId, ShipmentId, ShopEvent,
    order::{OrderEvent, OrderPlaced},
    returns::{ReturnEvent, ReturnInspected},
    saga::{PlaceOrderEvent, ReturnGoodsEvent, SagaAdvanced, SagaStatus},
};

use crate::{carrier::Whereabouts, customers::Promise, provider::Entry};

/// The log, and what the parties outside know.
#[derive(Debug, Clone)]
pub struct Evidence {
    /// The whole log.
    pub events: Vec<Arc<RecordedEvent>>,
    /// What customers were promised.
    pub promises: Vec<Promise>,
    /// What the provider did.
    pub ledger: Vec<Entry>,
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

    /// The sagas that are neither over nor stuck because of a refusal, and how they stand.
    pub fn restless(&self) -> Vec<String> {
        let (sagas, returned) = (self.sagas(), self.returned());
        let mut restless = vec![];
        for order_id in self.orders().keys() {
            match sagas.get(order_id) {
                None => restless.push(format!("order {order_id} has no saga")),
                Some(saga) if !rests(saga) => restless.push(format!("order {order_id}: {}", standing(saga))),
                Some(_) => {}
            }
        }
        let refused = |order_id| sagas.get(order_id).is_some_and(|saga| saga.status == SagaStatus::Stuck);
        for (return_id, saga) in self.return_sagas() {
            // What the provider did not let us take cannot be paid back: both wait for an operator.
            let waits = saga.status == SagaStatus::Stuck && returned.get(&return_id).is_some_and(refused);
            if !rests(saga) && !waits {
                restless.push(format!("return {return_id}: {}", standing(saga)));
            }
        }
        restless
    }

    /// The orders of which each return is.
    fn returned(&self) -> BTreeMap<ReturnId, OrderId> {
        let requested = self.facts().filter_map(|(_, fact)| match fact {
            ShopEvent::Returns(ReturnEvent::ReturnRequested(requested)) => {
                Some((requested.return_id, requested.order_id))
            }
            _ => None,
        });
        requested.collect()
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
            "{:?} {:?} {:?} {:?}",
            self.promises, self.ledger, self.parcels, self.counted
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
            "{}\nledger: {:#?}\nparcels: {:#?}\npromises: {:#?}\ncounted: {:?}",
            events.join("\n"),
            self.ledger,
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

/// Whether a saga rests, seen from outside: it is over, or it is stuck because of a refusal, which only an operator settles.
fn rests(saga: &SagaAdvanced) -> bool {
    match saga.status {
        SagaStatus::Completed | SagaStatus::Compensated => true,
        SagaStatus::Stuck => saga.reason.as_ref().is_some_and(|reason| reason.contains("refuses")),
        _ => false,
    }
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
