//! What comes back of an order: money and goods.

use domain::commands::ServiceCommand;
use event_schemas::{
    CustomerId, Money, ProductId, RefundId, ReturnId, SellerId, ShopEvent,
    credit::{CreditEvent, CreditRefunded},
    order::Reason,
    payment::{PaymentEvent, PaymentOperation, PaymentRefunded},
    returns::{ReturnCompleted, ReturnEvent, ReturnInspected, ReturnItem, ReturnReceived, ReturnRequested},
    shipment::ParcelItem,
    stock::{ReservationEvent, StockReturned},
};

use super::{Answer, Tell, World};

const REFUND: Money = Money::krw(43_000);

impl World {
    pub(super) fn come_back(&mut self, command: &ServiceCommand) -> Answer {
        use ServiceCommand as C;
        let tell = self.tell;
        let lost = matches!(self.script.answer_lost, Some((PaymentOperation::Refund, _)));
        Ok(match command {
            C::RefundPayment { refund_id, .. } => {
                self.once("refund");
                let part = Some(event_schemas::ShipmentId::from_uuid(refund_id.uuid()));
                vec![if lost {
                    tell.unknown(PaymentOperation::Refund, part)
                } else {
                    tell.refunded()
                }]
            }
            C::InquirePayment { .. } => {
                assert!(self.done.contains_key("refund"), "asked about what was never asked for");
                vec![tell.refunded()]
            }
            C::RefundCredit { .. } => {
                self.once("refund");
                vec![tell.credited()]
            }
            C::RestockGoods { .. } => {
                assert!(self.done.contains_key("refund"), "on the shelf before it was paid back");
                self.once("restock");
                vec![tell.returned()]
            }
            _ => {
                assert!(self.done.contains_key("restock"), "over before it was on the shelf");
                self.once("complete");
                vec![tell.return_completed()]
            }
        })
    }

    fn once(&mut self, what: &'static str) {
        if !self.done.contains_key(what) {
            self.did(what, None);
        }
    }

    /// Everything about the return was done, and done once.
    pub(crate) fn assert_returned(&self) {
        for what in ["refund", "restock", "complete"] {
            assert_eq!(self.done.get(what), Some(&1), "{what}: {self:?}");
        }
    }
}

/// About the return of one piece.
impl Tell {
    pub(crate) fn return_id(self) -> ReturnId {
        ReturnId::derived(self.order_id.uuid(), "return")
    }
    fn refund_id(self) -> RefundId {
        RefundId::from_uuid(self.return_id().uuid())
    }
    fn piece(self) -> ParcelItem {
        ParcelItem {
            product_id: ProductId::derived(self.order_id.uuid(), "0 1"),
            quantity: 1,
        }
    }
    pub(crate) fn return_requested(self) -> ShopEvent {
        returns(ReturnRequested {
            return_id: self.return_id(),
            order_id: self.order_id,
            customer_id: CustomerId::derived(self.order_id.uuid(), "customer"),
            items: vec![ReturnItem {
                product_id: self.piece().product_id,
                seller_id: SellerId::derived(self.order_id.uuid(), "0"),
                quantity: 1,
                unit_price: REFUND,
            }],
            paid_by: if self.script.invoice { "invoice" } else { "card" }.to_owned(),
            reason: Reason::new("too_small", "Too small."),
        })
    }
    pub(crate) fn return_received(self) -> ShopEvent {
        returns(ReturnReceived {
            return_id: self.return_id(),
            order_id: self.order_id,
        })
    }
    pub(crate) fn return_inspected(self) -> ShopEvent {
        returns(ReturnInspected {
            return_id: self.return_id(),
            order_id: self.order_id,
            accepted: vec![self.piece()],
            resellable: vec![self.piece()],
            refund: REFUND,
            note: String::new(),
        })
    }
    fn return_completed(self) -> ShopEvent {
        returns(ReturnCompleted {
            return_id: self.return_id(),
            order_id: self.order_id,
            refunded: REFUND,
        })
    }
    fn refunded(self) -> ShopEvent {
        ShopEvent::Payment(PaymentEvent::from(PaymentRefunded {
            payment_id: self.payment_id(),
            order_id: self.order_id,
            refund_id: self.refund_id(),
            amount: REFUND,
        }))
    }
    fn credited(self) -> ShopEvent {
        ShopEvent::Credit(CreditEvent::from(CreditRefunded {
            order_id: self.order_id,
            customer_id: CustomerId::derived(self.order_id.uuid(), "customer"),
            refund_id: self.refund_id(),
            amount: REFUND,
            available: REFUND,
        }))
    }
    fn returned(self) -> ShopEvent {
        ShopEvent::Reservation(ReservationEvent::from(StockReturned {
            order_id: self.order_id,
            return_id: self.return_id(),
            lines: vec![],
        }))
    }
}

fn returns(event: impl Into<ReturnEvent>) -> ShopEvent {
    ShopEvent::Returns(event.into())
}
