//! What sagas ask of the services. Each request is answered by an event in the log, never by a return value: the saga
//! reads the answer there, live and after a restart alike.
//!
//! They have a JSON form, because the service may live in another process than the saga. It is nobody's contract: both
//! processes are of one version.

use event_schemas::{
    Address, CustomerId, Money, OrderId, PaymentId, RefundId, ReturnId, SellerId, ShipmentId, Timestamp,
    order::{PaymentMethod, Reason},
    payment::PaymentOperation,
    shipment::ParcelItem,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A request with its identity: the same id again must do nothing again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Directive {
    /// The command's id, derived from the saga and the step that causes it.
    pub id: Uuid,
    /// Shared by all that one customer's request set in motion.
    pub correlation_id: Uuid,
    /// The event that made the saga ask.
    pub causation_id: Uuid,
    /// When the saga asked.
    pub at: Timestamp,
    /// What is asked.
    pub command: ServiceCommand,
}

/// So many pieces of a product.
pub type Line = ParcelItem;

/// What can be asked, by service, with the events that answer it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ServiceCommand {
    /// Cart: empty it, because it became an order. `CartCheckedOut`.
    CheckOutCart {
        /// Whose cart.
        customer_id: CustomerId,
        /// The order it became.
        order_id: OrderId,
    },
    /// Inventory: set all lines aside or none. `StockReserved` or `StockReservationRefused`.
    ReserveStock {
        /// For this order.
        order_id: OrderId,
        /// Each product once.
        lines: Vec<Line>,
    },
    /// Inventory: give back what is set aside; also where nothing is. `StockReleased`.
    ReleaseStock {
        /// For this order.
        order_id: OrderId,
        /// Only the goods of this parcel, which are `lines`; none for all that is left.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        shipment_id: Option<ShipmentId>,
        /// Empty for all that is left.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        lines: Vec<Line>,
    },
    /// Inventory: what was set aside left the house. `StockIssued`.
    IssueStock {
        /// For this order.
        order_id: OrderId,
        /// Only the goods of this parcel, which are `lines`; none for all that is left.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        shipment_id: Option<ShipmentId>,
        /// Empty for all that is left.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        lines: Vec<Line>,
    },
    /// Inventory: goods that came back can be sold again. `StockReturned`.
    RestockGoods {
        /// Of this order.
        order_id: OrderId,
        /// The return.
        return_id: ReturnId,
        /// What can be sold again.
        lines: Vec<Line>,
    },
    /// Payment: set the money aside. `PaymentAuthorised`, `PaymentDeclined` or `PaymentOutcomeUnknown`.
    AuthorisePayment {
        /// The payment.
        payment_id: PaymentId,
        /// For this order.
        order_id: OrderId,
        /// How much.
        amount: Money,
        /// How.
        method: PaymentMethod,
    },
    /// Payment: take the money. `PaymentCaptured`, `PaymentOutcomeUnknown` or `PaymentOperationRefused`.
    CapturePayment {
        /// The payment.
        payment_id: PaymentId,
        /// For this order.
        order_id: OrderId,
        /// The parcel that is paid for. None where the order was placed before parcels were paid one by one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        shipment_id: Option<ShipmentId>,
        /// The parcel's share; none for all that is set aside.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        amount: Option<Money>,
    },
    /// Payment: give back what is set aside and not taken. `PaymentVoided`, `PaymentOutcomeUnknown` or
    /// `PaymentOperationRefused`.
    VoidPayment {
        /// The payment.
        payment_id: PaymentId,
        /// For this order.
        order_id: OrderId,
    },
    /// Payment: give back money that was taken. `PaymentRefunded`, `PaymentOutcomeUnknown` or `PaymentOperationRefused`.
    RefundPayment {
        /// The payment.
        payment_id: PaymentId,
        /// For this order.
        order_id: OrderId,
        /// The refund.
        refund_id: RefundId,
        /// How much.
        amount: Money,
    },
    /// Payment: ask the provider what became of an operation. Answered like the operation itself; while the provider does
    /// not know either, by nothing.
    InquirePayment {
        /// The payment.
        payment_id: PaymentId,
        /// For this order.
        order_id: OrderId,
        /// The operation whose outcome is unknown.
        operation: PaymentOperation,
        /// Of which part: the parcel of a capture, the refund's id.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        part: Option<Uuid>,
    },
    /// Accounts: count the order against the customer's credit limit. `CreditReserved` or `CreditLimitExceeded`.
    ReserveCredit {
        /// For this order.
        order_id: OrderId,
        /// Whose limit.
        customer_id: CustomerId,
        /// How much.
        amount: Money,
    },
    /// Accounts: a parcel's share of what is reserved is owed. `CreditCharged`.
    ChargeCredit {
        /// For this order.
        order_id: OrderId,
        /// The parcel.
        shipment_id: ShipmentId,
        /// Its share.
        amount: Money,
    },
    /// Accounts: what is reserved and not charged counts no more; also where nothing is. `CreditReleased`.
    ReleaseCredit {
        /// For this order.
        order_id: OrderId,
        /// Whose limit.
        customer_id: CustomerId,
    },
    /// Accounts: what was owed for goods that came back is owed no more. `CreditRefunded`.
    RefundCredit {
        /// For this order.
        order_id: OrderId,
        /// The refund.
        refund_id: RefundId,
        /// How much.
        amount: Money,
    },
    /// Shipping: have the carrier fetch a parcel. `ShipmentBooked`.
    BookShipment {
        /// The parcel.
        shipment_id: ShipmentId,
        /// For this order.
        order_id: OrderId,
        /// Whose goods. None where the order was placed before each seller had a parcel.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seller_id: Option<SellerId>,
        /// What is inside.
        items: Vec<ParcelItem>,
        /// Where it goes.
        address: Address,
    },
    /// Shipping: call the carrier off. `ShipmentCancelled`; by nothing where the parcel is under way already.
    CancelShipment {
        /// The parcel.
        shipment_id: ShipmentId,
        /// For this order.
        order_id: OrderId,
    },
    /// Order: the shop will deliver. `OrderConfirmed`, or nothing where the customer cancelled before.
    ConfirmOrder {
        /// The order.
        order_id: OrderId,
    },
    /// Order: the shop cannot accept it. `OrderRejected`.
    RejectOrder {
        /// The order.
        order_id: OrderId,
        /// Why.
        reason: Reason,
    },
    /// Order: it is called off, whether or not the customer asked for it. `OrderCancelled`, or nothing where it was shipped
    /// before.
    CancelOrder {
        /// The order.
        order_id: OrderId,
        /// Why.
        reason: Reason,
    },
    /// Order: it cannot be called off any more. `OrderCancellationDenied`.
    DenyCancellation {
        /// The order.
        order_id: OrderId,
        /// Why.
        reason: Reason,
    },
    /// Order: one parcel's goods will not come. `OrderItemsCancelled`.
    CancelOrderItems {
        /// The order.
        order_id: OrderId,
        /// The parcel that is not sent.
        shipment_id: ShipmentId,
        /// What was to be inside.
        items: Vec<ParcelItem>,
        /// What it would have cost.
        amount: Money,
        /// Why.
        reason: Reason,
    },
    /// Order: the first parcel is with the carrier. `OrderShipped`, or nothing where it was cancelled before.
    MarkOrderShipped {
        /// The order.
        order_id: OrderId,
        /// The parcel.
        shipment_id: ShipmentId,
    },
    /// Order: the customer has the goods. `OrderDelivered`.
    MarkOrderDelivered {
        /// The order.
        order_id: OrderId,
    },
    /// Returns: refunded and restocked. `ReturnCompleted`.
    CompleteReturn {
        /// Of this order.
        order_id: OrderId,
        /// The return.
        return_id: ReturnId,
        /// What was paid back.
        refunded: Money,
    },
}
