//! What `place_order` learns from a fact. What is known only rises.

use event_schemas::{
    ShipmentId, ShopEvent,
    cart::CartEvent,
    credit::CreditEvent,
    order::OrderEvent,
    payment::{PaymentEvent, PaymentOperation, PaymentOperationRefused, PaymentOutcomeUnknown},
    repair::{RepairCaseEvent, RepairCaseResolved},
    shipment::ShipmentEvent,
    stock::ReservationEvent,
};

use super::{
    PlaceOrderState,
    facts::{CREDIT_LIMIT_EXCEEDED, OUT_OF_STOCK, PAYMENT_VOIDED, RESERVATION_LOST, own},
    parcel::{Carriage, Goods, Parcel, Share},
    state::{Cancellation, Funds, Order, Stock},
};

impl PlaceOrderState {
    /// Takes in what an event tells.
    pub(super) fn learn(&mut self, event: &ShopEvent) {
        match event {
            ShopEvent::Cart(CartEvent::CartCheckedOut(_)) => self.cart_of = None,
            ShopEvent::Reservation(event) => self.learn_of_goods(event),
            ShopEvent::Payment(event) => self.learn_of_payment(event),
            ShopEvent::Credit(event) => self.learn_of_credit(event),
            ShopEvent::Shipment(event) => self.learn_of_parcel(event),
            ShopEvent::Order(event) => self.learn_of_order(event),
            ShopEvent::RepairCase(RepairCaseEvent::RepairCaseResolved(event)) => self.learn_of_repair(event),
            _ => {}
        }
    }

    fn learn_of_goods(&mut self, event: &ReservationEvent) {
        use ReservationEvent as E;
        match event {
            E::StockReserved(reserved) => {
                if rise(&mut self.stock, Stock::Reserved) {
                    self.expires_at = reserved.expires_at;
                }
            }
            E::StockReservationRefused(_) => {
                if rise(&mut self.stock, Stock::Refused) {
                    self.undo_because(own(OUT_OF_STOCK));
                }
            }
            E::StockReleased(released) => {
                rise(&mut self.stock, Stock::Reserved);
                let news = self.goods_rise(released.shipment_id, Goods::Released);
                // One parcel's goods are released because it is not sent; all of them because the order is off.
                if news && released.shipment_id.is_none() {
                    self.undo_because(own(RESERVATION_LOST));
                }
            }
            E::StockIssued(issued) => {
                rise(&mut self.stock, Stock::Reserved);
                self.goods_rise(issued.shipment_id, Goods::Issued);
            }
            E::StockReturned(_) => {}
        }
    }

    /// Without a parcel's name it is about all that was left.
    fn goods_rise(&mut self, part: Option<ShipmentId>, news: Goods) -> bool {
        let mut rose = false;
        for parcel in self.parcels_of(part) {
            if part.is_some() || parcel.goods == Goods::Held || parcel.amount.is_none() {
                rose |= rise(&mut parcel.goods, news);
            }
        }
        rose
    }

    fn learn_of_payment(&mut self, event: &PaymentEvent) {
        use PaymentEvent as E;
        match event {
            E::PaymentAuthorised(_) => {
                rise(&mut self.funds, Funds::Held);
            }
            E::PaymentDeclined(declined) => {
                if rise(&mut self.funds, Funds::Declined) {
                    self.undo_because(declined.reason.clone());
                }
            }
            E::PaymentCaptured(captured) => self.share_rises(captured.shipment_id, Share::Taken),
            E::PaymentVoided(_) => self.funds_are_back(),
            E::PaymentOutcomeUnknown(unknown) => self.learn_of_unknown(unknown),
            E::PaymentOperationRefused(refused) => self.learn_of_refusal(refused),
            E::PaymentAuthorisationRequested(_) | E::PaymentCaptureRequested(_) | E::PaymentVoidRequested(_) => {}
            E::PaymentRefundRequested(_) | E::PaymentRefunded(_) => {}
        }
    }

    fn learn_of_unknown(&mut self, unknown: &PaymentOutcomeUnknown) {
        let part = unknown.part.map(ShipmentId::from_uuid);
        match unknown.operation {
            PaymentOperation::Authorise => {
                rise(&mut self.funds, Funds::AuthorisationUnknown);
            }
            PaymentOperation::Capture => self.share_rises(part, Share::CaptureUnknown),
            PaymentOperation::Void => {
                rise(&mut self.funds, Funds::VoidUnknown);
            }
            PaymentOperation::Refund => {}
        }
    }

