//! What a group's task does of its own accord: handing out, reading, writing, ending.

use std::{sync::Arc, time::Duration};

use tonic::Status;
use uuid::Uuid;

use super::{Runner, ready};
use crate::{
    persistent::{
        consumer::Delivery,
        group::Output,
        replay::replay,
        writing::{Job, PARKED_AT_ONCE, write},
    },
    reading::Resolved,
};

/// How long the last writes of a group may take.
const CLOSING: Duration = Duration::from_secs(2);

impl Runner {
    /// Does what the group says, and begins what can be begun.
    pub(super) fn go_on(&mut self) {
        loop {
            let outputs = self.group.outputs();
            if outputs.is_empty() {
                break;
            }
            outputs.into_iter().for_each(|output| self.output(output));
        }
        self.begin_writing(false);
        if self.group.wants_more(self.live)
            && let Some(following) = self.idle.take()
        {
            self.reading = Some(following.next());
        }
        let from = self.group.replayed_so_far();
        if self.replaying.is_none() && from < self.parked.replay_to && self.group.wants_more(self.live) {
            let (service, stored, key) = (Arc::clone(&self.service), self.stored.clone(), self.entry.key.clone());
            let most = self.entry.settings.batch();
            self.replaying = Some(Box::pin(replay(
                service,
                stored,
                key,
                from,
                self.parked.replay_to,
                most,
            )));
        }
    }

    fn output(&mut self, output: Output<Arc<Resolved>>) {
        match output {
            Output::Deliver {
                consumer,
                retries,
                body: message,
            } => {
                let sent = self
                    .consumers
                    .get(&consumer)
                    .is_some_and(|(sending, _)| sending.deliveries.try_send(Delivery { message, retries }).is_ok());
                // It went away: what it held is somebody else's.
                if !sent {
                    self.leave(consumer);
                }
            }
            Output::Park { sequence, reason, body } => self.to_park.push((sequence, (Uuid::now_v7(), body, reason))),
            Output::End { consumer } => {
                if let Some((sending, _)) = self.consumers.remove(&consumer) {
                    sending.end(self.entry.key.dropped());
                }
            }
        }
    }

    /// Parked messages first: the checkpoint waits for them.
    fn begin_writing(&mut self, closing: bool) {
        if self.writing.is_some() {
            return;
        }
        let now = self.now();
        let replaying = self.group.replayed_so_far() < self.parked.replay_to;
        let job = if !self.to_park.is_empty() {
            let most = self.to_park.len().min(PARKED_AT_ONCE);
            Job::Park(self.to_park.drain(..most).collect())
        } else if let Some(place) = self.group.checkpoint_due(now, closing) {
            self.group.checkpointed(now, place);
            Job::Checkpoint(place)
        } else if let Some(first) = self.group.replay_mark_due(replaying, closing, self.mark_wanted) {
            self.group.replay_marked();
            self.mark_wanted = false;
            Job::Mark {
                first,
                replay_to: self.parked.replay_to,
            }
        } else {
            return;
        };
        self.writing = Some(Box::pin(write(self.stored.clone(), self.entry.key.clone(), job)));
    }

    pub(super) async fn end(mut self, status: &Status, goes_on: bool) {
        // No more acknowledgements from here on.
        self.commands.close();
        while let Ok(command) = self.commands.try_recv() {
            self.command(command);
        }
        if goes_on {
            self.go_on();
            // What cannot be written in time is handled again.
            let _ = tokio::time::timeout(CLOSING, self.write_out()).await;
        }
        for (_, (sending, _)) in self.consumers.drain() {
            sending.end(status.clone());
        }
    }

    async fn write_out(&mut self) {
        loop {
            self.begin_writing(true);
            if self.writing.is_none() {
                return;
            }
            let written = ready(&mut self.writing).await;
            self.writing = None;
            self.written(written);
        }
    }
}
