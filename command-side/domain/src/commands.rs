//! What sagas ask of the services. Each request is answered by an event in the log, never by a return value: the saga
//! reads the answer there, live and after a restart alike.
//!
//! They have a JSON form, because the service may live in another process than the saga. It is nobody's contract: both
//! processes are of one version.

use event_schemas::{
    Address, CustomerId, Money, OrderId, PaymentId, ShipmentId, Timestamp,
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
    },
    /// Inventory: what was set aside left the house. `StockIssued`.
    IssueStock {
        /// For this order.
        order_id: OrderId,
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
    /// Payment: take the money. `PaymentCaptured` or `PaymentOutcomeUnknown`.
    CapturePayment {
        /// The payment.
        payment_id: PaymentId,
        /// For this order.
        order_id: OrderId,
    },
    /// Payment: give the money back. `PaymentVoided` or `PaymentOutcomeUnknown`.
    VoidPayment {
        /// The payment.
        payment_id: PaymentId,
        /// For this order.
        order_id: OrderId,
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
    },
    /// Shipping: have the carrier fetch a parcel. `ShipmentBooked`.
    BookShipment {
        /// The parcel.
        shipment_id: ShipmentId,
        /// For this order.
        order_id: OrderId,
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
    /// Order: the goods are with the carrier. `OrderShipped`, or nothing where the customer cancelled before.
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
}
