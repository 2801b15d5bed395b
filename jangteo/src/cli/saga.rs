//! `jangteo saga`.

use std::io::{self, Write};

use clap::{Args, Subcommand, builder::PossibleValuesParser};
use event_schemas::saga::SagaStatus;
use read_models::sagas::SagaView;
use uuid::Uuid;

use super::{CliError, PlaceArgs, output::json_lines};
use crate::operations::Operations;

/// As many as a page of the running shop's list holds.
const MOST: u16 = 100;
const STATES: [&str; 6] = [
    "running",
    "compensating",
    "outcome_unknown",
    "completed",
    "compensated",
    "stuck",
];

/// See where each order and return stands.
#[derive(Debug, Subcommand)]
pub enum SagaCommand {
    /// Show the newest sagas, or those in one state.
    #[command(after_help = "Examples:\n  jangteo saga list --state stuck\n  jangteo saga list --size 100 --json")]
    List(ListArgs),
    /// Show one: what it waits for, when it wakes, why it is stuck.
    Show(OneArgs),
    /// Have one try again now: what it waits for is asked for once more, and its patience starts anew.
    #[command(
        after_help = "A saga that is stuck goes on asking once an hour by itself. Where the payment provider refused something, it is \
        asked whether that was done after all, by hand say. On a stopped shop's folder the saga tries when the shop starts."
    )]
    Retry(OneArgs),
}

/// See [`SagaCommand::List`].
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Only sagas in this state.
    #[arg(long, value_name = "STATE", value_parser = PossibleValuesParser::new(STATES))]
    state: Option<String>,
    /// At most so many.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=i64::from(MOST)))]
    size: u16,
    #[command(flatten)]
    place: PlaceArgs,
}

/// See [`SagaCommand`].
#[derive(Debug, Args)]
pub struct OneArgs {
    /// What the saga is about: the order, or the return.
    #[arg(value_name = "ID")]
    id: Uuid,
    #[command(flatten)]
    place: PlaceArgs,
}

impl SagaCommand {
    const fn place(&self) -> &PlaceArgs {
        match self {
            Self::List(args) => &args.place,
            Self::Show(args) | Self::Retry(args) => &args.place,
        }
    }
}

pub(super) async fn run(command: SagaCommand) -> Result<(), CliError> {
    let place = command.place();
    place.say(async |shop, out| write(&command, shop, out).await).await
}

/// What the command says about that shop.
pub(super) async fn write(
    command: &SagaCommand,
    shop: &dyn Operations,
    out: &mut (dyn Write + Send),
) -> Result<(), CliError> {
    match command {
        SagaCommand::List(args) => {
            let state = args.state.as_deref().and_then(status);
            let found = shop.sagas(state, usize::from(args.size)).await?.sagas;
            if args.place.json {
                return Ok(json_lines(out, &found)?);
            }
            Ok(table(out, &found)?)
        }
        SagaCommand::Show(args) => {
            let found = shop.saga(args.id).await?;
            if args.place.json {
                return Ok(json_lines(out, &[found])?);
            }
            Ok(one(out, &found)?)
        }
        SagaCommand::Retry(args) => {
            shop.retry_saga(args.id).await?;
            let when = if shop.is_live() { "now" } else { "when the shop starts" };
            Ok(writeln!(
                out,
                "{} tries again {when}; `jangteo saga show` tells how it went",
                args.id
            )?)
        }
    }
}

/// A state by its word. The parser knows no others.
fn status(word: &str) -> Option<SagaStatus> {
    serde_json::from_value(word.into()).ok()
}

/// The word of a state.
fn word(status: SagaStatus) -> String {
    let said = serde_json::to_value(status).ok();
    said.and_then(|word| word.as_str().map(str::to_owned))
        .unwrap_or_default()
}

fn table(out: &mut dyn Write, sagas: &[SagaView]) -> io::Result<()> {
    if sagas.is_empty() {
        return writeln!(out, "none");
    }
    writeln!(
        out,
        "{:<36}  {:<12} {:<15} {:<22} {:<24}  REASON",
        "ID", "SAGA", "STATE", "STEP", "SINCE"
    )?;
    for saga in sagas {
        writeln!(
            out,
            "{:<36}  {:<12} {:<15} {:<22} {:<24}  {}",
            saga.id,
            saga.saga,
            word(saga.status),
            saga.step,
            saga.updated_at.to_string(),
            saga.reason.as_deref().unwrap_or("-")
        )?;
    }
    Ok(())
}

fn one(out: &mut dyn Write, saga: &SagaView) -> io::Result<()> {
    writeln!(out, "{} {}", saga.saga, saga.id)?;
    writeln!(out, "state    {}", word(saga.status))?;
    if let Some(reason) = &saga.reason {
        writeln!(out, "reason   {reason}")?;
    }
    writeln!(out, "step     {}", saga.step)?;
    writeln!(out, "learned  {} at {}", saga.last_fact, saga.updated_at)?;
    if let Some(moment) = saga.wake_at {
        writeln!(out, "wakes    {moment}")?;
    }
    writeln!(out, "began    {}", saga.started_at)?;
    writeln!(out, "history  jangteo log read {}-{}", saga.saga, saga.id)
}
