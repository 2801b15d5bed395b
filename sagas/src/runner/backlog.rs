//! Sagas that took in what they have not written yet.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use uuid::Uuid;

use super::advance::Live;
use crate::watermark::Ticket;

/// They stay in memory until it is written, and the facts they took in keep their places in the log.
pub(super) struct Backlog<T> {
    sagas: HashMap<Uuid, Behind<T>>,
    /// Since the last round, in the order they came.
    fresh: Vec<Uuid>,
    /// Of the rounds before, the oldest first.
    ripening: VecDeque<Vec<Uuid>>,
}

/// A saga waits for so many rounds before it writes.
pub(super) const ROUNDS: u32 = 16;

struct Behind<T> {
    tickets: Vec<Ticket>,
    at_rest: Option<Arc<Live<T>>>,
}

impl<T> Default for Backlog<T> {
    fn default() -> Self {
        Self {
            sagas: HashMap::new(),
            fresh: vec![],
            ripening: (1..ROUNDS).map(|_| vec![]).collect(),
        }
    }
}

impl<T> Backlog<T> {
    /// The saga has something to write; the fact waits for it.
    pub(super) fn hold(&mut self, saga_id: Uuid, fact: Option<Ticket>) {
        let behind = self.sagas.entry(saga_id).or_insert_with(|| {
            self.fresh.push(saga_id);
            Behind {
                tickets: vec![],
                at_rest: None,
            }
        });
        behind.tickets.extend(fact);
    }

    /// The saga has written everything: the facts that waited for it.
    pub(super) fn release(&mut self, saga_id: Uuid) -> Vec<Ticket> {
        self.sagas
            .remove(&saga_id)
            .map_or_else(Vec::new, |behind| behind.tickets)
    }

    /// Keeps a saga that is at rest, if it has something to write. Otherwise it is given back.
    pub(super) fn rest(&mut self, saga_id: Uuid, live: Arc<Live<T>>) -> Option<Arc<Live<T>>> {
        match self.sagas.get_mut(&saga_id) {
            Some(behind) => {
                behind.at_rest = Some(live);
                None
            }
            None => Some(live),
        }
    }

    /// A saga that is to work again.
    pub(super) fn wake(&mut self, saga_id: Uuid) -> Option<Arc<Live<T>>> {
        self.sagas.get_mut(&saga_id)?.at_rest.take()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.sagas.is_empty()
    }

    /// A round: those that have waited long enough are to write now.
    pub(super) fn round(&mut self) -> Vec<Uuid> {
        self.ripening.push_back(std::mem::take(&mut self.fresh));
        let ripe = self.ripening.pop_front().unwrap_or_default();
        self.still_behind(ripe)
    }

    /// Everybody, however short they have waited.
    pub(super) fn all(&mut self) -> Vec<Uuid> {
        let mut all: Vec<_> = self.ripening.iter_mut().flat_map(std::mem::take).collect();
        all.append(&mut self.fresh);
        self.still_behind(all)
    }

    fn still_behind(&self, sagas: Vec<Uuid>) -> Vec<Uuid> {
        let mut sagas = sagas;
        sagas.retain(|saga_id| self.sagas.contains_key(saga_id));
        sagas
    }
}
