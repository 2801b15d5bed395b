//! `POST ops/imports`: history, one stream's events per line, into a running shop's log.

use std::{collections::HashMap, sync::Arc};

use bytes::Bytes;
use event_log::EventLog;
use event_schemas::{Category, ContentType, Metadata, NewEvent, ShopEvent, StreamName};
use serde_json::value::RawValue;

use super::view::{ImportAnswer, ImportEvent, ImportLine, RefusedLine};
use crate::sink::{ImportSink as _, ImportedStream, LocalSink, SinkError};

/// Writes the lines of `body` that are sound, and says which are not.
///
/// # Errors
/// When the log fails; the same body again is safe.
pub async fn import(log: &Arc<dyn EventLog>, body: &[u8]) -> Result<ImportAnswer, SinkError> {
    let mut answer = ImportAnswer::default();
    let mut sound = Vec::new();
    let mut line_of: HashMap<StreamName, u64> = HashMap::new();
    for (number, line) in (1..).zip(body.split(|byte| *byte == b'\n')) {
        if line.trim_ascii().is_empty() {
            continue;
        }
        match validated(line) {
            Ok(stream) => {
                line_of.insert(stream.stream.clone(), number);
                sound.push(stream);
            }
            Err(reason) => answer.refused.push(RefusedLine { line: number, reason }),
        }
    }
    let written = LocalSink::new(Arc::clone(log)).write(sound).await?;
    answer.appended = written.appended;
    answer.duplicates = written.duplicates;
    let refused = written.refused.into_iter().map(|refused| RefusedLine {
        line: line_of.get(&refused.stream).copied().unwrap_or_default(),
        reason: refused.reason,
    });
    answer.refused.extend(refused);
    answer.refused.sort_by_key(|refused| refused.line);
    Ok(answer)
}

/// A line as history that may go into the log: today's code can read it, and no saga will act on it.
fn validated(line: &[u8]) -> Result<ImportedStream, String> {
    let line: ImportLine = serde_json::from_slice(line).map_err(|error| error.to_string())?;
    let stream: StreamName = line.stream.parse().map_err(|error| format!("{error}"))?;
    let category = Category::parse(stream.category())
        .ok_or_else(|| format!("{:?} is not a category of streams in this shop", stream.category()))?;
    if line.events.is_empty() {
        return Err("a line holds at least one event".to_owned());
    }
    let events: Result<Vec<_>, String> = line
        .events
        .into_iter()
        .map(|event| validated_event(category, event))
        .collect();
    Ok(ImportedStream {
        stream,
        events: events?,
    })
}

fn validated_event(category: Category, event: ImportEvent) -> Result<NewEvent, String> {
    let metadata: Metadata = serde_json::from_str(event.metadata.get())
        .map_err(|error| format!("the metadata of event {}: {error}", event.id))?;
    if !metadata.imported {
        return Err(format!(
            "the metadata of event {} must say \"imported\": true, so that no saga acts on it",
            event.id
        ));
    }
    let bytes = |json: Box<RawValue>| Bytes::from(Box::<str>::from(json).into_string());
    let data = bytes(event.data);
    ShopEvent::decode(category, &event.event_type, metadata.schema_version, &data)
        .map_err(|error| format!("event {}: {error}", event.id))?;
    Ok(NewEvent {
        id: event.id,
        event_type: event.event_type,
        content: ContentType::Json,
        metadata: bytes(event.metadata),
        data,
    })
}
