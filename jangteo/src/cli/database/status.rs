//! `jangteo database status`.

use std::io::{self, Write};

use clap::Args;
use command_services::relational::{Database, Layout};
use serde::Serialize;
use uuid::Uuid;

use super::{ShopArgs, failed};
use crate::{
    cli::{CliError, output},
    databases::{
        LAYOUTS, Whereabouts,
        seen::{self, Looks},
    },
    folder::DataFolder,
};

/// See [`super::DatabaseCommand::Status`].
#[derive(Debug, Args)]
pub struct StatusArgs {
    #[command(flatten)]
    shop: ShopArgs,
    /// One JSON object per line.
    #[arg(long)]
    json: bool,
}

/// A database, from afar.
#[derive(Debug, Serialize)]
struct Status {
    name: &'static str,
    place: String,
    /// None where there are no tables yet.
    found: Option<Found>,
}

#[derive(Debug, Serialize)]
struct Found {
    id: Option<Uuid>,
    /// The number of the last event that it ever had to tell.
    last_event: i64,
    /// Whether it is the one that the shop has had.
    looks: Looks,
    rows: Vec<(&'static str, u64)>,
}

pub(super) async fn run(args: &StatusArgs) -> Result<(), CliError> {
    let (folder, at) = args.shop.find()?;
    let mut statuses = vec![];
    for layout in LAYOUTS {
        statuses.push(status(&folder, &at, layout).await?);
    }
    let out = &mut io::stdout().lock();
    if args.json {
        return Ok(output::json_lines(out, &statuses)?);
    }
    Ok(table(out, &statuses)?)
}

async fn status(folder: &DataFolder, at: &Whereabouts, layout: &'static Layout) -> Result<Status, CliError> {
    let place = at.place(layout).map_err(failed)?;
    let mut status = Status {
        name: layout.name,
        place: place.to_string(),
        found: None,
    };
    // Looking makes nothing.
    if place.holds_tables().await.map_err(failed)? {
        let database = Database::open(&place, layout.steps).await.map_err(failed)?;
        let mark = database.mark(layout).await.map_err(failed)?;
        status.found = Some(Found {
            id: mark.id,
            last_event: mark.last_event,
            looks: seen::look(folder, layout, &mark),
            rows: database.counts(layout).await.map_err(failed)?,
        });
    }
    Ok(status)
}

fn table(out: &mut dyn Write, statuses: &[Status]) -> io::Result<()> {
    for Status { name, place, found } in statuses {
        writeln!(out, "{name:<16} {place}")?;
        let Some(found) = found else {
            writeln!(out, "  nothing there yet")?;
            continue;
        };
        let looks = match found.looks {
            Looks::Unseen => "not seen by this shop before",
            Looks::Own => "the one that this shop has had",
            Looks::Empty => "empty, and this shop has had one that was not",
            Looks::Another => "not the one that this shop has had",
            Looks::Older => "an older state of the one that this shop has had",
        };
        writeln!(out, "  {looks}")?;
        writeln!(out, "  {:<16} {:>10}", "events told", found.last_event)?;
        for (table, rows) in &found.rows {
            writeln!(out, "  {table:<16} {rows:>10}")?;
        }
    }
    Ok(())
}
