//! What is printed: one line a figure, with its first mark beside it where it has one.

use std::io::Write;

use hdrhistogram::Histogram;

/// The report on standard output.
pub(crate) struct Report {
    missed: Vec<String>,
}

/// A first mark of issue 3.
#[derive(Clone, Copy)]
pub(crate) enum Mark {
    AtLeast(f64),
    AtMost(f64),
}

impl Report {
    pub(crate) fn begin(machine: &str) -> Self {
        let report = Self { missed: Vec::new() };
        report.line(&format!("machine: {machine}"));
        report
    }

    /// A line of prose.
    pub(crate) fn line(&self, text: &str) {
        say(text);
    }

    /// A figure without a mark.
    pub(crate) fn figure(&self, what: &str, value: &str) {
        self.line(&format!("  {what:<58} {value}"));
    }

    /// A figure with its first mark.
    pub(crate) fn mark(&mut self, what: &str, value: f64, unit: &str, mark: Mark) {
        let (met, sign, bound) = match mark {
            Mark::AtLeast(bound) => (value >= bound, "≥", bound),
            Mark::AtMost(bound) => (value <= bound, "≤", bound),
        };
        let verdict = if met { "ok" } else { "MISSED" };
        self.figure(
            what,
            &format!("{} {unit}   (mark {sign} {bound} {unit}: {verdict})", short(value)),
        );
        if !met {
            self.missed.push(what.to_owned());
        }
    }

    pub(crate) fn end(&self) {
        if self.missed.is_empty() {
            self.line("every first mark is met");
        } else {
            self.line(&format!("missed: {}", self.missed.join("; ")));
        }
    }
}

/// A line on standard output. A closed pipe is the reader's wish, not our failure.
pub(crate) fn say(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// Three digits that matter.
pub(crate) fn short(value: f64) -> String {
    match value.abs() {
        large if large >= 100.0 => format!("{value:.0}"),
        middle if middle >= 10.0 => format!("{value:.1}"),
        middle if middle >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

/// Latencies in microseconds, up to a minute.
pub(crate) fn latencies() -> crate::Result<Histogram<u64>> {
    Ok(Histogram::new_with_bounds(1, 60_000_000, 3)?)
}

/// A quantile in milliseconds.
pub(crate) fn millis(histogram: &Histogram<u64>, quantile: f64) -> f64 {
    histogram.value_at_quantile(quantile) as f64 / 1_000.0
}
