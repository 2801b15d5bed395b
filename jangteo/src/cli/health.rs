//! `jangteo health`: whether a process of the shop is ready, for whoever watches containers.

use std::{
    io::{self, Write as _},
    time::Duration,
};

use clap::Args;

use super::CliError;

/// Long enough for a busy shop, short enough for a health check.
const PATIENCE: Duration = Duration::from_secs(3);

/// Which process.
#[derive(Debug, Args)]
pub struct HealthArgs {
    /// Where it listens.
    #[arg(value_name = "URL", default_value = "http://127.0.0.1:8080")]
    url: String,
}

/// Prints what `/readyz` says; fails where it is not ready or does not answer.
pub(super) async fn run(args: &HealthArgs) -> Result<(), CliError> {
    let url = format!("{}/readyz", args.url.trim_end_matches('/'));
    let failed = |error: reqwest::Error| CliError::Failed(format!("{url} does not answer: {error}"));
    let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build();
    let answer = client.map_err(failed)?.get(&url).send().await.map_err(failed)?;
    let status = answer.status();
    let said = answer.text().await.map_err(failed)?;
    writeln!(io::stdout(), "{said}")?;
    if status.is_success() {
        Ok(())
    } else {
        Err(CliError::Failed(format!("not ready: {url} says {status}")))
    }
}
