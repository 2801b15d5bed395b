//! What inventory decides: pure. The books hold the rows that a batch of commands touches; each command changes them in
//! memory and yields events; the writer then stores what changed, once for the whole batch.

use std::collections::{HashMap, HashSet};

use domain::{Refusal, commands::Line};
use event_schemas::{
    Metadata, OrderId, ProductId, ReturnId, ShipmentId, Timestamp,
    ids::derived_uuid,
    stock::{
        ReservationEvent, StockEvent, StockIssued, StockLine, StockReceived, StockReleased, StockReservationRefused,
        StockReserved, StockReturned,
    },
};
use uuid::Uuid;

use super::reservation::{Reservation, State, as_lines, nothing_reserved, together};
use crate::{execution::CommandContext, outbox::Outgoing, services::key_reused};

/// The most pieces of one product that inventory keeps: far from where a number would overflow.
pub const MAX_ON_HAND: u64 = 1_000_000_000_000;
/// The most pieces of one receipt.
pub const MAX_RECEIPT: u32 = 1_000_000;

/// What inventory can be asked.
#[derive(Debug, Clone)]
pub(super) enum Command {
    /// Goods came in.
    Receive(ProductId, u32),
    /// Set all lines aside or none, until then.
    Reserve(OrderId, Vec<Line>, Timestamp),
    /// Give back what is set aside.
    Release(OrderId, Parcel),
    /// What is set aside left the house.
    Issue(OrderId, Parcel),
    /// What left the house came back.
    Restock(OrderId, ReturnId, Vec<Line>),
}

/// The goods of one parcel, or all that is left.
#[derive(Debug, Clone)]
pub(super) struct Parcel {
    /// None for all that is left.
    pub(super) shipment_id: Option<ShipmentId>,
    /// Empty for all that is left.
    pub(super) lines: Vec<Line>,
}

/// A command and who asks it: the command's id and fingerprint are in the metadata.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) id: Uuid,
    pub(super) command: Command,
    pub(super) metadata: Metadata,
}

impl Request {
    pub(super) fn new(command: Command, context: &CommandContext) -> Self {
        Self {
            id: context.command_id,
            command,
            metadata: context.metadata(),
        }
    }
}

/// How many pieces there are and how many of them are promised.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Stock {
    pub(super) on_hand: u64,
    pub(super) reserved: u64,
}

impl Stock {
    pub(super) const fn available(self) -> u64 {
        self.on_hand.saturating_sub(self.reserved)
    }
}

/// Goods that came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Receipt {
    pub(super) fingerprint: String,
    pub(super) received: StockReceived,
}

/// The rows that a batch touches, and which of them it changed.
#[derive(Debug, Default)]
pub(super) struct Books {
    pub(super) stock: HashMap<ProductId, Stock>,
    pub(super) reservations: HashMap<OrderId, Reservation>,
    pub(super) receipts: HashMap<Uuid, Receipt>,
    pub(super) changed_stock: HashSet<ProductId>,
    pub(super) changed_reservations: HashSet<OrderId>,
    pub(super) new_receipts: Vec<Uuid>,
    pub(super) outgoing: Vec<Outgoing>,
}

impl Books {
    /// Does what is asked, or nothing where it was done before. Goods received are told; everything else is answered by an
    /// event.
    pub(super) fn apply(&mut self, request: &Request) -> Result<Option<StockReceived>, Refusal> {
        match &request.command {
            Command::Receive(product_id, quantity) => self.receive(*product_id, *quantity, request).map(Some),
            Command::Reserve(order_id, lines, until) => self.reserve(*order_id, lines, *until, request).map(|()| None),
            Command::Release(order_id, parcel) => self.release(*order_id, parcel, request).map(|()| None),
            Command::Issue(order_id, parcel) => self.issue(*order_id, parcel, request).map(|()| None),
            Command::Restock(order_id, return_id, lines) => {
                self.restock(*order_id, *return_id, lines, request).map(|()| None)
            }
        }
    }

    fn receive(&mut self, product_id: ProductId, quantity: u32, request: &Request) -> Result<StockReceived, Refusal> {
        let fingerprint = request.metadata.fingerprint.clone().unwrap_or_default();
        if let Some(receipt) = self.receipts.get(&request.id) {
            return if receipt.fingerprint == fingerprint {
                Ok(receipt.received.clone())
            } else {
                Err(key_reused())
            };
        }
        if !(1..=MAX_RECEIPT).contains(&quantity) {
            return Err(Refusal::field("quantity", format!("must be 1 to {MAX_RECEIPT}")));
        }
        let stock = self.stock.entry(product_id).or_default();
        let on_hand = stock.on_hand.saturating_add(u64::from(quantity));
        if on_hand > MAX_ON_HAND {
            let message = format!("there would be more than {MAX_ON_HAND} pieces of this product");
            return Err(Refusal::field("quantity", message));
        }
        stock.on_hand = on_hand;
        let received = StockReceived {
            product_id,
            quantity,
            available: stock.available(),
        };
        self.changed_stock.insert(product_id);
        let receipt = Receipt {
            fingerprint,
            received: received.clone(),
        };
        self.receipts.insert(request.id, receipt);
        self.new_receipts.push(request.id);
        let event = StockEvent::from(received.clone());
        self.outgoing.push(Outgoing::new(
            product_id.uuid(),
            event_id(request),
            &event,
            &request.metadata,
        ));
        Ok(received)
    }

