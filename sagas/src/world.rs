//! The world of one order, for tests: its aggregate, inventory, payment provider, credit, carrier. Each answers a command
//! with events, the same command again with the same events, and writes down what it really did.

mod money;
mod past;
mod returns;
mod tell;

use std::collections::BTreeMap;

use domain::commands::ServiceCommand;
use event_schemas::{OrderId, ShipmentId, ShopEvent, payment::PaymentOperation};

use crate::{
    DispatchError,
    place_order::{Carriage, Funds, Goods, Order, Stock},
};
pub(crate) use tell::{EXPIRY, Tell};

/// What an order meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Script {
    /// As many parcels.
    pub(crate) sellers: usize,
    pub(crate) invoice: bool,
    pub(crate) from_cart: bool,
    pub(crate) out_of_stock: bool,
    /// The card is declined, or the credit limit exceeded.
    pub(crate) declined: bool,
    /// The provider acts, but its answer to this operation is lost; if it is a capture, to that of this parcel.
    pub(crate) answer_lost: Option<(PaymentOperation, usize)>,
    /// So often the provider cannot say what became of it.
    pub(crate) fruitless_inquiries: u32,
    /// The goods are held for a while only.
    pub(crate) expires: bool,
    /// This parcel's seller finds that there is nothing to send.
    pub(crate) cannot_send: Option<usize>,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            sellers: 1,
            invoice: false,
            from_cart: false,
            out_of_stock: false,
            declined: false,
            answer_lost: None,
            fruitless_inquiries: 0,
            expires: false,
            cannot_send: None,
        }
    }
}

/// Everything around one order.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) tell: Tell,
    script: Script,
    pub(crate) order: Order,
    /// Begun under definition 1: commands name no parcel.
    whole: bool,
    /// The customer wants it called off, and nobody has said yet what comes of it.
    wish: bool,
    pub(crate) stock: Stock,
    pub(crate) parcels: Vec<Parcel>,
    /// What the provider's ledger says, or the credit book, known to the shop or not.
    pub(crate) funds: Funds,
    /// The operation whose answer was lost.
    unknown: Option<(PaymentOperation, Option<ShipmentId>)>,
    inquiries: u32,
    cart_emptied: bool,
    /// How often each thing was really done.
    pub(crate) done: BTreeMap<String, u32>,
}

/// A parcel as it really is.
#[derive(Debug)]
pub(crate) struct Parcel {
    pub(crate) id: ShipmentId,
    pub(crate) carriage: Carriage,
    pub(crate) goods: Goods,
    pub(crate) paid: bool,
    pub(crate) told: bool,
}

pub(crate) type Answer = Result<Vec<ShopEvent>, DispatchError>;

impl World {
    pub(crate) fn new(order_id: OrderId, script: Script) -> Self {
        let tell = Tell::of(order_id, script);
        let parcels = (0..script.sellers).map(|n| Parcel {
            id: tell.shipment_id(n),
            carriage: Carriage::Untouched,
            goods: Goods::Held,
            paid: false,
            told: false,
        });
        Self {
            tell,
            script,
            order: Order::Placed,
            whole: false,
            wish: false,
            stock: Stock::Asked,
            parcels: parcels.collect(),
            funds: Funds::Untouched,
            unknown: None,
            inquiries: 0,
            cart_emptied: false,
            done: BTreeMap::new(),
        }
    }

    pub(crate) fn execute(&mut self, command: &ServiceCommand) -> Answer {
        use ServiceCommand as C;
        match command {
            C::CheckOutCart { .. } => {
                if !self.cart_emptied {
                    self.cart_emptied = true;
                    self.did("check_out", None);
                }
                Ok(vec![self.tell.cart_checked_out()])
            }
            C::ReserveStock { lines, .. } => Ok(self.reserve(lines.len())),
            C::ReleaseStock { shipment_id, .. } => Ok(self.release(*shipment_id)),
            C::IssueStock { shipment_id, .. } => Ok(self.issue(*shipment_id)),
            C::BookShipment { shipment_id, .. } => Ok(self.book(*shipment_id)),
            C::CancelShipment { shipment_id, .. } => self.call_off(*shipment_id),
            C::ConfirmOrder { .. }
            | C::RejectOrder { .. }
            | C::CancelOrder { .. }
            | C::DenyCancellation { .. }
            | C::CancelOrderItems { .. }
            | C::MarkOrderShipped { .. }
            | C::MarkOrderDelivered { .. } => self.order_of(command),
            C::RefundPayment { .. }
            | C::RefundCredit { .. }
            | C::RestockGoods { .. }
            | C::CompleteReturn { .. }
            | C::InquirePayment {
                operation: PaymentOperation::Refund,
                ..
            } => self.come_back(command),
            _ => self.money(command),
        }
    }

