//! `jangteo database`.

mod copy;
mod status;

use std::{
    io::{self, Write as _},
    path::PathBuf,
};

use clap::{Args, Subcommand};

use super::CliError;
use crate::{
    config::{DatabaseUrl, Flags},
    databases::{Databases, Whereabouts, seen},
    folder::DataFolder,
};

const ACCEPTING: &str = "\
Example:
  jangteo database accept --data /srv/shop --database postgres://shop@db.example/shop

A shop does not start on databases that are empty, another shop's or older than what it has had:
it would sell what it does not have, and nobody could sign in. `jangteo database copy` brings the
right ones along. Where they are lost for good, this says that the shop is to go on with the ones
it is given, whatever they lack. Stock is then to be received anew, accounts are to be made anew.";

/// Look at inventory's and the accounts' databases, and move them between SQLite and PostgreSQL.
#[derive(Debug, Subcommand)]
pub enum DatabaseCommand {
    /// Move house: copy inventory and accounts between a folder (SQLite) and a PostgreSQL server, either way. The shop is stopped.
    #[command(after_long_help = copy::TEACHING)]
    Copy(Box<copy::CopyArgs>),
    /// See where the databases are, what they hold, and whether they are the ones that this shop has had.
    #[command(
        after_help = "Example: jangteo database status --data /srv/shop --database postgres://shop@db.example/shop"
    )]
    Status(status::StatusArgs),
    /// Go on with the databases named, whatever they lack. The shop is stopped.
    #[command(after_long_help = ACCEPTING)]
    Accept(ShopArgs),
}

/// Which shop, and where its databases are. The same settings as of `jangteo up`, from the same sources.
#[derive(Debug, Args)]
pub struct ShopArgs {
    /// The shop's folder. Not given: JANGTEO_DATA, or ./data.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The PostgreSQL database. Not given: JANGTEO_DATABASE, the settings file, or files in the folder.
    #[arg(long, value_name = "URL")]
    database: Option<DatabaseUrl>,
    /// The file with the user's password there.
    #[arg(long, value_name = "FILE")]
    database_password_file: Option<PathBuf>,
    /// What the names of the shop's schemas there start with.
    #[arg(long, value_name = "NAME")]
    database_prefix: Option<String>,
}

pub(super) async fn run(command: DatabaseCommand) -> Result<(), CliError> {
    match command {
        DatabaseCommand::Copy(args) => copy::run(*args).await,
        DatabaseCommand::Status(args) => status::run(&args).await,
        DatabaseCommand::Accept(args) => accept(&args).await,
    }
}

impl ShopArgs {
    fn find(&self) -> Result<(DataFolder, Whereabouts), CliError> {
        let mut flags = Flags {
            data: self.data.clone(),
            ..Flags::default()
        };
        flags.database.url.clone_from(&self.database);
        flags.database.password_file.clone_from(&self.database_password_file);
        flags.database.prefix.clone_from(&self.database_prefix);
        let config = super::layers(flags, None)?.into_config()?;
        let folder = DataFolder::existing(&config.data)?;
        let at = Whereabouts::of(&config.database, folder.path());
        Ok((folder, at))
    }
}

async fn accept(args: &ShopArgs) -> Result<(), CliError> {
    let (folder, at) = args.find()?;
    let _lock = folder.lock()?;
    let databases = Databases::open(&at).await.map_err(failed)?;
    seen::accept(&folder, &databases).await.map_err(failed)?;
    for (layout, database) in databases.each() {
        writeln!(
            io::stdout(),
            "{:<16} {}: the shop goes on with it",
            layout.name,
            database.place()
        )?;
    }
    Ok(())
}

fn failed(error: impl std::fmt::Display) -> CliError {
    CliError::Failed(error.to_string())
}
