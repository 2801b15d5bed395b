//! The filter of a group that follows the whole log, as it is kept in the configuration.

use serde::{Deserialize, Serialize};
use tonic::Status;

use crate::{
    reading::Filter,
    wire::client::{
        FilterOptions,
        filter_options::{Expression, Filter as On},
    },
};

/// Which events a group wants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Sought {
    /// By the stream's name, or by the event's type.
    on_stream: bool,
    regex: String,
    prefixes: Vec<String>,
}

impl Sought {
    pub(super) fn from_wire(options: FilterOptions) -> Result<Self, Status> {
        // What cannot be used is refused now, not when the first event comes.
        Filter::new(&options)?;
        let (on_stream, expression) = match options.filter {
            Some(On::StreamIdentifier(expression)) => (true, expression),
            Some(On::EventType(expression)) => (false, expression),
            None => (false, Expression::default()),
        };
        let (regex, prefixes) = (expression.regex, expression.prefix);
        Ok(Self {
            on_stream,
            regex,
            prefixes,
        })
    }

    pub(super) fn filter(&self) -> Result<Filter, Status> {
        let expression = Expression {
            regex: self.regex.clone(),
            prefix: self.prefixes.clone(),
        };
        let on = if self.on_stream {
            On::StreamIdentifier(expression)
        } else {
            On::EventType(expression)
        };
        Filter::new(&FilterOptions {
            filter: Some(on),
            window: None,
            checkpoint_interval_multiplier: 1,
        })
    }
}
