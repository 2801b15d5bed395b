//! Where each saga stands, for operators.

use event_schemas::{
    Category, ShopEvent, Timestamp,
    saga::{PlaceOrderEvent, ReturnGoodsEvent, SagaStatus},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    documents::{IndexKeys, Model, ModelKey},
    projection::{Fact, Key, Projection, Unexpected},
    worklist::{self, Worklist},
};

/// A saga, seen from outside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SagaView {
    /// What it is about: for `place_order` the order, for `return_goods` the return.
    pub id: Uuid,
    /// Which saga: `place_order` or `return_goods`.
    pub saga: String,
    /// Where it stands.
    pub status: SagaStatus,
    /// The step it waits for.
    pub step: String,
    /// Why it is stuck, or why it compensates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What it last took in: an event's type, or `timeout`, `retry`.
    pub last_fact: String,
    /// When it began.
    pub started_at: Timestamp,
    /// When it last moved.
    pub updated_at: Timestamp,
    /// When it wants to be woken if nothing happens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wake_at: Option<Timestamp>,
    /// The version of its stream.
    pub version: u64,
}

/// The answer to `GET ops/sagas`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SagasView {
    /// Newest first.
    pub sagas: Vec<SagaView>,
    /// Where the next page starts; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// The read model `sagas`.
#[derive(Debug, Clone, Copy)]
pub enum Sagas {}

impl ModelKey for Uuid {
    fn bytes(&self) -> Vec<u8> {
        self.as_bytes().to_vec()
    }
}

impl Model for Sagas {
    const NAME: &'static str = "sagas";
    type Key = Uuid;
    type Document = SagaView;

    fn index(saga: &SagaView) -> IndexKeys {
        worklist::index::<Self>(saga.status, saga.started_at, saga.id.into_bytes())
    }
}

impl Worklist for Sagas {
    type State = SagaStatus;

    fn letter(status: SagaStatus) -> &'static [u8] {
        match status {
            SagaStatus::Running => b"r",
            SagaStatus::Compensating => b"c",
            SagaStatus::OutcomeUnknown => b"u",
            SagaStatus::Completed => b"C",
            SagaStatus::Compensated => b"D",
            SagaStatus::Stuck => b"s",
        }
    }
}

/// Fills the operators' view of sagas.
#[derive(Debug, Default)]
pub struct SagasProjection;

impl Projection for SagasProjection {
    type Model = Sagas;
    const CATEGORIES: &'static [Category] = &[Category::PlaceOrder, Category::ReturnGoods];

    fn about(&mut self, fact: &Fact<'_>, keys: &mut Vec<Key<Self>>) -> Result<(), Unexpected> {
        let id = fact.stream.id().parse();
        keys.push(id.map_err(|_| Unexpected::Nonsense(format!("{} names no saga", fact.stream)))?);
        Ok(())
    }

    fn apply(&mut self, fact: &Fact<'_>, key: &Key<Self>, document: &mut Option<SagaView>) -> Result<bool, Unexpected> {
        let (ShopEvent::PlaceOrder(PlaceOrderEvent::SagaAdvanced(advanced))
        | ShopEvent::ReturnGoods(ReturnGoodsEvent::SagaAdvanced(advanced))) = fact.event
        else {
            return Ok(false);
        };
        let started_at = document.as_ref().map_or(fact.at, |saga| saga.started_at);
        *document = Some(SagaView {
            id: *key,
            saga: fact.stream.category().to_owned(),
            status: advanced.status,
            step: advanced.step.clone(),
            reason: advanced.reason.clone(),
            last_fact: advanced.fact_type.clone(),
            started_at,
            updated_at: fact.at,
            wake_at: advanced.wake_at,
            version: fact.version,
        });
        Ok(true)
    }
}
