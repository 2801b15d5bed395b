//! Planted bugs. A judge that cannot find these is not worth asking.

use std::sync::Arc;

use domain::commands::ServiceCommand;
use event_log::{Position, Recorded, RecordedEvent};
use event_schemas::{
    Category, OrderId, ShopEvent, Timestamp,
    order::Reason,
    payment::{PaymentDeclined, PaymentEvent, PaymentOperation},
    saga::SagaAdvanced,
};
use sagas::{Decision, Fact, PlaceOrder, Saga, UnknownState};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::{customers::Promise, evidence::Evidence, mailbox::Delivery};

/// A planted bug.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutant {
    /// The provider does an operation again when it is asked again.
    ProviderForgetsKeys,
    /// The saga takes an authorisation whose outcome is unknown for one that was declined.
    SagaGuesses,
    /// The last event of this type is in the log twice.
    ToldTwice(&'static str),
    /// The last event of this type is not in the log.
    Untold(&'static str),
    /// An event of the first type says that it is of the second, in the same stream.
    Retold(&'static str, &'static str),
    /// The shop says yes to an order and forgets it.
    PromiseForgotten,
    /// No carrier ever came.
    NobodyCame,
    /// The bookmarks of subscribers pass events over.
    BookmarksRunAhead,
    /// A mail is handed over again after the log said that it was sent.
    MailedAgain,
    /// The last notification was told to nobody.
    Unheard,
    /// Nobody sees to what needs a human.
    NoOperator,
}

impl Mutant {
    /// Forges the evidence, for bugs that are planted in nothing else.
    pub fn forge(self, evidence: &mut Evidence) {
        let last = |evidence: &Evidence, event_type: &str| {
            evidence
                .events
                .iter()
                .rposition(|event| *event.event_type == *event_type)
        };
        match self {
            Self::ProviderForgetsKeys | Self::SagaGuesses | Self::BookmarksRunAhead | Self::NoOperator => {}
            Self::MailedAgain => {
                let again = evidence.letters.last().map(|letter| Delivery {
                    at: Position(u64::MAX),
                    ..*letter
                });
                evidence.letters.extend(again);
            }
            Self::Unheard => drop(evidence.notifications.pop()),
            Self::ToldTwice(event_type) => {
                if let Some(index) = last(evidence, event_type) {
                    evidence.events.push(Arc::clone(&evidence.events[index]));
                }
            }
            Self::Untold(event_type) => {
                if let Some(index) = last(evidence, event_type) {
                    evidence.events.remove(index);
                }
            }
            Self::Retold(event_type, as_type) => {
                if let Some(index) = last(evidence, event_type) {
                    let forged = retold(&evidence.events[index], as_type);
                    evidence.events.push(forged);
                }
            }
            Self::PromiseForgotten => evidence.promises.push(Promise::Placed {
                order_id: OrderId::derived(Uuid::nil(), "order"),
                command_id: Uuid::nil(),
            }),
            Self::NobodyCame => evidence.parcels.clear(),
        }
    }
}

fn retold(event: &RecordedEvent, as_type: &str) -> Arc<RecordedEvent> {
    Arc::new(RecordedEvent::new(Recorded {
        position: Position(event.position.0 + 1),
        stream: event.stream.clone(),
        version: event.version + 1,
        id: event.id,
        event_type: as_type.into(),
        recorded_at: event.recorded_at,
        content: event.content,
        metadata: event.metadata.clone(),
        data: event.data.clone(),
    }))
}

/// `place_order` with a bug: it guesses.
#[derive(Debug, Clone)]
pub struct Guessing(pub PlaceOrder);

impl Saga for Guessing {
    type State = <PlaceOrder as Saga>::State;
    type Event = <PlaceOrder as Saga>::Event;

    const NAME: &'static str = PlaceOrder::NAME;
    const DEFINITION: u16 = PlaceOrder::DEFINITION;
    const BEGINS_WITH: &'static str = PlaceOrder::BEGINS_WITH;
    const FACTS: &'static [(Category, &'static [&'static str])] = PlaceOrder::FACTS;

    fn concerns(&self, event: &ShopEvent) -> Option<Uuid> {
        self.0.concerns(event)
    }

    fn react(&self, state: Option<&Self::State>, fact: &Fact<'_>, at: Timestamp) -> Option<Decision<Self::State>> {
        if let Fact::Event(ShopEvent::Payment(PaymentEvent::PaymentOutcomeUnknown(unknown))) = fact
            && unknown.operation == PaymentOperation::Authorise
        {
            let guess = PaymentDeclined {
                payment_id: unknown.payment_id,
                order_id: unknown.order_id,
                reason: Reason::new("guessed", "It will not have happened."),
            };
            let guess = ShopEvent::Payment(guess.into());
            return self.0.react(state, &Fact::Event(&guess), at);
        }
        self.0.react(state, fact, at)
    }

    fn outstanding(&self, state: &Self::State) -> Vec<ServiceCommand> {
        self.0.outstanding(state)
    }

    fn advanced(event: Self::Event) -> SagaAdvanced {
        PlaceOrder::advanced(event)
    }

    fn revive(definition: u16, state: &RawValue) -> Result<Self::State, UnknownState> {
        PlaceOrder::revive(definition, state)
    }
}
