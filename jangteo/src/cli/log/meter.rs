//! How far a copy is, for whoever watches: a bar on a terminal, a line now and then elsewhere.

use std::{
    io::{self, IsTerminal as _, Write as _},
    time::{Duration, Instant},
};

use event_log::copy::{CopyError, Progress};
use indicatif::{ProgressBar, ProgressStyle};

/// How often a line is written where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(5);
/// How often the bar's text is made anew.
const TEXT_EVERY: Duration = Duration::from_millis(200);
/// Over how long the speed is measured.
const RECENTLY: Duration = Duration::from_secs(5);

pub(super) struct Meter {
    /// None where nobody looks at a terminal.
    bar: Option<ProgressBar>,
    begun: Instant,
    said: Option<Instant>,
    caught_up: bool,
    /// What it was said to wait for.
    trouble: Option<String>,
    seen: u64,
    /// A moment not long ago, and what was verified by then.
    mark: (Instant, u64),
    rate: f64,
}

impl Meter {
    pub(super) fn new(verb: &'static str) -> Self {
        let bar = io::stderr().is_terminal().then(|| {
            let style = ProgressStyle::with_template("{prefix} {wide_bar} {percent}% {msg}");
            ProgressBar::new(1)
                .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
                .with_prefix(verb)
        });
        let now = Instant::now();
        Self {
            bar,
            begun: now,
            said: None,
            caught_up: false,
            trouble: None,
            seen: 0,
            mark: (now, 0),
            rate: 0.0,
        }
    }

    /// Says what the copy waits for; once, however often it is tried again.
    pub(super) fn waits(&mut self, trouble: &CopyError) {
        let trouble = trouble.to_string();
        if self.trouble.as_ref() != Some(&trouble) {
            self.line(&format!("waiting: {trouble}"));
            self.trouble = Some(trouble);
        }
    }

    /// Takes note; says something when it is time to. True at the moment when the copy has caught up.
    pub(super) fn note(&mut self, progress: Progress) -> bool {
        if progress.verified > self.seen {
            self.seen = progress.verified;
            self.trouble = None;
        }
        self.measure(progress.verified);
        let caught_up = progress.behind() == 0;
        let arrived = caught_up && !self.caught_up;
        self.caught_up = caught_up;
        let every = if self.bar.is_some() { TEXT_EVERY } else { LINE_EVERY };
        let due = self.said.unwrap_or(self.begun).elapsed() >= every;
        if due || (arrived && self.bar.is_some()) {
            self.said = Some(Instant::now());
            self.show(progress);
        }
        arrived
    }

    fn show(&self, progress: Progress) {
        let text = self.text(progress);
        match &self.bar {
            Some(bar) => {
                bar.set_length(progress.head.0.max(1));
                bar.set_position(progress.at.0);
                bar.set_message(text);
            }
            None => {
                let percent = 100 * progress.at.0 / progress.head.0.max(1);
                say(&format!("{percent}%  {text}"));
            }
        }
    }

    /// A line of its own.
    pub(super) fn line(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.println(text),
            None => say(text),
        }
    }

    /// Clears the bar, and says how long it all took.
    pub(super) fn end(&self) -> Duration {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        self.begun.elapsed()
    }

    fn measure(&mut self, verified: u64) {
        let (since, before) = self.mark;
        let elapsed = since.elapsed();
        if elapsed >= TEXT_EVERY {
            self.rate = (verified - before) as f64 / elapsed.as_secs_f64();
        }
        if elapsed >= RECENTLY {
            self.mark = (Instant::now(), verified);
        }
    }

    fn text(&self, progress: Progress) -> String {
        let events = progress.verified;
        if progress.behind() == 0 {
            return format!("{events} events, caught up");
        }
        // Positions are events in an embedded log and bytes on a server; what is left is estimated by their share.
        let done = progress.at.0 as f64 / progress.head.0.max(1) as f64;
        let left = if done > 0.0 && self.rate > 0.0 {
            let seconds = events as f64 * (1.0 - done) / done / self.rate;
            format!(", {} left", time(Duration::from_secs_f64(seconds.min(1e7))))
        } else {
            String::new()
        };
        format!("{events} events, {:.0}/s{left}", self.rate)
    }
}

fn time(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
    }
}

/// On standard error; where that is gone, nobody reads it.
fn say(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

#[cfg(test)]
mod tests {
    use event_log::Position;

    use super::*;

    fn progress(verified: u64, at: u64, head: u64) -> Progress {
        Progress {
            verified,
            appended: verified,
            at: Position(at),
            head: Position(head),
        }
    }

    #[test]
    fn it_says_once_that_it_has_caught_up_and_again_after_it_fell_behind() {
        let mut meter = Meter::new("copying");
        assert!(!meter.note(progress(5, 5, 10)));
        assert!(meter.note(progress(10, 10, 10)));
        assert!(!meter.note(progress(10, 10, 10)));
        assert!(!meter.note(progress(10, 10, 12)));
        assert!(meter.note(progress(12, 12, 12)));
    }

    #[test]
    fn what_is_left_is_estimated_by_the_share_that_is_done() {
        let mut meter = Meter::new("copying");
        meter.rate = 100.0;
        assert_eq!(meter.text(progress(1000, 500, 2000)), "1000 events, 100/s, 30 s left");
        assert_eq!(
            meter.text(progress(1000, 500, 100_000)),
            "1000 events, 100/s, 33 min 10 s left"
        );
        assert_eq!(meter.text(progress(7, 7, 7)), "7 events, caught up");
        assert_eq!(time(Duration::from_secs(7322)), "2 h 2 min");
    }
}
