//! Who may commit to a generation: whoever read its checkpoint last.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use read_models::documents::Generation;
use tokio::sync::{Mutex as Turn, OwnedMutexGuard};
use uuid::Uuid;

/// The newest lease of each generation. Forgotten with the process: then everybody reads the checkpoint again.
#[derive(Debug, Default)]
pub(super) struct Leases {
    held: Mutex<HashMap<Generation, Arc<Turn<Option<Uuid>>>>>,
}

impl Leases {
    /// Waits for its turn: a checkpoint is never read while a commit is under way, nor two commits at once.
    pub(super) async fn turn(&self, generation: Generation) -> OwnedMutexGuard<Option<Uuid>> {
        let turn = {
            let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(held.entry(generation).or_default())
        };
        turn.lock_owned().await
    }
}
