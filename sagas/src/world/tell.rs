//! Events about one order, as short as they can be told.

use event_schemas::{
    AccountId, Address, CustomerId, Money, OrderId, PaymentId, ProductId, SellerId, ShipmentId, ShopEvent, Timestamp,
    audit::{AuditEvent, SagaRetryRequested},
    cart::CartCheckedOut,
    credit::{CreditCharged, CreditEvent, CreditLimitExceeded, CreditReleased, CreditReserved},
    order::{
        OrderCancellationDenied, OrderCancellationRequested, OrderCancelled, OrderConfirmed, OrderDelivered,
        OrderEvent, OrderItem, OrderItemsCancelled, OrderPlaced, OrderRejected, OrderShipped, PaymentMethod, Reason,
    },
    payment::{
        PaymentAuthorised, PaymentCaptured, PaymentDeclined, PaymentEvent, PaymentOperation, PaymentOperationRefused,
        PaymentOutcomeUnknown, PaymentVoided,
    },
    shipment::{ParcelDelivered, ParcelPickedUp, ShipmentBooked, ShipmentCancelled, ShipmentEvent},
    stock::{ReservationEvent, StockIssued, StockReleased, StockReservationRefused, StockReserved},
};

use super::Script;

/// Events about one order.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tell {
    pub(crate) order_id: OrderId,
    pub(super) script: Script,
}

/// When goods that are held for a while are let go.
pub(crate) const EXPIRY: Timestamp = Timestamp::from_millis(1_795_001_800_000);
const AMOUNT: Money = Money::krw(129_000);

/// About the order and its goods.
impl Tell {
    pub(crate) const fn of(order_id: OrderId, script: Script) -> Self {
        Self { order_id, script }
    }

    /// Two lines of the first seller, one of each other.
    pub(crate) fn placed(self) -> ShopEvent {
        let item = |seller: usize, quantity: u32| OrderItem {
            product_id: ProductId::derived(self.order_id.uuid(), &format!("{seller} {quantity}")),
            seller_id: SellerId::derived(self.order_id.uuid(), &seller.to_string()),
            title: "찻잔".to_owned(),
            unit_price: Money::krw(43_000),
            quantity,
        };
        let others = (1..self.script.sellers).map(|seller| item(seller, 1));
        let items: Vec<_> = std::iter::once(item(0, 2)).chain(others).chain([item(0, 1)]).collect();
        let total = items.iter().map(|item| 43_000 * i64::from(item.quantity)).sum();
        order(OrderPlaced {
            order_id: self.order_id,
            customer_id: self.customer_id(),
            items,
            total: Money::krw(total),
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
                method: if self.script.invoice { "invoice" } else { "card" }.to_owned(),
                token: "card_approve".to_owned(),
            },
            from_cart: self.script.from_cart,
            promised_by: None,
        })
    }

    /// So many lines are in a parcel.
    pub(crate) const fn lines_of(self, n: usize) -> usize {
        if n == 0 { 2 } else { 1 }
    }
    fn customer_id(self) -> CustomerId {
        CustomerId::derived(self.order_id.uuid(), "customer")
    }
    pub(crate) fn payment_id(self) -> PaymentId {
        PaymentId::derived(self.order_id.uuid(), "payment")
    }
    pub(crate) fn shipment_id(self, n: usize) -> ShipmentId {
        let seller = SellerId::derived(self.order_id.uuid(), &n.to_string());
        let name = if self.script.sellers == 1 {
            "shipment".to_owned()
        } else {
            format!("shipment {seller}")
        };
        ShipmentId::derived(self.order_id.uuid(), &name)
    }
    pub(crate) fn cart_checked_out(self) -> ShopEvent {
        let (customer_id, order_id) = (self.customer_id(), self.order_id);
        ShopEvent::Cart(CartCheckedOut { customer_id, order_id }.into())
    }
    pub(crate) fn reserved(self) -> ShopEvent {
        reservation(StockReserved {
            order_id: self.order_id,
            lines: vec![],
            expires_at: self.script.expires.then_some(EXPIRY),
        })
    }
    pub(crate) fn out_of_stock(self) -> ShopEvent {
        reservation(StockReservationRefused {
            order_id: self.order_id,
            shortages: vec![],
        })
    }
    pub(crate) fn released(self, shipment_id: Option<ShipmentId>) -> ShopEvent {
        reservation(StockReleased {
            order_id: self.order_id,
            lines: vec![],
            shipment_id,
        })
    }
    pub(crate) fn issued(self, shipment_id: Option<ShipmentId>) -> ShopEvent {
        reservation(StockIssued {
            order_id: self.order_id,
            lines: vec![],
            shipment_id,
        })
    }
    pub(crate) fn confirmed(self) -> ShopEvent {
        order(OrderConfirmed {
            order_id: self.order_id,
        })
    }
    pub(crate) fn shipped(self, n: usize) -> ShopEvent {
        order(OrderShipped {
            order_id: self.order_id,
            shipment_id: self.shipment_id(n),
        })
    }
    pub(crate) fn delivered(self) -> ShopEvent {
        order(OrderDelivered {
            order_id: self.order_id,
        })
    }
    pub(crate) fn rejected(self, reason: Reason) -> ShopEvent {
        let order_id = self.order_id;
        order(OrderRejected { order_id, reason })
    }
    pub(crate) fn cancelled(self) -> ShopEvent {
        let (order_id, reason) = (self.order_id, by_customer());
        order(OrderCancelled { order_id, reason })
    }
    pub(crate) fn cancellation_requested(self) -> ShopEvent {
        let (order_id, reason) = (self.order_id, by_customer());
        order(OrderCancellationRequested { order_id, reason })
    }
    pub(crate) fn cancellation_denied(self) -> ShopEvent {
        let (order_id, reason) = (self.order_id, Reason::new("parcel_under_way", "Too late."));
        order(OrderCancellationDenied { order_id, reason })
    }
    pub(crate) fn items_cancelled(self, n: usize) -> ShopEvent {
        order(OrderItemsCancelled {
            order_id: self.order_id,
            shipment_id: self.shipment_id(n),
            items: vec![],
            amount: AMOUNT,
            reason: by_customer(),
        })
    }
    /// An operator says: try again.
    pub(crate) fn retry(self, saga: &str) -> ShopEvent {
        ShopEvent::Audit(AuditEvent::from(SagaRetryRequested {
            operator_id: AccountId::derived(self.order_id.uuid(), "operator"),
            saga: saga.to_owned(),
            saga_id: self.order_id.uuid(),
        }))
    }
}

