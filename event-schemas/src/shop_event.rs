//! Any event of the shop, for those who read the whole log.

use crate::{
    Category, DecodeError, DomainEvent,
    audit::AuditEvent,
    cart::CartEvent,
    credit::{CreditAccountEvent, CreditEvent},
    customer::CustomerEvent,
    order::OrderEvent,
    payment::PaymentEvent,
    product::ProductEvent,
    repair::RepairCaseEvent,
    returns::ReturnEvent,
    saga::{PlaceOrderEvent, ReturnGoodsEvent},
    seller::SellerEvent,
    shipment::ShipmentEvent,
    stock::{ReservationEvent, StockEvent},
    subscription::{DeadLetterEvent, MailEvent, PointsEvent},
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
    /// Of an order's returns.
    Returns(ReturnEvent),
    /// Of the credit an order holds.
    Credit(CreditEvent),
    /// Of a customer's credit.
    CreditAccount(CreditAccountEvent),
    /// Of a repair case.
    RepairCase(RepairCaseEvent),
    /// Of the mails about an order.
    Mail(MailEvent),
    /// Of a customer's points.
    Points(PointsEvent),
    /// Of an event that a subscriber could not take in.
    DeadLetter(DeadLetterEvent),
    /// Of the saga `return_goods`.
    ReturnGoods(ReturnGoodsEvent),
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
            Category::Returns => ReturnEvent::decode(event_type, schema_version, data).map(Self::Returns),
            Category::Credit => CreditEvent::decode(event_type, schema_version, data).map(Self::Credit),
            Category::CreditAccount => {
                CreditAccountEvent::decode(event_type, schema_version, data).map(Self::CreditAccount)
            }
            Category::RepairCase => RepairCaseEvent::decode(event_type, schema_version, data).map(Self::RepairCase),
            Category::Mail => MailEvent::decode(event_type, schema_version, data).map(Self::Mail),
            Category::Points => PointsEvent::decode(event_type, schema_version, data).map(Self::Points),
            Category::DeadLetter => DeadLetterEvent::decode(event_type, schema_version, data).map(Self::DeadLetter),
            Category::ReturnGoods => ReturnGoodsEvent::decode(event_type, schema_version, data).map(Self::ReturnGoods),
        }
    }
}
