//! `jangteo projection dead-letters`.

use std::io::{self, Write};

use clap::Args;

use super::{CliError, PlaceArgs, rebuilding::named};
use crate::{
    cli::output::{json_lines, on_one_line},
    operations::Operations,
    ops::dead_letters::{DeadLetterView, DeadLettersView},
};

/// See [`super::ProjectionCommand::DeadLetters`].
#[derive(Debug, Args)]
pub struct DeadLettersArgs {
    /// Which; `jangteo projection status` lists them.
    #[arg(value_name = "NAME")]
    name: String,
    /// At most so many, up to 1000.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,
    #[command(flatten)]
    pub(super) place: PlaceArgs,
}

/// Shows them.
pub(super) async fn dead_letters(
    args: &DeadLettersArgs,
    shop: &dyn Operations,
    out: &mut (dyn Write + Send),
) -> Result<(), CliError> {
    named(&args.name, shop).await?;
    let found = shop.dead_letters(&args.name, args.limit.into()).await?;
    if args.place.json {
        return Ok(json_lines(out, &[found])?);
    }
    Ok(table(out, &found)?)
}

fn table(out: &mut dyn Write, found: &DeadLettersView) -> io::Result<()> {
    let DeadLettersView {
        projection,
        dead_letters,
        more,
    } = found;
    if dead_letters.is_empty() {
        return writeln!(out, "{projection}: none: its store has taken every document");
    }
    writeln!(out, "{:>12}  {:<32}  REASON", "POSITION", "KEY")?;
    for DeadLetterView { key, position, reason } in dead_letters {
        writeln!(out, "{position:>12}  {key:<32}  {}", on_one_line(reason))?;
    }
    if *more {
        writeln!(out, "and more: --limit shows up to 1000")?;
    }
    Ok(())
}