    fn learn_of_refusal(&mut self, refused: &PaymentOperationRefused) {
        let before = (self.funds, self.parcels.clone());
        match refused.operation {
            PaymentOperation::Capture => self.share_rises(refused.part.map(ShipmentId::from_uuid), Share::Refused),
            PaymentOperation::Void => {
                rise(&mut self.funds, Funds::VoidRefused);
            }
            PaymentOperation::Authorise | PaymentOperation::Refund => {}
        }
        if before.0 != self.funds || before.1 != self.parcels {
            self.refusal = Some(refused.reason.message.clone());
        }
    }

    fn share_rises(&mut self, part: Option<ShipmentId>, news: Share) {
        for parcel in self.parcels_of(part) {
            rise(&mut parcel.share, news);
        }
    }

    fn funds_are_back(&mut self) {
        if rise(&mut self.funds, Funds::GivenBack) {
            self.undo_because(own(PAYMENT_VOIDED));
        }
    }

    fn learn_of_credit(&mut self, event: &CreditEvent) {
        use CreditEvent as E;
        match event {
            E::CreditReserved(_) => {
                rise(&mut self.funds, Funds::Held);
            }
            E::CreditLimitExceeded(_) => {
                if rise(&mut self.funds, Funds::Declined) {
                    self.undo_because(own(CREDIT_LIMIT_EXCEEDED));
                }
            }
            E::CreditCharged(charged) => self.share_rises(Some(charged.shipment_id), Share::Taken),
            E::CreditReleased(_) => self.funds_are_back(),
            E::CreditRefunded(_) => {}
        }
    }

    fn learn_of_parcel(&mut self, event: &ShipmentEvent) {
        use ShipmentEvent as E;
        let (shipment_id, news) = match event {
            E::ShipmentBooked(event) => (event.shipment_id, Carriage::Booked),
            E::ShipmentCancelled(event) => (event.shipment_id, Carriage::CalledOff),
            E::ParcelPickedUp(event) => (event.shipment_id, Carriage::PickedUp),
            E::ParcelDelivered(event) => (event.shipment_id, Carriage::Delivered),
            E::ParcelScanned(_) => return,
        };
        let wish = match &self.cancellation {
            Some(Cancellation::Requested(reason)) => Some(reason.clone()),
            _ => None,
        };
        for parcel in self.parcels_of(Some(shipment_id)) {
            if rise(&mut parcel.carriage, news)
                && let E::ShipmentCancelled(cancelled) = event
            {
                parcel.reason = cancelled.reason.clone().or_else(|| wish.clone());
            }
        }
    }

    fn learn_of_order(&mut self, event: &OrderEvent) {
        use OrderEvent as E;
        match event {
            E::OrderPlaced(_) => {}
            E::OrderConfirmed(_) => {
                // It was faster than the rejection, before which nothing was undone.
                if rise(&mut self.order, Order::Confirmed) && self.expired() {
                    self.undo = None;
                }
            }
            E::OrderShipped(_) => {
                rise(&mut self.order, Order::Shipped);
            }
            E::OrderDelivered(_) => {
                rise(&mut self.order, Order::Delivered);
            }
            E::OrderRejected(rejected) => {
                if rise(&mut self.order, Order::Rejected) {
                    self.undo_because(rejected.reason.clone());
                }
            }
            E::OrderCancelled(cancelled) => {
                if rise(&mut self.order, Order::Cancelled) {
                    self.undo_because(cancelled.reason.clone());
                }
            }
            E::OrderCancellationRequested(requested) => {
                self.cancellation
                    .get_or_insert_with(|| Cancellation::Requested(requested.reason.clone()));
            }
            E::OrderCancellationDenied(_) => self.cancellation = Some(Cancellation::Denied),
            E::OrderItemsCancelled(cancelled) => {
                for parcel in self.parcels_of(Some(cancelled.shipment_id)) {
                    parcel.told = true;
                }
            }
        }
    }

    /// An operator dealt with what the provider refused: with all of it where the case names no operation.
    fn learn_of_repair(&mut self, resolved: &RepairCaseResolved) {
        let payment_id = self.payment_id();
        let is = |name: &str| {
            resolved
                .key
                .as_deref()
                .is_none_or(|key| key == format!("{payment_id}/{name}"))
        };
        if self.funds == Funds::VoidRefused && is("void") {
            self.funds = Funds::GivenBack;
        }
        for parcel in &mut self.parcels {
            let capture = match Parcel::part(parcel) {
                Some(id) => format!("capture/{id}"),
                None => "capture".to_owned(),
            };
            if parcel.share == Share::Refused && is(&capture) {
                parcel.share = Share::Settled;
            }
        }
    }
}

/// Whether the news rises above what is known: see the order of the variants in `state.rs` and `parcel.rs`.
fn rise<K: PartialOrd>(known: &mut K, news: K) -> bool {
    let rises = *known < news;
    if rises {
        *known = news;
    }
    rises
}
