//! Real data brought in as history: the Icecat catalogue and the Olist orders.
//!
//! Both imports say what happened through the same event types that a living shop writes, each event at its real time and
//! marked `imported`, so that read models show it and no saga acts on it. Every id is derived from the source's own
//! ([`history::IMPORT_NAMESPACE`]), so that an import can be interrupted and run again: what the log holds already it
//! does not take twice.
//!
//! A thread of its own reads and parses ([`source`]); parsed streams travel in batches over a short channel to the sink
//! ([`delivery`]), so memory stays bounded and disk, parsing and writing overlap.

mod delivery;
mod history;
pub mod icecat;
pub mod olist;
pub(crate) mod source;
mod summary;

use std::path::PathBuf;

use event_schemas::Currency;

pub use history::IMPORT_NAMESPACE;
pub use summary::{BadLine, ExampleCustomer, ImportSummary, RefusedLines};

use crate::sink::{ImportSink, SinkError};

/// What can be imported.
#[derive(Debug, Clone, PartialEq, Eq, clap::Subcommand)]
pub enum ImportCommand {
    /// Products of the Icecat sample: one JSON object a line, plain or .gz
    Icecat {
        /// The file, such as products.jsonl.gz
        file: PathBuf,
        /// The currency of its prices (ISO 4217); the source does not say it
        #[arg(long, default_value = "USD", value_parser = currency)]
        currency: Currency,
    },
    /// Orders of the Olist marketplace: a folder with olist_*_dataset.csv, plain or .gz
    Olist {
        /// The folder
        dir: PathBuf,
    },
}

/// Why an import stopped. Running it again goes on where it stopped.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A file or folder cannot be read, or not to its end.
    #[error("{path} cannot be read: {detail}", path = path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What the system or the format says.
        detail: String,
    },
    /// Nothing in the file was what it should be.
    #[error("{path} holds nothing that could be imported; {detail}", path = path.display())]
    NothingRead {
        /// Which.
        path: PathBuf,
        /// The first line's fault, or that there is no line.
        detail: String,
    },
    /// The log or the running shop did not take it.
    #[error("the import stopped: {0}; what was written stays, run it again to go on")]
    Sink(#[from] SinkError),
    /// The thread that reads ended before its time.
    #[error("the import stopped: {0}")]
    Interrupted(String),
}

/// Runs an import into `sink` and says what became of it.
///
/// # Errors
/// When nothing can be read, a file ends too soon, or the sink fails. Single bad lines are no error: they are in the summary.
pub async fn run(command: &ImportCommand, sink: &mut dyn ImportSink) -> Result<ImportSummary, ImportError> {
    match command {
        ImportCommand::Icecat { file, currency } => icecat::import(file, *currency, sink).await,
        ImportCommand::Olist { dir } => olist::import(dir, sink).await,
    }
}

fn currency(text: &str) -> Result<Currency, String> {
    text.parse()
}

#[cfg(test)]
mod tests;
