//! The world of one order, for tests: its aggregate, inventory, payment provider, carrier. Each answers a command with
//! events, the same command again with the same events, and writes down what it really did.

mod tell;

use std::collections::BTreeMap;

use domain::commands::ServiceCommand;
use event_schemas::{OrderId, ShopEvent, payment::PaymentOperation};

use crate::{
    DispatchError,
    place_order::{Order, Parcel, Payment, Stock},
};
pub(crate) use tell::Tell;

/// What an order meets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Script {
    pub(crate) from_cart: bool,
    pub(crate) out_of_stock: bool,
    pub(crate) card_declined: bool,
    /// The provider acts, but its answer to this operation is lost.
    pub(crate) answer_lost: Option<PaymentOperation>,
    /// So often the provider cannot say what became of it.
    pub(crate) fruitless_inquiries: u32,
}

/// Everything around one order.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) order_id: OrderId,
    script: Script,
    pub(crate) order: Order,
    pub(crate) stock: Stock,
    pub(crate) parcel: Parcel,
    /// What the provider's ledger says, known to the shop or not.
    pub(crate) ledger: Payment,
    /// The operation whose answer was lost.
    unknown: Option<PaymentOperation>,
    inquiries: u32,
    cart_emptied: bool,
    /// How often each thing was really done.
    pub(crate) done: BTreeMap<&'static str, u32>,
}

type Answer = Result<Vec<ShopEvent>, DispatchError>;

impl World {
    pub(crate) fn new(order_id: OrderId, script: Script) -> Self {
        Self {
            order_id,
            script,
            order: Order::Placed,
            stock: Stock::Asked,
            parcel: Parcel::Untouched,
            ledger: Payment::Untouched,
            unknown: None,
            inquiries: 0,
            cart_emptied: false,
            done: BTreeMap::new(),
        }
    }

    pub(crate) fn execute(&mut self, command: &ServiceCommand) -> Answer {
        use ServiceCommand as C;
        let tell = Tell(self.order_id);
        match command {
            C::CheckOutCart { .. } => {
                if !self.cart_emptied {
                    self.cart_emptied = true;
                    self.did("check_out");
                }
                Ok(vec![tell.cart_checked_out()])
            }
            C::ReserveStock { .. } | C::ReleaseStock { .. } | C::IssueStock { .. } => self.inventory(command),
            C::AuthorisePayment { .. }
            | C::CapturePayment { .. }
            | C::VoidPayment { .. }
            | C::InquirePayment { .. } => self.provider(command),
            C::BookShipment { .. } | C::CancelShipment { .. } => self.shipping(command),
            C::ConfirmOrder { .. } => self.order(Order::Confirmed, "confirm", tell.confirmed()),
            C::RejectOrder { reason, .. } => self.order(Order::Rejected, "reject", tell.rejected(reason.clone())),
            C::MarkOrderShipped { .. } => self.order(Order::Shipped, "ship", tell.shipped()),
            C::MarkOrderDelivered { .. } => self.order(Order::Delivered, "mark_delivered", tell.delivered()),
            other => Err(DispatchError::Refused(format!("{other:?} is not of this world"))),
        }
    }

    /// The customer calls it off, if the order aggregate lets them.
    pub(crate) fn cancel(&mut self) -> Option<ShopEvent> {
        let event = Tell(self.order_id).cancelled();
        let possible = self.order != Order::Cancelled;
        self.order(Order::Cancelled, "cancel", event)
            .ok()
            .filter(|_| possible)?
            .pop()
    }

    /// The carrier comes by.
    pub(crate) fn carrier_moves(&mut self) -> Option<ShopEvent> {
        let tell = Tell(self.order_id);
        let (moved, event) = match self.parcel {
            Parcel::Booked => (Parcel::PickedUp, tell.picked_up()),
            Parcel::PickedUp => (Parcel::Delivered, tell.parcel_delivered()),
            _ => return None,
        };
        self.parcel = moved;
        Some(event)
    }

    fn did(&mut self, what: &'static str) {
        *self.done.entry(what).or_default() += 1;
    }

    /// The order aggregate: a final state is final, and after shipping there is no way back.
    fn order(&mut self, next: Order, what: &'static str, answer: ShopEvent) -> Answer {
        let allowed = match next {
            Order::Confirmed => self.order == Order::Placed,
            Order::Rejected | Order::Cancelled => self.order < Order::Rejected,
            Order::Shipped => self.order == Order::Confirmed,
            Order::Delivered => self.order == Order::Shipped,
            Order::Placed => false,
        };
        if allowed {
            self.order = next;
            self.did(what);
        } else if !self.done.contains_key(what) {
            return Err(DispatchError::Refused(format!("the order is {:?}", self.order)));
        }
        Ok(vec![answer])
    }

