//! What walks see: a walk from page to page goes on in the index as it was when it began.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use uuid::Uuid;

use super::snapshot::Snapshot;

/// So many moments of the index are kept; the one that was not asked for longest goes first.
const MOST: usize = 64;
/// Nobody takes longer to turn a page.
const KEPT_FOR: Duration = Duration::from_mins(5);

/// The name of a view, in the cursors of its walks. No restart brings it again.
pub(super) type ViewId = u64;

/// Snapshots that walks are under way in.
#[derive(Default)]
pub(super) struct Views {
    /// The one that was asked for last at the end.
    kept: Mutex<VecDeque<View>>,
}

struct View {
    id: ViewId,
    snapshot: Arc<Snapshot>,
    used: Instant,
}

impl Views {
    /// Keeps what a page was read from; all walks in one snapshot share a view.
    pub(super) fn keep(&self, snapshot: &Arc<Snapshot>, now: Instant) -> ViewId {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let place = kept.iter().position(|view| Arc::ptr_eq(&view.snapshot, snapshot));
        let known = place.and_then(|place| kept.remove(place)).map(|view| view.id);
        let id = known.unwrap_or_else(|| Uuid::new_v4().as_u64_pair().1);
        kept.retain(|view| now.duration_since(view.used) < KEPT_FOR);
        if kept.len() == MOST {
            kept.pop_front();
        }
        kept.push_back(View {
            id,
            snapshot: Arc::clone(snapshot),
            used: now,
        });
        id
    }

    /// What a walk sees, if it is still there.
    pub(super) fn find(&self, id: ViewId) -> Option<Arc<Snapshot>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let view = kept.iter().find(|view| view.id == id)?;
        Some(Arc::clone(&view.snapshot))
    }

    /// Lets go what nobody asked for in a long time: its files stay on disk until then.
    pub(super) fn forget_old(&self, now: Instant) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|view| now.duration_since(view.used) < KEPT_FOR);
    }
}
