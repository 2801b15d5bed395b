//! What can be asked of a payment.

use event_schemas::{
    Money, OrderId, PaymentId, RefundId, ShipmentId,
    order::{PaymentMethod, Reason},
};

use super::OperationId;

/// What can be asked of a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PaymentCommand {
    /// Announce that the provider will be asked to set the money aside.
    RequestAuthorisation {
        /// The payment.
        payment_id: PaymentId,
        /// For this order.
        order_id: OrderId,
        /// How much.
        amount: Money,
        /// How the customer pays.
        method: PaymentMethod,
    },
    /// Announce that the provider will be asked to take money.
    RequestCapture {
        /// For this parcel; none for an order that is paid for whole.
        shipment_id: Option<ShipmentId>,
        /// The parcel's share; none for all that is left.
        amount: Option<Money>,
    },
    /// Announce that the provider will be asked to give back what is not taken.
    RequestVoid,
    /// Announce that the provider will be asked to give back what was taken.
    RequestRefund {
        /// The refund.
        refund_id: RefundId,
        /// How much.
        amount: Money,
    },
    /// The provider did it.
    RecordHappened {
        /// What.
        id: OperationId,
        /// The provider's name for the authorisation.
        provider_reference: String,
    },
    /// The provider said no.
    RecordRefused {
        /// To what.
        id: OperationId,
        /// What it said.
        reason: Reason,
    },
    /// The provider's answer was lost.
    RecordUnknown {
        /// To what.
        id: OperationId,
        /// What went wrong, for operators.
        detail: String,
    },
}
