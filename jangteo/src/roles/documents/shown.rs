//! Tells the query role how far its read models show the log where nothing had to be written: a query that waits for an event
//! which changes nothing it shows should not wait for ever.

use std::{sync::Arc, time::Duration};

use read_models::ReadModels;
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{MissedTickBehavior, interval},
};

use super::remote::RemoteDocuments;

/// Said again so often: a query role that was restarted has forgotten it.
const AGAIN: Duration = Duration::from_secs(1);

/// Tells it for as long as it is not dropped.
pub(crate) fn tell(store: &Arc<RemoteDocuments>, models: &ReadModels) -> JoinSet<()> {
    let mut tellers = JoinSet::new();
    for model in ReadModels::NAMES {
        if let Some(position) = models.progress().follow(model) {
            tellers.spawn(follow(Arc::clone(store), model, position));
        }
    }
    tellers
}

async fn follow(store: Arc<RemoteDocuments>, model: &'static str, mut position: watch::Receiver<u64>) {
    let mut again = interval(AGAIN);
    again.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            moved = position.changed() => if moved.is_err() { return },
            _ = again.tick() => {}
        }
        let shown = *position.borrow_and_update();
        match store.shows(model, shown).await {
            Ok(true) => {}
            Ok(false) => tracing::debug!(model, shown, "the query role stands elsewhere; told again in a moment"),
            Err(error) => {
                tracing::debug!(model, shown, %error, "the query role cannot be told how far it shows the log")
            }
        }
    }
}
