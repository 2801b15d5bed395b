//! An order. Stream `order-<order id>`.
//!
//! ```text
//! placed ─► confirmed ─► shipped ─► delivered
//!    │  └───────┬┘
//! rejected   cancelled
//! ```
//!
//! A confirmed order is not called off at once: a carrier may be on its way. The wish is written down, the saga calls the
//! carriers off, and then either cancels the order or denies the wish. Between a cancellation and the first parcel's pick-up
//! this aggregate decides: the first of the two to be written wins.

use std::sync::Arc;

use event_schemas::{
    Address, CustomerId, Money, OrderId, ProductId, SellerId, ShipmentId, Timestamp,
    order::{
        OrderCancellationDenied, OrderCancellationRequested, OrderCancelled, OrderConfirmed, OrderDelivered,
        OrderEvent, OrderItem, OrderItemsCancelled, OrderPlaced, OrderRejected, OrderShipped, PaymentMethod, Reason,
    },
    shipment::ParcelItem,
};

use crate::{
    Aggregate, Refusal,
    values::{Findings, sum},
};

/// An order: not placed, or somewhere on its way.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Order(Option<Placed>);

/// What the shop must remember of an order to decide what may happen next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// Its id.
    pub order_id: OrderId,
    /// Who bought.
    pub customer_id: CustomerId,
    /// Where it stands.
    pub status: Status,
    /// Whether somebody wants it called off.
    pub cancellation: Cancellation,
    /// What was bought.
    pub sold: Arc<[Sold]>,
    /// `card` or `invoice`.
    pub paid_by: Arc<str>,
    /// Parcels that are not sent, with what was to be inside.
    pub dropped: Vec<(ShipmentId, Vec<ParcelItem>)>,
}

/// So many pieces of a product, at the price they were sold for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sold {
    /// The product.
    pub product_id: ProductId,
    /// Who sold it.
    pub seller_id: SellerId,
    /// Pieces.
    pub quantity: u32,
    /// For one piece.
    pub unit_price: Money,
}

/// What became of the wish to call a confirmed order off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cancellation {
    /// Nobody wished it.
    None,
    /// The carriers are being called off.
    Requested,
    /// A carrier was faster.
    Denied,
}

/// Where an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// The customer asked for it.
    Placed,
    /// The shop will deliver.
    Confirmed,
    /// With the carrier.
    Shipped,
    /// With the customer. The end.
    Delivered,
    /// The shop could not accept it. The end.
    Rejected,
    /// Called off. The end.
    Cancelled,
}

/// What the customer asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOrder {
    /// The order.
    pub order_id: OrderId,
    /// Who buys.
    pub customer_id: CustomerId,
    /// What, each product once; made by [`crate::checkout`].
    pub items: Vec<OrderItem>,
    /// Where the goods go.
    pub shipping_address: Address,
    /// How they are paid.
    pub payment: PaymentMethod,
    /// Whether the items are the customer's cart.
    pub from_cart: bool,
    /// When the shop says the goods will arrive.
    pub promised_by: Option<Timestamp>,
}

/// What can be asked of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrderCommand {
    /// Buy these goods at these prices.
    Place(Box<NewOrder>),
    /// The shop will deliver.
    Confirm,
    /// The carrier has the goods.
    MarkShipped {
        /// The parcel.
        shipment_id: ShipmentId,
    },
    /// The customer has the goods.
    MarkDelivered,
    /// The shop cannot accept it.
    Reject {
        /// Why.
        reason: Reason,
    },
    /// The customer or the shop wants it called off: at once where it is not confirmed yet.
    RequestCancellation {
        /// Why.
        reason: Reason,
    },
    /// It is called off. Does nothing where a parcel was faster.
    Cancel {
        /// Why.
        reason: Reason,
    },
    /// It cannot be called off any more. Does nothing where nobody wished it.
    DenyCancellation {
        /// Why.
        reason: Reason,
    },
    /// One parcel's goods will not come.
    CancelItems {
        /// The parcel that is not sent.
        shipment_id: ShipmentId,
        /// What was to be inside.
        items: Vec<ParcelItem>,
        /// What it would have cost.
        amount: Money,
        /// Why.
        reason: Reason,
    },
}

impl Order {
    /// The order, once it is placed.
    pub const fn placed(&self) -> Option<&Placed> {
        self.0.as_ref()
    }
}

impl Aggregate for Order {
    type Event = OrderEvent;
    type Command = OrderCommand;

