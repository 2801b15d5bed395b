//! Sagas that took in what they have not written yet.

use std::{collections::HashMap, sync::Arc};

use uuid::Uuid;

use super::advance::Live;
use crate::watermark::Ticket;

/// They stay in memory until it is written, and the facts they took in keep their places in the log.
pub(super) struct Backlog<T> {
    sagas: HashMap<Uuid, Behind<T>>,
    /// Since the last round, and since the one before: in the order they came.
    fresh: Vec<Uuid>,
    ripe: Vec<Uuid>,
}

struct Behind<T> {
    tickets: Vec<Ticket>,
    at_rest: Option<Arc<Live<T>>>,
}

impl<T> Default for Backlog<T> {
    fn default() -> Self {
        Self {
            sagas: HashMap::new(),
            fresh: vec![],
            ripe: vec![],
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

    /// A round: those that have waited since the one before are to write now.
    pub(super) fn round(&mut self) -> Vec<Uuid> {
        let ripe = std::mem::replace(&mut self.ripe, std::mem::take(&mut self.fresh));
        ripe.into_iter()
            .filter(|saga_id| self.sagas.contains_key(saga_id))
            .collect()
    }
}
