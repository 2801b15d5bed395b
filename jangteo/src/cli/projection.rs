//! `jangteo projection`.

mod audit;
mod dead_letters;
mod differences;
mod rebuilding;

use std::{fmt, io::Write};

use clap::Subcommand;
use indicatif::{ProgressBar, ProgressState, ProgressStyle};
use projections::Decision;

use self::rebuilding::{OneArgs, RebuildArgs};
use super::{CliError, PlaceArgs, output};
use crate::operations::Operations;

/// See how far the read models are, and build them again.
#[derive(Debug, Subcommand)]
pub enum ProjectionCommand {
    /// Show where each read model is and how far behind the log.
    Status {
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// Build read models again from the log, beside the live ones, and compare them.
    #[command(
        after_help = "Examples:\n  jangteo projection rebuild catalogue my_page\n  jangteo projection rebuild --all \
        --if-identical\n\nA running shop serves the old read model until the new one takes its place. On a terminal you are \
        asked; elsewhere exit code 3 says that something waits for `jangteo projection approve`."
    )]
    Rebuild(RebuildArgs),
    /// Show what differs between a rebuilt read model and the live one: documents by field, and recent searches.
    Diff(OneArgs),
    /// Put a rebuilt read model in the place of the live one, which is kept to go back to.
    Approve(OneArgs),
    /// Drop a rebuilt read model.
    Reject(OneArgs),
    /// Go back to the read model that was live before; it catches up with the log first.
    Rollback(OneArgs),
    /// Derive documents again from the log and compare them with what is stored. Fails where something is wrong.
    #[command(
        after_help = "Examples:\n  jangteo projection audit my_page\n  jangteo projection audit catalogue --all --repair\n\nA running shop does this all the time by itself, for some documents after others: see CORRECT in the status."
    )]
    Audit(audit::AuditArgs),
    /// Show the documents that the store of a read model could not take.
    #[command(
        after_help = "Examples:\n  jangteo projection dead-letters catalogue\n  jangteo projection dead-letters my_page --json\n\n\
        A dead letter is a document that Elasticsearch refused, such as one too large or with a field that it cannot index. It \
        holds up nothing: the read model goes on without it, and searches and lists do not find it. The embedded stores take \
        every document.\n\nIt heals when the document changes and the store takes the new one, or with `jangteo projection \
        rebuild NAME` once the reason is gone."
    )]
    DeadLetters(dead_letters::DeadLettersArgs),
}

impl ProjectionCommand {
    const fn place(&self) -> &PlaceArgs {
        match self {
            Self::Status { place } => place,
            Self::Rebuild(args) => &args.place,
            Self::Audit(args) => &args.place,
            Self::DeadLetters(args) => &args.place,
            Self::Diff(args) | Self::Approve(args) | Self::Reject(args) | Self::Rollback(args) => &args.place,
        }
    }
}

pub(super) async fn run(command: ProjectionCommand) -> Result<(), CliError> {
    let place = command.place();
    place.say(async |shop, out| write(&command, shop, out).await).await
}

/// What the command says about that shop.
pub(super) async fn write(
    command: &ProjectionCommand,
    shop: &dyn Operations,
    out: &mut (dyn Write + Send),
) -> Result<(), CliError> {
    match command {
        ProjectionCommand::Status { place } => {
            let projections = shop.projections().await?;
            Ok(output::projections(out, &projections, place.json)?)
        }
        ProjectionCommand::Rebuild(args) => rebuilding::rebuild(args, shop, out).await,
        ProjectionCommand::Audit(args) => audit::audit(args, shop, out).await,
        ProjectionCommand::DeadLetters(args) => dead_letters::dead_letters(args, shop, out).await,
        ProjectionCommand::Diff(args) => rebuilding::diff(args, shop, out).await,
        ProjectionCommand::Approve(args) => rebuilding::decide(Decision::Approve, args, shop, out).await,
        ProjectionCommand::Reject(args) => rebuilding::decide(Decision::Reject, args, shop, out).await,
        ProjectionCommand::Rollback(args) => rebuilding::decide(Decision::RollBack, args, shop, out).await,
    }
}

fn bar(name: &str) -> ProgressBar {
    let template = "{prefix:<16} {wide_bar} {human_pos}/{human_len} {rate} {eta} {msg}";
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    let style = style.with_key("rate", |state: &ProgressState, out: &mut dyn fmt::Write| {
        // A bar that lacks its rate is still a bar.
        let _ = write!(out, "{:.0}/s", state.per_sec());
    });
    ProgressBar::no_length().with_style(style).with_prefix(name.to_owned())
}