    fn evolve(&mut self, event: &OrderEvent) {
        if let OrderEvent::OrderPlaced(placed) = event {
            self.0 = Some(placed.into());
        } else if let Some(placed) = &mut self.0 {
            placed.evolve(event);
        }
    }

    fn decide(&self, command: &OrderCommand) -> Result<Vec<OrderEvent>, Refusal> {
        match (&self.0, command) {
            (None, OrderCommand::Place(order)) => Ok(vec![place(order)?.into()]),
            (Some(placed), command) => placed.decide(command),
            (None, _) => Err(Refusal::not_found(
                "order-not-found",
                "There is no such order; check its id.",
            )),
        }
    }
}

impl From<&OrderPlaced> for Placed {
    fn from(placed: &OrderPlaced) -> Self {
        let sold = placed.items.iter().map(|item| Sold {
            product_id: item.product_id,
            seller_id: item.seller_id,
            quantity: item.quantity,
            unit_price: item.unit_price,
        });
        Self {
            order_id: placed.order_id,
            customer_id: placed.customer_id,
            status: Status::Placed,
            cancellation: Cancellation::None,
            sold: sold.collect(),
            paid_by: placed.payment.method.as_str().into(),
            dropped: vec![],
        }
    }
}

impl Placed {
    /// What was sent to the customer: what was bought, without the parcels that were dropped.
    pub fn sent(&self) -> Vec<Sold> {
        let dropped = |product: ProductId| -> u32 {
            let items = self.dropped.iter().flat_map(|(_, items)| items);
            items
                .filter(|item| item.product_id == product)
                .map(|item| item.quantity)
                .sum()
        };
        let left = |sold: &Sold| Sold {
            quantity: sold.quantity.saturating_sub(dropped(sold.product_id)),
            ..sold.clone()
        };
        self.sold.iter().map(left).filter(|sold| sold.quantity > 0).collect()
    }

    fn evolve(&mut self, event: &OrderEvent) {
        match event {
            OrderEvent::OrderPlaced(_) => {}
            OrderEvent::OrderConfirmed(_) => self.status = Status::Confirmed,
            OrderEvent::OrderShipped(_) => self.status = Status::Shipped,
            OrderEvent::OrderDelivered(_) => self.status = Status::Delivered,
            OrderEvent::OrderRejected(_) => self.status = Status::Rejected,
            OrderEvent::OrderCancelled(_) => self.status = Status::Cancelled,
            OrderEvent::OrderCancellationRequested(_) => self.cancellation = Cancellation::Requested,
            OrderEvent::OrderCancellationDenied(_) => self.cancellation = Cancellation::Denied,
            OrderEvent::OrderItemsCancelled(off) => self.dropped.push((off.shipment_id, off.items.clone())),
        }
    }

    fn decide(&self, command: &OrderCommand) -> Result<Vec<OrderEvent>, Refusal> {
        use OrderCommand as Asked;
        use Status as Now;
        let order_id = self.order_id;
        let event: OrderEvent = match (command, self.status) {
            (Asked::Confirm, Now::Placed) => OrderConfirmed { order_id }.into(),
            (Asked::MarkShipped { shipment_id }, Now::Confirmed) => OrderShipped {
                order_id,
                shipment_id: *shipment_id,
            }
            .into(),
            (Asked::MarkDelivered, Now::Shipped) => OrderDelivered { order_id }.into(),
            (Asked::Reject { reason }, Now::Placed) => OrderRejected {
                order_id,
                reason: reason.clone(),
            }
            .into(),
            (Asked::Cancel { reason }, Now::Placed | Now::Confirmed) => OrderCancelled {
                order_id,
                reason: reason.clone(),
            }
            .into(),
            (Asked::RequestCancellation { reason }, Now::Placed | Now::Confirmed) => {
                return self.request_cancellation(reason);
            }
            (Asked::DenyCancellation { reason }, Now::Confirmed | Now::Shipped | Now::Delivered) => {
                return Ok(self.deny_cancellation(reason));
            }
            (Asked::CancelItems { .. }, Now::Confirmed | Now::Shipped | Now::Delivered) => {
                return Ok(self.cancel_items(command));
            }

            // Done before, or somebody was faster: nothing is left to do.
            (Asked::Place(_), _)
            | (Asked::Confirm, Now::Confirmed | Now::Shipped | Now::Delivered | Now::Cancelled)
            | (Asked::MarkShipped { .. }, Now::Shipped | Now::Delivered | Now::Cancelled)
            | (Asked::MarkDelivered, Now::Delivered)
            | (Asked::Reject { .. }, Now::Rejected | Now::Cancelled)
            | (Asked::RequestCancellation { .. }, Now::Cancelled)
            | (Asked::Cancel { .. }, Now::Shipped | Now::Delivered | Now::Cancelled)
            | (Asked::DenyCancellation { .. } | Asked::CancelItems { .. }, Now::Cancelled) => return Ok(vec![]),

            (_, now) => return Err(not_in_this_status(now)),
        };
        Ok(vec![event])
    }

