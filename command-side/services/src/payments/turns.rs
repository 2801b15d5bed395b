//! Taking turns: two calls for one payment go one after the other, those for different payments side by side.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::OwnedMutexGuard;
use uuid::Uuid;

/// Who is being served.
#[derive(Debug, Default)]
pub(super) struct Turns(Mutex<HashMap<Uuid, Arc<tokio::sync::Mutex<()>>>>);

/// A turn; it ends when this is dropped.
pub(super) struct Turn<'a> {
    turns: &'a Turns,
    id: Uuid,
    // Dropped after `drop` below ran: fields outlive it.
    _guard: OwnedMutexGuard<()>,
}

impl Turns {
    /// Waits for this thing's turn.
    pub(super) async fn of(&self, id: Uuid) -> Turn<'_> {
        let queue = Arc::clone(self.queues().entry(id).or_default());
        Turn {
            turns: self,
            id,
            _guard: queue.lock_owned().await,
        }
    }

    fn queues(&self) -> MutexGuard<'_, HashMap<Uuid, Arc<tokio::sync::Mutex<()>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut queues = self.turns.queues();
        // Two: the map's and this turn's own. More: somebody waits.
        if queues.get(&self.id).is_some_and(|queue| Arc::strong_count(queue) <= 2) {
            queues.remove(&self.id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_at_a_time_and_nothing_is_left_behind() {
        let turns = Arc::new(Turns::default());
        let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let first = turns.of(one).await;
        let _elsewhere = turns.of(other).await;
        let waiting = tokio::spawn({
            let turns = Arc::clone(&turns);
            async move { drop(turns.of(one).await) }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(first);
        waiting.await.unwrap();
        assert_eq!(turns.queues().len(), 1, "only the other is under way");
    }
}
