//! What a terminal or a program reads: tables, or one JSON object per line.

use std::io::{self, Write};

use serde::Serialize;

use crate::ops::view::{EventView, ProjectionView, StatsView, StreamView};

/// Writes one JSON object per line.
pub(super) fn json_lines<T: Serialize>(out: &mut dyn Write, items: &[T]) -> io::Result<()> {
    for item in items {
        serde_json::to_writer(&mut *out, item)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

pub(super) fn streams(out: &mut dyn Write, streams: &[StreamView], json: bool) -> io::Result<()> {
    if json {
        return json_lines(out, streams);
    }
    for stream in streams {
        let StreamView {
            stream,
            events,
            position,
        } = stream;
        writeln!(out, "{:<56} {events:>8} {position:>12}", stream.as_str())?;
    }
    Ok(())
}

pub(super) fn streams_head(out: &mut dyn Write, json: bool) -> io::Result<()> {
    if json {
        return Ok(());
    }
    writeln!(out, "{:<56} {:>8} {:>12}", "STREAM", "EVENTS", "POSITION")
}

pub(super) fn events(out: &mut dyn Write, events: &[EventView], json: bool) -> io::Result<()> {
    if json {
        return json_lines(out, events);
    }
    for event in events {
        writeln!(
            out,
            "{:>8}  {}  {}@{}  {}\n          {}",
            event.position,
            event.recorded_at,
            event.stream,
            event.version,
            event.event_type,
            event.data.get()
        )?;
    }
    Ok(())
}

pub(super) fn stats(out: &mut dyn Write, stats: &StatsView, json: bool) -> io::Result<()> {
    if json {
        return json_lines(out, std::slice::from_ref(stats));
    }
    writeln!(out, "events         {:>14}", stats.events)?;
    writeln!(out, "streams        {:>14}", stats.streams)?;
    writeln!(out, "last position  {:>14}", stats.head)?;
    let bytes = stats
        .bytes_on_disk
        .map_or("unknown".to_owned(), |bytes| bytes.to_string());
    writeln!(out, "bytes on disk  {bytes:>14}")?;
    for category in &stats.categories {
        writeln!(out, "  {:<12} {:>14}", category.category, category.events)?;
    }
    Ok(())
}

pub(super) fn projections(out: &mut dyn Write, projections: &[ProjectionView], json: bool) -> io::Result<()> {
    if json {
        return json_lines(out, projections);
    }
    writeln!(
        out,
        "{:<16} {:<18} {:>12} {:>10} {:>12} {:>10} {:>10}",
        "PROJECTION", "STATE", "POSITION", "BEHIND", "DOCUMENTS", "FRESH", "CORRECT"
    )?;
    for projection in projections {
        let ProjectionView {
            name,
            state,
            position,
            behind,
            documents,
            ..
        } = projection;
        write!(
            out,
            "{name:<16} {state:<18} {position:>12} {behind:>10} {documents:>12} {:>10} {:>10}",
            fresh(projection),
            correct(projection)
        )?;
        if let Some(rebuild) = &projection.rebuild {
            write!(out, "  {}: {} of {}", rebuild.phase, rebuild.position, rebuild.target)?;
        }
        if let Some(error) = &projection.error {
            write!(out, "  {error}")?;
        }
        writeln!(out)?;
    }
    Ok(())
}

/// Within how many milliseconds all but one of a hundred events were shown.
fn fresh(projection: &ProjectionView) -> String {
    let measured = projection.freshness.as_ref();
    measured.map_or_else(|| "-".to_owned(), |fresh| format!("{} ms", fresh.p99_ms))
}

/// The share of documents that were right when the sentinel last looked.
fn correct(projection: &ProjectionView) -> String {
    let looked = projection.drift.right_ppm;
    looked.map_or_else(
        || "-".to_owned(),
        |ppm| format!("{}.{:02} %", ppm / 10_000, ppm % 10_000 / 100),
    )
}

/// Others may be quoted in it, even what sellers wrote: nothing of it moves the cursor.
pub(super) fn on_one_line(reason: &str) -> String {
    reason
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_nobody_knows_are_not_said_to_be_none() {
        let said = |bytes_on_disk| {
            let found = StatsView {
                events: 3,
                streams: 1,
                head: 3,
                bytes_on_disk,
                categories: vec![],
            };
            let (mut lines, mut json) = (vec![], vec![]);
            stats(&mut lines, &found, false).unwrap();
            stats(&mut json, &found, true).unwrap();
            [lines, json].map(|said| String::from_utf8(said).unwrap())
        };
        let [lines, json] = said(Some(512));
        assert!(
            lines.contains(" 512\n") && json.contains("\"bytes_on_disk\":512"),
            "{lines}{json}"
        );
        let [lines, json] = said(None);
        assert!(
            lines.contains(" unknown\n") && !json.contains("bytes_on_disk"),
            "{lines}{json}"
        );
    }
}
