//! An order. Stream `order-<order id>`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Address, CustomerId, Money, OrderId, ProductId, SellerId, ShipmentId, Timestamp, family::event_family,
    shipment::ParcelItem,
};

event_family! {
    /// What can happen to an order.
    OrderEvent in Order about order_id: OrderId {
        OrderPlaced = 1,
        OrderConfirmed = 1,
        OrderShipped = 1,
        OrderDelivered = 1,
        OrderRejected = 1,
        OrderCancelled = 1,
        OrderCancellationRequested = 1,
        OrderCancellationDenied = 1,
        OrderItemsCancelled = 1,
    }
}

/// One line of an order, at the price it was sold for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrderItem {
    /// The product.
    pub product_id: ProductId,
    /// Who sells it.
    pub seller_id: SellerId,
    /// Its title when it was sold.
    pub title: String,
    /// For one piece.
    pub unit_price: Money,
    /// Pieces, at least one.
    pub quantity: u32,
}

/// How the customer pays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentMethod {
    /// `card`, or `invoice`: against the customer's credit limit.
    pub method: String,
    /// What the payment provider gave the customer for this card; worthless to anyone else. Never a card number.
    /// Empty for `invoice`.
    pub token: String,
}

/// A machine-readable code and a sentence for the customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, utoipa::ToSchema)]
pub struct Reason {
    /// Such as `out_of_stock`, `card_declined`, `cancelled_by_customer`.
    pub code: String,
    /// Such as "The card was declined."
    pub message: String,
}

impl Reason {
    /// A reason from its two parts.
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            message: message.into(),
        }
    }
}

/// The customer asked for these goods at these prices. The saga `place_order` takes it from here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrderPlaced {
    /// The order.
    pub order_id: OrderId,
    /// Who buys.
    pub customer_id: CustomerId,
    /// At least one, each product once.
    pub items: Vec<OrderItem>,
    /// The sum of the items.
    pub total: Money,
    /// Where the goods go.
    pub shipping_address: Address,
    /// How they are paid.
    pub payment: PaymentMethod,
    /// The items came from the customer's cart, which is then emptied.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub from_cart: bool,
    /// When the shop said the goods would arrive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promised_by: Option<Timestamp>,
}

/// Goods are set aside and the money is authorised: the shop will deliver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrderConfirmed {
    /// The order.
    pub order_id: OrderId,
}

/// The first parcel is with the carrier; from here on the order cannot be cancelled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrderShipped {
    /// The order.
    pub order_id: OrderId,
    /// The parcel, the first of possibly several.
    pub shipment_id: ShipmentId,
}

/// The customer has every parcel that was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrderDelivered {
    /// The order.
    pub order_id: OrderId,
}

/// The shop could not accept the order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrderRejected {
    /// The order.
    pub order_id: OrderId,
    /// Why.
    pub reason: Reason,
}

/// The customer or the shop called the order off before it was shipped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrderCancelled {
    /// The order.
    pub order_id: OrderId,
    /// Why.
    pub reason: Reason,
}

/// The customer or the shop wants the order called off, and it is confirmed: a carrier may be on its way. What comes of it is
/// [`OrderCancelled`] or [`OrderCancellationDenied`], never both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrderCancellationRequested {
    /// The order.
    pub order_id: OrderId,
    /// Why.
    pub reason: Reason,
}

/// A carrier was faster: the order goes on. Parcels that could still be called off are told by [`OrderItemsCancelled`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrderCancellationDenied {
    /// The order.
    pub order_id: OrderId,
    /// Why.
    pub reason: Reason,
}

/// One parcel's goods will not come; the rest of the order goes on. Their money is not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrderItemsCancelled {
    /// The order.
    pub order_id: OrderId,
    /// The parcel that is not sent.
    pub shipment_id: ShipmentId,
    /// What was to be inside.
    pub items: Vec<ParcelItem>,
    /// What it would have cost.
    pub amount: Money,
    /// Why.
    pub reason: Reason,
}
