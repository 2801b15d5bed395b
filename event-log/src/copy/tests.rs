mod odd;

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use bytes::Bytes;
use event_schemas::{ContentType, NewEvent, StreamName};
use uuid::Uuid;

use self::odd::OddLog;
use super::*;
use crate::{
    embedded::{EmbeddedLog, Limits, Options},
    memory::MemoryLog,
    port::{Append, EventFilter, ExpectedVersion, RecordedEvent},
};

/// No waiting: what fails, fails.
const PROMPT: Settings = Settings {
    page: 7,
    append_events: 3,
    append_bytes: 1024,
    in_flight: 1,
    patience: Duration::ZERO,
    source_patience: Duration::ZERO,
};

fn stream(name: &str) -> StreamName {
    name.parse().unwrap()
}

fn event(number: u64, content: ContentType) -> NewEvent {
    NewEvent {
        id: Uuid::now_v7(),
        event_type: format!("Happened{}", number % 3),
        content,
        metadata: match number % 2 {
            0 => Bytes::from_static(br#"{"schema_version": 1}"#),
            _ => Bytes::new(),
        },
        data: match content {
            ContentType::Json => Bytes::from(format!("{{ \"number\":{number} }}")),
            ContentType::Binary => Bytes::from(vec![0, 255, number as u8]),
        },
    }
}

async fn append(log: &Arc<dyn EventLog>, name: &str, events: Vec<NewEvent>) {
    let append = Append {
        stream: stream(name),
        expected: ExpectedVersion::Any,
        events,
    };
    log.append(append).await.unwrap();
}

/// A log such as others leave behind: streams in turns, appends of several events, system streams, deleted streams.
async fn furnish(log: &Arc<dyn EventLog>) {
    for number in 0..20 {
        let content = match number % 5 {
            4 => ContentType::Binary,
            _ => ContentType::Json,
        };
        let events = (0..=number % 4).map(|_| event(number, content)).collect();
        append(log, &format!("order-{}", number % 3), events).await;
    }
    append(log, "$$order-1", vec![event(1, ContentType::Json)]).await;
    append(
        log,
        "$persistentsubscription-order-1::g-checkpoint",
        vec![event(2, ContentType::Json)],
    )
    .await;
    log.tombstone(&stream("order-2"), ExpectedVersion::Any).await.unwrap();
    log.tombstone(&stream("never-there"), ExpectedVersion::None)
        .await
        .unwrap();
    append(log, "장터 without a dash", vec![event(3, ContentType::Json)]).await;
}

async fn furnished() -> Arc<dyn EventLog> {
    let log: Arc<dyn EventLog> = MemoryLog::new();
    furnish(&log).await;
    log
}

fn empty() -> Arc<dyn EventLog> {
    MemoryLog::new()
}

async fn all(log: &Arc<dyn EventLog>) -> Vec<Arc<RecordedEvent>> {
    let (mut all, mut at) = (vec![], Position::START);
    loop {
        let (events, next) = log.read_all(at, &EventFilter::default(), 100).await.unwrap();
        all.extend(events);
        if next == at {
            return all;
        }
        at = next;
    }
}

/// Compared by the test's own means.
async fn assert_same(left: &Arc<dyn EventLog>, right: &Arc<dyn EventLog>) {
    let (left, right) = (all(left).await, all(right).await);
    assert_eq!(left.len(), right.len());
    for (ours, theirs) in left.iter().zip(&right) {
        assert_eq!((&ours.stream, ours.version), (&theirs.stream, theirs.version));
        assert_eq!(ours.event_type, theirs.event_type);
        if ours.version != crate::TOMBSTONE {
            assert_eq!((ours.id, ours.content), (theirs.id, theirs.content));
            assert_eq!((&ours.metadata, &ours.data), (&theirs.metadata, &theirs.data));
        }
    }
}

#[tokio::test]
async fn a_log_moves_into_a_folder_and_out_again() {
    let folder = tempfile::tempdir().unwrap();
    let (first, last) = (furnished().await, empty());
    let embedded = EmbeddedLog::open(folder.path()).unwrap();
    let between: Arc<dyn EventLog> = Arc::<EmbeddedLog>::clone(&embedded);
    let count = all(&first).await.len() as u64;

    let there = copy(Arc::clone(&first), Arc::clone(&between), Settings::queued())
        .await
        .unwrap();
    assert_eq!((there.verified, there.appended, there.behind()), (count, count, 0));
    assert_same(&first, &between).await;
    let back = copy(Arc::clone(&between), Arc::clone(&last), PROMPT).await.unwrap();
    assert_eq!((back.verified, back.appended), (count, count));
    assert_same(&first, &last).await;

    // Again: nothing to do. After more has happened: only that.
    let again = copy(Arc::clone(&first), Arc::clone(&last), PROMPT).await.unwrap();
    assert_eq!((again.verified, again.appended), (count, 0));
    append(&first, "order-0", vec![event(1, ContentType::Json)]).await;
    let more = copy(Arc::clone(&first), Arc::clone(&last), PROMPT).await.unwrap();
    assert_eq!((more.verified, more.appended), (count + 1, 1));
    assert_same(&first, &last).await;
    embedded.close();
}

#[tokio::test]
async fn a_copy_that_is_cut_anywhere_goes_on() {
    let source = furnished().await;
    let count = all(&source).await.len() as u64;
    for in_flight in [1, 4] {
        let settings = Settings { in_flight, ..PROMPT };
        for lose_answers in [false, true] {
            for appends in 0.. {
                let inner = empty();
                let target: Arc<dyn EventLog> = Arc::new(OddLog::cut_after(&inner, appends, lose_answers));
                if copy(Arc::clone(&source), target, settings).await.is_ok() {
                    assert!(appends > 10, "there were {appends} appends only");
                    break;
                }
                let found = all(&inner).await.len() as u64;
                assert!(found < count || lose_answers);
                let rest = copy(Arc::clone(&source), Arc::clone(&inner), settings).await.unwrap();
                assert_eq!(
                    (rest.verified, rest.appended),
                    (count, count - found),
                    "cut after {appends}"
                );
                assert_same(&source, &inner).await;
            }
        }
    }
}

#[tokio::test]
async fn a_target_that_is_away_for_a_while_is_waited_for() {
    let (source, inner) = (furnished().await, empty());
    let settings = Settings {
        patience: Duration::from_secs(60),
        ..PROMPT
    };
    let target: Arc<dyn EventLog> = Arc::new(OddLog::failing_every(&inner, 3));
    let copied = copy(Arc::clone(&source), target, settings).await.unwrap();
    assert_eq!(copied.verified, all(&source).await.len() as u64);
    assert_same(&source, &inner).await;
}

#[tokio::test]
async fn a_target_with_anything_else_in_it_is_refused_and_left_alone() {
    let source = furnished().await;
    let first = all(&source).await.remove(0);
    let other = empty();
    append(&other, "holiday-1", vec![event(1, ContentType::Json)]).await;
    let error = copy(Arc::clone(&source), Arc::clone(&other), PROMPT).await.unwrap_err();
    let said = error.to_string();
    assert!(
        said.contains("holiday-1@0") && said.contains("order-0@0") && said.contains("the stream differs"),
        "{said}"
    );
    assert_eq!(all(&other).await.len(), 1);

    // The same event but for one byte.
    let almost = empty();
    let twin = NewEvent {
        id: first.id,
        event_type: first.event_type.to_string(),
        content: first.content,
        metadata: first.metadata.clone(),
        data: Bytes::from_static(b"{ \"number\":9 }"),
    };
    append(&almost, first.stream.as_str(), vec![twin]).await;
    let error = copy(Arc::clone(&source), Arc::clone(&almost), PROMPT)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("the data differs"), "{error}");
    assert!(matches!(error, CopyError::Different { .. }));

    // A newer one is no target either, and an empty source no source for it.
    let newer = empty();
    copy(Arc::clone(&source), Arc::clone(&newer), PROMPT).await.unwrap();
    append(&newer, "order-9", vec![event(1, ContentType::Json)]).await;
    let error = copy(source, Arc::clone(&newer), PROMPT).await.unwrap_err();
    assert!(error.to_string().contains("order-9@0"), "{error}");
    assert!(matches!(
        copy(empty(), newer, PROMPT).await,
        Err(CopyError::Surplus { .. })
    ));
}

