//! What `place_order` asks for: a function of what is known.

use domain::commands::ServiceCommand;
use event_schemas::{order::Reason, payment::PaymentOperation};

use super::{
    PlaceOrderState,
    parcel::{Carriage, Goods, Parcel, Share},
    state::{Cancellation, Funds, Order, Stock},
};

impl PlaceOrderState {
    /// What is asked for and not answered.
    pub(super) fn asks(&self) -> Vec<ServiceCommand> {
        let mut asks = if self.undoing() {
            self.backward()
        } else {
            self.forward()
        };
        asks.extend(self.check_out_cart());
        asks
    }

    /// At an operator's word everything is asked for again, and the provider is asked once more about what it refused: it may
    /// have been done there by hand.
    pub(super) fn asks_again(&self) -> Vec<ServiceCommand> {
        let mut asks = self.asks();
        if self.funds == Funds::VoidRefused {
            asks.push(self.inquire(PaymentOperation::Void, None));
        }
        let refused = self.parcels.iter().filter(|parcel| parcel.share == Share::Refused);
        asks.extend(refused.map(|parcel| self.inquire(PaymentOperation::Capture, Some(parcel))));
        asks
    }

    /// The happy path, read downwards: the first thing that is not known to be done is asked for.
    fn forward(&self) -> Vec<ServiceCommand> {
        if self.stock < Stock::Reserved {
            return self.reserve_stock();
        }
        match self.funds {
            Funds::Untouched | Funds::Asked => return self.reserve_funds(),
            Funds::AuthorisationUnknown => return vec![self.inquire(PaymentOperation::Authorise, None)],
            _ => {}
        }
        if self.order < Order::Confirmed {
            return vec![self.confirm_order()];
        }
        if let Some(reason) = self.nothing_left_to_send() {
            return vec![self.cancel_order(reason)];
        }
        let mut asks = vec![];
        if self.order < Order::Shipped {
            let first = self.parcels.iter().find(|parcel| parcel.under_way());
            asks.extend(first.map(|parcel| self.mark_order_shipped(parcel)));
        }
        for parcel in &self.parcels {
            asks.extend(self.for_parcel(parcel));
        }
        if self.order >= Order::Shipped {
            asks.extend(self.after_shipping());
        }
        asks
    }

    /// What one parcel needs next; those of an order do not wait for each other.
    fn for_parcel(&self, parcel: &Parcel) -> Vec<ServiceCommand> {
        let cancelling = self.wish_to_cancel().is_some();
        match parcel.carriage {
            Carriage::Untouched if cancelling => vec![],
            Carriage::Untouched | Carriage::Asked => self.book_shipment(parcel),
            Carriage::Booked if cancelling || parcel.calling_off => vec![self.cancel_shipment(parcel)],
            // It is the carrier's turn; or the others are called off too, and then the whole order is.
            Carriage::Booked => vec![],
            Carriage::CalledOff if cancelling => vec![],
            Carriage::CalledOff => self.drop_parcel(parcel),
            // The order must know first that there is no way back.
            Carriage::PickedUp | Carriage::Delivered if self.order < Order::Shipped => vec![],
            Carriage::PickedUp | Carriage::Delivered => self.settle_parcel(parcel),
        }
    }

    /// Its goods go back on the shelf, its share of the money is never taken, and the rest of the order goes on.
    fn drop_parcel(&self, parcel: &Parcel) -> Vec<ServiceCommand> {
        let mut asks = vec![];
        if !parcel.told {
            asks.extend(self.cancel_items(parcel));
        }
        if parcel.goods == Goods::Held {
            asks.push(self.release_goods(parcel));
        }
        asks
    }

    /// It is on its way and there is no way back: money and goods, in any order.
    fn settle_parcel(&self, parcel: &Parcel) -> Vec<ServiceCommand> {
        let mut asks = match parcel.share {
            Share::Due => vec![self.take_share(parcel)],
            Share::CaptureUnknown => vec![self.inquire(PaymentOperation::Capture, Some(parcel))],
            Share::Refused | Share::Settled | Share::Taken => vec![],
        };
        if parcel.goods != Goods::Issued {
            asks.push(self.issue_goods(parcel));
        }
        asks
    }

