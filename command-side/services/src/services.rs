//! All services under one roof: what sagas ask of them, and what can go wrong when they are asked.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use domain::{
    Refusal,
    commands::{Directive, ServiceCommand},
    steps::saga_of,
};

use event_log::EventLog;

use crate::{
    accounts::credit::Credit, carts::Carts, execution::CommandContext, images::Images, inventory::Inventory,
    orders::Orders, payments::Payments, products::Products, returns::Returns, shipping::Shipping,
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
    /// What comes back.
    pub returns: Arc<Returns>,
    /// What is in stock.
    pub inventory: Arc<Inventory>,
    /// What customers pay.
    pub payments: Arc<Payments>,
    /// What is on its way.
    pub shipping: Arc<Shipping>,
    /// What customers may buy by invoice.
    pub credit: Arc<Credit>,
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
        credit: Arc<Credit>,
    ) -> Self {
        let products = Arc::new(Products::new(Arc::clone(log), images));
        let carts = Arc::new(Carts::new(Arc::clone(log), Arc::clone(&products)));
        let orders = Arc::new(Orders::new(Arc::clone(log), Arc::clone(&products), Arc::clone(&carts)));
        let returns = Arc::new(Returns::new(Arc::clone(log), Arc::clone(&orders)));
        Self {
            products,
            carts,
            orders,
            returns,
            inventory,
            payments,
            shipping,
            credit,
        }
    }

    /// Does what a saga asks. The answer is an event in the log, see [`ServiceCommand`]; asking again does nothing again.
    ///
    /// # Errors
    /// When the service refuses, or could not do it now.
    pub async fn execute(&self, directive: &Directive) -> Result<(), ServiceError> {
        match &directive.command {
            ServiceCommand::CheckOutCart { customer_id, order_id } => {
                let context = CommandContext::of_directive(directive, saga_of(&directive.command));
                self.carts.check_out(&context, *customer_id, *order_id).await
            }
            ServiceCommand::ConfirmOrder { .. }
            | ServiceCommand::RejectOrder { .. }
            | ServiceCommand::CancelOrder { .. }
            | ServiceCommand::DenyCancellation { .. }
            | ServiceCommand::CancelOrderItems { .. }
            | ServiceCommand::MarkOrderShipped { .. }
            | ServiceCommand::MarkOrderDelivered { .. } => self.orders.execute(directive).await,
            ServiceCommand::CompleteReturn { .. } => self.returns.execute(directive).await,
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
            | ServiceCommand::RefundCredit { .. } => self.credit.execute(directive).await,
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