    /// At once, while no carrier can be on its way; otherwise the saga finds out.
    fn request_cancellation(&self, reason: &Reason) -> Result<Vec<OrderEvent>, Refusal> {
        let mut findings = Findings::default();
        findings.line("reason", &reason.message, 300);
        findings.into_result()?;
        let (order_id, reason) = (self.order_id, reason.clone());
        match (self.status, self.cancellation) {
            (Status::Placed, _) => Ok(vec![OrderCancelled { order_id, reason }.into()]),
            (_, Cancellation::None) => Ok(vec![OrderCancellationRequested { order_id, reason }.into()]),
            (_, Cancellation::Requested) => Ok(vec![]),
            (_, Cancellation::Denied) => Err(Refusal::conflict(
                "cancellation-denied",
                "A carrier has fetched the goods and the order can no longer be called off; return them when they arrive.",
            )),
        }
    }

    fn deny_cancellation(&self, reason: &Reason) -> Vec<OrderEvent> {
        let (order_id, reason) = (self.order_id, reason.clone());
        let denied = || OrderCancellationDenied { order_id, reason };
        let wished = self.cancellation == Cancellation::Requested;
        wished.then(|| denied().into()).into_iter().collect()
    }

    fn cancel_items(&self, command: &OrderCommand) -> Vec<OrderEvent> {
        match command {
            OrderCommand::CancelItems {
                shipment_id,
                items,
                amount,
                reason,
            } if self.dropped.iter().all(|(dropped, _)| dropped != shipment_id) => {
                let cancelled = OrderItemsCancelled {
                    order_id: self.order_id,
                    shipment_id: *shipment_id,
                    items: items.clone(),
                    amount: *amount,
                    reason: reason.clone(),
                };
                vec![cancelled.into()]
            }
            _ => vec![],
        }
    }
}

fn not_in_this_status(now: Status) -> Refusal {
    let (code, message) = match now {
        Status::Placed => (
            "order-not-confirmed",
            "The order is not confirmed yet; confirm it first.",
        ),
        Status::Confirmed => (
            "order-confirmed",
            "The order is confirmed and not shipped; cancel it, or ship it first.",
        ),
        Status::Shipped => (
            "order-shipped",
            "The order is with the carrier and can no longer be changed; return it instead, when it arrives.",
        ),
        Status::Delivered => (
            "order-delivered",
            "The order was delivered and can no longer be changed; return it instead.",
        ),
        Status::Rejected => (
            "order-rejected",
            "The order was rejected and nothing more can happen to it; order again.",
        ),
        Status::Cancelled => (
            "order-cancelled",
            "The order was cancelled and nothing more can happen to it; order again.",
        ),
    };
    Refusal::conflict(code, message)
}

fn place(order: &NewOrder) -> Result<OrderPlaced, Refusal> {
    let mut findings = Findings::default();
    findings.lines(order.items.iter().map(|item| (item.product_id, item.quantity)));
    for (index, item) in order.items.iter().enumerate() {
        findings.price(&format!("items[{index}].unit_price"), item.unit_price);
    }
    findings.address("shipping_address", &order.shipping_address);
    findings.payment_method("payment", &order.payment);
    findings.into_result()?;
    Ok(OrderPlaced {
        order_id: order.order_id,
        customer_id: order.customer_id,
        items: order.items.clone(),
        total: total(&order.items)?,
        shipping_address: order.shipping_address.clone(),
        payment: order.payment.clone(),
        from_cart: order.from_cart,
        promised_by: order.promised_by,
    })
}

/// What all items cost together.
///
/// # Errors
/// When there is none, they are sold in different currencies, or the sum is beyond counting.
pub fn total(items: &[OrderItem]) -> Result<Money, Refusal> {
    sum(items.iter().map(|item| (item.unit_price, item.quantity)))?
        .ok_or_else(|| Refusal::field("items", "must hold at least one item"))
}

#[cfg(test)]
mod tests;
