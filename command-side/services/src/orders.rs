//! Orders: what customers bought.

pub mod routes;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, sync::Arc};

use domain::{
    Order, Product, Refusal,
    checkout::{self, Wish},
    commands::{Directive, ServiceCommand},
    order::{Cancellation, NewOrder, OrderCommand, Status},
    steps::saga_of,
};
use event_log::{EventLog, Position};
use event_schemas::{
    Address, CustomerId, OrderId, ProductId,
    order::{OrderItem, PaymentMethod, Reason},
};

use crate::{
    carts::Carts,
    execution::{CommandContext, Executed, Execution, Loaded},
    products::Products,
    services::ServiceError,
};

/// How long after the order the shop promises the goods. The same for all until the shop has learned to estimate.
pub const PROMISE_MILLIS: i64 = 3 * 24 * 60 * 60 * 1000;

/// The orders of the shop.
pub struct Orders {
    execution: Execution<Order>,
    products: Arc<Products>,
    carts: Arc<Carts>,
}

/// What a customer wants to buy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaceOrder {
    /// Who buys.
    pub customer_id: CustomerId,
    /// What; the cart where absent.
    pub items: Option<Vec<Wish>>,
    /// Where the goods go.
    pub shipping_address: Address,
    /// How they are paid.
    pub payment: PaymentMethod,
}

/// An order is in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed {
    /// The order.
    pub order_id: OrderId,
    /// The place in the log from which it is seen.
    pub position: Position,
    /// It had been placed before, by this very command.
    pub repeated: bool,
}

/// Somebody wants an order called off, and the log says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CancellationTaken {
    /// What is known now.
    pub outcome: CancellationOutcome,
    /// The place in the log from which it is seen.
    pub position: Position,
}

/// What became of the wish to call an order off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CancellationOutcome {
    /// It is called off.
    Cancelled,
    /// The carriers are being called off: it will be cancelled, or a carrier was faster.
    Cancelling,
    /// A carrier was faster; only a repeat of an older request is told so.
    Denied,
}

impl Orders {
    /// Over a log; prices are those of `products`, and the cart is that of `carts`.
    pub fn new(log: Arc<dyn EventLog>, products: Arc<Products>, carts: Arc<Carts>) -> Self {
        Self {
            execution: Execution::new(log),
            products,
            carts,
        }
    }

    /// An order as it is now.
    ///
    /// # Errors
    /// When the log fails.
    pub async fn load(&self, id: OrderId) -> Result<Arc<Loaded<Order>>, ServiceError> {
        self.execution.load(id.uuid()).await
    }

    /// Places an order, at the prices of now. Its id is derived from the command's.
    ///
    /// # Errors
    /// When something about it is not acceptable, the cart is not what the customer saw, or the log fails.
    pub async fn place_order(&self, context: &CommandContext, order: PlaceOrder) -> Result<Placed, ServiceError> {
        let order_id = OrderId::derived(context.command_id, "order");
        let placed = |executed: &Executed<Order>| Placed {
            order_id,
            position: executed.position,
            repeated: executed.repeated,
        };
        // The cart of an order that was placed is empty: a repeat must be seen before the cart is looked at. Only a command
        // with a fingerprint has a key, and only one with a key can be repeated.
        if context.fingerprint.is_some()
            && let Some(repeat) = self.execution.executed(order_id.uuid(), context).await?
        {
            return Ok(placed(&repeat));
        }
        let items = match self.items(&order).await {
            Ok(items) => items,
            // Unless it was placed and the cart emptied just now, by the same command that came in twice at once.
            Err(refusal) => match self.execution.executed(order_id.uuid(), context).await? {
                Some(repeat) => return Ok(placed(&repeat)),
                None => return Err(refusal),
            },
        };
        let command = OrderCommand::Place(Box::new(NewOrder {
            order_id,
            customer_id: order.customer_id,
            items,
            from_cart: order.items.is_none(),
            shipping_address: order.shipping_address,
            payment: order.payment,
            promised_by: Some(context.at.plus_millis(PROMISE_MILLIS)),
        }));
        let executed = self.execution.create(order_id.uuid(), &command, context).await?;
        Ok(placed(&executed))
    }

