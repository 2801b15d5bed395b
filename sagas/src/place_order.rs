//! The saga `place_order`: from an order that was placed to a parcel that was delivered, or to nothing at all.
//!
//! It remembers what is known of the stock, the payment, the parcel and the order; what it asks for is a function of that.
//! What is known only ever rises, so a fact that is repeated, late or out of place changes nothing, and no compensation
//! can be lost: whatever is known to be held is given back.

mod facts;
mod policy;
mod state;
#[cfg(test)]
mod tests;

use domain::commands::ServiceCommand;
use event_schemas::{
    Category, OrderId, ShopEvent, Timestamp,
    order::OrderEvent,
    payment::PaymentOperation,
    saga::{PlaceOrderEvent, SagaAdvanced, SagaStatus},
};
use uuid::Uuid;

use crate::{Decision, Fact, Saga, step_name};
use facts::{FACTS, order_of};
pub use policy::Policy;
pub use state::{Order, Parcel, Payment, PlaceOrderState, Stock};

/// The saga; its only possession is how patient it is.
#[derive(Debug, Clone, Copy, Default)]
pub struct PlaceOrder {
    policy: Policy,
}

impl PlaceOrderState {
    /// The happy path, read downwards: the first thing that is not known to be done is asked for.
    fn forward(&self) -> Vec<ServiceCommand> {
        if self.stock < Stock::Reserved {
            return self.reserve_stock();
        }
        match self.payment {
            Payment::Untouched | Payment::Asked => return self.authorise_payment(),
            Payment::AuthorisationUnknown => return self.inquire(PaymentOperation::Authorise),
            _ => {}
        }
        if self.order < Order::Confirmed {
            return self.confirm_order();
        }
        if self.parcel < Parcel::Booked {
            return self.book_shipment();
        }
        if self.parcel < Parcel::PickedUp {
            return vec![]; // The carrier's turn.
        }
        if self.order < Order::Shipped {
            return self.mark_order_shipped();
        }
        // The pivot: the goods are on their way and there is no way back. What is left may be done in any order.
        let mut asks = match self.payment {
            Payment::Captured => vec![],
            Payment::CaptureUnknown => self.inquire(PaymentOperation::Capture),
            _ => self.capture_payment(),
        };
        if self.stock != Stock::Issued {
            asks.extend(self.issue_stock());
        }
        if self.parcel == Parcel::Delivered && self.order < Order::Delivered {
            asks.extend(self.mark_order_delivered());
        }
        asks
    }

    /// Compensation, in reverse order. A step that may still be happening is waited for, and undone only once it is known.
    fn backward(&self) -> Vec<ServiceCommand> {
        match self.parcel {
            Parcel::Asked => return self.book_shipment(),
            Parcel::Booked => return self.cancel_shipment(),
            _ => {}
        }
        match self.payment {
            Payment::Asked => return self.authorise_payment(),
            Payment::AuthorisationUnknown => return self.inquire(PaymentOperation::Authorise),
            Payment::Authorised => return self.void_payment(),
            Payment::VoidUnknown => return self.inquire(PaymentOperation::Void),
            Payment::CaptureUnknown => return self.inquire(PaymentOperation::Capture),
            _ => {}
        }
        match self.stock {
            Stock::Asked => return self.reserve_stock(),
            Stock::Reserved if self.under_way() => return self.issue_stock(),
            Stock::Reserved => return self.release_stock(),
            _ => {}
        }
        if self.order < Order::Rejected {
            return self.reject_order();
        }
        vec![]
    }

    /// What is asked for and not answered.
    fn asks(&self) -> Vec<ServiceCommand> {
        let mut asks = if self.undoing() {
            self.backward()
        } else {
            self.forward()
        };
        asks.extend(self.check_out_cart());
        asks
    }
}

impl Saga for PlaceOrder {
    type State = PlaceOrderState;
    type Event = PlaceOrderEvent;

    const NAME: &'static str = "place_order";
    const DEFINITION: u16 = 1;
    const BEGINS_WITH: &'static str = "OrderPlaced";
    const FACTS: &'static [(Category, &'static [&'static str])] = FACTS;

    fn concerns(&self, event: &ShopEvent) -> Option<Uuid> {
        order_of(event).map(OrderId::uuid)
    }

    fn react(
        &self,
        state: Option<&PlaceOrderState>,
        fact: &Fact<'_>,
        at: Timestamp,
    ) -> Option<Decision<PlaceOrderState>> {
        let (before, mut state) = match (state, fact) {
            (None, Fact::Event(ShopEvent::Order(OrderEvent::OrderPlaced(placed)))) => (vec![], placed.into()),
            (None, _) => return None,
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
        state.mark_asked();
        state.forget();
        Some(self.decision(state, &before, fact, at))
    }

    fn outstanding(&self, state: &PlaceOrderState) -> Vec<ServiceCommand> {
        state.asks()
    }

    fn advanced(PlaceOrderEvent::SagaAdvanced(advanced): PlaceOrderEvent) -> SagaAdvanced {
        advanced
    }
}

impl PlaceOrder {
    /// A saga with a patience of its own.
    pub const fn new(policy: Policy) -> Self {
        Self { policy }
    }

    /// What follows from a new state, where `before` was asked for already.
    fn decision(
        &self,
        state: PlaceOrderState,
        before: &[ServiceCommand],
        fact: &Fact<'_>,
        at: Timestamp,
    ) -> Decision<PlaceOrderState> {
        let asks = state.asks();
        let stuck = self.policy.stuck(&state, &asks, fact);
        let status = match () {
            () if stuck.is_some() => SagaStatus::Stuck,
            () if state.payment.unknown() => SagaStatus::OutcomeUnknown,
            () => match (state.closed(), state.undoing()) {
                (false, false) => SagaStatus::Running,
                (false, true) => SagaStatus::Compensating,
                (true, false) => SagaStatus::Completed,
                (true, true) => SagaStatus::Compensated,
            },
        };
        let undo = state.undo.as_ref();
        let undone_because = undo.map(|reason| format!("{}: {}", reason.code, reason.message));
        Decision {
            wake_at: self
                .policy
                .patience(&state, &asks, stuck.is_some())
                .map(|millis| at.plus_millis(millis)),
            status,
            step: asks.first().map_or_else(|| state.waits_for(), step_name),
            reason: stuck.or(undone_because),
            directives: asks.into_iter().filter(|ask| !before.contains(ask)).collect(),
            state,
        }
    }
}
