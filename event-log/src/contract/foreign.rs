//! What others than the shop write: bytes that are no JSON, names that are no category and id.

use std::sync::Arc;

use bytes::Bytes;
use event_schemas::{ContentType, NewEvent, StreamName};

use super::{Corner, event, ids};
use crate::port::{Direction, EventFilter, EventLog, ExpectedVersion};

/// Every check of this file.
pub async fn all<Made: Future<Output = Arc<dyn EventLog>>>(make: impl Fn() -> Made) {
    any_bytes_come_back(make().await).await;
    any_name_is_a_stream(make().await).await;
}

/// Binary data and metadata byte by byte, and as binary.
pub async fn any_bytes_come_back(log: Arc<dyn EventLog>) {
    let corner = Corner::of(&log);
    let start = log.head().await.unwrap();
    let every_byte: Vec<u8> = (0..=u8::MAX).collect();
    let binary = |data: &[u8], metadata: &[u8]| NewEvent {
        content: ContentType::Binary,
        metadata: Bytes::copy_from_slice(metadata),
        data: Bytes::copy_from_slice(data),
        ..event("Binary", "")
    };
    let new = [
        binary(&every_byte, &every_byte),
        event("Json", "between"),
        binary(b"", b""),
        binary(b"{\"json\": \"but not said to be\"}", b"{}"),
    ];
    let stream = corner.stream("a");
    corner.append(&stream, ExpectedVersion::None, &new).await.unwrap();
    let by_stream = log.read_stream(&stream, None, Direction::Forwards, 10).await.unwrap();
    let by_position = corner.read_on(start, &corner.filter(), 10).await;
    for read in [by_stream, by_position] {
        assert_eq!(read.len(), new.len());
        for (read, new) in read.iter().zip(&new) {
            assert_eq!(read.content, new.content);
            if new.content == ContentType::Binary {
                assert!(
                    read.data == new.data && read.metadata == new.metadata,
                    "{read:?} was {new:?}"
                );
            }
        }
    }
}

/// A name is any text: its category is what stands before the first dash, or all of it.
pub async fn any_name_is_a_stream(log: Arc<dyn EventLog>) {
    let corner = Corner::of(&log);
    let start = log.head().await.unwrap();
    let category = &corner.category;
    let name = |text: String| -> StreamName { text.parse().unwrap() };
    let longest = format!("{category}-{}", "x".repeat(StreamName::MAX_LEN - category.len() - 1));
    let names = [
        name(category.clone()),
        name(format!("{category}-")),
        name(format!("{category}-1-2")),
        name(longest),
        name(format!("$${category}-1")),
        name(format!("{category} b")),
        name(format!("{category}/?&%#\"'\\장터")),
    ];
    let mut written = vec![];
    for stream in &names {
        // What stands in a stream of metadata must make sense to a server.
        let new = NewEvent {
            data: Bytes::from_static(b"{}"),
            ..event("$metadata", "")
        };
        let appended = corner
            .append(stream, ExpectedVersion::None, std::slice::from_ref(&new))
            .await
            .unwrap();
        assert_eq!(appended.version, 0);
        let stored = log.read_stream(stream, None, Direction::Forwards, 10).await.unwrap();
        assert_eq!((ids(&stored), &stored[0].stream), (vec![new.id], stream));
        let listed = log.streams(stream.as_str(), None, 1).await.unwrap();
        assert_eq!((&listed[0].stream, listed[0].version), (stream, 0));
        written.push((stream, new.id));
    }
    for wanted in [category.clone(), format!("$${category}"), format!("{category} b")] {
        let filter = EventFilter {
            categories: vec![wanted.clone()],
            types: vec![],
        };
        let expected: Vec<_> = written
            .iter()
            .filter(|(stream, _)| stream.category() == wanted)
            .map(|(_, id)| *id)
            .collect();
        assert!(!expected.is_empty());
        assert_eq!(
            ids(&corner.read_on(start, &filter, 10).await),
            expected,
            "of {wanted:?}"
        );
    }
}
