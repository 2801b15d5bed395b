//! What an operator must look into, because the provider's books and the shop's disagree.

use event_schemas::{
    Category, Money, OrderId, PaymentId, RepairCaseId, ShopEvent, Timestamp,
    repair::{Discrepancy, RepairCaseEvent, RepairCaseOpened},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    documents::{IndexKeys, Model},
    paging::id_bytes,
    projection::{Fact, Key, Projection, Unexpected, known},
    worklist::{self, Worklist},
};

/// Whether somebody must still look into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RepairCaseState {
    /// Yes.
    Open,
    /// The books agree again, or somebody has dealt with it.
    Resolved,
}

/// Something an operator must look into.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RepairCaseView {
    /// The case.
    pub id: RepairCaseId,
    /// Whether it is still open.
    pub state: RepairCaseState,
    /// What is wrong.
    pub discrepancy: Discrepancy,
    /// The payment, where one is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_id: Option<PaymentId>,
    /// Its order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_id: Option<OrderId>,
    /// The key of the operation, as the provider knows it.
    pub key: String,
    /// What the log says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ours: Option<Money>,
    /// What the provider's ledger says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub theirs: Option<Money>,
    /// The whole story in a sentence, and what can be done.
    pub detail: String,
    /// Since when.
    pub opened_at: Timestamp,
    /// When it was resolved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_at: Option<Timestamp>,
    /// What was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolution: Option<String>,
    /// The version of its stream.
    pub version: u64,
}

/// The answer to `GET ops/repair-cases`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RepairCasesView {
    /// Newest first.
    pub repair_cases: Vec<RepairCaseView>,
    /// Where the next page starts; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// The read model `repair_cases`.
#[derive(Debug, Clone, Copy)]
pub enum RepairCases {}

impl Model for RepairCases {
    const NAME: &'static str = "repair_cases";
    type Key = RepairCaseId;
    type Document = RepairCaseView;

    fn index(case: &RepairCaseView) -> IndexKeys {
        worklist::index::<Self>(case.state, case.opened_at, id_bytes(case.id))
    }
}

impl Worklist for RepairCases {
    type State = RepairCaseState;

    fn letter(state: RepairCaseState) -> &'static [u8] {
        match state {
            RepairCaseState::Open => b"o",
            RepairCaseState::Resolved => b"r",
        }
    }
}

/// Fills the operators' view of repair cases.
#[derive(Debug, Default)]
pub struct RepairCasesProjection;

impl Projection for RepairCasesProjection {
    type Model = RepairCases;
    const CATEGORIES: &'static [Category] = &[Category::RepairCase];

    fn about(&mut self, fact: &Fact<'_>, keys: &mut Vec<Key<Self>>) -> Result<(), Unexpected> {
        if let ShopEvent::RepairCase(event) = fact.event {
            keys.push(event.case_id());
        }
        Ok(())
    }

    fn apply(
        &mut self,
        fact: &Fact<'_>,
        _: &Key<Self>,
        document: &mut Option<RepairCaseView>,
    ) -> Result<bool, Unexpected> {
        let ShopEvent::RepairCase(event) = fact.event else {
            return Ok(false);
        };
        if document.as_ref().is_some_and(|case| case.version >= fact.version) {
            return Ok(false);
        }
        match event {
            // Also one that was resolved and has come up again.
            RepairCaseEvent::RepairCaseOpened(opened) => *document = Some(open(opened, fact)),
            RepairCaseEvent::RepairCaseResolved(resolved) => {
                let case = known(document, "a repair case")?;
                case.state = RepairCaseState::Resolved;
                case.resolved_at = Some(fact.at);
                case.resolution = Some(resolved.resolution.clone());
                case.version = fact.version;
            }
        }
        Ok(true)
    }
}

fn open(opened: &RepairCaseOpened, fact: &Fact<'_>) -> RepairCaseView {
    RepairCaseView {
        id: opened.case_id,
        state: RepairCaseState::Open,
        discrepancy: opened.discrepancy,
        payment_id: opened.payment_id,
        order_id: opened.order_id,
        key: opened.key.clone(),
        ours: opened.ours,
        theirs: opened.theirs,
        detail: opened.detail.clone(),
        opened_at: fact.at,
        resolved_at: None,
        resolution: None,
        version: fact.version,
    }
}
