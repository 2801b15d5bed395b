//! What an import says at its end, for people and for programs.

use std::{fmt, time::Duration};

use serde::Serialize;
use uuid::Uuid;

use crate::sink::Written;

/// How many bad lines are kept; the others are only counted.
const KEPT_BAD_LINES: usize = 20;

/// A line that was not imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BadLine {
    /// The file's name.
    pub file: String,
    /// Counted from 1; where a CSV record spans lines, its first.
    pub line: u64,
    /// What is wrong with it.
    pub reason: String,
}

impl fmt::Display for BadLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.reason)
    }
}

/// All lines that were not imported.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct RefusedLines {
    /// How many.
    pub count: u64,
    /// The first of them.
    pub first: Vec<BadLine>,
}

impl RefusedLines {
    /// Counts a line, and keeps it if it is among the first.
    pub fn add(&mut self, line: BadLine) {
        self.count += 1;
        if self.first.len() < KEPT_BAD_LINES {
            self.first.push(line);
        }
    }

    /// Counts the lines of another list.
    pub(super) fn append(&mut self, other: Self) {
        let room = KEPT_BAD_LINES.saturating_sub(self.first.len());
        self.count += other.count;
        self.first.extend(other.first.into_iter().take(room));
    }
}

/// A customer worth looking at: `GET ops/customers/{id}/my-page`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExampleCustomer {
    /// The account's id here.
    pub id: Uuid,
    /// How many orders they have.
    pub orders: u64,
}

/// What became of an import.
#[derive(Debug, Clone, Serialize)]
pub struct ImportSummary {
    /// `icecat` or `olist`.
    pub source: &'static str,
    /// What is counted: `products` or `orders`.
    pub records: &'static str,
    /// Records that the source holds, good and bad.
    pub read: u64,
    /// Records whose whole history is in the log now.
    pub imported: u64,
    /// Lines that were not imported.
    pub refused: RefusedLines,
    /// Events written now.
    pub events_appended: u64,
    /// Events that an earlier run had written.
    pub events_already_there: u64,
    /// From the first byte read to the last event durable.
    pub seconds: f64,
    /// Events a second, written and already there.
    pub events_per_second: u64,
    /// What was decided where the source does not say everything.
    pub notes: Vec<String>,
    /// For a first look.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub example_customer: Option<ExampleCustomer>,
}

impl ImportSummary {
    pub(super) fn new(source: &'static str, records: &'static str) -> Self {
        Self {
            source,
            records,
            read: 0,
            imported: 0,
            refused: RefusedLines::default(),
            events_appended: 0,
            events_already_there: 0,
            seconds: 0.0,
            events_per_second: 0,
            notes: vec![],
            example_customer: None,
        }
    }

    pub(super) fn finish(mut self, written: &Written, took: Duration) -> Self {
        self.events_appended = written.appended;
        self.events_already_there = written.duplicates;
        self.seconds = took.as_secs_f64();
        let events = u128::from(written.appended + written.duplicates);
        let rate = events * 1_000_000 / took.as_micros().max(1);
        self.events_per_second = u64::try_from(rate).unwrap_or(u64::MAX);
        self
    }
}

impl fmt::Display for ImportSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { source, records, .. } = self;
        writeln!(
            f,
            "{source}: {} {records} read, {} imported, {} lines refused",
            self.read, self.imported, self.refused.count
        )?;
        let (new, old) = (self.events_appended, self.events_already_there);
        writeln!(
            f,
            "  {new} events appended, {old} already there; {:.1} s, {} events/s",
            self.seconds, self.events_per_second
        )?;
        for note in &self.notes {
            writeln!(f, "  {note}")?;
        }
        if let Some(ExampleCustomer { id, orders }) = &self.example_customer {
            writeln!(
                f,
                "  to look at: customer {id} with {orders} orders, GET /api/v1/ops/customers/{id}/my-page"
            )?;
        }
        if self.refused.count > 0 {
            writeln!(f, "  refused:")?;
        }
        for line in &self.refused.first {
            writeln!(f, "    {line}")?;
        }
        match self.refused.count - self.refused.first.len() as u64 {
            0 => Ok(()),
            more => writeln!(f, "    and {more} more"),
        }
    }
}
