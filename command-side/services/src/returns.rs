//! Returns: what customers send back, from the request to the finding. The saga `return_goods` pays it back.

pub mod routes;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use domain::{
    commands::{Directive, ServiceCommand},
    returns::{self, Inspection, NewReturn, ReturnsCommand, no_such_return},
    steps::saga_of,
};
use event_log::{EventLog, Position};
use event_schemas::{OrderId, ReturnId, SellerId, order::Reason, shipment::ParcelItem};

use crate::{
    execution::{CommandContext, Execution},
    orders::{Orders, no_such_order},
    services::ServiceError,
};

/// The returns of the shop.
pub struct Returns {
    execution: Execution<returns::Returns>,
    orders: Arc<Orders>,
}

/// What a customer wants to send back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestReturn {
    /// Of this order.
    pub order_id: OrderId,
    /// What.
    pub items: Vec<ParcelItem>,
    /// Why.
    pub reason: Reason,
}

/// A return is in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Requested {
    /// The return.
    pub return_id: ReturnId,
    /// The place in the log from which it is seen.
    pub position: Position,
}

/// A return went on, now or before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moved {
    /// Where it stands now.
    pub stage: returns::Stage,
    /// The place in the log from which that is seen.
    pub position: Position,
}

impl Returns {
    /// Over a log; what was sent is asked of `orders`.
    pub fn new(log: Arc<dyn EventLog>, orders: Arc<Orders>) -> Self {
        Self {
            execution: Execution::new(log),
            orders,
        }
    }

    /// Whose goods come back in a return, if there is such a return.
    ///
    /// # Errors
    /// When the log fails.
    pub async fn seller_of(&self, order_id: OrderId, return_id: ReturnId) -> Result<Option<SellerId>, ServiceError> {
        let returns = self.execution.load(order_id.uuid()).await?;
        Ok(returns.state.get(return_id).and_then(returns::Return::seller_id))
    }

    /// A customer wants to send goods back. The return's id is derived from the command's.
    ///
    /// # Errors
    /// When the order is not delivered, something about the request is not acceptable, or the log fails.
    pub async fn request(&self, context: &CommandContext, request: RequestReturn) -> Result<Requested, ServiceError> {
        let order = self.orders.load(request.order_id).await?;
        let order = order.state.placed().cloned().ok_or_else(no_such_order)?;
        let return_id = ReturnId::derived(context.command_id, "return");
        let command = ReturnsCommand::Request(Box::new(NewReturn {
            return_id,
            order,
            items: request.items,
            reason: request.reason,
        }));
        let id = request.order_id.uuid();
        let position = self.execution.execute(id, &command, context).await?.position;
        Ok(Requested { return_id, position })
    }

    /// The goods are in the house.
    ///
    /// # Errors
    /// When there is no such return, or the log fails.
    pub async fn receive(
        &self,
        context: &CommandContext,
        order_id: OrderId,
        return_id: ReturnId,
    ) -> Result<Moved, ServiceError> {
        let command = ReturnsCommand::Receive { return_id };
        self.step(context, order_id, return_id, &command).await
    }

    /// Somebody looked at the goods.
    ///
    /// # Errors
    /// When there is no such return, the goods are not there or were looked at before, the finding is not acceptable, or the log
    /// fails.
    pub async fn inspect(
        &self,
        context: &CommandContext,
        order_id: OrderId,
        return_id: ReturnId,
        inspection: Inspection,
    ) -> Result<Moved, ServiceError> {
        let command = ReturnsCommand::Inspect { return_id, inspection };
        self.step(context, order_id, return_id, &command).await
    }

    async fn step(
        &self,
        context: &CommandContext,
        order_id: OrderId,
        return_id: ReturnId,
        command: &ReturnsCommand,
    ) -> Result<Moved, ServiceError> {
        let executed = self.execution.execute(order_id.uuid(), command, context).await?;
        let known = executed.aggregate.state.get(return_id).ok_or_else(no_such_return)?;
        Ok(Moved {
            stage: known.stage,
            position: executed.position,
        })
    }

    /// Does what a saga asks: complete a return. Answered by an event.
    ///
    /// # Errors
    /// When the return's stage does not allow it, the log fails, or the command is not for returns.
    pub async fn execute(&self, directive: &Directive) -> Result<(), ServiceError> {
        let ServiceCommand::CompleteReturn {
            order_id,
            return_id,
            refunded,
        } = directive.command
        else {
            return Err(ServiceError::Fault(format!("not for returns: {:?}", directive.command)));
        };
        let context = CommandContext::of_directive(directive, saga_of(&directive.command));
        let command = ReturnsCommand::Complete { return_id, refunded };
        self.step(&context, order_id, return_id, &command).await.map(|_| ())
    }
}
