//! `jangteo database copy`.

use std::{
    fmt,
    io::{self, IsTerminal as _, Write as _},
    path::PathBuf,
    str::FromStr,
};

use clap::Args;
use command_services::relational::{Copied, CopyError, Database, Layout, Place};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::failed;
use crate::{
    cli::{CliError, output},
    config::DatabaseUrl,
    databases::{LAYOUTS, Whereabouts},
    folder::{self, DataFolder, FolderError, FolderLock},
};

pub(super) const TEACHING: &str = "\
Examples:
  jangteo database copy --from /srv/shop --to postgres://shop@db.example/shop
  jangteo database copy --from postgres://shop@db.example/shop --to /srv/shop

An end is a folder with inventory.db and accounts.db (a shop's, or any; made when missing), or a
PostgreSQL database with a schema for each. Stock, reservations, accounts, sessions, credit, and
events that are still on their way to the log go along. Each of the two comes in one transaction,
is read back and compared row by row before it commits. The source is not changed, but for its
tables being brought to this version's.

Refused: a folder on which a shop runs, schemas that a shop has open, a source that is not there,
a target that holds anything else. What is there already and is the same is left as it is: a copy
that was interrupted is run again.

To move a shop:
  1. stop it
  2. jangteo database copy --from /srv/shop --to postgres://shop@db.example/shop
  3. jangteo up --data /srv/shop --database postgres://shop@db.example/shop
Orders under way go on. The files stay behind as they were; the shop does not start on them again
once it has sold something elsewhere.";

/// See [`super::DatabaseCommand::Copy`].
#[derive(Debug, Args)]
pub struct CopyArgs {
    /// The databases that are read.
    #[arg(long, value_name = "DIR|postgres://…")]
    from: End,
    /// Where they go.
    #[arg(long, value_name = "DIR|postgres://…")]
    to: End,
    /// What the names of the schemas start with that are read.
    #[arg(long, value_name = "NAME", default_value = "jangteo")]
    from_prefix: String,
    /// What the names of the schemas start with that are written.
    #[arg(long, value_name = "NAME", default_value = "jangteo")]
    to_prefix: String,
    /// The file with the password for the database that is read.
    #[arg(long, value_name = "FILE")]
    from_password_file: Option<PathBuf>,
    /// The file with the password for the database that is written.
    #[arg(long, value_name = "FILE")]
    to_password_file: Option<PathBuf>,
    /// The summary as one JSON object per table.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone)]
enum End {
    Folder(PathBuf),
    Server(DatabaseUrl),
}

/// What came of a table.
#[derive(Debug, Serialize)]
struct Summary {
    database: &'static str,
    table: &'static str,
    rows: u64,
    /// They were there already.
    before: bool,
}

pub(super) async fn run(args: CopyArgs) -> Result<(), CliError> {
    let (from, to) = (args.from.to_string(), args.to.to_string());
    // Held until all is done: nobody starts a shop meanwhile.
    let (source, _reading) = args.from.open(args.from_prefix, args.from_password_file)?;
    let mut ways = vec![];
    for layout in LAYOUTS {
        let place = source.place(layout).map_err(failed)?;
        if !place.holds_tables().await.map_err(failed)? {
            return Err(CliError::Usage(format!(
                "{place} is no database of a shop: nothing to copy"
            )));
        }
        ways.push((layout, place));
    }
    let (target, _writing) = args.to.open(args.to_prefix, args.to_password_file)?;
    if let Whereabouts::Folder(folder) = &target {
        let cannot = |error| failed(format!("{} cannot be made: {error}", folder.display()));
        folder::create(folder).map_err(cannot)?;
    }
    let mut summaries = vec![];
    for (layout, place) in ways {
        let copied = copy(layout, &place, &target.place(layout).map_err(failed)?).await?;
        let Copied { rows, before } = copied;
        summaries.extend(rows.into_iter().map(|(table, rows)| Summary {
            database: layout.name,
            table,
            rows,
            before,
        }));
    }
    let out = &mut io::stdout().lock();
    if args.json {
        return Ok(output::json_lines(out, &summaries)?);
    }
    for Summary {
        database,
        table,
        rows,
        before,
    } in &summaries
    {
        let before = if *before { "  (there already)" } else { "" };
        writeln!(out, "{:<28} {rows:>10}{before}", format!("{database}.{table}"))?;
    }
    writeln!(
        out,
        "the same in {from} and in {to}: each row was read back and compared"
    )?;
    Ok(())
}

async fn copy(layout: &'static Layout, from: &Place, to: &Place) -> Result<Copied, CliError> {
    if from.to_string() == to.to_string() {
        return Err(CliError::Usage(format!("{from} is the source and the target")));
    }
    let (source, target) = tokio::try_join!(
        Box::pin(Database::open(from, layout.steps)),
        Box::pin(Database::open(to, layout.steps)),
    )
    .map_err(failed)?;
    let rows: u64 = source
        .counts(layout)
        .await
        .map_err(failed)?
        .iter()
        .map(|(_, rows)| rows)
        .sum();
    // Each row is written, and compared.
    let bar = bar(layout.name, 2 * rows);
    let copied = source.copy_into(&target, layout, &|rows| bar.inc(rows)).await;
    bar.finish_and_clear();
    copied.map_err(|error| {
        let advice = match (&error, to) {
            (CopyError::NotEmpty { .. }, Place::File(file)) => {
                format!(
                    "\n  if it is no longer needed, move {0}, {0}-wal and {0}-shm away",
                    file.display()
                )
            }
            (CopyError::NotEmpty { .. }, Place::Server(_)) => {
                "\n  if it is no longer needed, drop the schema; or choose other names with --to-prefix".to_owned()
            }
            _ => String::new(),
        };
        CliError::Failed(format!("{error}{advice}"))
    })
}

/// Seen on a terminal only.
fn bar(name: &'static str, rows: u64) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("copying {prefix} {wide_bar} {pos}/{len} rows, {eta} left");
    ProgressBar::new(rows)
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        .with_prefix(name)
}

impl End {
    /// Where the databases are there; a shop's folder is kept from the shop meanwhile.
    fn open(
        self,
        prefix: String,
        password_file: Option<PathBuf>,
    ) -> Result<(Whereabouts, Option<FolderLock>), CliError> {
        let folder = match self {
            Self::Server(url) => {
                let at = Whereabouts::Server {
                    url,
                    password_file,
                    prefix,
                };
                return Ok((at, None));
            }
            Self::Folder(folder) => folder,
        };
        let lock = match DataFolder::existing(&folder) {
            Ok(shop) => Some(shop.lock()),
            Err(FolderError::NoShop(_)) => None,
            Err(error) => return Err(error.into()),
        };
        match lock.transpose() {
            Ok(lock) => Ok((Whereabouts::Folder(folder), lock)),
            Err(FolderError::InUse(folder)) => Err(CliError::Failed(format!(
                "a shop runs on {}: stop it first, a copy would lack what it sells meanwhile",
                folder.display()
            ))),
            Err(error) => Err(error.into()),
        }
    }
}

impl FromStr for End {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse() {
            Ok(url) => Ok(Self::Server(url)),
            Err(error) if text.contains("://") => Err(format!("{error}, or a folder")),
            Err(_) => Ok(Self::Folder(text.into())),
        }
    }
}

/// Without the password.
impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder) => folder.display().fmt(f),
            Self::Server(url) => url.fmt(f),
        }
    }
}