    fn reserve(
        &mut self,
        order_id: OrderId,
        lines: &[Line],
        expires_at: Timestamp,
        request: &Request,
    ) -> Result<(), Refusal> {
        // Whatever is there, even a release that overtook this command: the event that answers is in the log already.
        if self.reservations.contains_key(&order_id) {
            return Ok(());
        }
        let wanted = together(lines);
        if wanted.is_empty() || lines.iter().any(|line| line.quantity == 0) {
            return Err(Refusal::invalid(
                "nothing-to-reserve",
                "each line needs at least one piece",
            ));
        }
        let available = |id: &ProductId| self.stock.get(id).copied().unwrap_or_default().available();
        let short = |(product_id, quantity): (&ProductId, &u32)| StockLine {
            product_id: *product_id,
            quantity: *quantity,
            available: available(product_id),
        };
        let shortages: Vec<_> = wanted
            .iter()
            .map(short)
            .filter(|line| u64::from(line.quantity) > line.available)
            .collect();
        if !shortages.is_empty() {
            let refused = StockReservationRefused { order_id, shortages };
            self.settle(order_id, Reservation::nothing(State::Refused), &refused.into(), request);
            return Ok(());
        }
        let lines = as_lines(wanted);
        let reserved = StockReserved {
            order_id,
            lines: self.each(&lines, |stock, quantity| stock.reserved += quantity),
            expires_at: Some(expires_at),
        };
        self.settle(order_id, Reservation::of(lines), &reserved.into(), request);
        Ok(())
    }

    fn release(&mut self, order_id: OrderId, parcel: &Parcel, request: &Request) -> Result<(), Refusal> {
        let mut reservation = match self.reservations.get(&order_id) {
            Some(reservation) => reservation.clone(),
            None if parcel.shipment_id.is_some() => return Err(nothing_reserved(order_id)),
            // Overtaken by its compensation: the order is marked, so that the command that comes late does nothing.
            None => Reservation::nothing(State::Released),
        };
        let Some(moves) = reservation.release(order_id, parcel.shipment_id, &parcel.lines)? else {
            return Ok(());
        };
        let released = StockReleased {
            order_id,
            lines: self.each(&moves, |stock, quantity| {
                stock.reserved = stock.reserved.saturating_sub(quantity);
            }),
            shipment_id: parcel.shipment_id,
        };
        self.settle(order_id, reservation, &released.into(), request);
        Ok(())
    }

    fn issue(&mut self, order_id: OrderId, parcel: &Parcel, request: &Request) -> Result<(), Refusal> {
        let mut reservation = self.known(order_id)?;
        let Some(moves) = reservation.issue(order_id, parcel.shipment_id, &parcel.lines)? else {
            return Ok(());
        };
        let issued = StockIssued {
            order_id,
            lines: self.each(&moves, |stock, quantity| {
                stock.on_hand = stock.on_hand.saturating_sub(quantity);
                stock.reserved = stock.reserved.saturating_sub(quantity);
            }),
            shipment_id: parcel.shipment_id,
        };
        self.settle(order_id, reservation, &issued.into(), request);
        Ok(())
    }

    fn restock(
        &mut self,
        order_id: OrderId,
        return_id: ReturnId,
        lines: &[Line],
        request: &Request,
    ) -> Result<(), Refusal> {
        let mut reservation = self.known(order_id)?;
        let Some(moves) = reservation.restock(order_id, return_id, lines)? else {
            return Ok(());
        };
        let returned = StockReturned {
            order_id,
            return_id,
            // No more than left the house, so the bound on what is kept holds but for receipts in between: nothing overflows.
            lines: self.each(&moves, |stock, quantity| {
                stock.on_hand = stock.on_hand.saturating_add(quantity);
            }),
        };
        self.settle(order_id, reservation, &returned.into(), request);
        Ok(())
    }

    fn known(&self, order_id: OrderId) -> Result<Reservation, Refusal> {
        let found = self.reservations.get(&order_id).cloned();
        found.ok_or_else(|| nothing_reserved(order_id))
    }

    /// Changes the stock of each line's product, and tells what is left to sell.
    fn each(&mut self, lines: &[Line], change: impl Fn(&mut Stock, u64)) -> Vec<StockLine> {
        let mut moved = Vec::with_capacity(lines.len());
        for line in lines {
            let stock = self.stock.entry(line.product_id).or_default();
            change(stock, u64::from(line.quantity));
            self.changed_stock.insert(line.product_id);
            moved.push(StockLine {
                product_id: line.product_id,
                quantity: line.quantity,
                available: stock.available(),
            });
        }
        moved
    }

    fn settle(&mut self, order_id: OrderId, reservation: Reservation, event: &ReservationEvent, request: &Request) {
        self.reservations.insert(order_id, reservation);
        self.changed_reservations.insert(order_id);
        self.outgoing.push(Outgoing::new(
            order_id.uuid(),
            event_id(request),
            event,
            &request.metadata,
        ));
    }
}

/// Every command yields one event at most.
fn event_id(request: &Request) -> Uuid {
    derived_uuid(request.id, "0")
}