#[tokio::test]
async fn comparing_changes_nothing_and_says_what_is_lacking() {
    let (source, target) = (furnished().await, empty());
    let error = verify(Arc::clone(&source), Arc::clone(&target)).await.unwrap_err();
    assert!(
        matches!(error, CopyError::Lacks { .. }) && error.to_string().contains("order-0@0"),
        "{error}"
    );
    assert!(all(&target).await.is_empty());
    copy(Arc::clone(&source), Arc::clone(&target), PROMPT).await.unwrap();
    let verified = verify(Arc::clone(&source), target).await.unwrap();
    assert_eq!(verified.verified, all(&source).await.len() as u64);
}

#[tokio::test]
async fn a_stream_without_its_beginning_is_refused_by_name() {
    let inner = furnished().await;
    let source: Arc<dyn EventLog> = Arc::new(OddLog::without(&inner, "order-1", 2));
    let target = empty();
    let error = copy(source, Arc::clone(&target), PROMPT).await.unwrap_err().to_string();
    assert!(
        error.contains("order-1@2") && error.contains("does not exist") && error.contains("scavenged"),
        "{error}"
    );
}

#[tokio::test]
async fn an_event_too_large_for_the_target_is_named_with_its_size() {
    let source = furnished().await;
    let mut large = event(1, ContentType::Binary);
    large.data = vec![7; 4000].into();
    append(
        &source,
        "order-0",
        vec![event(1, ContentType::Json), large, event(2, ContentType::Json)],
    )
    .await;
    let folder = tempfile::tempdir().unwrap();
    let limits = Limits {
        event_bytes: 2000,
        ..Limits::default()
    };
    let options = Options {
        limits,
        ..Options::default()
    };
    let target = EmbeddedLog::open_with(folder.path(), options).unwrap();
    let into: Arc<dyn EventLog> = Arc::<EmbeddedLog>::clone(&target);
    let settings = Settings {
        append_bytes: 1 << 20,
        ..PROMPT
    };
    let error = copy(Arc::clone(&source), into, settings).await.unwrap_err().to_string();
    assert!(error.contains("order-0@") && error.contains("4000 bytes"), "{error}");
    target.close();
}

