//! `make bench`: what the shop does, as ratios against limits measured in the same run on the same machine.
//!
//! Every figure is a ratio or a time beside its first mark; nothing here fails a build. The shop under measurement is the
//! real binary in a process of its own; the load comes from this process, so on a small machine the two share the cores.

use std::{
    error::Error,
    path::{Path, PathBuf},
    time::Duration,
};

use clap::{Parser, ValueEnum};

mod bare_search;
mod batches;
mod catch_up;
mod client;
mod drive;
mod elasticsearch;
mod endings;
mod event_log;
mod flash_sale;
mod forwarder;
mod freshness;
mod grown;
mod log_marks;
mod machine;
mod orders;
mod peers;
mod queries;
mod raw_log;
mod replay;
mod report;
mod served;
mod shop;
mod ten_million;
mod wire;
mod workflow;

use report::Report;

/// As the shop has it: what is measured in this process is measured as it is shipped.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Measures the shop against limits taken in the same run.
#[derive(Parser)]
#[command(name = "jangteo-bench")]
struct Arguments {
    /// How long to measure.
    #[arg(value_enum, default_value = "short")]
    mode: Mode,
    /// Only these parts (default: all).
    #[arg(long, value_enum)]
    only: Vec<Part>,
    /// Where to put the data under measurement: the disk counts. Default: a new folder in the current one.
    #[arg(long)]
    folder: Option<PathBuf>,
    /// The real data sets (`icecat/`), for search. Default: ../shared/data, else made-up products.
    #[arg(long)]
    data_sets: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Mode {
    Short,
    Full,
    /// A log of ten million events, and nothing else.
    TenMillion,
    /// What `ten-million` starts as a process of its own.
    #[value(hide = true)]
    Reopened,
    /// What `--only workflow` starts as a process of its own.
    #[value(hide = true)]
    Workflows,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Part {
    Log,
    Wire,
    Orders,
    Replay,
    Search,
    Workflow,
    FlashSale,
    Grown,
}

/// How much of everything.
#[derive(Clone, Copy)]
struct Effort {
    /// Each throughput is measured this long.
    each: Duration,
    /// Samples of each latency.
    samples: usize,
    /// Events of the log that a subscription catches up with.
    events: usize,
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let effort = match arguments.mode {
        Mode::Short => Effort {
            each: Duration::from_secs(4),
            samples: 400,
            events: 200_000,
        },
        Mode::Reopened => return ten_million::reopened(arguments.folder.as_deref().unwrap_or(Path::new("."))).await,
        Mode::Workflows => return workflow::serve(arguments.folder.as_deref().unwrap_or(Path::new("."))).await,
        Mode::Full | Mode::TenMillion => Effort {
            each: Duration::from_secs(20),
            samples: 4_000,
            events: 1_000_000,
        },
    };
    let folder = match &arguments.folder {
        Some(folder) => tempfile::tempdir_in(folder)?,
        None => tempfile::tempdir_in(".")?,
    };
    let wanted = |part| arguments.only.is_empty() || arguments.only.contains(&part);
    let mut report = Report::begin(&machine::describe());

    if arguments.mode == Mode::TenMillion {
        ten_million::measure(folder.path(), &mut report).await?;
        report.end();
        return Ok(());
    }
    let limits = log_marks::limits(folder.path(), effort, &mut report).await?;
    if wanted(Part::Log) || wanted(Part::Wire) {
        let in_process = log_marks::measure(folder.path(), effort, &limits, &mut report).await?;
        if wanted(Part::Wire) {
            let peers = peers::measure(folder.path(), effort, &mut report).await?;
            wire::measure(folder.path(), effort, &in_process, &peers, &mut report).await?;
            catch_up::measure(folder.path(), effort.events, &mut report).await?;
        }
    }
    if wanted(Part::Orders) || wanted(Part::Replay) {
        let data = folder.path().join("orders");
        orders::measure(&data, effort, &limits, &mut report).await?;
        if wanted(Part::Replay) {
            replay::measure(&data, &mut report).await?;
        }
    }
    if wanted(Part::FlashSale) {
        flash_sale::measure(&folder.path().join("flash-sale"), &mut report).await?;
    }
    if wanted(Part::Grown) {
        grown::measure(&folder.path().join("grown"), effort, &report).await?;
    }
    if wanted(Part::Workflow) {
        workflow::measure(folder.path(), effort, &limits, &mut report).await?;
    }
    if wanted(Part::Search) {
        queries::measure(
            &folder.path().join("search"),
            arguments.data_sets.as_deref(),
            effort,
            &mut report,
        )
        .await?;
    }
    report.end();
    Ok(())
}
