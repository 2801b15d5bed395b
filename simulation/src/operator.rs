//! The operator: comes by now and then, and sees to what the shop says that a human must see to. Dead letters, repair cases,
//! and sagas that are stuck.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use command_services::payments::reconciliation::Repairs;
use event_log::{Append, EventFilter, EventLog, ExpectedVersion, Position, memory::MemoryLog};
use event_schemas::{
    AccountId, Actor, Category, Metadata, NewEvent, RepairCaseId, ShopEvent,
    audit::{AuditEvent, SagaRetryRequested},
    ids::derived_uuid,
    repair::{Discrepancy, RepairCaseEvent, RepairCaseOpened},
    saga::{PlaceOrderEvent, ReturnGoodsEvent, SagaStatus},
};
use sagas::{Clock, PlaceOrder, ReturnGoods, Saga};
use uuid::Uuid;

use crate::{
    chance::Chance,
    choreography::Choreography,
    clock::{VirtualClock, WallClock},
    house::asked_by,
    provider::Provider,
};

/// How long the operator does something else between two rounds, in milliseconds.
const ELSEWHERE: (u64, u64) = (60_000, 600_000);

/// The operator.
pub struct Operator {
    /// Who.
    pub id: AccountId,
    /// The log as the shop sees it, where they write.
    pub log: Arc<dyn EventLog>,
    /// What the read models show them.
    pub truth: Arc<MemoryLog>,
    /// Whom they call about refused operations.
    pub provider: Arc<Provider>,
    /// Where dead letters are tried again.
    pub choreography: Arc<Choreography>,
    /// The time.
    pub clock: Arc<VirtualClock>,
    /// What chance has in store.
    pub chance: Chance,
}

impl Operator {
    /// Makes rounds, for ever.
    pub async fn works(self) {
        let cases = Repairs::new(Arc::clone(&self.log));
        let mut by_hand = BTreeSet::new();
        loop {
            let (least, most) = ELSEWHERE;
            self.clock.pause(self.chance.between(least, most)).await;
            self.sees_to_dead_letters().await;
            for case in self.open_cases().await {
                self.sees_to_case(&case, &cases, &mut by_hand).await;
            }
            for (saga, saga_id) in self.stuck_sagas().await {
                self.has_tried_again(saga, saga_id).await;
            }
        }
    }

    /// Tried again; a few are found not worth it.
    async fn sees_to_dead_letters(&self) {
        let desk = self.choreography.desk();
        let letters = desk.dead_letters();
        // What the log does not tell or take now waits for the next round.
        let Ok(waiting) = letters.list(false).await else { return };
        for dead in waiting {
            let (id, who) = (dead.letter.dead_letter_id, Actor::Account(self.id));
            if self.chance.hits(150) {
                let _ = letters.discard(id, "They were told by telephone.", who).await;
            } else {
                let _ = desk.retry(id, who).await;
            }
        }
    }

    /// What the provider refused is done there by hand, and then the saga must ask again; or it is settled by other means, and
    /// then the case says so. All other differences are to vanish by themselves, in a shop without bugs.
    async fn sees_to_case(&self, case: &RepairCaseOpened, cases: &Repairs, by_hand: &mut BTreeSet<RepairCaseId>) {
        if case.discrepancy != Discrepancy::Refused || by_hand.contains(&case.case_id) {
            return;
        }
        if self.chance.hits(500) && self.provider.persuaded(&case.key) {
            by_hand.insert(case.case_id);
            return;
        }
        let context = asked_by(self.id, &format!("settled {}", case.case_id), &self.clock);
        let words = "Settled by bank transfer.".to_owned();
        let _ = cases.resolve(case.case_id, words, &context).await;
    }

    async fn has_tried_again(&self, saga: &str, saga_id: Uuid) {
        let at = WallClock(Arc::clone(&self.clock)).now();
        let command_id = derived_uuid(saga_id, &format!("retry {}", self.clock.elapsed()));
        let event = AuditEvent::from(SagaRetryRequested {
            operator_id: self.id,
            saga: saga.to_owned(),
            saga_id,
        });
        let metadata = Metadata::new(at, command_id, Actor::Account(self.id));
        let append = Append {
            stream: Category::Audit.stream(self.id.uuid()),
            expected: ExpectedVersion::Any,
            events: vec![NewEvent::new(command_id, &event, &metadata)],
        };
        let _ = self.log.append(append).await;
    }

    async fn open_cases(&self) -> Vec<RepairCaseOpened> {
        let mut open = BTreeMap::new();
        self.sees(Category::RepairCase, |event| match event {
            ShopEvent::RepairCase(RepairCaseEvent::RepairCaseOpened(case)) => {
                open.insert(case.case_id, case.clone());
            }
            ShopEvent::RepairCase(RepairCaseEvent::RepairCaseResolved(case)) => {
                open.remove(&case.case_id);
            }
            _ => {}
        })
        .await;
        open.into_values().collect()
    }

    async fn stuck_sagas(&self) -> BTreeSet<(&'static str, Uuid)> {
        let mut stuck = BTreeSet::new();
        for category in [Category::PlaceOrder, Category::ReturnGoods] {
            let (events, _) = self.read(category).await;
            for event in events {
                let (name, advanced) = match event.shop_event() {
                    Ok((_, ShopEvent::PlaceOrder(PlaceOrderEvent::SagaAdvanced(e)))) => (PlaceOrder::NAME, e),
                    Ok((_, ShopEvent::ReturnGoods(ReturnGoodsEvent::SagaAdvanced(e)))) => (ReturnGoods::NAME, e),
                    _ => continue,
                };
                let Ok(saga_id) = event.stream.id().parse() else {
                    continue;
                };
                if advanced.status == SagaStatus::Stuck {
                    stuck.insert((name, saga_id));
                } else {
                    stuck.remove(&(name, saga_id));
                }
            }
        }
        stuck
    }

    async fn sees(&self, category: Category, mut look: impl FnMut(&ShopEvent)) {
        let (events, _) = self.read(category).await;
        events
            .iter()
            .filter_map(|event| event.shop_event().ok())
            .for_each(|(_, event)| look(event));
    }

    async fn read(&self, category: Category) -> (Vec<Arc<event_log::RecordedEvent>>, Position) {
        let filter = EventFilter::categories(&[category]);
        let read = self.truth.read_all(Position::START, &filter, usize::MAX).await;
        read.unwrap_or_default()
    }
}