    /// The customer calls it off, if the order aggregate lets them.
    pub(crate) fn cancel(&mut self) -> Option<ShopEvent> {
        match self.order {
            Order::Placed => {
                self.order = Order::Cancelled;
                self.did("cancel", None);
                Some(self.tell.cancelled())
            }
            Order::Confirmed if !self.done.contains_key("wish") => {
                self.wish = true;
                self.did("wish", None);
                Some(self.tell.cancellation_requested())
            }
            _ => None,
        }
    }

    /// The carrier comes by for a parcel, if there is one to fetch.
    pub(crate) fn carrier_moves(&mut self, n: usize) -> Option<ShopEvent> {
        let (tell, n) = (self.tell, n % self.parcels.len());
        if self.script.cannot_send == Some(n) {
            return self.seller_drops(n);
        }
        let (moved, event) = match self.parcels[n].carriage {
            Carriage::Booked => (Carriage::PickedUp, tell.picked_up(n)),
            Carriage::PickedUp => (Carriage::Delivered, tell.parcel_delivered(n)),
            _ => return None,
        };
        self.parcels[n].carriage = moved;
        Some(event)
    }

    /// A seller cannot send a parcel that no carrier has fetched.
    pub(crate) fn seller_drops(&mut self, n: usize) -> Option<ShopEvent> {
        let n = n % self.parcels.len();
        let booked = self.parcels[n].carriage == Carriage::Booked;
        booked.then(|| {
            self.parcels[n].carriage = Carriage::CalledOff;
            self.tell.dropped_by_seller(n)
        })
    }

    fn did(&mut self, what: &str, part: Option<ShipmentId>) {
        let what = part.map_or_else(|| what.to_owned(), |part| format!("{what} {part}"));
        *self.done.entry(what).or_default() += 1;
    }

    pub(crate) fn index(&self, id: ShipmentId) -> usize {
        let found = self.parcels.iter().position(|parcel| parcel.id == id);
        found.expect("a parcel of another order")
    }

    /// The order aggregate: a final state is final, and after shipping there is no way back.
    fn order_of(&mut self, command: &ServiceCommand) -> Answer {
        use ServiceCommand as C;
        let tell = self.tell;
        let (next, what, answer) = match command {
            C::ConfirmOrder { .. } => (Order::Confirmed, "confirm", tell.confirmed()),
            C::RejectOrder { reason, .. } => (Order::Rejected, "reject", tell.rejected(reason.clone())),
            C::CancelOrder { .. } => (Order::Cancelled, "cancel", tell.cancelled()),
            C::MarkOrderShipped { shipment_id, .. } => (Order::Shipped, "ship", tell.shipped(self.index(*shipment_id))),
            C::MarkOrderDelivered { .. } => (Order::Delivered, "mark_delivered", tell.delivered()),
            C::DenyCancellation { .. } => {
                assert!(self.order >= Order::Shipped, "denied too early: {self:?}");
                if std::mem::take(&mut self.wish) {
                    self.did("deny", None);
                }
                return Ok(vec![tell.cancellation_denied()]);
            }
            C::CancelOrderItems { shipment_id, items, .. } => {
                let n = self.index(*shipment_id);
                assert_eq!(items.len(), tell.lines_of(n), "the parcel's items are forgotten");
                if !std::mem::replace(&mut self.parcels[n].told, true) {
                    self.did("cancel_items", Some(*shipment_id));
                }
                return Ok(vec![tell.items_cancelled(n)]);
            }
            other => return Err(DispatchError::Refused(format!("{other:?} is not of the order"))),
        };
        let allowed = match next {
            Order::Confirmed | Order::Rejected => self.order == Order::Placed,
            Order::Cancelled => self.order < Order::Rejected,
            Order::Shipped => self.order == Order::Confirmed,
            Order::Delivered => self.order == Order::Shipped,
            Order::Placed => false,
        };
        if allowed {
            self.order = next;
            self.wish &= next != Order::Cancelled;
            self.did(what, None);
        } else if !self.done.contains_key(what) {
            return Err(DispatchError::Refused(format!("the order is {:?}", self.order)));
        }
        Ok(vec![answer])
    }

