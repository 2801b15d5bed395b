//! Events about one order, as short as they can be told.

use event_schemas::{
    Address, CustomerId, Money, OrderId, PaymentId, ProductId, SellerId, ShipmentId, ShopEvent,
    cart::CartCheckedOut,
    order::{
        OrderCancelled, OrderConfirmed, OrderDelivered, OrderEvent, OrderItem, OrderPlaced, OrderRejected,
        OrderShipped, PaymentMethod, Reason,
    },
    payment::{
        PaymentAuthorised, PaymentCaptured, PaymentDeclined, PaymentEvent, PaymentOperation, PaymentOutcomeUnknown,
        PaymentVoided,
    },
    shipment::{ParcelDelivered, ParcelPickedUp, ShipmentBooked, ShipmentCancelled, ShipmentEvent},
    stock::{ReservationEvent, StockIssued, StockReleased, StockReservationRefused, StockReserved},
};

/// Events about one order.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tell(pub(crate) OrderId);

const AMOUNT: Money = Money::krw(129_000);

impl Tell {
    pub(crate) fn placed(self, from_cart: bool) -> ShopEvent {
        let items = [2, 1].map(|quantity| OrderItem {
            product_id: ProductId::derived(self.0.uuid(), &quantity.to_string()),
            seller_id: SellerId::derived(self.0.uuid(), "seller"),
            title: "찻잔".to_owned(),
            unit_price: Money::krw(43_000),
            quantity,
        });
        ShopEvent::Order(OrderEvent::OrderPlaced(OrderPlaced {
            order_id: self.0,
            customer_id: CustomerId::derived(self.0.uuid(), "customer"),
            items: items.into(),
            total: AMOUNT,
            shipping_address: Address {
                recipient: "김하나".to_owned(),
                phone: "010-0000-0000".to_owned(),
                postal_code: "04524".to_owned(),
                line1: "세종대로 110".to_owned(),
                line2: None,
                city: "서울".to_owned(),
                country: "KR".to_owned(),
            },
            payment: PaymentMethod {
                method: "card".to_owned(),
                token: "card_approve".to_owned(),
            },
            from_cart,
            promised_by: None,
        }))
    }

    fn payment_id(self) -> PaymentId {
        PaymentId::derived(self.0.uuid(), "payment")
    }
    fn shipment_id(self) -> ShipmentId {
        ShipmentId::derived(self.0.uuid(), "shipment")
    }
    pub(crate) fn cart_checked_out(self) -> ShopEvent {
        let customer_id = CustomerId::derived(self.0.uuid(), "customer");
        ShopEvent::Cart(
            CartCheckedOut {
                customer_id,
                order_id: self.0,
            }
            .into(),
        )
    }
    pub(crate) fn reserved(self) -> ShopEvent {
        let (order_id, lines) = (self.0, vec![]);
        reservation(StockReserved {
            order_id,
            lines,
            expires_at: None,
        })
    }
    pub(crate) fn out_of_stock(self) -> ShopEvent {
        reservation(StockReservationRefused {
            order_id: self.0,
            shortages: vec![],
        })
    }
    pub(crate) fn released(self) -> ShopEvent {
        reservation(StockReleased {
            shipment_id: None,
            order_id: self.0,
            lines: vec![],
        })
    }
    pub(crate) fn issued(self) -> ShopEvent {
        reservation(StockIssued {
            shipment_id: None,
            order_id: self.0,
            lines: vec![],
        })
    }
    pub(crate) fn authorised(self) -> ShopEvent {
        let (payment_id, order_id) = (self.payment_id(), self.0);
        let provider_reference = "a1".to_owned();
        payment(PaymentAuthorised {
            payment_id,
            order_id,
            amount: AMOUNT,
            provider_reference,
        })
    }
    pub(crate) fn declined(self) -> ShopEvent {
        let (payment_id, order_id) = (self.payment_id(), self.0);
        let reason = Reason::new("card_declined", "The card was declined.");
        payment(PaymentDeclined {
            payment_id,
            order_id,
            reason,
        })
    }
    pub(crate) fn captured(self) -> ShopEvent {
        payment(PaymentCaptured {
            shipment_id: None,
            payment_id: self.payment_id(),
            order_id: self.0,
            amount: AMOUNT,
        })
    }
    pub(crate) fn voided(self) -> ShopEvent {
        payment(PaymentVoided {
            payment_id: self.payment_id(),
            order_id: self.0,
            amount: AMOUNT,
        })
    }
    pub(crate) fn unknown(self, operation: PaymentOperation) -> ShopEvent {
        let (payment_id, order_id) = (self.payment_id(), self.0);
        let detail = "the answer was lost".to_owned();
        payment(PaymentOutcomeUnknown {
            part: None,
            payment_id,
            order_id,
            operation,
            detail,
        })
    }
    pub(crate) fn booked(self) -> ShopEvent {
        shipment(ShipmentBooked {
            seller_id: None,
            shipment_id: self.shipment_id(),
            order_id: self.0,
            carrier: "simulator".to_owned(),
            tracking_number: "1".to_owned(),
            items: vec![],
            destination: "서울".to_owned(),
            estimated_delivery: None,
        })
    }
    pub(crate) fn called_off(self) -> ShopEvent {
        shipment(ShipmentCancelled {
            reason: None,
            shipment_id: self.shipment_id(),
            order_id: self.0,
        })
    }
    pub(crate) fn picked_up(self) -> ShopEvent {
        let location = String::new();
        shipment(ParcelPickedUp {
            shipment_id: self.shipment_id(),
            order_id: self.0,
            location,
        })
    }
    pub(crate) fn parcel_delivered(self) -> ShopEvent {
        let location = String::new();
        shipment(ParcelDelivered {
            shipment_id: self.shipment_id(),
            order_id: self.0,
            location,
        })
    }
    pub(crate) fn confirmed(self) -> ShopEvent {
        order(OrderConfirmed { order_id: self.0 })
    }
    pub(crate) fn shipped(self) -> ShopEvent {
        order(OrderShipped {
            order_id: self.0,
            shipment_id: self.shipment_id(),
        })
    }
    pub(crate) fn delivered(self) -> ShopEvent {
        order(OrderDelivered { order_id: self.0 })
    }
    pub(crate) fn rejected(self, reason: Reason) -> ShopEvent {
        order(OrderRejected {
            order_id: self.0,
            reason,
        })
    }
    pub(crate) fn cancelled(self) -> ShopEvent {
        let reason = Reason::new("cancelled_by_customer", "The customer changed their mind.");
        order(OrderCancelled {
            order_id: self.0,
            reason,
        })
    }
}

fn order(event: impl Into<OrderEvent>) -> ShopEvent {
    ShopEvent::Order(event.into())
}
fn payment(event: impl Into<PaymentEvent>) -> ShopEvent {
    ShopEvent::Payment(event.into())
}
fn shipment(event: impl Into<ShipmentEvent>) -> ShopEvent {
    ShopEvent::Shipment(event.into())
}
fn reservation(event: impl Into<ReservationEvent>) -> ShopEvent {
    ShopEvent::Reservation(event.into())
}
