//! The commands of `place_order`, as its state words them. None where the brief is gone, because then they were answered.

use domain::commands::ServiceCommand;
use event_schemas::{PaymentId, order::Reason, payment::PaymentOperation};

use super::{
    PlaceOrderState,
    facts::{PARCEL_WAS_FASTER, SHIPMENT_CANCELLED, own},
    parcel::Parcel,
    state::Brief,
};

/// Of the order as a whole.
impl PlaceOrderState {
    pub(super) fn payment_id(&self) -> PaymentId {
        PaymentId::derived(self.order_id.uuid(), "payment")
    }

    fn briefed(&self, command: impl FnOnce(&Brief) -> Option<ServiceCommand>) -> Vec<ServiceCommand> {
        self.brief.as_deref().and_then(command).into_iter().collect()
    }

    pub(super) fn check_out_cart(&self) -> Option<ServiceCommand> {
        let order_id = self.order_id;
        let empty = |customer_id| ServiceCommand::CheckOutCart { customer_id, order_id };
        self.cart_of.map(empty)
    }

    pub(super) fn reserve_stock(&self) -> Vec<ServiceCommand> {
        let lines = self.parcels.iter().flat_map(|parcel| parcel.items.clone()).collect();
        vec![ServiceCommand::ReserveStock {
            order_id: self.order_id,
            lines,
        }]
    }

    /// Gives back whatever is still set aside.
    pub(super) fn release_stock(&self) -> ServiceCommand {
        ServiceCommand::ReleaseStock {
            order_id: self.order_id,
            shipment_id: None,
            lines: vec![],
        }
    }

    /// Has the money set aside, or counted against the credit limit.
    pub(super) fn reserve_funds(&self) -> Vec<ServiceCommand> {
        let order_id = self.order_id;
        self.briefed(|brief| match self.invoiced_to {
            Some(customer_id) => Some(ServiceCommand::ReserveCredit {
                order_id,
                customer_id,
                amount: brief.amount,
            }),
            None => Some(ServiceCommand::AuthorisePayment {
                payment_id: self.payment_id(),
                order_id,
                amount: brief.amount,
                method: brief.method.clone()?,
            }),
        })
    }

    /// Gives back what is set aside and not taken.
    pub(super) fn give_back_funds(&self) -> ServiceCommand {
        let (payment_id, order_id) = (self.payment_id(), self.order_id);
        match self.invoiced_to {
            Some(customer_id) => ServiceCommand::ReleaseCredit { order_id, customer_id },
            None => ServiceCommand::VoidPayment { payment_id, order_id },
        }
    }

    pub(super) fn inquire(&self, operation: PaymentOperation, of: Option<&Parcel>) -> ServiceCommand {
        ServiceCommand::InquirePayment {
            payment_id: self.payment_id(),
            order_id: self.order_id,
            operation,
            part: of.and_then(Parcel::part).map(|id| id.uuid()),
        }
    }

    pub(super) fn confirm_order(&self) -> ServiceCommand {
        ServiceCommand::ConfirmOrder {
            order_id: self.order_id,
        }
    }

    pub(super) fn reject_order(&self) -> Vec<ServiceCommand> {
        let (order_id, reason) = (self.order_id, self.undo.clone());
        let reject = |reason| ServiceCommand::RejectOrder { order_id, reason };
        reason.map(reject).into_iter().collect()
    }

    pub(super) fn cancel_order(&self, reason: Reason) -> ServiceCommand {
        let order_id = self.order_id;
        ServiceCommand::CancelOrder { order_id, reason }
    }

    pub(super) fn deny_cancellation(&self) -> ServiceCommand {
        ServiceCommand::DenyCancellation {
            order_id: self.order_id,
            reason: own(PARCEL_WAS_FASTER),
        }
    }

    pub(super) fn mark_order_shipped(&self, parcel: &Parcel) -> ServiceCommand {
        ServiceCommand::MarkOrderShipped {
            order_id: self.order_id,
            shipment_id: parcel.shipment_id,
        }
    }

    pub(super) fn mark_order_delivered(&self) -> ServiceCommand {
        ServiceCommand::MarkOrderDelivered {
            order_id: self.order_id,
        }
    }
}

/// Of one parcel.
impl PlaceOrderState {
    pub(super) fn book_shipment(&self, parcel: &Parcel) -> Vec<ServiceCommand> {
        self.briefed(|brief| {
            Some(ServiceCommand::BookShipment {
                shipment_id: parcel.shipment_id,
                order_id: self.order_id,
                seller_id: parcel.seller_id,
                items: parcel.items.clone(),
                address: brief.address.clone(),
            })
        })
    }

    pub(super) fn cancel_shipment(&self, parcel: &Parcel) -> ServiceCommand {
        ServiceCommand::CancelShipment {
            shipment_id: parcel.shipment_id,
            order_id: self.order_id,
        }
    }

    /// Takes the parcel's share of the money, or has it owed.
    pub(super) fn take_share(&self, parcel: &Parcel) -> ServiceCommand {
        let order_id = self.order_id;
        match (self.invoiced_to, parcel.amount) {
            (Some(_), Some(amount)) => ServiceCommand::ChargeCredit {
                order_id,
                shipment_id: parcel.shipment_id,
                amount,
            },
            (_, amount) => ServiceCommand::CapturePayment {
                payment_id: self.payment_id(),
                order_id,
                shipment_id: parcel.part(),
                amount,
            },
        }
    }

    pub(super) fn issue_goods(&self, parcel: &Parcel) -> ServiceCommand {
        ServiceCommand::IssueStock {
            order_id: self.order_id,
            shipment_id: parcel.part(),
            lines: parcel.lines(),
        }
    }

    pub(super) fn release_goods(&self, parcel: &Parcel) -> ServiceCommand {
        ServiceCommand::ReleaseStock {
            order_id: self.order_id,
            shipment_id: parcel.part(),
            lines: parcel.lines(),
        }
    }

    /// Tells the order that the parcel is not sent.
    pub(super) fn cancel_items(&self, parcel: &Parcel) -> Option<ServiceCommand> {
        Some(ServiceCommand::CancelOrderItems {
            order_id: self.order_id,
            shipment_id: parcel.shipment_id,
            items: parcel.items.clone(),
            amount: parcel.amount?,
            reason: self.why_not_sent(parcel),
        })
    }

    /// Why a parcel that was called off is not sent.
    pub(super) fn why_not_sent(&self, parcel: &Parcel) -> Reason {
        parcel.reason.clone().unwrap_or_else(|| own(SHIPMENT_CANCELLED))
    }
}