/// About money: the provider's, or the customer's credit.
impl Tell {
    pub(crate) fn authorised(self) -> ShopEvent {
        let (order_id, customer_id) = (self.order_id, self.customer_id());
        if self.script.invoice {
            return credit(CreditReserved {
                order_id,
                customer_id,
                amount: AMOUNT,
                available: AMOUNT,
            });
        }
        payment(PaymentAuthorised {
            payment_id: self.payment_id(),
            order_id,
            amount: AMOUNT,
            provider_reference: "a1".to_owned(),
        })
    }
    pub(crate) fn declined(self) -> ShopEvent {
        let (order_id, customer_id) = (self.order_id, self.customer_id());
        if self.script.invoice {
            return credit(CreditLimitExceeded {
                order_id,
                customer_id,
                amount: AMOUNT,
                available: AMOUNT,
            });
        }
        payment(PaymentDeclined {
            payment_id: self.payment_id(),
            order_id,
            reason: Reason::new("card_declined", "The card was declined."),
        })
    }
    pub(crate) fn captured(self, shipment_id: Option<ShipmentId>) -> ShopEvent {
        let (order_id, customer_id) = (self.order_id, self.customer_id());
        if let (true, Some(shipment_id)) = (self.script.invoice, shipment_id) {
            return credit(CreditCharged {
                order_id,
                customer_id,
                shipment_id,
                amount: AMOUNT,
            });
        }
        payment(PaymentCaptured {
            payment_id: self.payment_id(),
            order_id,
            amount: AMOUNT,
            shipment_id,
        })
    }
    pub(crate) fn voided(self) -> ShopEvent {
        let (order_id, customer_id) = (self.order_id, self.customer_id());
        if self.script.invoice {
            return credit(CreditReleased {
                order_id,
                customer_id,
                amount: AMOUNT,
                available: AMOUNT,
            });
        }
        payment(PaymentVoided {
            payment_id: self.payment_id(),
            order_id,
            amount: AMOUNT,
        })
    }
    pub(crate) fn unknown(self, operation: PaymentOperation, part: Option<ShipmentId>) -> ShopEvent {
        payment(PaymentOutcomeUnknown {
            payment_id: self.payment_id(),
            order_id: self.order_id,
            operation,
            part: part.map(ShipmentId::uuid),
            detail: "the answer was lost".to_owned(),
        })
    }
    pub(crate) fn refused(self, operation: PaymentOperation, part: Option<ShipmentId>) -> ShopEvent {
        payment(PaymentOperationRefused {
            payment_id: self.payment_id(),
            order_id: self.order_id,
            operation,
            part: part.map(ShipmentId::uuid),
            reason: Reason::new("expired", "The authorisation expired."),
        })
    }
}

/// About a parcel.
impl Tell {
    pub(crate) fn booked(self, n: usize) -> ShopEvent {
        shipment(ShipmentBooked {
            shipment_id: self.shipment_id(n),
            order_id: self.order_id,
            carrier: "simulator".to_owned(),
            tracking_number: "1".to_owned(),
            seller_id: None,
            items: vec![],
            destination: "서울".to_owned(),
            estimated_delivery: None,
        })
    }
    pub(crate) fn called_off(self, n: usize) -> ShopEvent {
        self.not_fetched(n, None)
    }
    pub(crate) fn dropped_by_seller(self, n: usize) -> ShopEvent {
        self.not_fetched(n, Some(Reason::new("broken", "It fell from the shelf.")))
    }
    fn not_fetched(self, n: usize, reason: Option<Reason>) -> ShopEvent {
        shipment(ShipmentCancelled {
            shipment_id: self.shipment_id(n),
            order_id: self.order_id,
            reason,
        })
    }
    pub(crate) fn picked_up(self, n: usize) -> ShopEvent {
        shipment(ParcelPickedUp {
            shipment_id: self.shipment_id(n),
            order_id: self.order_id,
            location: String::new(),
        })
    }
    pub(crate) fn parcel_delivered(self, n: usize) -> ShopEvent {
        shipment(ParcelDelivered {
            shipment_id: self.shipment_id(n),
            order_id: self.order_id,
            location: String::new(),
        })
    }
}

fn by_customer() -> Reason {
    Reason::new("cancelled_by_customer", "The customer changed their mind.")
}
fn order(event: impl Into<OrderEvent>) -> ShopEvent {
    ShopEvent::Order(event.into())
}
fn payment(event: impl Into<PaymentEvent>) -> ShopEvent {
    ShopEvent::Payment(event.into())
}
fn credit(event: impl Into<CreditEvent>) -> ShopEvent {
    ShopEvent::Credit(event.into())
}
fn shipment(event: impl Into<ShipmentEvent>) -> ShopEvent {
    ShopEvent::Shipment(event.into())
}
fn reservation(event: impl Into<ReservationEvent>) -> ShopEvent {
    ShopEvent::Reservation(event.into())
}
