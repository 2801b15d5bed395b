//! A log that can be read and not written for a while.

use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use event_log::{AppendError, Appended, Intercept, LogError};
use event_schemas::StreamName;
use read_req::nack::Action;

use super::*;

struct Full {
    log: Arc<EmbeddedLog>,
    full: AtomicBool,
}

impl Full {
    fn check(&self) -> Result<(), AppendError> {
        match self.full.load(Ordering::SeqCst) {
            true => Err(AppendError::Log(LogError::Unavailable("no space left".to_owned()))),
            false => Ok(()),
        }
    }
}

#[async_trait]
impl Intercept for Full {
    fn behind(&self) -> Arc<dyn EventLog> {
        Arc::clone(&self.log) as _
    }

    async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        self.check()?;
        self.log.append(append).await
    }

    async fn tombstone(&self, stream: &StreamName, expected: ExpectedVersion) -> Result<Appended, AppendError> {
        self.check()?;
        self.log.tombstone(stream, expected).await
    }
}

#[tokio::test]
async fn what_cannot_be_parked_for_a_while_is_parked_later() {
    let folder = tempfile::tempdir().unwrap();
    let log = EmbeddedLog::open(folder.path()).unwrap();
    let full = Arc::new(Full {
        log: Arc::clone(&log),
        full: AtomicBool::new(false),
    });
    let mut house = House::serve(log, Arc::clone(&full) as _).await;
    house.append("mail-1", &["0", "1"]).await;
    house.create(Of::Stream("mail-1"), START, settings()).await.unwrap();
    let mut consumer = house.consume("mail-1", 10).await.unwrap();
    let got = consumer.all(2).await;
    full.full.store(true, Ordering::SeqCst);
    consumer.nack(&got[..1], Action::Park).await;
    consumer.ack(&got[1..]).await;
    let told = house.until("mail-1", |info| info.total_items == 1).await;
    assert_eq!((told.parked_message_count, told.outstanding_messages_count), (0, 1));
    assert_eq!(told.last_checkpointed_event_position, "");
    // New events come nevertheless, and a group that cannot be written down is not made.
    house.append("mail-1", &["2"]).await;
    assert_eq!(consumer.next().await.unwrap().data, "2");
    let refused = house.create(Of::Stream("mail-2"), START, settings()).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::Unavailable, "{refused}");
    full.full.store(false, Ordering::SeqCst);
    let told = house.until("mail-1", |info| info.parked_message_count == 1).await;
    assert_eq!(told.outstanding_messages_count, 1);
    house
        .until("mail-1", |info| info.last_checkpointed_event_position == "1")
        .await;
    house.create(Of::Stream("mail-2"), START, settings()).await.unwrap();
    house.close().await;
}
