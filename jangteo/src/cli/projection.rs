//! `jangteo projection`.

mod audit;

use std::{
    collections::BTreeSet,
    fmt,
    io::{self, IsTerminal as _, Write},
    time::{Duration, Instant},
};

use clap::{Args, Subcommand};
use indicatif::{MultiProgress, ProgressBar, ProgressState, ProgressStyle};

use super::{CliError, PlaceArgs, output};
use crate::{operations::Operations, ops::view::ProjectionView};

/// How often a rebuild is asked how far it has come.
const POLL: Duration = Duration::from_millis(100);

/// See how far the read models are, and build them again.
#[derive(Debug, Subcommand)]
pub enum ProjectionCommand {
    /// Show where each read model is and how far behind the log.
    Status {
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// Build read models again from the log, beside the live ones, and put them in their place when they are done.
    #[command(
        after_help = "Examples:\n  jangteo projection rebuild catalogue my_page\n  jangteo projection rebuild --all\n\nA running shop serves the old read model until the new one is complete."
    )]
    Rebuild(RebuildArgs),
    /// Derive documents again from the log and compare them with what is stored. Fails where something is wrong.
    #[command(
        after_help = "Examples:\n  jangteo projection audit my_page\n  jangteo projection audit catalogue --all --repair\n\nA running shop does this all the time by itself, for some documents after others: see CORRECT in the status."
    )]
    Audit(audit::AuditArgs),
}

/// See [`ProjectionCommand::Rebuild`].
#[derive(Debug, Args)]
pub struct RebuildArgs {
    /// Which; `jangteo projection status` lists them.
    #[arg(required_unless_present = "all", conflicts_with = "all", value_name = "NAME")]
    names: Vec<String>,
    /// Every read model.
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    place: PlaceArgs,
}

pub(super) async fn run(command: ProjectionCommand) -> Result<(), CliError> {
    let place = match &command {
        ProjectionCommand::Status { place } => place,
        ProjectionCommand::Rebuild(args) => &args.place,
        ProjectionCommand::Audit(args) => &args.place,
    };
    let shop = place.operations().await?;
    let mut out = io::BufWriter::new(io::stdout());
    let outcome = write(&command, shop.as_ref(), &mut out).await;
    let flushed = out.flush();
    shop.close().await;
    outcome?;
    flushed.map_err(CliError::from)
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
            output::projections(out, &projections, place.json)?;
        }
        ProjectionCommand::Rebuild(args) => rebuild(args, shop, out).await?,
        ProjectionCommand::Audit(args) => audit::audit(args, shop, out).await?,
    }
    Ok(())
}

async fn rebuild(args: &RebuildArgs, shop: &dyn Operations, out: &mut (dyn Write + Send)) -> Result<(), CliError> {
    let known = shop.projections().await?;
    let names = wanted(args, &known)?;
    let begun = Instant::now();
    for name in &names {
        shop.rebuild(name).await?;
    }
    let bars = Bars::new(args.place.json, &names);
    let rebuilt = loop {
        let all: Vec<ProjectionView> = shop.projections().await?;
        let ours: Vec<_> = all.into_iter().filter(|one| names.contains(&one.name)).collect();
        bars.show(&ours);
        if ours.iter().all(|one| one.rebuild.is_none()) {
            break ours;
        }
        tokio::time::sleep(POLL).await;
    };
    bars.clear();
    output::projections(out, &rebuilt, args.place.json)?;
    if !args.place.json {
        let seconds = begun.elapsed().as_secs_f64();
        writeln!(out, "{} rebuilt in {seconds:.1} s", rebuilt.len())?;
    }
    let failed: Vec<_> = rebuilt
        .iter()
        .filter_map(|one| one.error.as_ref().map(|error| format!("{}: {error}", one.name)))
        .collect();
    match failed.is_empty() {
        true => Ok(()),
        false => Err(CliError::Failed(failed.join("; "))),
    }
}

fn wanted(args: &RebuildArgs, known: &[ProjectionView]) -> Result<BTreeSet<String>, CliError> {
    let known: BTreeSet<String> = known.iter().map(|one| one.name.clone()).collect();
    if args.all {
        return Ok(known);
    }
    let wanted: BTreeSet<String> = args.names.iter().cloned().collect();
    match wanted.difference(&known).next() {
        None => Ok(wanted),
        Some(unknown) => {
            let known: Vec<_> = known.iter().map(String::as_str).collect();
            Err(CliError::Usage(format!(
                "there is no projection {unknown:?}: the shop has {}",
                known.join(", ")
            )))
        }
    }
}

/// One bar per read model on standard error; none where nobody looks.
struct Bars {
    bars: Vec<(String, ProgressBar)>,
    all: MultiProgress,
}

impl Bars {
    fn new(json: bool, names: &BTreeSet<String>) -> Self {
        let all = MultiProgress::new();
        let watched = !json && io::stderr().is_terminal();
        let shown = names.iter().filter(|_| watched);
        let bars = shown.map(|name| (name.clone(), all.add(bar(name)))).collect();
        Self { bars, all }
    }

    fn show(&self, projections: &[ProjectionView]) {
        for (name, bar) in &self.bars {
            match projections
                .iter()
                .find(|one| one.name == *name)
                .and_then(|one| one.rebuild.as_ref())
            {
                Some(rebuild) => {
                    bar.set_length(rebuild.target);
                    bar.set_position(rebuild.position);
                }
                None => bar.finish(),
            }
        }
    }

    fn clear(&self) {
        // A terminal that went away while we drew needs no clearing.
        let _ = self.all.clear();
    }
}

fn bar(name: &str) -> ProgressBar {
    let template = "{prefix:<16} {wide_bar} {human_pos}/{human_len} {rate} {eta}";
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    let style = style.with_key("rate", |state: &ProgressState, out: &mut dyn fmt::Write| {
        // A bar that lacks its rate is still a bar.
        let _ = write!(out, "{:.0}/s", state.per_sec());
    });
    ProgressBar::no_length().with_style(style).with_prefix(name.to_owned())
}