    fn inventory(&mut self, command: &ServiceCommand) -> Answer {
        let tell = Tell(self.order_id);
        match command {
            ServiceCommand::ReserveStock { .. } if self.script.out_of_stock => {
                self.stock = Stock::Refused;
                Ok(vec![tell.out_of_stock()])
            }
            ServiceCommand::ReserveStock { .. } => {
                if self.stock == Stock::Asked {
                    self.stock = Stock::Reserved;
                    self.did("reserve");
                }
                Ok(vec![tell.reserved()])
            }
            ServiceCommand::ReleaseStock { .. } => {
                assert_ne!(self.stock, Stock::Issued, "released what had left the house");
                if self.stock == Stock::Reserved {
                    self.stock = Stock::Released;
                    self.did("release");
                }
                Ok(vec![tell.released()])
            }
            _ => {
                if self.stock == Stock::Reserved {
                    self.stock = Stock::Issued;
                    self.did("issue");
                }
                assert_eq!(self.stock, Stock::Issued, "issued what was not reserved");
                Ok(vec![tell.issued()])
            }
        }
    }

    /// The payment service and its provider.
    fn provider(&mut self, command: &ServiceCommand) -> Answer {
        use PaymentOperation::{Authorise, Capture, Void};
        let operation = match command {
            ServiceCommand::AuthorisePayment { .. } => Authorise,
            ServiceCommand::CapturePayment { .. } => Capture,
            ServiceCommand::VoidPayment { .. } => Void,
            ServiceCommand::InquirePayment { operation, .. } => return Ok(self.inquiry(*operation)),
            _ => return Err(DispatchError::Refused("not a payment".to_owned())),
        };
        let (from, to, what) = match operation {
            Authorise if self.script.card_declined => (Payment::Untouched, Payment::Declined, "decline"),
            Authorise => (Payment::Untouched, Payment::Authorised, "authorise"),
            Capture => (Payment::Authorised, Payment::Captured, "capture"),
            Void => (Payment::Authorised, Payment::Voided, "void"),
            PaymentOperation::Refund => return Err(DispatchError::Refused("nothing to refund".to_owned())),
        };
        if self.ledger == from {
            self.ledger = to;
            self.did(what);
            self.unknown = self.script.answer_lost.filter(|lost| *lost == operation);
        }
        let tell = Tell(self.order_id);
        if self.script.answer_lost == Some(operation) {
            return Ok(vec![tell.unknown(operation)]);
        }
        Ok(vec![self.payment_answer(operation)])
    }

    fn inquiry(&mut self, operation: PaymentOperation) -> Vec<ShopEvent> {
        self.inquiries += 1;
        if self.script.answer_lost == Some(operation) && self.inquiries > self.script.fruitless_inquiries {
            self.unknown = None;
            return vec![self.payment_answer(operation)];
        }
        vec![]
    }

    fn payment_answer(&self, operation: PaymentOperation) -> ShopEvent {
        let tell = Tell(self.order_id);
        match operation {
            PaymentOperation::Authorise if self.script.card_declined => tell.declined(),
            PaymentOperation::Authorise => tell.authorised(),
            PaymentOperation::Capture => tell.captured(),
            PaymentOperation::Void | PaymentOperation::Refund => tell.voided(),
        }
    }

    fn shipping(&mut self, command: &ServiceCommand) -> Answer {
        let tell = Tell(self.order_id);
        if matches!(command, ServiceCommand::BookShipment { .. }) {
            if self.parcel == Parcel::Untouched {
                self.parcel = Parcel::Booked;
                self.did("book");
            }
            return Ok(vec![tell.booked()]);
        }
        match self.parcel {
            Parcel::Booked => {
                self.parcel = Parcel::CalledOff;
                self.did("call_off");
                Ok(vec![tell.called_off()])
            }
            Parcel::CalledOff => Ok(vec![tell.called_off()]),
            _ => Err(DispatchError::Refused("the parcel is under way".to_owned())),
        }
    }

    /// Whatever was done was done once, and what is held at the end is what the order's end allows.
    pub(crate) fn assert_clean(&self) {
        assert!(
            self.done.values().all(|times| *times == 1),
            "something was done twice: {self:?}"
        );
        assert_eq!(self.unknown, None, "{self:?}");
        if self.ledger == Payment::Captured {
            assert!(self.order >= Order::Shipped, "captured, but not shipped: {self:?}");
        }
        match self.order {
            Order::Delivered => {
                assert_eq!(
                    (self.stock, self.ledger, self.parcel),
                    (Stock::Issued, Payment::Captured, Parcel::Delivered)
                );
            }
            Order::Rejected | Order::Cancelled => {
                assert_ne!(self.ledger, Payment::Authorised, "money is held: {self:?}");
                assert_ne!(self.stock, Stock::Reserved, "goods are held: {self:?}");
                assert_ne!(self.parcel, Parcel::Booked, "a carrier will come: {self:?}");
                let gone = self.parcel >= Parcel::PickedUp;
                assert_eq!(
                    self.stock == Stock::Issued,
                    gone,
                    "the goods and the book disagree: {self:?}"
                );
            }
            other => panic!("the order was left {other:?}: {self:?}"),
        }
    }
}
