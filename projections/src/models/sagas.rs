//! Where sagas stand: `sagas`.

use event_schemas::{Category, ShopEvent, saga::PlaceOrderEvent};
use read_models::sagas::{SagaView, Sagas};

use crate::projection::{Fact, Key, Projection, Unexpected};

/// Fills the operators' view of sagas.
#[derive(Debug, Default)]
pub(crate) struct SagasProjection;

impl Projection for SagasProjection {
    type Model = Sagas;
    const CATEGORIES: &'static [Category] = &[Category::PlaceOrder];

    fn about(&mut self, fact: &Fact<'_>, keys: &mut Vec<Key<Self>>) -> Result<(), Unexpected> {
        let id = fact.stream.id().parse();
        keys.push(id.map_err(|_| Unexpected::Nonsense(format!("{} names no saga", fact.stream)))?);
        Ok(())
    }

    fn apply(&mut self, fact: &Fact<'_>, key: &Key<Self>, document: &mut Option<SagaView>) -> Result<bool, Unexpected> {
        let ShopEvent::PlaceOrder(PlaceOrderEvent::SagaAdvanced(advanced)) = fact.event else {
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