#[tokio::test]
async fn what_a_server_writes_about_itself_is_left_where_it_is() {
    let (source, target) = (furnished().await, empty());
    append(&source, "$stats-0.0.0.0:2113", vec![event(1, ContentType::Json)]).await;
    append(&target, "$users", vec![event(1, ContentType::Json)]).await;
    append(&target, "$$$stats-0.0.0.0:2113", vec![event(1, ContentType::Json)]).await;
    let count = all(&source).await.len() as u64 - 1;
    let copied = copy(source, Arc::clone(&target), PROMPT).await.unwrap();
    assert_eq!((copied.verified, copied.appended), (count, count));
    assert_eq!(all(&target).await.len() as u64, count + 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_living_log_is_followed_until_told_and_the_source_may_change_its_door() {
    let (source, target) = (furnished().await, empty());
    let (tell, told) = watch::channel(false);
    let counted = Arc::new(AtomicU64::new(0));
    let seen = Arc::clone(&counted);
    let (from, to) = (Arc::clone(&source), Arc::clone(&target));
    let copying = tokio::spawn(async move {
        let mut copy = Copy::new(from, to, PROMPT);
        let outcome = copy
            .run(Until::Told(told), |progress, _| {
                seen.store(progress.verified, Ordering::SeqCst)
            })
            .await;
        (copy, outcome)
    });
    let before = all(&source).await.len() as u64;
    reaches(&counted, before).await;
    for number in 0..50 {
        append(
            &source,
            &format!("order-{}", 3 + number % 2),
            vec![event(number, ContentType::Json)],
        )
        .await;
    }
    reaches(&counted, before + 50).await;
    append(&source, "order-0", vec![event(1, ContentType::Json)]).await;
    tell.send_replace(true);
    let (mut copy, outcome) = copying.await.unwrap();
    assert_eq!(
        outcome.unwrap().verified,
        before + 51,
        "told to stop, it still takes what was there"
    );
    assert_same(&source, &target).await;

    // The source goes away, and is found again elsewhere with the same positions.
    append(&source, "order-0", vec![event(2, ContentType::Json)]).await;
    copy.read_from(Arc::new(OddLog::gone(&source)));
    let error = copy.run(Until::End, |_, _| ()).await.unwrap_err();
    assert!(error.source_is_away(), "{error}");
    copy.read_from(Arc::clone(&source));
    assert_eq!(copy.run(Until::End, |_, _| ()).await.unwrap().verified, before + 52);
    assert_same(&source, &target).await;
}

async fn reaches(counted: &AtomicU64, wanted: u64) {
    let begun = Instant::now();
    while counted.load(Ordering::SeqCst) < wanted {
        assert!(begun.elapsed() < Duration::from_secs(60), "never came to {wanted}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
