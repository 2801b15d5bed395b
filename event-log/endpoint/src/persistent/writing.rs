//! A group's writes. Each is tried until it succeeds: the group keeps what is not written.

use std::{sync::Arc, time::Duration};

use tonic::Status;
use uuid::Uuid;

use super::{group::Sequence, key::Key, stored::Stored};
use crate::reading::Resolved;

/// Messages parked by one append.
pub(super) const PARKED_AT_ONCE: usize = 64;
const FIRST_PATIENCE: Duration = Duration::from_millis(250);
const LAST_PATIENCE: Duration = Duration::from_secs(15);

/// A message to be parked: the id of its link, itself, and why.
pub(super) type ToPark = (Sequence, (Uuid, Arc<Resolved>, String));

/// What is to be written.
pub(super) enum Job {
    Park(Vec<ToPark>),
    Checkpoint(u64),
    Mark { first: u64, replay_to: u64 },
}

/// What was written.
pub(super) enum Written {
    Parked {
        sequences: Vec<Sequence>,
        /// The version that the next parked message will have.
        next: u64,
    },
    Progress,
}

/// Does the job, however long the log is away.
pub(super) async fn write(stored: Stored, key: Key, job: Job) -> Written {
    let mut patience = FIRST_PATIENCE;
    loop {
        match attempt(&stored, &key, &job).await {
            Ok(written) => return written,
            Err(error) => {
                tracing::warn!(%key, %error, "a group cannot be written for the moment");
                tokio::time::sleep(patience).await;
                patience = (patience * 2).min(LAST_PATIENCE);
            }
        }
    }
}

async fn attempt(stored: &Stored, key: &Key, job: &Job) -> Result<Written, Status> {
    match job {
        Job::Park(messages) => {
            let (sequences, links): (Vec<_>, Vec<_>) = messages.iter().cloned().unzip();
            let next = stored.park(key, &links).await?;
            Ok(Written::Parked { sequences, next })
        }
        Job::Checkpoint(place) => stored.save_checkpoint(key, *place).await.map(|()| Written::Progress),
        Job::Mark { first, replay_to } => stored
            .mark_parked(key, *first, *replay_to)
            .await
            .map(|()| Written::Progress),
    }
}
