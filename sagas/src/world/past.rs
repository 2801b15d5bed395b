//! A world as a history tells that it became.

use event_schemas::{
    ShopEvent,
    cart::CartEvent,
    order::OrderEvent,
    payment::{PaymentEvent, PaymentOperation},
    shipment::ShipmentEvent,
    stock::ReservationEvent,
};

use super::World;
use crate::place_order::{Carriage, Funds, Goods, Order, Stock};

impl World {
    /// Whatever is asked from now on is asked of an order that definition 1 began: one parcel, which no command names.
    pub(crate) fn begun_under_definition_1(&mut self) {
        self.whole = true;
    }

    /// This was done, and must not be done again.
    pub(crate) fn remember(&mut self, event: &ShopEvent) {
        match event {
            ShopEvent::Cart(CartEvent::CartCheckedOut(_)) => {
                self.cart_emptied = true;
                self.did("check_out", None);
            }
            ShopEvent::Order(event) => self.remember_order(event),
            ShopEvent::Reservation(event) => self.remember_goods(event),
            ShopEvent::Payment(event) => self.remember_payment(event),
            ShopEvent::Shipment(event) => self.remember_parcel(event),
            _ => {}
        }
    }

    fn remember_order(&mut self, event: &OrderEvent) {
        let (now, what) = match event {
            OrderEvent::OrderConfirmed(_) => (Order::Confirmed, "confirm"),
            OrderEvent::OrderShipped(_) => (Order::Shipped, "ship"),
            OrderEvent::OrderDelivered(_) => (Order::Delivered, "mark_delivered"),
            OrderEvent::OrderRejected(_) => (Order::Rejected, "reject"),
            OrderEvent::OrderCancelled(_) => (Order::Cancelled, "cancel"),
            _ => return,
        };
        self.order = now;
        self.did(what, None);
    }

    fn remember_goods(&mut self, event: &ReservationEvent) {
        let id = self.parcels[0].id;
        match event {
            ReservationEvent::StockReserved(_) => {
                self.stock = Stock::Reserved;
                self.did("reserve", None);
            }
            ReservationEvent::StockReservationRefused(_) => self.stock = Stock::Refused,
            ReservationEvent::StockReleased(_) => {
                self.parcels[0].goods = Goods::Released;
                self.did("release", Some(id));
            }
            ReservationEvent::StockIssued(_) => {
                self.parcels[0].goods = Goods::Issued;
                self.did("issue", Some(id));
            }
            ReservationEvent::StockReturned(_) => {}
        }
    }

    fn remember_payment(&mut self, event: &PaymentEvent) {
        let before = self.unknown.take();
        let operation = match event {
            PaymentEvent::PaymentAuthorised(_) | PaymentEvent::PaymentDeclined(_) => PaymentOperation::Authorise,
            PaymentEvent::PaymentCaptured(_) => PaymentOperation::Capture,
            PaymentEvent::PaymentVoided(_) => PaymentOperation::Void,
            PaymentEvent::PaymentOutcomeUnknown(unknown) => {
                self.unknown = Some((unknown.operation, None));
                unknown.operation
            }
            _ => return,
        };
        if before.is_some() {
            return; // It was done when its answer was lost.
        }
        match operation {
            PaymentOperation::Authorise if self.script.declined => {
                self.funds = Funds::Declined;
                self.did("decline", None);
            }
            PaymentOperation::Authorise => {
                self.funds = Funds::Held;
                self.did("authorise", None);
            }
            PaymentOperation::Capture => {
                self.parcels[0].paid = true;
                self.did("capture", Some(self.parcels[0].id));
            }
            PaymentOperation::Void | PaymentOperation::Refund => {
                self.funds = Funds::GivenBack;
                self.did("void", None);
            }
        }
    }

    fn remember_parcel(&mut self, event: &ShipmentEvent) {
        let (now, what) = match event {
            ShipmentEvent::ShipmentBooked(_) => (Carriage::Booked, "book"),
            ShipmentEvent::ParcelPickedUp(_) => (Carriage::PickedUp, "pick_up"),
            ShipmentEvent::ParcelDelivered(_) => (Carriage::Delivered, "deliver"),
            ShipmentEvent::ShipmentCancelled(_) => (Carriage::CalledOff, "call_off"),
            ShipmentEvent::ParcelScanned(_) => return,
        };
        self.parcels[0].carriage = now;
        self.did(what, Some(self.parcels[0].id));
    }
}
