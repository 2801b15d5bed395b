//! `jangteo dead-letters`.

use std::io::{self, Write};

use clap::{Args, Subcommand};
use event_schemas::DeadLetterId;

use super::{
    CliError, PlaceArgs,
    output::{json_lines, on_one_line},
};
use crate::{
    operations::Operations,
    ops::undelivered::{LetterState, UndeliveredLetter, UndeliveredView},
};

/// What subscribers and services could not take, and what becomes of it.
#[derive(Debug, Subcommand)]
pub enum DeadLettersCommand {
    /// Show them, and where the subscribers stand.
    List(ListArgs),
    /// Have some tried again.
    #[command(
        after_help = "An event is tried at once; a command goes back into its queue. What fails again stays a dead letter, and the \
        exit code is 1."
    )]
    Retry(RetryArgs),
    /// Put one aside for good; the reason is kept with it.
    Discard(DiscardArgs),
}

/// See [`DeadLettersCommand::List`].
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Those that were taken in or discarded since, too.
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    place: PlaceArgs,
}

/// See [`DeadLettersCommand::Retry`].
#[derive(Debug, Args)]
pub struct RetryArgs {
    /// Which; `jangteo dead-letters list` shows them.
    #[arg(value_name = "ID", required_unless_present = "all")]
    ids: Vec<DeadLetterId>,
    /// All that wait.
    #[arg(long, conflicts_with = "ids")]
    all: bool,
    #[command(flatten)]
    place: PlaceArgs,
}

/// See [`DeadLettersCommand::Discard`].
#[derive(Debug, Args)]
pub struct DiscardArgs {
    /// Which; `jangteo dead-letters list` shows them.
    #[arg(value_name = "ID")]
    id: DeadLetterId,
    /// Why, in a sentence.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    place: PlaceArgs,
}

impl DeadLettersCommand {
    const fn place(&self) -> &PlaceArgs {
        match self {
            Self::List(args) => &args.place,
            Self::Retry(args) => &args.place,
            Self::Discard(args) => &args.place,
        }
    }
}

pub(super) async fn run(command: DeadLettersCommand) -> Result<(), CliError> {
    let place = command.place();
    place.say(async |shop, out| write(&command, shop, out).await).await
}

/// What the command says about that shop.
pub(super) async fn write(
    command: &DeadLettersCommand,
    shop: &dyn Operations,
    out: &mut (dyn Write + Send),
) -> Result<(), CliError> {
    match command {
        DeadLettersCommand::List(args) => {
            let found = shop.undelivered(args.all).await?;
            if args.place.json {
                return Ok(json_lines(out, &[found])?);
            }
            Ok(table(out, &found)?)
        }
        DeadLettersCommand::Retry(args) => retry(args, shop, out).await,
        DeadLettersCommand::Discard(args) => {
            shop.discard(args.id, &args.reason).await?;
            Ok(writeln!(out, "{} is discarded", args.id)?)
        }
    }
}

async fn retry(args: &RetryArgs, shop: &dyn Operations, out: &mut (dyn Write + Send)) -> Result<(), CliError> {
    let ids = if args.all {
        let waiting = shop.undelivered(false).await?.dead_letters;
        waiting.iter().filter_map(|letter| letter.id.parse().ok()).collect()
    } else {
        args.ids.clone()
    };
    let mut failed = 0_usize;
    for id in &ids {
        match shop.retry(*id).await {
            Ok(()) => writeln!(out, "{id} is taken in")?,
            Err(error) => {
                failed += 1;
                writeln!(out, "{id} is not: {}", on_one_line(&error.to_string()))?;
            }
        }
        out.flush()?;
    }
    if failed > 0 {
        return Err(CliError::Failed(format!("{failed} of {} were not taken in", ids.len())));
    }
    Ok(())
}

fn table(out: &mut dyn Write, found: &UndeliveredView) -> io::Result<()> {
    for subscriber in &found.subscribers {
        let held = subscriber
            .held_up_by
            .as_deref()
            .map_or_else(String::new, |why| format!("  held up: {}", on_one_line(why)));
        writeln!(out, "{:<16} is at {}{held}", subscriber.name, subscriber.position)?;
    }
    if found.dead_letters.is_empty() {
        return writeln!(out, "no dead letters: everything was taken in");
    }
    writeln!(out, "{:<36}  {:<10} {:<24} {:<24}  ERROR", "ID", "TO", "WHAT", "SINCE")?;
    for letter in &found.dead_letters {
        let UndeliveredLetter {
            id,
            to,
            what,
            since,
            error,
            ..
        } = letter;
        let fate = match (letter.state, &letter.reason) {
            (LetterState::Waiting, _) => String::new(),
            (LetterState::TakenIn, _) => "  (taken in)".to_owned(),
            (LetterState::Discarded, reason) => {
                format!("  (discarded: {})", on_one_line(reason.as_deref().unwrap_or_default()))
            }
        };
        let error = on_one_line(error);
        writeln!(
            out,
            "{id:<36}  {to:<10} {what:<24} {:<24}  {error}{fate}",
            since.to_string()
        )?;
    }
    Ok(())
}
