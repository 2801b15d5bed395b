//! Any event of the shop, for those who read the whole log.

use crate::{
    Category, DecodeError, DomainEvent,
    audit::AuditEvent,
    cart::CartEvent,
    customer::CustomerEvent,
    order::OrderEvent,
    payment::PaymentEvent,
    product::ProductEvent,
    saga::PlaceOrderEvent,
    seller::SellerEvent,
    shipment::ShipmentEvent,
    stock::{ReservationEvent, StockEvent},
};

/// Any event of the shop.
#[derive(Debug, Clone, PartialEq)]
pub enum ShopEvent {
    /// Of a product.
    Product(ProductEvent),
    /// Of a product's stock.
    Stock(StockEvent),
    /// Of an order's reservation.
    Reservation(ReservationEvent),
    /// Of a cart.
    Cart(CartEvent),
    /// Of an order.
    Order(OrderEvent),
    /// Of a payment.
    Payment(PaymentEvent),
    /// Of a parcel.
    Shipment(ShipmentEvent),
    /// Of a customer.
    Customer(CustomerEvent),
    /// Of a seller.
    Seller(SellerEvent),
    /// Of an operator or admin.
    Audit(AuditEvent),
    /// Of the saga `place_order`.
    PlaceOrder(PlaceOrderEvent),
}

impl ShopEvent {
    /// Reads an event as it was stored.
    ///
    /// # Errors
    /// As [`DomainEvent::decode`]. A reader of the whole log skips what it does not know and says so.
    pub fn decode(category: Category, event_type: &str, schema_version: u16, data: &[u8]) -> Result<Self, DecodeError> {
        match category {
            Category::Product => ProductEvent::decode(event_type, schema_version, data).map(Self::Product),
            Category::Stock => StockEvent::decode(event_type, schema_version, data).map(Self::Stock),
            Category::Reservation => ReservationEvent::decode(event_type, schema_version, data).map(Self::Reservation),
            Category::Cart => CartEvent::decode(event_type, schema_version, data).map(Self::Cart),
            Category::Order => OrderEvent::decode(event_type, schema_version, data).map(Self::Order),
            Category::Payment => PaymentEvent::decode(event_type, schema_version, data).map(Self::Payment),
            Category::Shipment => ShipmentEvent::decode(event_type, schema_version, data).map(Self::Shipment),
            Category::Customer => CustomerEvent::decode(event_type, schema_version, data).map(Self::Customer),
            Category::Seller => SellerEvent::decode(event_type, schema_version, data).map(Self::Seller),
            Category::Audit => AuditEvent::decode(event_type, schema_version, data).map(Self::Audit),
            Category::PlaceOrder => PlaceOrderEvent::decode(event_type, schema_version, data).map(Self::PlaceOrder),
        }
    }
}
