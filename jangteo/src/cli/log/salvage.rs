//! `jangteo log salvage`.

use std::{
    io::{self, Write as _},
    path::PathBuf,
    time::Duration,
};

use clap::Args;
use event_log::embedded::{self, SalvageProgress, SalvageStep, Salvaged};
use indicatif::{ProgressBar, ProgressStyle};
use tokio::task::spawn_blocking;

use super::place::log_folder;
use crate::cli::{CliError, output};

pub(super) const TEACHING: &str = "\
Example:
  jangteo log salvage --from /srv/shop --to /srv/salvaged

The new log holds every event up to the first that cannot be read, byte for byte and at the same
positions. What can be read behind it is written beside it, one event per line, to look at and to
act on by hand: a log with holes would be another log. The damaged folder is not changed.

To go on with what was saved:
  1. stop the shop, if it runs at all
  2. jangteo log salvage --from /srv/shop --to /srv/salvaged
  3. mv /srv/shop/log /srv/shop/log.damaged && mv /srv/salvaged /srv/shop/log
  4. rm /srv/shop/log-witness       it may name an event that is lost; sagas and pages begin anew
  5. jangteo up --data /srv/shop
A copy on a server (`jangteo log copy`) loses nothing: prefer it where there is one.";

/// See [`super::MovingCommand::Salvage`].
#[derive(Debug, Args)]
pub struct SalvageArgs {
    /// The damaged log: a shop's folder, or a folder with nothing but a log.
    #[arg(long, value_name = "DIR")]
    from: PathBuf,
    /// The folder for the new log: missing or empty.
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
    /// The summary as one JSON object.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: SalvageArgs) -> Result<(), CliError> {
    let (from, to) = (log_folder(&args.from)?, args.to.clone());
    let working = spawn_blocking(move || {
        let bar = ProgressBar::new(1).with_style(style());
        bar.enable_steady_tick(Duration::from_millis(200));
        let salvaged = embedded::salvage(&from, &to, &mut |progress| show(&bar, &progress));
        bar.finish_and_clear();
        salvaged
    });
    let salvaged = working.await.map_err(|error| CliError::Failed(error.to_string()))?;
    say(&args, &salvaged.map_err(|error| CliError::Failed(error.to_string()))?)
}

fn style() -> ProgressStyle {
    let style = ProgressStyle::with_template("{msg} {wide_bar} {human_pos}/{human_len} {eta}");
    style.unwrap_or_else(|_| ProgressStyle::default_bar())
}

fn show(bar: &ProgressBar, progress: &SalvageProgress) {
    bar.set_message(match progress.step {
        SalvageStep::Searching => "searching, bytes",
        SalvageStep::Copying => "copying, events",
    });
    bar.set_length(progress.total);
    bar.set_position(progress.done);
}

fn say(args: &SalvageArgs, salvaged: &Salvaged) -> Result<(), CliError> {
    let mut out = io::stdout().lock();
    let lost: u64 = salvaged.lost.iter().map(|lost| lost.end() - lost.start() + 1).sum();
    if args.json {
        let summary = serde_json::json!({
            "copied": salvaged.copied,
            "lost": lost,
            "behind": salvaged.behind,
            "behind_file": salvaged.behind_file,
        });
        return output::json_lines(&mut out, &[summary]).map_err(CliError::from);
    }
    writeln!(
        out,
        "{} events are in the new log in {}",
        salvaged.copied,
        args.to.display()
    )?;
    match (salvaged.lost.first(), &salvaged.behind_file) {
        (None, None) => writeln!(out, "  nothing is lost")?,
        (first, file) => {
            let first = first.map_or(salvaged.copied + 1, |first| *first.start());
            writeln!(out, "  {lost} cannot be read, the first at position {first}")?;
            if let Some(file) = file {
                writeln!(
                    out,
                    "  {} readable ones behind it are in {}",
                    salvaged.behind,
                    file.display()
                )?;
            }
        }
    }
    writeln!(out, "  `jangteo log salvage --help` says how the shop goes on with it")?;
    Ok(())
}
