//! Which events of the whole log a reader wants.

use event_log::RecordedEvent;
use fancy_regex::{Regex, RegexBuilder};
use tokio::task::coop::consume_budget;
use tonic::Status;

use crate::{
    status::bad_request,
    wire::client::{
        FilterOptions,
        filter_options::{Expression, Filter as On, Window},
    },
};

/// How many steps one match may take: clients send expressions with look-ahead, and those can be made to run for ever.
const MOST_STEPS: usize = 10_000;
/// How large an expression may be, as text and once compiled.
const LONGEST_EXPRESSION: usize = 8 * 1024;
const LARGEST_PROGRAM: usize = 1024 * 1024;
const MOST_INSTRUCTIONS: usize = 16 * 1024;
/// How many prefixes may be asked for: each event is held against each of them.
const MOST_PREFIXES: usize = 1024;
/// The window of a reader that names none.
const WINDOW: u32 = 32;

/// A reader's filter, ready to be asked.
#[derive(Debug)]
pub(crate) struct Filter {
    on_stream: bool,
    wanted: Wanted,
    window: u32,
    multiplier: u32,
}

#[derive(Debug)]
enum Wanted {
    Everything,
    Prefixes(Vec<String>),
    Matches(Regex),
}

impl Filter {
    /// As the reader wrote it. An expression goes before prefixes; neither means everything.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT`, with what does not fit.
    pub(crate) fn new(options: &FilterOptions) -> Result<Self, Status> {
        let (on_stream, expression) = match &options.filter {
            Some(On::StreamIdentifier(expression)) => (true, expression),
            Some(On::EventType(expression)) => (false, expression),
            None => return Err(bad_request("a filter is on stream names or on event types")),
        };
        let window = match options.window {
            Some(Window::Max(0)) => return Err(bad_request("a filter's window is at least 1")),
            Some(Window::Max(max)) => max,
            Some(Window::Count(_)) | None => WINDOW,
        };
        Ok(Self {
            on_stream,
            wanted: Wanted::new(expression)?,
            window,
            multiplier: options.checkpoint_interval_multiplier,
        })
    }

    /// Whether the reader wants this event.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` when the expression takes too many steps to tell.
    pub(crate) fn passes(&self, event: &RecordedEvent) -> Result<bool, Status> {
        let text = if self.on_stream {
            event.stream.as_str()
        } else {
            &event.event_type
        };
        match &self.wanted {
            Wanted::Everything => Ok(true),
            Wanted::Prefixes(prefixes) => Ok(prefixes.iter().any(|prefix| text.starts_with(prefix.as_str()))),
            Wanted::Matches(regex) => regex.is_match(text).map_err(|error| {
                bad_request(format!(
                    "the filter's expression cannot be held against {text:?}: {error}"
                ))
            }),
        }
    }

    /// After how many events the reader is told where it stands, whether it wanted them or not.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` when it asked for none.
    pub(crate) fn checkpoint_interval(&self) -> Result<u64, Status> {
        match self.multiplier {
            0 => Err(bad_request(
                "checkpointIntervalMultiplier is at least 1 where there are checkpoints",
            )),
            multiplier => Ok(u64::from(self.window) * u64::from(multiplier)),
        }
    }
}

/// Whether a reader with this filter wants the event.
///
/// A filter that lets little through, or an expression that takes its steps, lets the others on this thread go on in between.
pub(super) async fn wanted(filter: Option<&Filter>, event: &RecordedEvent) -> Result<bool, Status> {
    match filter {
        Some(filter) => {
            consume_budget().await;
            filter.passes(event)
        }
        None => Ok(true),
    }
}

impl Wanted {
    fn new(expression: &Expression) -> Result<Self, Status> {
        if expression.regex.len() > LONGEST_EXPRESSION || expression.prefix.len() > MOST_PREFIXES {
            return Err(bad_request(format!(
                "a filter has an expression of at most {LONGEST_EXPRESSION} bytes, or at most {MOST_PREFIXES} prefixes"
            )));
        }
        if !expression.regex.is_empty() {
            let compiled = RegexBuilder::new(&expression.regex)
                .backtrack_limit(MOST_STEPS)
                .delegate_size_limit(LARGEST_PROGRAM)
                .max_prog_size(MOST_INSTRUCTIONS)
                .build();
            return compiled.map(Self::Matches).map_err(|error| {
                let expression = &expression.regex;
                bad_request(format!("the filter's expression {expression:?} is not one: {error}"))
            });
        }
        Ok(if expression.prefix.is_empty() {
            Self::Everything
        } else {
            Self::Prefixes(expression.prefix.clone())
        })
    }
}
