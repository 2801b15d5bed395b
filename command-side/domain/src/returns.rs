//! What comes back of an order. Stream `returns-<order id>`: all returns of one order, so that no piece comes back twice.
//!
//! ```text
//! requested ─► received ─► inspected ─► completed
//!                   └────► refused
//! ```

use std::collections::BTreeMap;

use event_schemas::{
    Money, OrderId, ProductId, ReturnId, SellerId,
    order::Reason,
    returns::{
        ReturnCompleted, ReturnEvent, ReturnInspected, ReturnItem, ReturnReceived, ReturnRefused, ReturnRequested,
    },
    shipment::ParcelItem,
};

use crate::{
    Aggregate, Refusal,
    order::{Placed, Status},
    values::{Findings, sum},
};

/// The returns of an order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Returns(BTreeMap<ReturnId, Return>);

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Return {
    /// Its id.
    pub return_id: ReturnId,
    /// Of this order.
    pub order_id: OrderId,
    /// What comes back: one seller's goods.
    pub items: Vec<ReturnItem>,
    /// Where it stands.
    pub stage: Stage,
}

/// Where a return stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// The customer asked.
    Requested,
    /// The goods are in the house.
    Received,
    /// It is known what is paid back.
    Inspected,
    /// Paid back. The end.
    Completed,
    /// Nothing is paid back. The end.
    Refused,
}

/// What a customer wants to send back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewReturn {
    /// The return.
    pub return_id: ReturnId,
    /// The order as it is: once it is delivered, what was sent changes no more.
    pub order: Placed,
    /// What comes back.
    pub items: Vec<ParcelItem>,
    /// Why.
    pub reason: Reason,
}

/// What somebody found who looked at the goods.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inspection {
    /// The pieces that are paid back; none refuses the return.
    pub accepted: Vec<ParcelItem>,
    /// Of those, the pieces that can be sold again.
    pub resellable: Vec<ParcelItem>,
    /// What was found; may be empty.
    pub note: String,
}

/// What can be asked of an order's returns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReturnsCommand {
    /// Take goods back.
    Request(Box<NewReturn>),
    /// The goods are in the house.
    Receive {
        /// The return.
        return_id: ReturnId,
    },
    /// Somebody looked at them.
    Inspect {
        /// The return.
        return_id: ReturnId,
        /// What they found.
        inspection: Inspection,
    },
    /// Refunded and restocked.
    Complete {
        /// The return.
        return_id: ReturnId,
        /// What was paid back.
        refunded: Money,
    },
}

impl Returns {
    /// A return, if there is one of that id.
    pub fn get(&self, return_id: ReturnId) -> Option<&Return> {
        self.0.get(&return_id)
    }

    /// Pieces of a product that a return was asked for, whatever became of it: a piece is looked at once.
    fn asked_for(&self, product: ProductId) -> u32 {
        let items = self.0.values().flat_map(|known| &known.items);
        items
            .filter(|item| item.product_id == product)
            .map(|item| item.quantity)
            .sum()
    }

    fn request(&self, new: &NewReturn) -> Result<ReturnRequested, Refusal> {
        if new.order.status != Status::Delivered {
            let message =
                "Goods can be returned when the whole order is delivered; until it is shipped, cancel it instead.";
            return Err(Refusal::conflict("order-not-delivered", message));
        }
        let mut findings = Findings::default();
        findings.lines(new.items.iter().map(|item| (item.product_id, item.quantity)));
        findings.line("reason", &new.reason.message, 300);
        let sent = new.order.sent();
        let mut items = vec![];
        for (index, wish) in new.items.iter().enumerate() {
            let Some(sold) = sent.iter().find(|sold| sold.product_id == wish.product_id) else {
                findings.add(
                    format!("items[{index}].product_id"),
                    "was not delivered with this order",
                );
                continue;
            };
            let left = sold.quantity.saturating_sub(self.asked_for(wish.product_id));
            if wish.quantity > left {
                let message = format!("of this product, {left} can still be returned");
                findings.add(format!("items[{index}].quantity"), message);
            }
            items.push(ReturnItem {
                product_id: wish.product_id,
                seller_id: sold.seller_id,
                quantity: wish.quantity,
                unit_price: sold.unit_price,
            });
        }
        findings.into_result()?;
        if items.iter().any(|item| item.seller_id != items[0].seller_id) {
            let message = "A return goes to one seller: ask for a return of its own for each seller's goods.";
            return Err(Refusal::invalid("several-sellers", message));
        }
        Ok(ReturnRequested {
            return_id: new.return_id,
            order_id: new.order.order_id,
            customer_id: new.order.customer_id,
            items,
            paid_by: new.order.paid_by.to_string(),
            reason: new.reason.clone(),
        })
    }
}

impl Return {
    /// Whose goods come back.
    pub fn seller_id(&self) -> Option<SellerId> {
        self.items.first().map(|item| item.seller_id)
    }

