//! The task that takes rows from the outbox to the log.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use event_log::{Append, AppendError, EventLog, ExpectedVersion, LogError, Position};
use event_schemas::{ContentType, NewEvent};
use futures_util::{StreamExt, stream::FuturesOrdered};
use tokio::{
    sync::{Notify, watch},
    time::{sleep, timeout},
};

use super::{Outgoing, RelaySettings, SWEEP, Sent, Seq};
use crate::relational::{Database, DatabaseError};

pub(super) struct Relay {
    pub(super) database: Arc<Database>,
    pub(super) log: Arc<dyn EventLog>,
    pub(super) committed: Arc<Notify>,
    pub(super) last_committed: Arc<AtomicI64>,
    pub(super) sent: Arc<watch::Sender<Sent>>,
    pub(super) settings: RelaySettings,
}

/// How soon rows that another process left are looked for.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// A row of the outbox: number, event id, stream, type, metadata, data.
type Waiting = (i64, String, String, String, String, String);

/// Why a page was not sent to its end.
#[derive(Debug, thiserror::Error)]
enum Interrupted {
    #[error(transparent)]
    Database(#[from] DatabaseError),
    #[error("{0}")]
    Log(AppendError),
    #[error(transparent)]
    Head(#[from] LogError),
}

const PAGE: &str = "\
    SELECT seq, event_id, stream, event_type, metadata, data FROM outbox \
    WHERE seq > $1 AND refused IS NULL ORDER BY seq LIMIT $2";

impl Relay {
    pub(super) async fn run(self) {
        // From the start, so that an alarm sees the first of them.
        metrics::counter!("jangteo_outbox_refused_total").increment(0);
        let mut pause = self.settings.first_pause;
        let mut swept = Seq(0);
        loop {
            match self.send_page().await {
                Ok(0) => self.wait(&mut swept).await,
                Ok(_) => pause = self.settings.first_pause,
                Err(error) => {
                    tracing::warn!(%error, database = %self.database.place(), "the outbox waits for the log");
                    sleep(pause).await;
                    pause = (pause * 2).min(self.settings.first_pause * 100);
                }
            }
        }
    }

    /// Waits for the next commit. When none comes for a while, deletes what was sent, and waits on.
    async fn wait(&self, swept: &mut Seq) {
        let sent = self.sent.borrow().seq;
        if *swept < sent {
            if timeout(self.settings.sweep_after, self.committed.notified())
                .await
                .is_ok()
            {
                return;
            }
            match self.sweep(sent).await {
                Ok(()) => *swept = sent,
                // They stay until the next time: sending them again would change nothing.
                Err(error) => tracing::warn!(%error, "sent rows could not be deleted from the outbox"),
            }
        }
        if self.database.is_shared() {
            // Whether told or not: it is time to look.
            let _ = timeout(LOOK_AGAIN, self.committed.notified()).await;
        } else {
            self.committed.notified().await;
        }
    }

    async fn sweep(&self, sent: Seq) -> Result<(), DatabaseError> {
        let mut transaction = self.database.begin().await?;
        transaction.run(SWEEP, [sent.0.into()]).await?;
        transaction.commit().await
    }

    /// Sends the next rows, all of them or up to the first that the log does not take. How many there were.
    async fn send_page(&self) -> Result<usize, Interrupted> {
        let Seq(sent) = self.sent.borrow().seq;
        let last = self.last_committed.load(Ordering::Relaxed);
        let limit = i64::try_from(self.settings.in_flight).unwrap_or(i64::MAX);
        let mut reader = self.database.reader().await?;
        let page: Vec<Waiting> = reader.all(PAGE, [sent.into(), limit.into()]).await?;
        drop(reader);
        if page.is_empty() && sent < last {
            // Another process has sent and swept them.
            let position = self.log.head().await?;
            self.sent.send_replace(Sent {
                seq: Seq(last),
                position,
            });
        }
        let count = page.len();
        let mut appends: FuturesOrdered<_> = page.into_iter().map(|row| self.append(row)).collect();
        while let Some((seq, appended)) = appends.next().await {
            let position = match appended {
                Ok(position) => position,
                Err(error @ (AppendError::Refused(_) | AppendError::Deleted { .. })) => {
                    self.set_apart(seq, &error.to_string()).await?;
                    self.sent.borrow().position
                }
                Err(error) => return Err(Interrupted::Log(error)),
            };
            self.sent.send_replace(Sent { seq, position });
        }
        metrics::counter!("jangteo_outbox_sent_total").increment(count as u64);
        Ok(count)
    }

    async fn append(&self, row: Waiting) -> (Seq, Result<Position, AppendError>) {
        let seq = Seq(row.0);
        let appended = match outgoing(row) {
            Ok(Outgoing { stream, event }) => {
                let append = Append {
                    stream,
                    expected: ExpectedVersion::Any,
                    events: vec![event],
                };
                self.log.append(append).await.map(|appended| appended.position)
            }
            Err(why) => Err(AppendError::Refused(why)),
        };
        (seq, appended)
    }

    /// Keeps a row that the log will never have, for an operator, so that those behind it can pass.
    async fn set_apart(&self, seq: Seq, why: &str) -> Result<(), DatabaseError> {
        tracing::error!(why, row = seq.0, database = %self.database.place(), "the log refused an event");
        metrics::counter!("jangteo_outbox_refused_total").increment(1);
        let mut transaction = self.database.begin().await?;
        let refused = "UPDATE outbox SET refused = $2 WHERE seq = $1";
        transaction.run(refused, [seq.0.into(), why.into()]).await?;
        transaction.commit().await
    }
}

fn outgoing((_, id, stream, event_type, metadata, data): Waiting) -> Result<Outgoing, String> {
    Ok(Outgoing {
        stream: stream.parse().map_err(|error| format!("{error}"))?,
        event: NewEvent {
            id: id.parse().map_err(|error| format!("{error}"))?,
            event_type,
            content: ContentType::Json,
            metadata: metadata.into_bytes().into(),
            data: data.into_bytes().into(),
        },
    })
}
