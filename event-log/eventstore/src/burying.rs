//! Streams deleted for good.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use event_log::{AppendError, Appended, Direction, ExpectedVersion, LogError, Position, StreamVersion, TOMBSTONE};
use event_schemas::StreamName;
use eventstore::{Client, Error, TombstoneStreamOptions};
use futures_util::FutureExt;

use crate::{
    appending::revision,
    error::{Fault, precondition_failed},
    line::within,
    log::EventStoreLog,
    reading::Found,
};

impl EventStoreLog {
    /// Deletes a stream for good.
    pub(crate) async fn bury(&self, stream: &StreamName, expected: ExpectedVersion) -> Result<Appended, AppendError> {
        let options = TombstoneStreamOptions::default().expected_revision(revision(expected));
        let options = match &self.board.login {
            Some(login) => options.authenticated(login.credentials()),
            None => options,
        };
        let tries = Arc::new(AtomicUsize::new(0));
        let (name, counted) = (stream.as_str().to_owned(), Arc::clone(&tries));
        let attempt = move |client: Client, limit: Duration| {
            let (name, options) = (name.clone(), options.clone().deadline(limit));
            counted.fetch_add(1, Ordering::AcqRel);
            async move { within(limit, client.tombstone_stream(name, &options)).await }.boxed()
        };
        let position = match self.line.call("delete a stream", attempt).await {
            Ok(Some(position)) => Position(position.commit),
            Ok(None) => self.grave(stream).await?,
            // An attempt before this one was carried out, though nobody said so.
            Err(Fault::Server(Error::ResourceDeleted)) if tries.load(Ordering::Acquire) > 1 => {
                self.grave(stream).await?
            }
            Err(Fault::Server(Error::ResourceDeleted)) => {
                return Err(AppendError::Deleted { stream: stream.clone() });
            }
            Err(Fault::Server(error @ Error::WrongExpectedVersion { .. })) => {
                return self.refused(stream, expected, &[], Fault::Server(error)).await;
            }
            Err(Fault::Server(error)) if precondition_failed(&error) => {
                let actual = self.last_version(stream).await?;
                return Err(AppendError::Conflict {
                    stream: stream.clone(),
                    expected,
                    actual,
                });
            }
            Err(fault) => return Err(self.board.speaker.unexpected("deleting a stream", fault).into()),
        };
        self.see(position);
        Ok(Appended {
            version: TOMBSTONE,
            position,
            duplicate: false,
        })
    }

    /// The position of a deleted stream's last event.
    async fn grave(&self, stream: &StreamName) -> Result<Position, LogError> {
        let events = self.exhume(stream).await?;
        Ok(events.last().map_or(Position::START, |tombstone| tombstone.position))
    }

    async fn last_version(&self, stream: &StreamName) -> Result<Option<StreamVersion>, LogError> {
        match self.read_versions(stream, None, Direction::Backwards, 1).await? {
            Found::Events(last) => Ok(last.first().map(|last| last.revision)),
            Found::Buried => Ok(Some(TOMBSTONE)),
        }
    }
}
