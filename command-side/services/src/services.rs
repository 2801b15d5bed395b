//! All services under one roof: what sagas ask of them, and what can go wrong when they are asked.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use domain::{
    Refusal,
    commands::{Directive, ServiceCommand},
};

use event_log::EventLog;

use crate::{
    carts::Carts, execution::CommandContext, images::Images, inventory::Inventory, orders::Orders, payments::Payments,
    products::Products, shipping::Shipping,
};

/// The services of the shop.
#[derive(Clone)]
pub struct Services {
    /// What is for sale.
    pub products: Arc<Products>,
    /// What customers are about to buy.
    pub carts: Arc<Carts>,
    /// What customers bought.
    pub orders: Arc<Orders>,
    /// What is in stock.
    pub inventory: Arc<Inventory>,
    /// What customers pay.
    pub payments: Arc<Payments>,
    /// What is on its way.
    pub shipping: Arc<Shipping>,
}

/// Why a service did not do what it was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ServiceError {
    /// It may not be done.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// It could not be done now: a fault of ours. Asking again is safe.
    #[error("{0}")]
    Fault(String),
}

impl Services {
    /// All services over one log.
    pub fn new(
        log: &Arc<dyn EventLog>,
        images: Images,
        inventory: Arc<Inventory>,
        payments: Arc<Payments>,
        shipping: Arc<Shipping>,
    ) -> Self {
        let products = Arc::new(Products::new(Arc::clone(log), images));
        let carts = Arc::new(Carts::new(Arc::clone(log), Arc::clone(&products)));
        let orders = Arc::new(Orders::new(Arc::clone(log), Arc::clone(&products), Arc::clone(&carts)));
        Self {
            products,
            carts,
            orders,
            inventory,
            payments,
            shipping,
        }
    }

    /// Does what a saga asks. The answer is an event in the log, see [`ServiceCommand`]; asking again does nothing again.
    ///
    /// # Errors
    /// When the service refuses, or could not do it now.
    pub async fn execute(&self, directive: &Directive) -> Result<(), ServiceError> {
        let context = CommandContext::of_directive(directive, "place_order");
        match &directive.command {
            ServiceCommand::CheckOutCart { customer_id, order_id } => {
                self.carts.check_out(&context, *customer_id, *order_id).await
            }
            ServiceCommand::ConfirmOrder { order_id } => self.orders.confirm(&context, *order_id).await,
            ServiceCommand::RejectOrder { order_id, reason } => {
                self.orders.reject(&context, *order_id, reason.clone()).await
            }
            ServiceCommand::MarkOrderShipped { order_id, shipment_id } => {
                self.orders.mark_shipped(&context, *order_id, *shipment_id).await
            }
            ServiceCommand::MarkOrderDelivered { order_id } => self.orders.mark_delivered(&context, *order_id).await,
            ServiceCommand::ReserveStock { .. }
            | ServiceCommand::ReleaseStock { .. }
            | ServiceCommand::IssueStock { .. }
            | ServiceCommand::RestockGoods { .. } => self.inventory.execute(directive).await,
            ServiceCommand::AuthorisePayment { .. }
            | ServiceCommand::CapturePayment { .. }
            | ServiceCommand::VoidPayment { .. }
            | ServiceCommand::RefundPayment { .. }
            | ServiceCommand::InquirePayment { .. } => self.payments.execute(directive).await,
            ServiceCommand::BookShipment { .. } | ServiceCommand::CancelShipment { .. } => {
                self.shipping.execute(directive).await
            }
            ServiceCommand::ReserveCredit { .. }
            | ServiceCommand::ChargeCredit { .. }
            | ServiceCommand::ReleaseCredit { .. }
            | ServiceCommand::RefundCredit { .. }
            | ServiceCommand::CancelOrder { .. }
            | ServiceCommand::DenyCancellation { .. }
            | ServiceCommand::CancelOrderItems { .. }
            | ServiceCommand::CompleteReturn { .. } => Err(ServiceError::Fault(format!(
                "not answered yet: {:?}",
                directive.command
            ))),
        }
    }
}

/// A command's id that was used before, with another body.
pub(crate) fn key_reused() -> Refusal {
    Refusal::invalid(
        "idempotency-key-reused",
        "this Idempotency-Key was used before with another body: use a new key for a new request",
    )
}