    /// What is left for the order as a whole.
    fn after_shipping(&self) -> Vec<ServiceCommand> {
        let mut asks = vec![];
        if matches!(self.cancellation, Some(Cancellation::Requested(_))) {
            asks.push(self.deny_cancellation());
        }
        let dropped = |parcel: &Parcel| parcel.carriage == Carriage::CalledOff;
        if self.parcels.iter().any(dropped) && self.parcels.iter().all(|parcel| dropped(parcel) || parcel.paid()) {
            asks.extend(self.give_back());
        }
        // The order must know what was not sent before it is delivered: else it would take that back.
        let arrived = |parcel: &Parcel| match parcel.carriage {
            Carriage::CalledOff => parcel.told,
            carriage => carriage == Carriage::Delivered,
        };
        if self.order < Order::Delivered && self.parcels.iter().all(arrived) {
            asks.push(self.mark_order_delivered());
        }
        asks
    }

    /// Why the order is called off as a whole: no parcel of it will be sent.
    fn nothing_left_to_send(&self) -> Option<Reason> {
        let wish = self.wish_to_cancel();
        let stays = |parcel: &Parcel| {
            parcel.carriage == Carriage::CalledOff || (wish.is_some() && parcel.carriage == Carriage::Untouched)
        };
        if self.order >= Order::Shipped || !self.parcels.iter().all(stays) {
            return None;
        }
        wish.cloned()
            .or_else(|| self.parcels.last().map(|parcel| self.why_not_sent(parcel)))
    }

    /// Gives the money back that is set aside and not taken.
    fn give_back(&self) -> Option<ServiceCommand> {
        match self.funds {
            Funds::Held => Some(self.give_back_funds()),
            Funds::VoidUnknown => Some(self.inquire(PaymentOperation::Void, None)),
            _ => None,
        }
    }

    /// Compensation, in reverse order. A step that may still be happening is waited for, and undone only once it is known.
    fn backward(&self) -> Vec<ServiceCommand> {
        // A confirmation may be on its way. The order decides which of the two it takes, and that is known before
        // anything is undone.
        if self.expired() && self.order == Order::Placed && self.funds == Funds::Held {
            return self.reject_order();
        }
        let carriers = self.parcels.iter().flat_map(|parcel| match parcel.carriage {
            Carriage::Asked => self.book_shipment(parcel),
            Carriage::Booked => vec![self.cancel_shipment(parcel)],
            _ => vec![],
        });
        let unknown = self
            .parcels
            .iter()
            .filter(|parcel| parcel.share == Share::CaptureUnknown);
        let asks: Vec<_> = carriers
            .chain(unknown.map(|parcel| self.inquire(PaymentOperation::Capture, Some(parcel))))
            .collect();
        if !asks.is_empty() {
            return asks;
        }
        match self.funds {
            Funds::Asked => return self.reserve_funds(),
            Funds::AuthorisationUnknown => return vec![self.inquire(PaymentOperation::Authorise, None)],
            Funds::Held | Funds::VoidUnknown if !self.money_was_taken() => {
                return self.give_back().into_iter().collect();
            }
            _ => {}
        }
        let goods = self.give_back_goods();
        if !goods.is_empty() {
            return goods;
        }
        match self.order {
            Order::Placed => self.reject_order(),
            Order::Confirmed => self
                .undo
                .clone()
                .map(|why| self.cancel_order(why))
                .into_iter()
                .collect(),
            _ => vec![],
        }
    }

    fn money_was_taken(&self) -> bool {
        self.parcels.iter().any(|parcel| parcel.share >= Share::Refused)
    }

    /// Goods that left the house against all expectation are counted out; all others go back on the shelf.
    fn give_back_goods(&self) -> Vec<ServiceCommand> {
        if self.stock == Stock::Asked {
            return self.reserve_stock();
        }
        if self.stock == Stock::Refused {
            return vec![];
        }
        let held = || self.parcels.iter().filter(|parcel| parcel.goods == Goods::Held);
        let gone: Vec<_> = held().filter(|parcel| parcel.under_way()).collect();
        if !gone.is_empty() {
            return gone.into_iter().map(|parcel| self.issue_goods(parcel)).collect();
        }
        held().next().map(|_| self.release_stock()).into_iter().collect()
    }
}
