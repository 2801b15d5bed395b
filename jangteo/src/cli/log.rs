//! `jangteo log`.

mod copy;
mod meter;
mod place;
mod salvage;

use std::{io::Write, time::Duration};

use clap::{Args, Subcommand};
use event_log::{Direction, EventFilter};
use event_schemas::StreamName;

use super::{CliError, PlaceArgs, output};
use crate::{operations::Operations, ops::reading::MAX_SIZE};

/// How long one request waits for news while following the log.
const WAIT: Duration = Duration::from_secs(20);

/// Look into the event log.
#[derive(Debug, Subcommand)]
pub enum LogCommand {
    /// List streams in the order of their names, with how many events each holds.
    #[command(after_help = "Example: jangteo log list --prefix order- --limit 20")]
    List(ListArgs),
    /// Read one stream.
    #[command(after_help = "Example: jangteo log read order-018f3c1e-7b4a-7c3e-9d2f-1a2b3c4d5e6f --json | jq .type")]
    Read(ReadArgs),
    /// Read the whole log in order, and then whatever comes until Ctrl-C.
    #[command(
        after_help = "Examples:\n  jangteo log tail --category order --category payment\n  jangteo log tail --after 0 --type OrderPlaced --json --no-follow"
    )]
    Tail(TailArgs),
    /// Count events, streams and bytes.
    Stats {
        #[command(flatten)]
        place: PlaceArgs,
    },
    #[command(flatten)]
    Moving(MovingCommand),
}

/// What is done with whole logs.
#[derive(Debug, Subcommand)]
pub enum MovingCommand {
    /// Move house: copy a log, event by event, between a folder and a server that speaks EventStoreDB's protocol, either way.
    #[command(after_long_help = copy::TEACHING)]
    Copy(copy::CopyArgs),
    /// Compare two logs event by event; nothing is changed.
    #[command(after_help = "Example: jangteo log verify --from /srv/shop --to esdb://admin:changeit@db.example:2113")]
    Verify(copy::VerifyArgs),
    /// Take what can be read out of a damaged log into a new one.
    #[command(after_long_help = salvage::TEACHING)]
    Salvage(salvage::SalvageArgs),
}

/// See [`LogCommand::List`].
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Only streams whose names start so, such as `order-`.
    #[arg(long, default_value = "", hide_default_value = true)]
    prefix: String,
    /// Only streams that stand after this name.
    #[arg(long, value_name = "STREAM")]
    after: Option<String>,
    /// At most so many.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    limit: u64,
    #[command(flatten)]
    place: PlaceArgs,
}

/// See [`LogCommand::Read`].
#[derive(Debug, Args)]
pub struct ReadArgs {
    /// The stream's whole name.
    stream: StreamName,
    /// Start with this version; the first event is 0.
    #[arg(long, value_name = "VERSION")]
    from: Option<u64>,
    /// Newest first.
    #[arg(long)]
    backwards: bool,
    /// At most so many.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    limit: u64,
    #[command(flatten)]
    place: PlaceArgs,
}

/// See [`LogCommand::Tail`].
#[derive(Debug, Args)]
pub struct TailArgs {
    /// Start after this position; 0 for everything. Not given: the last twenty positions.
    #[arg(long, value_name = "POSITION")]
    after: Option<u64>,
    /// End at the end of the log instead of waiting for what comes. A stopped shop's log always ends there.
    #[arg(long)]
    no_follow: bool,
    /// Only streams of this category, such as order; may be given several times.
    #[arg(long, value_name = "NAME")]
    category: Vec<String>,
    /// Only events of this type, such as OrderPlaced; may be given several times.
    #[arg(long = "type", value_name = "NAME")]
    types: Vec<String>,
    /// At most so many.
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    #[command(flatten)]
    place: PlaceArgs,
}

pub(super) async fn run(command: LogCommand) -> Result<(), CliError> {
    let command = match command {
        LogCommand::Moving(MovingCommand::Copy(args)) => return copy::run(args).await,
        LogCommand::Moving(MovingCommand::Verify(args)) => return copy::verify(args).await,
        LogCommand::Moving(MovingCommand::Salvage(args)) => return salvage::run(args).await,
        command => command,
    };
    let place = match &command {
        LogCommand::Moving(_) => return Ok(()),
        LogCommand::List(args) => &args.place,
        LogCommand::Read(args) => &args.place,
        LogCommand::Tail(args) => &args.place,
        LogCommand::Stats { place } => place,
    };
    place.say(async |shop, out| write(&command, shop, out).await).await
}

/// What the command says about that shop.
pub(super) async fn write(
    command: &LogCommand,
    shop: &dyn Operations,
    out: &mut (dyn Write + Send),
) -> Result<(), CliError> {
    match command {
        // Not about one shop.
        LogCommand::Moving(_) => Ok(()),
        LogCommand::List(args) => list(args, shop, out).await,
        LogCommand::Read(args) => read(args, shop, out).await,
        LogCommand::Tail(args) => tail(args, shop, out).await,
        LogCommand::Stats { place } => {
            let stats = shop.stats().await?;
            output::stats(out, &stats, place.json).map_err(CliError::from)
        }
    }
}

/// The size of the next page where `left` are still wanted.
fn page(left: u64) -> usize {
    usize::try_from(left).unwrap_or(MAX_SIZE).min(MAX_SIZE)
}

async fn list(args: &ListArgs, shop: &dyn Operations, out: &mut (dyn Write + Send)) -> Result<(), CliError> {
    let mut after = args.after.clone();
    let mut left = args.limit;
    output::streams_head(out, args.place.json)?;
    while left > 0 {
        let found = shop.streams(&args.prefix, after.as_deref(), page(left)).await?;
        left -= found.streams.len() as u64;
        output::streams(out, &found.streams, args.place.json)?;
        match found.next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    Ok(())
}

async fn read(args: &ReadArgs, shop: &dyn Operations, out: &mut (dyn Write + Send)) -> Result<(), CliError> {
    let direction = if args.backwards {
        Direction::Backwards
    } else {
        Direction::Forwards
    };
    let mut from = args.from;
    let mut left = args.limit;
    while left > 0 {
        let found = shop.stream(&args.stream, from, direction, page(left)).await?;
        left -= found.events.len() as u64;
        output::events(out, &found.events, args.place.json)?;
        match found.next {
            Some(next) => from = Some(next),
            None => break,
        }
    }
    Ok(())
}

async fn tail(args: &TailArgs, shop: &dyn Operations, out: &mut (dyn Write + Send)) -> Result<(), CliError> {
    let filter = EventFilter {
        categories: args.category.clone(),
        types: args.types.clone(),
    };
    let mut after = match args.after {
        Some(after) => after,
        None => shop.stats().await?.head.saturating_sub(20),
    };
    let mut left = args.limit.unwrap_or(u64::MAX);
    let following = !args.no_follow && shop.is_live();
    while left > 0 {
        let wait = if following { WAIT } else { Duration::ZERO };
        let found = shop.events(after, &filter, page(left), wait).await?;
        left -= found.events.len() as u64;
        output::events(out, &found.events, args.place.json)?;
        let moved = found.position > after;
        after = found.position;
        if !following && (!moved || after >= found.head) {
            break;
        }
        if after >= found.head {
            // Whoever follows wants to see it now.
            out.flush()?;
        }
    }
    Ok(())
}
