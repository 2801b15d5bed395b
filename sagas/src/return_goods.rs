//! The saga `return_goods`: from goods that a customer wants to send back to money paid back and goods on the shelf.
//!
//! ```text
//! requested ─► received ─► inspected ─► refund ─► restock what can be sold again ─► complete
//!                              └──────► refused
//! ```
//!
//! People bring it as far as the inspection; the shop's promise to pay is made there, and from then on there is only the way
//! forward. The saga's id is the return's, and the refund's too: what the provider says of a refund finds its saga by it.

mod facts;
mod state;
#[cfg(test)]
mod tests;

use domain::commands::ServiceCommand;
use event_schemas::{
    Category, ShopEvent, Timestamp,
    returns::ReturnEvent,
    saga::{ReturnGoodsEvent, SagaAdvanced, SagaStatus},
};
use uuid::Uuid;

use crate::{Decision, Fact, Policy, Saga, step_name};
use facts::{FACTS, return_of};
pub use state::{Goods, Refund, ReturnGoodsState};

const NAME: &str = "return_goods";

/// The saga; its only possession is how patient it is.
#[derive(Debug, Clone, Copy, Default)]
pub struct ReturnGoods {
    policy: Policy,
}

impl Saga for ReturnGoods {
    type State = ReturnGoodsState;
    type Event = ReturnGoodsEvent;

    const NAME: &'static str = NAME;
    const DEFINITION: u16 = 1;
    const BEGINS_WITH: &'static str = "ReturnRequested";
    const FACTS: &'static [(Category, &'static [&'static str])] = FACTS;

    fn concerns(&self, event: &ShopEvent) -> Option<Uuid> {
        return_of(event)
    }

    fn react(
        &self,
        state: Option<&ReturnGoodsState>,
        fact: &Fact<'_>,
        at: Timestamp,
    ) -> Option<Decision<ReturnGoodsState>> {
        let (before, state) = match (state, fact) {
            (None, Fact::Event(ShopEvent::Returns(ReturnEvent::ReturnRequested(requested)))) => {
                (vec![], ReturnGoodsState::from(requested))
            }
            (None, _) => return None,
            (Some(known), Fact::Event(ShopEvent::Audit(_))) => return self.insist(known, fact, at),
            (Some(known), Fact::Event(event)) => {
                let mut state = known.clone();
                state.learn(event);
                if state == *known {
                    return None;
                }
                state.attempts = 0;
                (known.asks(), state)
            }
            (Some(known), Fact::Timeout { .. }) => {
                if known.closed() {
                    return None;
                }
                let mut state = known.clone();
                state.attempts = known.attempts.saturating_add(1);
                (vec![], state)
            }
        };
        Some(self.decision(state, &before, fact, at))
    }

    fn outstanding(&self, state: &ReturnGoodsState) -> Vec<ServiceCommand> {
        state.asks()
    }

    fn advanced(ReturnGoodsEvent::SagaAdvanced(advanced): ReturnGoodsEvent) -> SagaAdvanced {
        advanced
    }
}

impl ReturnGoods {
    /// A saga with a patience of its own.
    pub const fn new(policy: Policy) -> Self {
        Self { policy }
    }

    /// An operator says: try again, see [`crate::PlaceOrder`]. About a refund that was refused the provider is asked once more:
    /// it may have been done there by hand.
    fn insist(&self, known: &ReturnGoodsState, fact: &Fact<'_>, at: Timestamp) -> Option<Decision<ReturnGoodsState>> {
        if known.closed() || (known.attempts == 0 && known.refund != Refund::Refused) {
            return None;
        }
        let mut state = known.clone();
        state.attempts = 0;
        let mut directives = state.asks();
        if state.refund == Refund::Refused {
            directives.push(state.inquire());
        }
        Some(Decision {
            directives,
            ..self.decision(state, &[], fact, at)
        })
    }

    /// What follows from a new state, where `before` was asked for already.
    fn decision(
        &self,
        state: ReturnGoodsState,
        before: &[ServiceCommand],
        fact: &Fact<'_>,
        at: Timestamp,
    ) -> Decision<ReturnGoodsState> {
        let asks = state.asks();
        let stuck = self.stuck(&state, &asks, fact);
        let status = match () {
            () if stuck.is_some() => SagaStatus::Stuck,
            () if state.refund == Refund::Unknown => SagaStatus::OutcomeUnknown,
            () if state.closed() => SagaStatus::Completed,
            () => SagaStatus::Running,
        };
        let saga_id = state.return_id.uuid();
        let wait = match asks.first() {
            _ if state.closed() => None,
            Some(ask) => Some(self.policy.pause(ask, state.attempts, saga_id)),
            None => stuck.is_none().then_some(self.policy.return_silence),
        };
        Decision {
            wake_at: wait.map(|millis| at.plus_millis(millis)),
            status,
            step: asks.first().map_or_else(|| state.waits_for(), step_name),
            reason: stuck,
            directives: asks.into_iter().filter(|ask| !before.contains(ask)).collect(),
            state,
        }
    }

    /// Why an operator is needed, if one is.
    fn stuck(&self, state: &ReturnGoodsState, asks: &[ServiceCommand], fact: &Fact<'_>) -> Option<String> {
        if let Some(refused) = state.refused() {
            return Some(refused);
        }
        match asks.first() {
            Some(ask) => self.policy.fruitless(ask, state.attempts, fact),
            None => {
                (state.attempts > 0).then(|| format!("nothing was heard of the goods for too long: {:?}", state.goods))
            }
        }
    }
}
