//! `jangteo search`.

use std::{
    io::{self, Write as _},
    path::PathBuf,
};

use clap::{Args, Subcommand, ValueEnum};

use super::{CliError, output};
use crate::evaluation::{self, Engine, Evaluation};

/// Look into the search.
#[derive(Debug, Subcommand)]
pub enum SearchCommand {
    /// Measure how good the order of hits is: judged queries over a catalogue, in a fresh index that is gone afterwards.
    #[command(
        after_help = "Products: one JSON object a line, with id and title; description, brand, category, attributes and price where there are any.\nJudgments: a table with tabs whose header names query, product_id and rating (0 is bad; may be a fraction).\nBoth plain or .gz.\n\nExamples:\n  jangteo search evaluate --products products.jsonl.gz --judgments judgments.tsv\n  jangteo search evaluate --products p.jsonl --judgments j.tsv --engine elasticsearch --elasticsearch http://127.0.0.1:9200 --json"
    )]
    Evaluate(EvaluateArgs),
}

/// See [`SearchCommand::Evaluate`].
#[derive(Debug, Args)]
pub struct EvaluateArgs {
    /// The catalogue, JSON lines.
    #[arg(long, value_name = "FILE")]
    products: PathBuf,
    /// The judgments, tab-separated.
    #[arg(long, value_name = "FILE")]
    judgments: PathBuf,
    /// Which engine answers.
    #[arg(long, value_enum, default_value = "embedded")]
    engine: EngineName,
    /// The node, for --engine elasticsearch. Not given: JANGTEO_ELASTICSEARCH.
    #[arg(long, value_name = "URL")]
    elasticsearch: Option<String>,
    /// One JSON object instead of a table.
    #[arg(long)]
    json: bool,
}

/// An engine by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum EngineName {
    /// The one that needs no set-up.
    Embedded,
    /// A node.
    Elasticsearch,
}

pub(super) async fn run(command: SearchCommand) -> Result<(), CliError> {
    let SearchCommand::Evaluate(args) = command;
    let node = args
        .elasticsearch
        .or_else(|| std::env::var("JANGTEO_ELASTICSEARCH").ok());
    let engine = match (args.engine, node) {
        (EngineName::Embedded, _) => Engine::Embedded,
        (EngineName::Elasticsearch, Some(url)) => Engine::Elasticsearch(url),
        (EngineName::Elasticsearch, None) => {
            let missing = "--engine elasticsearch needs a node: --elasticsearch http://127.0.0.1:9200";
            return Err(CliError::Usage(missing.to_owned()));
        }
    };
    let evaluation = Evaluation {
        products: args.products,
        judgments: args.judgments,
        engine,
    };
    let report = evaluation::evaluate(&evaluation).await;
    let report = report.map_err(|error| CliError::Failed(error.to_string()))?;
    let mut out = io::stdout().lock();
    if args.json {
        output::json_lines(&mut out, &[report])?;
    } else {
        write!(out, "{report}")?;
    }
    Ok(())
}
