//! What comes back of an order. Shown on the order's page and, each its own, to sellers.

use event_schemas::{
    Money, ReturnId, SellerId, ShopEvent, Timestamp,
    order::Reason,
    returns::{ReturnEvent, ReturnRequested},
    shipment::ParcelItem,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{order_parcels::ParcelLine, order_view::OrderLine};
use crate::projection::Fact;

/// How far a return has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReturnStage {
    /// The customer asked for it; the goods are on their way back.
    Requested,
    /// The goods are back in the house.
    Received,
    /// Somebody looked at them and said what is paid back; that is on its way.
    Inspected,
    /// Nothing is paid back.
    Refused,
    /// Paid back, and what can be sold again is on the shelf.
    Completed,
}

impl ReturnStage {
    /// Nothing comes after this.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Refused | Self::Completed)
    }
}

/// When a return reached a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StageChange {
    /// The stage.
    pub stage: ReturnStage,
    /// Since then.
    pub at: Timestamp,
}

/// Goods that come back: one seller's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReturnView {
    /// The return.
    pub id: ReturnId,
    /// How far it has come.
    pub stage: ReturnStage,
    /// Whose goods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seller_id: Option<SellerId>,
    /// What comes back.
    pub items: Vec<ParcelLine>,
    /// Why, as the customer says.
    pub reason: Reason,
    /// What is paid back for, once somebody has looked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accepted: Vec<ParcelLine>,
    /// What is paid back, once somebody has looked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refund: Option<Money>,
    /// What was found when somebody looked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Why nothing is paid back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<Reason>,
    /// Each stage it reached, oldest first.
    pub history: Vec<StageChange>,
}

/// What an event does to the returns of an order. Says whether that is news.
pub(super) fn take_in(returns: &mut Vec<ReturnView>, ordered: &[OrderLine], fact: &Fact<'_>) -> bool {
    let ShopEvent::Returns(event) = fact.event else {
        return false;
    };
    let id = event.return_id();
    if let ReturnEvent::ReturnRequested(requested) = event
        && !returns.iter().any(|known| known.id == id)
    {
        returns.push(request(requested, ordered));
    }
    let Some(known) = returns.iter_mut().find(|known| known.id == id) else {
        return false;
    };
    let before = known.clone();
    let goods = |items: &[ParcelItem]| items.iter().map(|item| ParcelLine::of(item, ordered)).collect();
    let stage = match event {
        ReturnEvent::ReturnRequested(_) => ReturnStage::Requested,
        ReturnEvent::ReturnReceived(_) => ReturnStage::Received,
        ReturnEvent::ReturnInspected(event) => {
            known.accepted = goods(&event.accepted);
            known.refund = Some(event.refund);
            known.note = Some(event.note.clone()).filter(|note| !note.is_empty());
            ReturnStage::Inspected
        }
        ReturnEvent::ReturnRefused(event) => {
            known.refusal = Some(event.reason.clone());
            ReturnStage::Refused
        }
        ReturnEvent::ReturnCompleted(event) => {
            known.refund = Some(event.refunded);
            ReturnStage::Completed
        }
    };
    known.reach(stage, fact.at);
    *known != before
}

fn request(requested: &ReturnRequested, ordered: &[OrderLine]) -> ReturnView {
    let goods = requested.items.iter().map(|item| ParcelItem {
        product_id: item.product_id,
        quantity: item.quantity,
    });
    ReturnView {
        id: requested.return_id,
        stage: ReturnStage::Requested,
        seller_id: requested.items.first().map(|item| item.seller_id),
        items: goods.map(|goods| ParcelLine::of(&goods, ordered)).collect(),
        reason: requested.reason.clone(),
        accepted: vec![],
        refund: None,
        note: None,
        refusal: None,
        history: vec![],
    }
}

impl ReturnView {
    fn reach(&mut self, stage: ReturnStage, at: Timestamp) {
        if !self.history.iter().any(|change| change.stage == stage) {
            self.history.push(StageChange { stage, at });
            self.stage = stage.max(self.stage);
        }
    }
}
