//! `jangteo config`.

use std::io::{self, Write as _};

use clap::Args;
use serde_json::{Value, json};

use super::{CliError, SettingsArgs};
use crate::config::{effective, explanation};

/// Show the settings that hold and where each comes from.
#[derive(Debug, Args)]
pub struct ConfigArgs {
    /// Teach every setting: its meaning, default, variable and flag, in the form of a settings file.
    #[arg(long)]
    explain: bool,
    /// One JSON object per line.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    settings: SettingsArgs,
}

pub(super) fn run(args: &ConfigArgs) -> Result<(), CliError> {
    let mut out = io::stdout().lock();
    if args.explain {
        write!(out, "{}", explanation())?;
        return Ok(());
    }
    let layers = args.settings.layers()?;
    // A value that is not allowed is an error here as it would be at the start.
    layers.clone().into_config()?;
    for (key, value, source) in effective(&layers) {
        if args.json {
            writeln!(out, "{}", json!({ "setting": key, "value": value, "source": source }))?;
        } else {
            let value = match value {
                Value::Null => "-".to_owned(),
                value => value.to_string(),
            };
            writeln!(out, "{key:<28} {value:<28} {source}")?;
        }
    }
    Ok(())
}