    fn reserve(&mut self, lines: usize) -> Vec<ShopEvent> {
        assert_eq!(
            lines,
            (0..self.parcels.len()).map(|n| self.tell.lines_of(n)).sum::<usize>()
        );
        if self.script.out_of_stock {
            self.stock = Stock::Refused;
            return vec![self.tell.out_of_stock()];
        }
        if self.stock == Stock::Asked {
            self.stock = Stock::Reserved;
            self.did("reserve", None);
        }
        vec![self.tell.reserved()]
    }

    fn release(&mut self, part: Option<ShipmentId>) -> Vec<ShopEvent> {
        assert_eq!(self.stock, Stock::Reserved, "released what was not set aside");
        for n in 0..self.parcels.len() {
            let parcel = &mut self.parcels[n];
            let named = part == Some(parcel.id);
            assert!(
                !named || parcel.goods != Goods::Issued,
                "released what had left the house"
            );
            if parcel.goods == Goods::Held && (named || part.is_none()) {
                parcel.goods = Goods::Released;
                let id = parcel.id;
                self.did("release", Some(id));
            }
        }
        vec![self.tell.released(part)]
    }

    fn issue(&mut self, part: Option<ShipmentId>) -> Vec<ShopEvent> {
        assert_eq!(part.is_none(), self.whole, "another definition's command");
        let n = part.map_or(0, |id| self.index(id));
        let parcel = &mut self.parcels[n];
        if parcel.goods == Goods::Held && self.stock == Stock::Reserved {
            parcel.goods = Goods::Issued;
            let id = parcel.id;
            self.did("issue", Some(id));
        }
        assert_eq!(self.parcels[n].goods, Goods::Issued, "issued what was not reserved");
        vec![self.tell.issued(part)]
    }

    fn book(&mut self, id: ShipmentId) -> Vec<ShopEvent> {
        let n = self.index(id);
        if self.parcels[n].carriage == Carriage::Untouched {
            self.parcels[n].carriage = Carriage::Booked;
            self.did("book", Some(id));
        }
        vec![self.tell.booked(n)]
    }

    fn call_off(&mut self, id: ShipmentId) -> Answer {
        let n = self.index(id);
        match self.parcels[n].carriage {
            Carriage::Booked => {
                self.parcels[n].carriage = Carriage::CalledOff;
                self.did("call_off", Some(id));
                Ok(vec![self.tell.called_off(n)])
            }
            Carriage::CalledOff => Ok(vec![]),
            _ => Err(DispatchError::Refused("the parcel is under way".to_owned())),
        }
    }

    /// Whatever was done was done once, and what is held at the end is what the order's end allows.
    pub(crate) fn assert_clean(&self) {
        let twice = self.done.iter().find(|(_, times)| **times > 1);
        assert_eq!(twice, None, "something was done twice: {self:?}");
        assert_eq!(self.unknown, None, "{self:?}");
        assert!(!self.wish, "the customer was never answered: {self:?}");
        match self.order {
            Order::Delivered => {
                let dropped = |parcel: &&Parcel| parcel.carriage == Carriage::CalledOff;
                for parcel in &self.parcels {
                    let (goods, paid) = if dropped(&parcel) {
                        (Goods::Released, false)
                    } else {
                        (Goods::Issued, true)
                    };
                    assert_eq!(
                        (parcel.goods, parcel.paid, parcel.told),
                        (goods, paid, !paid),
                        "{self:?}"
                    );
                    assert!(!paid || parcel.carriage == Carriage::Delivered, "{self:?}");
                }
                let any = self.parcels.iter().any(|parcel| dropped(&parcel));
                let funds = if any { Funds::GivenBack } else { Funds::Held };
                assert_eq!(self.funds, funds, "what was not taken: {self:?}");
            }
            Order::Rejected | Order::Cancelled => {
                assert_ne!(self.funds, Funds::Held, "money is held: {self:?}");
                for parcel in &self.parcels {
                    assert!(!parcel.paid, "paid for nothing: {self:?}");
                    assert_ne!(parcel.carriage, Carriage::Booked, "a carrier will come: {self:?}");
                    let gone = parcel.carriage >= Carriage::PickedUp;
                    assert_eq!(parcel.goods == Goods::Issued, gone, "goods and book disagree: {self:?}");
                    let held = self.stock == Stock::Reserved && parcel.goods == Goods::Held;
                    assert!(!held, "goods are held: {self:?}");
                }
            }
            other => panic!("the order was left {other:?}: {self:?}"),
        }
    }
}
