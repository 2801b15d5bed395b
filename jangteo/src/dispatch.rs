//! Sagas' commands, taken to the services of this process.

use std::sync::Arc;

use async_trait::async_trait;
use command_services::{
    carts::Carts, execution::CommandContext, inventory::Inventory, orders::Orders, payments::Payments,
    products::Products, services::ServiceError, shipping::Shipping,
};
use domain::commands::{Directive, ServiceCommand};
use sagas::{DispatchError, Dispatcher};

/// The command services of this process.
pub struct Services {
    /// What sellers offer.
    pub products: Arc<Products>,
    /// What customers are about to order.
    pub carts: Arc<Carts>,
    /// What customers ordered.
    pub orders: Arc<Orders>,
    /// What lies in the warehouse.
    pub inventory: Arc<Inventory>,
    /// Money, through the provider.
    pub payments: Arc<Payments>,
    /// Parcels, through the carrier.
    pub shipping: Arc<Shipping>,
}

impl Services {
    /// Does what a saga asks. The same directive again does nothing again; the answer is an event in the log.
    ///
    /// # Errors
    /// When the service refuses, or could not do it now.
    pub async fn execute(&self, directive: &Directive) -> Result<(), ServiceError> {
        match &directive.command {
            ServiceCommand::ReserveStock { .. }
            | ServiceCommand::ReleaseStock { .. }
            | ServiceCommand::IssueStock { .. } => self.inventory.execute(directive).await,
            ServiceCommand::AuthorisePayment { .. }
            | ServiceCommand::CapturePayment { .. }
            | ServiceCommand::VoidPayment { .. }
            | ServiceCommand::InquirePayment { .. } => self.payments.execute(directive).await,
            ServiceCommand::BookShipment { .. } | ServiceCommand::CancelShipment { .. } => {
                self.shipping.execute(directive).await
            }
            ServiceCommand::CheckOutCart { customer_id, order_id } => {
                let context = CommandContext::of_directive(directive, "carts");
                self.carts.check_out(&context, *customer_id, *order_id).await
            }
            ServiceCommand::ConfirmOrder { .. }
            | ServiceCommand::RejectOrder { .. }
            | ServiceCommand::MarkOrderShipped { .. }
            | ServiceCommand::MarkOrderDelivered { .. } => self.advance_order(directive).await,
        }
    }

    async fn advance_order(&self, directive: &Directive) -> Result<(), ServiceError> {
        let context = CommandContext::of_directive(directive, "orders");
        match &directive.command {
            ServiceCommand::ConfirmOrder { order_id } => self.orders.confirm(&context, *order_id).await,
            ServiceCommand::RejectOrder { order_id, reason } => {
                self.orders.reject(&context, *order_id, reason.clone()).await
            }
            ServiceCommand::MarkOrderShipped { order_id, shipment_id } => {
                self.orders.mark_shipped(&context, *order_id, *shipment_id).await
            }
            ServiceCommand::MarkOrderDelivered { order_id } => self.orders.mark_delivered(&context, *order_id).await,
            other => Err(ServiceError::Fault(format!("not for orders: {other:?}"))),
        }
    }
}

/// Takes directives to the command services.
pub(crate) struct ServiceDispatcher {
    services: Arc<Services>,
}

impl ServiceDispatcher {
    pub(crate) fn new(services: Arc<Services>) -> Self {
        Self { services }
    }
}

#[async_trait]
impl Dispatcher for ServiceDispatcher {
    async fn dispatch(&self, directive: &Directive) -> Result<(), DispatchError> {
        self.services.execute(directive).await.map_err(|error| match error {
            ServiceError::Refused(refusal) => DispatchError::Refused(refusal.to_string()),
            ServiceError::Fault(detail) => DispatchError::Fault(detail),
        })
    }
}