    async fn items(&self, order: &PlaceOrder) -> Result<Vec<OrderItem>, ServiceError> {
        match &order.items {
            Some(wishes) => {
                checkout::check(wishes)?;
                let products = self.products_of(wishes.iter().map(|wish| wish.product_id)).await?;
                let wishes = wishes.iter().map(|wish| (*wish, &products[&wish.product_id].state));
                Ok(checkout::from_wishes(wishes)?)
            }
            None => {
                let cart = self.carts.load(order.customer_id).await?;
                let products = self.products_of(cart.state.lines().keys().copied()).await?;
                let unlisted = Product::default();
                let product = |id: ProductId| products.get(&id).map_or(&unlisted, |product| &product.state);
                Ok(checkout::from_cart(&cart.state, product)?)
            }
        }
    }

    async fn products_of(
        &self,
        ids: impl Iterator<Item = ProductId> + Send,
    ) -> Result<BTreeMap<ProductId, Arc<Loaded<Product>>>, ServiceError> {
        let mut products = BTreeMap::new();
        for id in ids {
            products.insert(id, self.products.load(id).await?);
        }
        Ok(products)
    }

    /// Calls an order off, if `condition` allows it: at once before it is confirmed, otherwise as soon as the carriers are
    /// called off.
    ///
    /// # Errors
    /// When there is no such order, it is shipped or rejected, what `condition` returns, or the log fails.
    pub async fn request_cancellation(
        &self,
        context: &CommandContext,
        id: OrderId,
        reason: Reason,
        condition: impl Fn(&Loaded<Order>) -> Result<(), ServiceError> + Send + Sync,
    ) -> Result<CancellationTaken, ServiceError> {
        let command = OrderCommand::RequestCancellation { reason };
        let executed = self
            .execution
            .execute_if(id.uuid(), &command, context, condition)
            .await?;
        let now = executed.aggregate.state.placed();
        let outcome = match now.map(|placed| (placed.status, placed.cancellation)) {
            Some((Status::Cancelled, _)) => CancellationOutcome::Cancelled,
            Some((Status::Confirmed, Cancellation::Requested)) => CancellationOutcome::Cancelling,
            _ => CancellationOutcome::Denied,
        };
        let position = executed.position;
        Ok(CancellationTaken { outcome, position })
    }

    /// Does what a saga asks. Answered by an event, or by none where somebody was faster.
    ///
    /// # Errors
    /// When the order's status does not allow it, the log fails, or the command is not for orders.
    pub async fn execute(&self, directive: &Directive) -> Result<(), ServiceError> {
        let context = CommandContext::of_directive(directive, saga_of(&directive.command));
        let (id, command) = asked(&directive.command)
            .ok_or_else(|| ServiceError::Fault(format!("not for orders: {:?}", directive.command)))?;
        self.execution.execute(id.uuid(), &command, &context).await.map(|_| ())
    }
}

/// What a saga's command means to the order.
fn asked(command: &ServiceCommand) -> Option<(OrderId, OrderCommand)> {
    use ServiceCommand as C;
    Some(match command.clone() {
        C::ConfirmOrder { order_id } => (order_id, OrderCommand::Confirm),
        C::RejectOrder { order_id, reason } => (order_id, OrderCommand::Reject { reason }),
        C::CancelOrder { order_id, reason } => (order_id, OrderCommand::Cancel { reason }),
        C::DenyCancellation { order_id, reason } => (order_id, OrderCommand::DenyCancellation { reason }),
        C::MarkOrderShipped { order_id, shipment_id } => (order_id, OrderCommand::MarkShipped { shipment_id }),
        C::MarkOrderDelivered { order_id } => (order_id, OrderCommand::MarkDelivered),
        C::CancelOrderItems {
            order_id,
            shipment_id,
            items,
            amount,
            reason,
        } => {
            let command = OrderCommand::CancelItems {
                shipment_id,
                items,
                amount,
                reason,
            };
            (order_id, command)
        }
        _ => return None,
    })
}

/// There is no such order, or it is none of the asker's business: both look alike.
pub(crate) fn no_such_order() -> Refusal {
    Refusal::not_found("order-not-found", "There is no such order; check its id.")
}
