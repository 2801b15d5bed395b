//! What both imports share, tested through a sink that keeps everything in memory.

use std::{collections::HashMap, io::Write as _, path::PathBuf};

use async_trait::async_trait;
use event_schemas::{Category, ShopEvent, StreamName};
use flate2::{Compression, write::GzEncoder};
use uuid::Uuid;

use super::*;
use crate::sink::{ImportedStream, Refused, Written};

/// Keeps what it takes, as a log would: events by id, streams in their order.
#[derive(Default)]
pub(super) struct Kept {
    pub(super) events: Vec<(StreamName, event_schemas::NewEvent)>,
    pub(super) seen: HashMap<Uuid, StreamName>,
    pub(super) refuse: Option<StreamName>,
    pub(super) fail_after: Option<usize>,
}

#[async_trait]
impl ImportSink for Kept {
    async fn write(&mut self, batch: Vec<ImportedStream>) -> Result<Written, SinkError> {
        let mut written = Written::default();
        for piece in batch {
            if self.fail_after.is_some_and(|limit| self.events.len() >= limit) {
                return Err(SinkError::Shop("the disk is full".to_owned()));
            }
            if self.refuse.as_ref() == Some(&piece.stream) {
                let (stream, reason) = (piece.stream, "not today".to_owned());
                written.refused.push(Refused { stream, reason });
                continue;
            }
            for event in piece.events {
                match self.seen.insert(event.id, piece.stream.clone()) {
                    Some(before) => {
                        assert_eq!(before, piece.stream, "one id in two streams");
                        written.duplicates += 1;
                    }
                    None => {
                        written.appended += 1;
                        self.events.push((piece.stream.clone(), event));
                    }
                }
            }
        }
        Ok(written)
    }
}

impl Kept {
    /// Every event, read back as read models will read it, with the time at which it happened.
    pub(super) fn told(&self) -> Vec<(StreamName, event_schemas::Metadata, ShopEvent)> {
        let read = |(stream, event): &(StreamName, event_schemas::NewEvent)| {
            let metadata: event_schemas::Metadata = serde_json::from_slice(&event.metadata).unwrap();
            let category = Category::parse(stream.category()).unwrap();
            let told = ShopEvent::decode(category, &event.event_type, metadata.schema_version, &event.data).unwrap();
            (stream.clone(), metadata, told)
        };
        self.events.iter().map(read).collect()
    }

    /// Type names by stream category, in the order in which they were written.
    pub(super) fn types(&self, category: &str) -> Vec<&str> {
        let of = self.events.iter().filter(|(stream, _)| stream.category() == category);
        of.map(|(_, event)| event.event_type.as_str()).collect()
    }
}

pub(super) fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(vec![], Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

/// The real files, where this machine has them.
pub(super) fn real(path: &str) -> Option<PathBuf> {
    let root = std::env::var_os("JANGTEO_DATA").map_or_else(|| PathBuf::from("/work/shared/data"), PathBuf::from);
    let path = root.join(path);
    if path.exists() {
        return Some(path);
    }
    println!(
        "skipped: {} is not there; set JANGTEO_DATA to the folder with the real data",
        path.display()
    );
    None
}

#[test]
fn a_summary_shows_the_first_bad_lines_and_counts_the_others() {
    let mut summary = ImportSummary::new("icecat", "products");
    for line in 1..=25 {
        summary.refused.add(BadLine {
            file: "a.jsonl".to_owned(),
            line,
            reason: "broken".to_owned(),
        });
    }
    let text = summary
        .finish(
            &Written {
                appended: 3,
                ..Written::default()
            },
            std::time::Duration::from_secs(2),
        )
        .to_string();
    assert!(
        text.contains("a.jsonl:20: broken\n") && !text.contains("a.jsonl:21"),
        "{text}"
    );
    assert!(
        text.contains("and 5 more") && text.contains("25 lines refused") && text.contains("1 events/s"),
        "{text}"
    );
}

#[tokio::test]
async fn a_file_that_is_not_there_a_folder_and_a_binary_file_each_say_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let noise = folder.path().join("noise");
    std::fs::write(&noise, [0u8, 159, 146, 150, b'\n', 1, 2, 3]).unwrap();
    for (file, word) in [
        (folder.path().join("none"), "cannot be read"),
        (folder.path().to_owned(), "it is a folder"),
        (noise, "noise:1: not UTF-8"),
    ] {
        let command = ImportCommand::Icecat {
            file,
            currency: Currency::USD,
        };
        let error = run(&command, &mut Kept::default()).await.unwrap_err().to_string();
        assert!(error.contains(word), "{error}");
    }
}
