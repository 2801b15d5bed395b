//! An order. Stream `order-<order id>`.
//!
//! ```text
//! placed ─► confirmed ─► shipped ─► delivered
//!    │  └───────┬┘
//! rejected   cancelled
//! ```

use event_schemas::{
    Address, CustomerId, Money, OrderId, ShipmentId, Timestamp,
    order::{
        OrderCancelled, OrderConfirmed, OrderDelivered, OrderEvent, OrderItem, OrderPlaced, OrderRejected,
        OrderShipped, PaymentMethod, Reason,
    },
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
    /// The customer or the shop calls it off.
    Cancel {
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
        let status = match event {
            OrderEvent::OrderPlaced(placed) => {
                self.0 = Some(Placed {
                    order_id: placed.order_id,
                    customer_id: placed.customer_id,
                    status: Status::Placed,
                });
                return;
            }
            OrderEvent::OrderConfirmed(_) => Status::Confirmed,
            OrderEvent::OrderShipped(_) => Status::Shipped,
            OrderEvent::OrderDelivered(_) => Status::Delivered,
            OrderEvent::OrderRejected(_) => Status::Rejected,
            OrderEvent::OrderCancelled(_) => Status::Cancelled,
            OrderEvent::OrderCancellationRequested(_)
            | OrderEvent::OrderCancellationDenied(_)
            | OrderEvent::OrderItemsCancelled(_) => return,
        };
        if let Some(placed) = &mut self.0 {
            placed.status = status;
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

impl Placed {
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
            (Asked::Cancel { reason }, Now::Placed | Now::Confirmed) => {
                let mut findings = Findings::default();
                findings.line("reason", &reason.message, 300);
                findings.into_result()?;
                OrderCancelled {
                    order_id,
                    reason: reason.clone(),
                }
                .into()
            }

            // Done before, or the customer was faster: the shop's next step has nothing left to do.
            (Asked::Place(_), _)
            | (Asked::Confirm, Now::Confirmed | Now::Shipped | Now::Delivered | Now::Cancelled)
            | (Asked::MarkShipped { .. }, Now::Shipped | Now::Delivered | Now::Cancelled)
            | (Asked::MarkDelivered, Now::Delivered)
            | (Asked::Reject { .. }, Now::Rejected | Now::Cancelled)
            | (Asked::Cancel { .. }, Now::Cancelled) => return Ok(vec![]),

            (_, now) => return Err(not_in_this_status(now)),
        };
        Ok(vec![event])
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
            "The order is with the carrier and can no longer be changed; return the goods when they arrive.",
        ),
        Status::Delivered => (
            "order-delivered",
            "The order was delivered and can no longer be changed; return the goods instead.",
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