    fn inspect(&self, inspection: &Inspection) -> Result<ReturnEvent, Refusal> {
        let mut findings = Findings::default();
        let sent_back: Vec<_> = self.items.iter().map(pieces).collect();
        within(&mut findings, "accepted", &inspection.accepted, &sent_back);
        within(
            &mut findings,
            "resellable",
            &inspection.resellable,
            &inspection.accepted,
        );
        findings.paragraphs("note", &inspection.note, 1_000);
        findings.into_result()?;
        let (return_id, order_id) = (self.return_id, self.order_id);
        let paid = inspection.accepted.iter().filter_map(|accepted| {
            let item = self.items.iter().find(|item| item.product_id == accepted.product_id)?;
            Some((item.unit_price, accepted.quantity))
        });
        let note = inspection.note.clone();
        Ok(match sum(paid)? {
            Some(refund) => ReturnInspected {
                return_id,
                order_id,
                accepted: inspection.accepted.clone(),
                resellable: inspection.resellable.clone(),
                refund,
                note,
            }
            .into(),
            None => {
                let said = if note.trim().is_empty() {
                    NOTHING_ACCEPTED.to_owned()
                } else {
                    note
                };
                let reason = Reason::new("return_refused", said);
                ReturnRefused {
                    return_id,
                    order_id,
                    reason,
                }
                .into()
            }
        })
    }

    fn decide(&self, command: &ReturnsCommand) -> Result<Option<ReturnEvent>, Refusal> {
        use ReturnsCommand as Asked;
        let (return_id, order_id) = (self.return_id, self.order_id);
        Ok(Some(match (command, self.stage) {
            (Asked::Receive { .. }, Stage::Requested) => ReturnReceived { return_id, order_id }.into(),
            (Asked::Inspect { inspection, .. }, Stage::Received) => self.inspect(inspection)?,
            (Asked::Complete { refunded, .. }, Stage::Inspected) => ReturnCompleted {
                return_id,
                order_id,
                refunded: *refunded,
            }
            .into(),
            // Done before.
            (Asked::Request(_) | Asked::Receive { .. }, _) | (Asked::Complete { .. }, Stage::Completed) => {
                return Ok(None);
            }
            (Asked::Inspect { .. } | Asked::Complete { .. }, stage) => return Err(not_at_this_stage(stage)),
        }))
    }
}

const NOTHING_ACCEPTED: &str = "Nothing of what was sent back could be accepted.";

/// That `part` is no more than `whole`, each product once.
fn within(findings: &mut Findings, field: &str, part: &[ParcelItem], whole: &[ParcelItem]) {
    for (index, item) in part.iter().enumerate() {
        let at = |name: &str| format!("{field}[{index}].{name}");
        findings.quantity(&at("quantity"), item.quantity);
        let of = |items: &[ParcelItem]| {
            items
                .iter()
                .find(|other| other.product_id == item.product_id)
                .map(|of| of.quantity)
        };
        if of(&part[..index]).is_some() {
            findings.add(
                at("product_id"),
                "names a product a second time: put all its pieces on one line",
            );
        }
        match of(whole) {
            None => findings.add(at("product_id"), "is not among what can be taken here"),
            Some(most) if item.quantity > most => findings.add(at("quantity"), format!("must be at most {most}")),
            Some(_) => {}
        }
    }
}

const fn pieces(item: &ReturnItem) -> ParcelItem {
    ParcelItem {
        product_id: item.product_id,
        quantity: item.quantity,
    }
}

fn not_at_this_stage(now: Stage) -> Refusal {
    let (code, message) = match now {
        Stage::Requested => (
            "return-not-received",
            "The goods are not in the house yet; say first that they arrived.",
        ),
        Stage::Received => (
            "return-not-inspected",
            "Nobody has looked at the goods yet; inspect them first.",
        ),
        Stage::Inspected | Stage::Completed => ("return-inspected", "The goods were inspected; what was found stands."),
        Stage::Refused => ("return-refused", "The return was refused; what was found stands."),
    };
    Refusal::conflict(code, message)
}

impl Aggregate for Returns {
    type Event = ReturnEvent;
    type Command = ReturnsCommand;

    fn evolve(&mut self, event: &ReturnEvent) {
        let (return_id, stage) = match event {
            ReturnEvent::ReturnRequested(requested) => {
                let new = Return {
                    return_id: requested.return_id,
                    order_id: requested.order_id,
                    items: requested.items.clone(),
                    stage: Stage::Requested,
                };
                self.0.insert(requested.return_id, new);
                return;
            }
            ReturnEvent::ReturnReceived(event) => (event.return_id, Stage::Received),
            ReturnEvent::ReturnInspected(event) => (event.return_id, Stage::Inspected),
            ReturnEvent::ReturnCompleted(event) => (event.return_id, Stage::Completed),
            ReturnEvent::ReturnRefused(event) => (event.return_id, Stage::Refused),
        };
        if let Some(known) = self.0.get_mut(&return_id) {
            known.stage = stage;
        }
    }

    fn decide(&self, command: &ReturnsCommand) -> Result<Vec<ReturnEvent>, Refusal> {
        let return_id = match command {
            ReturnsCommand::Request(new) => new.return_id,
            ReturnsCommand::Receive { return_id }
            | ReturnsCommand::Inspect { return_id, .. }
            | ReturnsCommand::Complete { return_id, .. } => *return_id,
        };
        match (self.get(return_id), command) {
            (Some(known), command) => Ok(known.decide(command)?.into_iter().collect()),
            (None, ReturnsCommand::Request(new)) => Ok(vec![self.request(new)?.into()]),
            (None, _) => Err(no_such_return()),
        }
    }
}

/// There is no such return, or it is none of the asker's business.
pub fn no_such_return() -> Refusal {
    Refusal::not_found(
        "return-not-found",
        "There is no such return of this order; check its id.",
    )
}

#[cfg(test)]
mod tests;
