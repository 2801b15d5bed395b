//! What became of one order's goods: pure. They are set aside as a whole, and leave or go back as a whole or parcel by parcel;
//! what left may come back.

use std::collections::BTreeMap;

use domain::{Refusal, commands::Line};
use event_schemas::{OrderId, ProductId, ReturnId, ShipmentId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What an order's goods are, all in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    /// Something is set aside.
    Reserved,
    /// Something was short, so nothing ever was.
    Refused,
    /// Nothing is set aside, and nothing left.
    Released,
    /// Nothing is set aside any more, and something left.
    Issued,
}

/// What became of some of them. Kept for good: it is why a repeated command does nothing again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Part {
    /// The parcel, or the return; none for all that was left at the time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) of: Option<Uuid>,
    pub(super) fate: Fate,
    pub(super) lines: Vec<Line>,
}

/// What can become of goods that were set aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Fate {
    /// They can be sold to others.
    Released,
    /// They left the house.
    Issued,
    /// They left the house and came back.
    Returned,
}

/// An order's goods.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reservation {
    pub(super) state: State,
    /// What is set aside now; empty where nothing is.
    pub(super) lines: Vec<Line>,
    pub(super) parts: Vec<Part>,
}

/// What moves: nothing new where the command was done before.
pub(super) type Moves = Option<Vec<Line>>;

impl Reservation {
    pub(super) const fn of(lines: Vec<Line>) -> Self {
        Self {
            state: State::Reserved,
            lines,
            parts: vec![],
        }
    }

    /// Nothing is set aside: refused, or overtaken by its own release.
    pub(super) const fn nothing(state: State) -> Self {
        Self {
            state,
            lines: vec![],
            parts: vec![],
        }
    }

    /// Gives back what is set aside for the parcel, or all that is left.
    pub(super) fn release(
        &mut self,
        order_id: OrderId,
        shipment_id: Option<ShipmentId>,
        lines: &[Line],
    ) -> Result<Moves, Refusal> {
        let of = shipment_id.map(|id| id.uuid());
        if self.part(of, Fate::Released).is_some() {
            return Ok(None);
        }
        let left = self.part(of, Fate::Issued).is_some() || self.part(None, Fate::Issued).is_some();
        let all_left = of.is_none() && self.state == State::Issued && self.part(None, Fate::Released).is_none();
        if left || all_left {
            return Err(gone(order_id));
        }
        // Where everything went back before, as where the reservation was refused, this is nothing, and is said.
        let moves = match self.state {
            State::Reserved => self.take(order_id, lines)?,
            State::Refused | State::Released | State::Issued => vec![],
        };
        self.settle(of, Fate::Released, &moves);
        Ok(Some(moves))
    }

    /// What is set aside for the parcel, or all that is left, leaves the house.
    pub(super) fn issue(
        &mut self,
        order_id: OrderId,
        shipment_id: Option<ShipmentId>,
        lines: &[Line],
    ) -> Result<Moves, Refusal> {
        let of = shipment_id.map(|id| id.uuid());
        if self.part(of, Fate::Issued).is_some() || self.part(None, Fate::Issued).is_some() {
            return Ok(None);
        }
        if self.state != State::Reserved || self.part(of, Fate::Released).is_some() {
            return Err(nothing_reserved(order_id));
        }
        let moves = self.take(order_id, lines)?;
        self.settle(of, Fate::Issued, &moves);
        Ok(Some(moves))
    }

    /// What left the house came back and can be sold again.
    pub(super) fn restock(&mut self, order_id: OrderId, return_id: ReturnId, lines: &[Line]) -> Result<Moves, Refusal> {
        let of = Some(return_id.uuid());
        if self.part(of, Fate::Returned).is_some() {
            return Ok(None);
        }
        let back = together(lines);
        let (issued, returned) = (self.total(Fate::Issued), self.total(Fate::Returned));
        let away = |product_id: &ProductId| {
            let (out, back) = (issued.get(product_id), returned.get(product_id));
            out.copied().unwrap_or(0).saturating_sub(back.copied().unwrap_or(0))
        };
        if back.is_empty() || back.iter().any(|(id, quantity)| *quantity == 0 || *quantity > away(id)) {
            let message = format!("no more can come back to order {order_id} than left the house for it");
            return Err(Refusal::conflict("not-issued", message));
        }
        let moves = as_lines(back);
        self.parts.push(Part {
            of,
            fate: Fate::Returned,
            lines: moves.clone(),
        });
        Ok(Some(moves))
    }

    fn part(&self, of: Option<Uuid>, fate: Fate) -> Option<&Part> {
        self.parts.iter().find(|part| part.of == of && part.fate == fate)
    }

    fn total(&self, fate: Fate) -> BTreeMap<ProductId, u32> {
        let parts = self.parts.iter().filter(|part| part.fate == fate);
        let lines: Vec<Line> = parts.flat_map(|part| part.lines.iter().cloned()).collect();
        together(&lines)
    }

    /// Takes lines out of what is set aside; all of it where no line is named.
    fn take(&mut self, order_id: OrderId, lines: &[Line]) -> Result<Vec<Line>, Refusal> {
        if lines.is_empty() {
            return Ok(std::mem::take(&mut self.lines));
        }
        let (wanted, mut left) = (together(lines), together(&self.lines));
        for (product_id, quantity) in &wanted {
            let aside = left.entry(*product_id).or_default();
            *aside = aside.checked_sub(*quantity).ok_or_else(|| {
                let message = format!("less of product {product_id} is set aside for order {order_id}");
                Refusal::conflict("not-set-aside", message)
            })?;
        }
        left.retain(|_, quantity| *quantity > 0);
        self.lines = as_lines(left);
        Ok(as_lines(wanted))
    }

    fn settle(&mut self, of: Option<Uuid>, fate: Fate, lines: &[Line]) {
        self.parts.push(Part {
            of,
            fate,
            lines: lines.to_vec(),
        });
        let issued = || self.parts.iter().any(|part| part.fate == Fate::Issued);
        self.state = match self.lines.is_empty() {
            false => State::Reserved,
            true if issued() => State::Issued,
            true => State::Released,
        };
    }
}

/// Each product once.
pub(super) fn together(lines: &[Line]) -> BTreeMap<ProductId, u32> {
    let mut sums: BTreeMap<ProductId, u32> = BTreeMap::new();
    for line in lines {
        let quantity = sums.entry(line.product_id).or_default();
        *quantity = quantity.saturating_add(line.quantity);
    }
    sums
}

pub(super) fn as_lines(sums: BTreeMap<ProductId, u32>) -> Vec<Line> {
    let line = |(product_id, quantity)| Line { product_id, quantity };
    sums.into_iter().map(line).collect()
}

fn gone(order_id: OrderId) -> Refusal {
    Refusal::conflict(
        "stock-issued",
        format!("the goods of order {order_id} have left the house"),
    )
}

pub(super) fn nothing_reserved(order_id: OrderId) -> Refusal {
    Refusal::conflict("nothing-reserved", format!("nothing is set aside for order {order_id}"))
}
