//! The customers: they order, grow impatient, send the same request again, and change their minds.

use std::sync::{Arc, Mutex, PoisonError};

use command_services::{
    execution::CommandContext,
    orders::{CancellationOutcome, PlaceOrder},
    services::Services,
};
use domain::checkout::Wish;
use event_schemas::{
    Address, CustomerId, OrderId, ProductId, ReturnId,
    order::{PaymentMethod, Reason},
};
use uuid::Uuid;

use crate::{
    chance::Chance,
    clock::VirtualClock,
    house::{House, asked_by},
    provider::EMPTY_CARD,
};

/// What the shop said yes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Promise {
    /// The order is placed.
    Placed {
        /// The order.
        order_id: OrderId,
        /// The command that asked for it.
        command_id: Uuid,
    },
    /// The order is called off, or will be, unless a carrier was faster.
    Cancelled {
        /// The order.
        order_id: OrderId,
        /// It is.
        at_once: bool,
    },
    /// The goods may be sent back.
    TakenBack {
        /// Of this order.
        order_id: OrderId,
        /// The return.
        return_id: ReturnId,
    },
    /// So much of a return is accepted.
    Inspected {
        /// The return.
        return_id: ReturnId,
        /// Pieces that are paid back.
        pieces: u32,
    },
}

/// One customer.
pub struct Customer {
    /// Who.
    pub id: CustomerId,
    /// What chance has in store for them.
    pub chance: Chance,
    /// Where they ask.
    pub house: Arc<House>,
    /// The time.
    pub clock: Arc<VirtualClock>,
    /// What is for sale.
    pub catalogue: Arc<Vec<ProductId>>,
    /// Where promises are written down.
    pub promises: Arc<Promises>,
}

/// Everything that the shop promised.
#[derive(Debug, Default)]
pub struct Promises(Mutex<Vec<Promise>>);

impl Promises {
    /// Writes one down.
    pub fn note(&self, promise: Promise) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(promise);
    }

    /// All of them.
    pub fn all(&self) -> Vec<Promise> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Customer {
    /// Orders once, at some time, and perhaps calls it off.
    pub async fn shops(self, latest: u64) {
        self.clock.pause(self.chance.between(0, latest)).await;
        let Some(order_id) = self.orders().await else { return };
        if self.chance.hits(400) {
            let longest = if self.chance.hits(500) { 5_000 } else { latest };
            self.clock.pause(self.chance.mostly_short(0, longest)).await;
            self.calls_off(order_id).await;
        }
    }

    async fn orders(&self) -> Option<OrderId> {
        let wishes = self.wishes();
        let from_cart = self.chance.hits(300);
        if from_cart {
            self.fills_cart(&wishes).await?;
        }
        let order = PlaceOrder {
            customer_id: self.id,
            items: (!from_cart).then_some(wishes),
            shipping_address: address(),
            payment: self.pays(),
        };
        let context = self.context("order");
        let command_id = context.command_id;
        let place = move |services: Services| {
            let (context, order) = (context.clone(), order.clone());
            async move { services.orders.place_order(&context, order).await }
        };
        if self.chance.hits(200) {
            // A double click.
            let (house, place) = (Arc::clone(&self.house), place.clone());
            tokio::spawn(async move { house.ask(place).await });
        }
        let placed = self.house.insist(&self.clock, &self.chance, place).await?.ok()?;
        let order_id = placed.order_id;
        self.promises.note(Promise::Placed { order_id, command_id });
        Some(order_id)
    }

    async fn fills_cart(&self, wishes: &[Wish]) -> Option<()> {
        for (index, wish) in wishes.iter().copied().enumerate() {
            let (context, id) = (self.context(&format!("cart {index}")), self.id);
            self.house
                .insist(&self.clock, &self.chance, move |services: Services| {
                    let context = context.clone();
                    async move {
                        services
                            .carts
                            .set_item(&context, id, wish.product_id, wish.quantity)
                            .await
                    }
                })
                .await?
                .ok()?;
        }
        Some(())
    }

    async fn calls_off(&self, order_id: OrderId) {
        let context = self.context("cancellation");
        let reason = Reason::new("cancelled_by_customer", "Not needed any more.");
        let cancelled = self
            .house
            .insist(&self.clock, &self.chance, move |services: Services| {
                let (context, reason) = (context.clone(), reason.clone());
                async move {
                    let orders = &services.orders;
                    orders
                        .request_cancellation(&context, order_id, reason, |_| Ok(()))
                        .await
                }
            })
            .await;
        if let Some(Ok(taken)) = cancelled {
            let at_once = taken.outcome == CancellationOutcome::Cancelled;
            self.promises.note(Promise::Cancelled { order_id, at_once });
        }
    }

    fn wishes(&self) -> Vec<Wish> {
        let (first, how_many) = (self.chance.next(), self.chance.between(1, 4));
        let kinds = self.catalogue.len() as u64;
        let wish = |n| {
            let index = usize::try_from((first % kinds + n) % kinds).ok()?;
            Some(Wish {
                product_id: *self.catalogue.get(index)?,
                quantity: u32::try_from(self.chance.between(1, 3)).ok()?,
            })
        };
        (0..how_many.min(kinds)).filter_map(wish).collect()
    }

    fn pays(&self) -> PaymentMethod {
        let (method, token) = match self.chance.between(0, 19) {
            0..=4 => ("invoice", ""),
            5..=7 => ("card", EMPTY_CARD),
            _ => ("card", "card_approve"),
        };
        PaymentMethod {
            method: method.to_owned(),
            token: token.to_owned(),
        }
    }

    fn context(&self, what: &str) -> CommandContext {
        asked_by(self.id, what, &self.clock)
    }
}

fn address() -> Address {
    let text = |text: &str| text.to_owned();
    Address {
        recipient: text("Kim"),
        phone: text("010-0000-0000"),
        postal_code: text("03000"),
        line1: text("1 Market Street"),
        line2: None,
        city: text("Seoul"),
        country: text("KR"),
    }
}
