//! Building read models again, seen from a terminal: progress, what differs, and the question whether that is right.

use std::{
    collections::BTreeSet,
    io::{self, IsTerminal as _, Write},
    time::{Duration, Instant},
};

use clap::Args;
use indicatif::{MultiProgress, ProgressBar};
use projections::{CutOver, Decision};
use serde::Serialize;

use super::{
    super::{CliError, PlaceArgs, output},
    bar, differences,
};
use crate::{
    operations::{OperationError, Operations},
    ops::{comparison::ComparisonView, view::ProjectionView},
};

/// How often a rebuild is asked how far it has come.
const POLL: Duration = Duration::from_millis(100);

/// See [`super::ProjectionCommand::Rebuild`].
#[derive(Debug, Args)]
pub struct RebuildArgs {
    /// Which; `jangteo projection status` lists them.
    #[arg(required_unless_present = "all", conflicts_with = "all", value_name = "NAME")]
    names: Vec<String>,
    /// Every read model.
    #[arg(long)]
    all: bool,
    /// Put it in the place of the live one by itself if nothing differs.
    #[arg(long, conflicts_with = "approve")]
    if_identical: bool,
    /// Put it in the place of the live one whatever differs.
    #[arg(long)]
    approve: bool,
    #[command(flatten)]
    pub(super) place: PlaceArgs,
}

/// One read model of a shop.
#[derive(Debug, Args)]
pub struct OneArgs {
    /// Which; `jangteo projection status` lists them.
    #[arg(value_name = "NAME")]
    pub(super) name: String,
    #[command(flatten)]
    pub(super) place: PlaceArgs,
}

/// A read model after it was rebuilt.
#[derive(Serialize)]
struct Rebuilt<'a> {
    #[serde(flatten)]
    projection: &'a ProjectionView,
    comparison: Option<ComparisonView>,
}

type Out<'a> = &'a mut (dyn Write + Send);

pub(super) async fn rebuild(args: &RebuildArgs, shop: &dyn Operations, out: Out<'_>) -> Result<(), CliError> {
    let known = shop.projections().await?;
    let names = wanted(args, &known)?;
    let cut_over = match args {
        RebuildArgs { approve: true, .. } => CutOver::Always,
        RebuildArgs { if_identical: true, .. } => CutOver::IfIdentical,
        _ => CutOver::OnApproval,
    };
    let begun = Instant::now();
    for name in &names {
        shop.rebuild(name, cut_over).await?;
    }
    let mut rebuilt = watched(shop, &names, args.place.json).await?;
    let seconds = begun.elapsed().as_secs_f64();
    for projection in &mut rebuilt {
        let comparison = shop.comparison(&projection.name).await?;
        if args.place.json {
            output::json_lines(out, &[Rebuilt { projection, comparison }])?;
            continue;
        }
        if let Some(comparison) = &comparison {
            differences::show(out, &projection.name, comparison)?;
        }
        if projection.awaits_approval() && asked_and_approved(&projection.name, out)? {
            shop.decide(&projection.name, Decision::Approve).await?;
            let names = BTreeSet::from([projection.name.clone()]);
            if let Some(live) = watched(shop, &names, false).await?.pop() {
                *projection = live;
            }
        }
    }
    if !args.place.json {
        output::projections(out, &rebuilt, false)?;
        writeln!(out, "{} rebuilt in {seconds:.1} s", rebuilt.len())?;
    }
    all_well(&rebuilt)?;
    decided(&rebuilt)
}

/// Approves, rejects or goes back, and waits until it is done.
pub(super) async fn decide(
    decision: Decision,
    args: &OneArgs,
    shop: &dyn Operations,
    out: Out<'_>,
) -> Result<(), CliError> {
    let names = named(&args.name, shop).await?;
    if decision != Decision::Approve || !is_live_already(&names, args, shop).await? {
        shop.decide(&args.name, decision).await?;
    }
    let done = watched(shop, &names, args.place.json).await?;
    output::projections(out, &done, args.place.json)?;
    all_well(&done)
}

