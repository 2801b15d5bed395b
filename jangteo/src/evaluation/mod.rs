//! How good the search is: judged queries over a catalogue of its own.
//!
//! - [`products`] and [`judgments`] read what is given;
//! - [`shelf`]: the engine with a fresh index, gone afterwards;
//! - [`measures`]: what the order of hits is worth, and nothing else.
//!
//! A query goes the way of a customer's: through the [`Finder`], with its second looks.

pub mod judgments;
pub mod measures;
pub mod products;
mod shelf;
#[cfg(test)]
mod tests;

use std::{path::PathBuf, time::Instant};

use event_schemas::ProductId;
use read_models::catalogue::{Finder, InsteadKind, SearchError, SearchQuery, SearchResults};

use crate::import::{ImportError, source::records_bar};
use judgments::{Judged, Judgments};
use measures::{Measured, Report};
use shelf::Shelf;

/// What to evaluate.
#[derive(Debug, Clone)]
pub struct Evaluation {
    /// One JSON object a line.
    pub products: PathBuf,
    /// A table with a header.
    pub judgments: PathBuf,
    /// Which engine answers.
    pub engine: Engine,
}

/// Which engine answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Engine {
    /// The one that needs no set-up.
    Embedded,
    /// The node at this address.
    Elasticsearch(String),
}

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub enum EvaluationError {
    /// A file cannot be read.
    #[error(transparent)]
    File(#[from] ImportError),
    /// A line is not what it should be.
    #[error("{file}, line {line}: {reason}")]
    Line {
        /// Which file.
        file: String,
        /// Counted from 1.
        line: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// Nothing can be measured.
    #[error("{0}")]
    Nothing(String),
    /// The engine failed.
    #[error("the engine failed: {0}")]
    Engine(String),
    /// The engine did not answer.
    #[error(transparent)]
    Search(#[from] SearchError),
}

impl EvaluationError {
    pub(crate) fn engine(error: impl ToString) -> Self {
        Self::Engine(error.to_string())
    }
}

/// Fills a fresh index, asks every judged query, and says what came of it. The index is gone afterwards.
///
/// # Errors
/// When a line cannot be read, nothing can be measured, or the engine fails.
pub async fn evaluate(evaluation: &Evaluation) -> Result<Report, EvaluationError> {
    let judgments = judgments::read(&evaluation.judgments)?;
    let shelf = Shelf::open(&evaluation.engine).await?;
    let measured = tokio::select! {
        measured = measure(&shelf, evaluation, &judgments) => measured,
        _ = tokio::signal::ctrl_c() => Err(EvaluationError::Nothing("interrupted".to_owned())),
    };
    let cleared = shelf.clear().await;
    let report = measured?;
    cleared?;
    Ok(report)
}

async fn measure(shelf: &Shelf, evaluation: &Evaluation, judgments: &Judgments) -> Result<Report, EvaluationError> {
    let products = shelf.fill(&evaluation.products).await?;
    let finder = shelf.finder().await?;
    // What is read from disk for the first time is no customer's business.
    finder.search(page("", SHOWN)).await?;
    let bar = records_bar(judgments.queries.len() as u64);
    bar.set_message("searching");
    let mut measured = Vec::with_capacity(judgments.queries.len());
    for judged in &judgments.queries {
        measured.push(ask(&finder, judged).await?);
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(Report::of(&measured, products, judgments.left_out))
}

/// A page as customers see it.
const SHOWN: usize = 20;

fn page(text: &str, size: usize) -> SearchQuery {
    SearchQuery {
        text: text.to_owned(),
        size,
        ..SearchQuery::default()
    }
}

async fn ask(finder: &Finder, judged: &Judged) -> Result<Measured, EvaluationError> {
    let begun = Instant::now();
    finder.search(page(&judged.query, SHOWN)).await?;
    let took = begun.elapsed();
    let results = finder.search(page(&judged.query, measures::RECALL_AT)).await?;
    let found: Vec<ProductId> = results.hits.iter().map(|hit| hit.id).collect();
    Ok(Measured::of(&found, &judged.ratings, !is_found(&results), took))
}

/// What is shown instead of nothing was not found.
fn is_found(results: &SearchResults) -> bool {
    let popular = results
        .instead
        .as_ref()
        .is_some_and(|instead| instead.kind == InsteadKind::Popular);
    results.total > 0 && !popular
}
