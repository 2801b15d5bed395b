//! The command line: what can be typed, and which part of the shop answers.

mod circuits;
mod database;
mod dead_letters;
mod health;
mod import;
mod log;
mod output;
mod place;
mod projection;
mod repair;
mod running;
mod saga;
mod search;
mod serve;
mod settings;
mod simulate;
#[cfg(test)]
mod tests;
mod up;

use std::{
    io::{self, Write as _},
    path::PathBuf,
    process::ExitCode,
};

use clap::{Args, Parser, Subcommand};

pub use place::PlaceArgs;
#[cfg(test)]
pub(crate) use tests::said;

use crate::{
    config::{Config, ConfigError, Flags, Layers},
    folder::FolderError,
    operations::OperationError,
    sink::SinkError,
    startup::StartError,
};

const EXAMPLES: &str = "\
Examples:
  jangteo up --demo                      a shop with 200 products and an account per role, in ./data
  jangteo up --data /srv/shop            an empty shop; prints how to set up the first admin
  jangteo serve --role log --help        the shop in five processes
  jangteo log tail                       watch every event as it happens
  jangteo log read order-018f3c1e-7b4a-7c3e-9d2f-1a2b3c4d5e6f
  jangteo projection rebuild --all       build every read model again from the log
  jangteo import icecat products.jsonl.gz  19,406 real products
  jangteo config --explain               every setting with its default, variable and flag

log, projection and import work on a running shop and on a stopped one's folder alike.

Exit codes: 0 done, 1 failed, 2 the command line was not understood.";

/// Jangteo, the event-sourced marketplace in one program.
#[derive(Debug, Parser)]
#[command(name = "jangteo", version, after_help = EXAMPLES, max_term_width = 110)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What can be done.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start the shop; Ctrl-C stops it, a second start goes on where it was.
    Up(Box<SettingsArgs>),
    /// Start one role of a shop whose roles run in processes of their own.
    #[command(after_help = serve::EXAMPLE)]
    Serve(Box<serve::ServeArgs>),
    /// Look into the event log: streams, events, counts.
    #[command(subcommand)]
    Log(log::LogCommand),
    /// Look at inventory's and the accounts' databases, and move them between SQLite and PostgreSQL.
    #[command(subcommand)]
    Database(database::DatabaseCommand),
    /// See how far the read models are, and build them again.
    #[command(subcommand)]
    Projection(projection::ProjectionCommand),
    /// See what subscribers and services could not take, and have it tried again.
    #[command(subcommand)]
    DeadLetters(dead_letters::DeadLettersCommand),
    /// See how the other servers do that a running shop calls: circuit breakers, failures, calls under way.
    Circuits(circuits::CircuitsArgs),
    /// Look into the sagas: where each order and return stands, and have one that is stuck try again.
    #[command(subcommand)]
    Saga(saga::SagaCommand),
    /// Look into the search: how good the order of hits is.
    #[command(subcommand)]
    Search(search::SearchCommand),
    /// Bring in real data as history. Safe to interrupt and to run again: nothing is doubled.
    Import(import::ImportArgs),
    /// See where the payment provider's books and the shop's differ, and close what was settled.
    #[command(subcommand)]
    Repair(repair::RepairCommand),
    /// Play an outside party: a payment provider over HTTP, with faults on request.
    #[command(subcommand)]
    Simulate(simulate::SimulateCommand),
    /// Show the settings that hold and where each comes from; --explain teaches all of them.
    Config(Box<settings::ConfigArgs>),
    /// Print the description of the whole HTTP interface (OpenAPI 3.1, JSON).
    Openapi,
    /// Ask whether a process of the shop is ready; the exit code says it too.
    Health(health::HealthArgs),
    /// Print the program's version.
    Version,
}

/// Every setting as a flag.
#[derive(Debug, Args)]
pub struct SettingsArgs {
    /// The settings file. Not given: JANGTEO_CONFIG, jangteo.toml in the data folder, jangteo.toml here.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The settings.
    #[command(flatten)]
    pub flags: Flags,
}

impl SettingsArgs {
    /// These settings over the environment's and the file's.
    ///
    /// # Errors
    /// When one of them is wrong.
    pub fn layers(&self) -> Result<Layers, ConfigError> {
        layers(self.flags.clone(), self.config.clone())
    }
}

fn layers(flags: Flags, file: Option<PathBuf>) -> Result<Layers, ConfigError> {
    let file = file.or_else(|| std::env::var_os("JANGTEO_CONFIG").map(PathBuf::from));
    Layers::read(flags, file.as_deref())
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// A setting is wrong.
    #[error("{0}\n  `jangteo config --explain` shows every setting")]
    Config(#[from] ConfigError),
    /// The folder cannot be used.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The shop did not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The operation failed.
    #[error(transparent)]
    Operation(#[from] OperationError),
    /// The import failed.
    #[error(transparent)]
    Sink(#[from] SinkError),
    /// The command makes no sense as it is.
    #[error("{0}")]
    Usage(String),
    /// Something was done that waits for a decision.
    #[error("{0}")]
    Undecided(String),
    /// Something else, said by the part that failed.
    #[error("{0}")]
    Failed(String),
    /// The output cannot be written.
    #[error("the output cannot be written: {0}")]
    Output(#[from] io::Error),
}

impl CliError {
    fn code(&self) -> u8 {
        match self {
            Self::Usage(_) | Self::Config(_) | Self::Start(StartError::Combination(_)) => 2,
            Self::Undecided(_) => 3,
            _ => 1,
        }
    }
}

/// Runs what was typed. Errors are said on standard error; the exit code says which kind.
pub async fn run(cli: Cli) -> ExitCode {
    match dispatch(cli.command).await {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads us has seen enough: `jangteo log tail | head`.
        Err(CliError::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            // Where standard error is gone too, the exit code still tells.
            let _ = writeln!(io::stderr(), "jangteo: {error}");
            ExitCode::from(error.code())
        }
    }
}

async fn dispatch(command: Command) -> Result<(), CliError> {
    match command {
        Command::Up(args) => Box::pin(up::run(&args)).await,
        Command::Serve(args) => Box::pin(serve::run(&args)).await,
        Command::Log(command) => log::run(command).await,
        Command::Database(command) => Box::pin(database::run(command)).await,
        Command::Projection(command) => projection::run(command).await,
        Command::DeadLetters(command) => dead_letters::run(command).await,
        Command::Circuits(args) => circuits::run(args).await,
        Command::Saga(command) => saga::run(command).await,
        Command::Search(command) => search::run(command).await,
        Command::Import(args) => import::run(args).await,
        Command::Repair(command) => repair::run(command).await,
        Command::Simulate(command) => simulate::run(command).await,
        Command::Config(args) => settings::run(&args),
        Command::Openapi => {
            let document = crate::startup::openapi()
                .to_pretty_json()
                .map_err(|error| CliError::Failed(error.to_string()))?;
            writeln!(io::stdout(), "{document}").map_err(CliError::from)
        }
        Command::Health(args) => health::run(&args).await,
        Command::Version => writeln!(io::stdout(), "jangteo {}", env!("CARGO_PKG_VERSION")).map_err(CliError::from),
    }
}

/// The settings for a command that only needs to find the shop.
fn config_for(data: Option<PathBuf>) -> Result<Config, ConfigError> {
    let flags = Flags {
        data,
        ..Flags::default()
    };
    layers(flags, None)?.into_config()
}
