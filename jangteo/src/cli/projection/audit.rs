//! `jangteo projection audit`.

use std::{
    io::{self, IsTerminal as _, Write},
    time::Duration,
};

use clap::Args;
use indicatif::ProgressBar;
use projections::AuditScope;
use read_models::documents::FieldDifference;

use super::{CliError, PlaceArgs, bar};
use crate::{
    cli::output::json_lines,
    operations::Operations,
    ops::auditing::{AuditView, DriftView},
};

/// How often an audit is asked how far it has come.
const POLL: Duration = Duration::from_millis(50);

/// See [`super::ProjectionCommand::Audit`].
#[derive(Debug, Args)]
pub struct AuditArgs {
    /// Which; `jangteo projection status` lists them.
    #[arg(value_name = "NAME")]
    name: String,
    /// Every document; otherwise some hundreds, others each time.
    #[arg(long)]
    all: bool,
    /// Put right what is wrong.
    #[arg(long)]
    repair: bool,
    #[command(flatten)]
    pub(super) place: PlaceArgs,
}

/// Audits, shows what was found, and fails where something is wrong and stays so.
pub(super) async fn audit(
    args: &AuditArgs,
    shop: &dyn Operations,
    out: &mut (dyn Write + Send),
) -> Result<(), CliError> {
    caught_up(&args.name, shop).await?;
    let scope = AuditScope {
        all: args.all,
        repair: args.repair,
    };
    shop.audit(&args.name, scope).await?;
    let watched = !args.place.json && io::stderr().is_terminal();
    let bar = if watched {
        bar(&args.name)
    } else {
        ProgressBar::hidden()
    };
    let audit = loop {
        let audit = shop.audited(&args.name).await?;
        bar.set_length(audit.target);
        bar.set_position(audit.position);
        if audit.state != "running" {
            break audit;
        }
        tokio::time::sleep(POLL).await;
    };
    bar.finish_and_clear();
    if let Some(error) = &audit.error {
        return Err(CliError::Failed(error.clone()));
    }
    if args.place.json {
        json_lines(out, std::slice::from_ref(&audit))?;
    } else {
        table(out, &audit)?;
    }
    match audit.found - audit.repaired.min(audit.found) {
        0 => Ok(()),
        wrong => Err(CliError::Failed(format!(
            "{wrong} documents of {} are not what the log tells: --repair puts them right",
            audit.projection
        ))),
    }
}

/// A stopped shop's read models may have to read what the shop did not come to; an audit goes no further than they do.
async fn caught_up(name: &str, shop: &dyn Operations) -> Result<(), CliError> {
    loop {
        let all = shop.projections().await?;
        match all.into_iter().find(|one| one.name == name) {
            Some(one) if one.state == "catching_up" => tokio::time::sleep(POLL).await,
            Some(one) if one.state == "failed" => {
                return Err(CliError::Failed(
                    one.error.unwrap_or_else(|| format!("{name} has failed")),
                ));
            }
            _ => return Ok(()),
        }
    }
}

fn table(out: &mut dyn Write, audit: &AuditView) -> io::Result<()> {
    let AuditView {
        projection,
        checked,
        found,
        repaired,
        drifts,
        ..
    } = audit;
    writeln!(
        out,
        "{projection}: {checked} documents checked, {found} wrong, {repaired} put right"
    )?;
    for DriftView { kind, document } in drifts {
        writeln!(out, "  {kind:<10} {}", document.key)?;
        for FieldDifference { path, shown, derived } in &document.fields {
            let text = |value: &Option<serde_json::Value>| {
                value.as_ref().map_or_else(|| "nothing".to_owned(), ToString::to_string)
            };
            let path = if path.is_empty() { "(all of it)" } else { path };
            writeln!(out, "    {path}: {} where the log tells {}", text(shown), text(derived))?;
        }
    }
    let described = drifts.len() as u64;
    if *found > described {
        writeln!(out, "  and {} more", found - described)?;
    }
    Ok(())
}