/// On a folder a rebuild is gone on with when the folder is opened, and takes its place by itself if nothing differs.
async fn is_live_already(names: &BTreeSet<String>, args: &OneArgs, shop: &dyn Operations) -> Result<bool, CliError> {
    let ready = watched(shop, names, args.place.json).await?;
    let compared = shop
        .comparison(&args.name)
        .await?
        .map(|comparison| comparison.generation);
    Ok(ready
        .iter()
        .all(|one| !one.awaits_approval() && compared == Some(one.generation)))
}

/// Shows what differs between the last rebuilt read model and the live one.
pub(super) async fn diff(args: &OneArgs, shop: &dyn Operations, out: Out<'_>) -> Result<(), CliError> {
    let names = named(&args.name, shop).await?;
    watched(shop, &names, args.place.json).await?;
    let Some(comparison) = shop.comparison(&args.name).await? else {
        return Err(CliError::Operation(OperationError::NotFound(format!(
            "no rebuilt {0} was compared with the live one since the shop started: `jangteo projection rebuild {0}` does it",
            args.name
        ))));
    };
    if args.place.json {
        return Ok(output::json_lines(out, &[comparison])?);
    }
    Ok(differences::show(out, &args.name, &comparison)?)
}

/// Waits until nothing is being built any more, with progress bars where somebody looks.
async fn watched(
    shop: &dyn Operations,
    names: &BTreeSet<String>,
    json: bool,
) -> Result<Vec<ProjectionView>, OperationError> {
    let bars = Bars::new(json, names);
    loop {
        let all: Vec<ProjectionView> = shop.projections().await?;
        let ours: Vec<_> = all.into_iter().filter(|one| names.contains(&one.name)).collect();
        bars.show(&ours);
        if !ours.iter().any(ProjectionView::is_rebuilding) {
            bars.clear();
            return Ok(ours);
        }
        tokio::time::sleep(POLL).await;
    }
}

fn asked_and_approved(name: &str, out: Out<'_>) -> Result<bool, CliError> {
    if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        return Ok(false);
    }
    write!(out, "Put the rebuilt {name} in the place of the live one? [y/N] ")?;
    out.flush()?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

fn all_well(projections: &[ProjectionView]) -> Result<(), CliError> {
    let failed = projections
        .iter()
        .filter_map(|one| one.error.as_ref().map(|error| format!("{}: {error}", one.name)));
    let failed: Vec<_> = failed.collect();
    match failed.is_empty() {
        true => Ok(()),
        false => Err(CliError::Failed(failed.join("; "))),
    }
}

fn decided(projections: &[ProjectionView]) -> Result<(), CliError> {
    let waiting = projections.iter().filter(|one| one.awaits_approval());
    let waiting: Vec<_> = waiting.map(|one| one.name.as_str()).collect();
    match waiting.first() {
        None => Ok(()),
        Some(first) => Err(CliError::Undecided(format!(
            "rebuilt, and not live yet: {}; `jangteo projection approve {first}` puts it in its place, `jangteo projection \
             reject {first}` drops it",
            waiting.join(", ")
        ))),
    }
}

/// That name, if the shop has such a read model.
pub(super) async fn named(name: &str, shop: &dyn Operations) -> Result<BTreeSet<String>, CliError> {
    among([name.to_owned()], &shop.projections().await?)
}

fn wanted(args: &RebuildArgs, known: &[ProjectionView]) -> Result<BTreeSet<String>, CliError> {
    if args.all {
        return Ok(known.iter().map(|one| one.name.clone()).collect());
    }
    among(args.names.iter().cloned(), known)
}

fn among(names: impl IntoIterator<Item = String>, known: &[ProjectionView]) -> Result<BTreeSet<String>, CliError> {
    let known: BTreeSet<String> = known.iter().map(|one| one.name.clone()).collect();
    let wanted: BTreeSet<String> = names.into_iter().collect();
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
            let rebuild = projections.iter().find(|one| one.name == *name);
            let Some(rebuild) = rebuild.and_then(|one| one.rebuild.as_ref()) else {
                bar.finish();
                continue;
            };
            bar.set_message(rebuild.phase.clone());
            bar.set_length(rebuild.target);
            bar.set_position(rebuild.position);
            if rebuild.phase == "comparing" {
                bar.set_message(format!("comparing, {} documents so far", rebuild.compared));
            }
        }
    }

    fn clear(&self) {
        // A terminal that went away while we drew needs no clearing.
        let _ = self.all.clear();
    }
}
