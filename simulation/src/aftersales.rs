//! What people do when something has happened: sellers who cannot send a parcel, customers who send goods back, sellers who
//! look at them.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use command_services::{returns::RequestReturn, services::Services};
use domain::returns::Inspection;
use event_log::EventFilter;
use event_schemas::{
    Category, OrderId, ReturnId, ShipmentId, ShopEvent,
    order::{OrderEvent, OrderPlaced, Reason},
    returns::{ReturnEvent, ReturnItem},
    shipment::{ParcelItem, ShipmentEvent},
};

use crate::{
    chance::Chance,
    clock::VirtualClock,
    customers::{Promise, Promises},
    house::{House, asked_by},
    log::StormyLog,
};

/// The longest that people take over something, in milliseconds.
const PONDERS: u64 = 600_000;

/// The people.
pub struct Aftersales {
    /// Where they ask.
    pub house: Arc<House>,
    /// The time.
    pub clock: Arc<VirtualClock>,
    /// What chance has in store.
    pub chance: Chance,
    /// Where promises are written down.
    pub promises: Arc<Promises>,
    /// What was bought.
    pub orders: Mutex<BTreeMap<OrderId, OrderPlaced>>,
}

impl Aftersales {
    /// Looks at what happens, for ever.
    pub async fn watch(self: Arc<Self>, log: Arc<StormyLog>) {
        let filter = EventFilter::categories(&[Category::Order, Category::Shipment, Category::Returns]);
        let mut events = log.witness(filter);
        while let Ok((batch, _)) = events.next(64).await {
            for event in batch {
                if let Ok((_, event)) = event.shop_event() {
                    self.hear(event);
                }
            }
        }
    }

    fn hear(self: &Arc<Self>, event: &ShopEvent) {
        let this = Arc::clone(self);
        match event {
            ShopEvent::Order(OrderEvent::OrderPlaced(placed)) => {
                self.bought(|orders| orders.insert(placed.order_id, placed.clone()));
            }
            ShopEvent::Order(OrderEvent::OrderDelivered(delivered)) if self.chance.hits(400) => {
                tokio::spawn(this.sends_back(delivered.order_id));
            }
            ShopEvent::Shipment(ShipmentEvent::ShipmentBooked(booked)) if self.chance.hits(80) => {
                tokio::spawn(this.cannot_send(booked.shipment_id));
            }
            ShopEvent::Returns(ReturnEvent::ReturnRequested(requested)) => {
                tokio::spawn(this.looks_at(requested.order_id, requested.return_id, requested.items.clone()));
            }
            _ => {}
        }
    }

    fn bought<T>(&self, look: impl FnOnce(&mut BTreeMap<OrderId, OrderPlaced>) -> T) -> T {
        look(&mut self.orders.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn ponders(&self) {
        self.clock.pause(self.chance.mostly_short(1, PONDERS)).await;
    }

    async fn cannot_send(self: Arc<Self>, shipment_id: ShipmentId) {
        self.ponders().await;
        let context = asked_by(shipment_id_as_account(shipment_id), "cannot send", &self.clock);
        let call_off = move |services: Services| {
            let context = context.clone();
            let why = "It broke.".to_owned();
            async move {
                services
                    .shipping
                    .cannot_send(&context, shipment_id, why, |_| true)
                    .await
            }
        };
        self.house.insist(&self.clock, &self.chance, call_off).await;
    }

    async fn sends_back(self: Arc<Self>, order_id: OrderId) {
        self.ponders().await;
        let Some(placed) = self.bought(|orders| orders.get(&order_id).cloned()) else {
            return;
        };
        let Some(seller_id) = self.chance.one_of(&placed.items).map(|item| item.seller_id) else {
            return;
        };
        let theirs = placed.items.iter().filter(|item| item.seller_id == seller_id);
        let items: Vec<_> = theirs
            .map(|item| {
                self.some_of(
                    &ParcelItem {
                        product_id: item.product_id,
                        quantity: item.quantity,
                    },
                    1,
                )
            })
            .collect();
        let context = asked_by(placed.customer_id, &format!("return of {order_id}"), &self.clock);
        let reason = Reason::new("changed_mind", "Not as it looked.");
        let request = RequestReturn {
            order_id,
            items,
            reason,
        };
        let taken_back = move |services: Services| {
            let (context, request) = (context.clone(), request.clone());
            async move { services.returns.request(&context, request).await }
        };
        if let Some(Ok(requested)) = self.house.insist(&self.clock, &self.chance, taken_back).await {
            let return_id = requested.return_id;
            self.promises.note(Promise::TakenBack { order_id, return_id });
        }
    }

    async fn looks_at(self: Arc<Self>, order_id: OrderId, return_id: ReturnId, items: Vec<ReturnItem>) {
        self.ponders().await;
        let Some(seller) = items.first().map(|item| item.seller_id) else {
            return;
        };
        let context = asked_by(seller, &format!("receipt of {return_id}"), &self.clock);
        let receive = move |services: Services| {
            let context = context.clone();
            async move { services.returns.receive(&context, order_id, return_id).await }
        };
        self.house.insist(&self.clock, &self.chance, receive).await;
        self.ponders().await;
        let inspection = self.finds(&items);
        let pieces = inspection.accepted.iter().map(|item| item.quantity).sum();
        let context = asked_by(seller, &format!("inspection of {return_id}"), &self.clock);
        let inspect = move |services: Services| {
            let (context, inspection) = (context.clone(), inspection.clone());
            async move {
                services
                    .returns
                    .inspect(&context, order_id, return_id, inspection)
                    .await
            }
        };
        if let Some(Ok(_)) = self.house.insist(&self.clock, &self.chance, inspect).await {
            self.promises.note(Promise::Inspected { return_id, pieces });
        }
    }

    fn finds(&self, items: &[ReturnItem]) -> Inspection {
        if self.chance.hits(150) {
            return Inspection::default();
        }
        let whole = items.iter().map(|item| ParcelItem {
            product_id: item.product_id,
            quantity: item.quantity,
        });
        let accepted: Vec<_> = whole.map(|item| self.some_of(&item, 1)).collect();
        let resellable = accepted.iter().map(|item| self.some_of(item, 0));
        Inspection {
            resellable: resellable.filter(|item| item.quantity > 0).collect(),
            accepted,
            note: String::new(),
        }
    }

    fn some_of(&self, item: &ParcelItem, at_least: u64) -> ParcelItem {
        let quantity = self.chance.between(at_least, u64::from(item.quantity).max(at_least));
        ParcelItem {
            quantity: u32::try_from(quantity).unwrap_or(item.quantity),
            ..item.clone()
        }
    }
}

/// Whoever answers for the parcel.
fn shipment_id_as_account(shipment_id: ShipmentId) -> event_schemas::AccountId {
    event_schemas::AccountId::from_uuid(shipment_id.uuid())
}
