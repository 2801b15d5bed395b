//! `jangteo log copy` and `jangteo log verify`.

use std::{
    io::{self, Write as _},
    sync::Arc,
    time::Duration,
};

use clap::Args;
use event_log::copy::{Copy, CopyError, Progress, Settings, Until};
use serde::Serialize;
use tokio::{sync::watch, time::sleep};

use super::{
    meter::Meter,
    place::{Source, Whereabouts, left_behind, open_source, open_target, running},
};
use crate::cli::{CliError, output, running::StopSignals};

/// Between two looks for a shop that stopped: is it gone, or does it come back?
const LOOK: Duration = Duration::from_millis(250);

pub(super) const TEACHING: &str = "\
Examples:
  jangteo log copy --from /srv/shop --to esdb://admin:changeit@db.example:2113
  jangteo log copy --from esdb://admin:changeit@db.example:2113 --to /backup/log
  jangteo log copy --from /srv/shop --to esdb://… --follow      while the shop runs; see below

An end is a shop's folder, a folder with nothing but a log (made when missing), or a connection
string. A running shop's folder is read through the log that it offers (`--log-listen`). Without
user and password in a connection string, the user is operator and the password JANGTEO_TOKEN.

The copy has the same streams, versions, ids, types, content, metadata and data in the same order;
each event is read back and compared. Positions and recording times are the new log's own.
Interrupted, it goes on where the target ends: run it again. A target that holds anything else is
refused, as is a source whose streams were truncated and scavenged.

To move a shop onto a server without losing a moment:
  1. jangteo up --data /srv/shop --log-listen 127.0.0.1:2113      if it does not offer its log yet
  2. jangteo log copy --from /srv/shop --to esdb://… --follow     until it says that it has caught up
  3. stop the shop; the copy takes the rest from the folder, says that all is verified, and ends
  4. jangteo up --data /srv/shop --log esdb://…                   sagas and pages find their places";

/// The two ends.
#[derive(Debug, Args)]
pub(super) struct Ends {
    /// The log that is read.
    #[arg(long, value_name = "DIR|esdb://…")]
    from: Whereabouts,
    /// The log beside it.
    #[arg(long, value_name = "DIR|esdb://…")]
    to: Whereabouts,
    /// The summary as one JSON object.
    #[arg(long)]
    json: bool,
}

/// See [`super::MovingCommand::Copy`].
#[derive(Debug, Args)]
pub struct CopyArgs {
    #[command(flatten)]
    ends: Ends,
    /// Go on with what is appended meanwhile, until Ctrl-C, or until the shop that is copied from stops.
    #[arg(long)]
    follow: bool,
}

/// See [`super::MovingCommand::Verify`].
#[derive(Debug, Args)]
pub struct VerifyArgs {
    #[command(flatten)]
    ends: Ends,
}

/// What came of it.
#[derive(Debug, Serialize)]
struct Summary {
    events: u64,
    appended: u64,
    seconds: f64,
}

pub(super) async fn run(args: CopyArgs) -> Result<(), CliError> {
    let CopyArgs { ends, follow } = args;
    let mut source = open_source(&ends.from).await?;
    let target = open_target(&ends.to).await?;
    let mut copy = Copy::new(
        Arc::clone(&source.end().log),
        Arc::clone(&target.log),
        settings(&ends.to, &source),
    );
    let mut meter = Meter::new("copying");
    let mut until = if follow { told()? } else { Until::End };
    // Said once: a busy shop is caught up with many times a second.
    let mut announced = false;
    let copied = loop {
        let running = matches!(source, Source::Running { .. });
        let watch = |progress, trouble: Option<&CopyError>| {
            if let Some(trouble) = trouble {
                meter.waits(trouble);
            } else if meter.note(progress) && follow && !announced {
                announced = true;
                meter.line(&caught_up(progress, running));
            }
        };
        match copy.run(until.clone(), watch).await {
            Err(error) if error.source_is_away() && running => {
                source = again(source, &mut until, &meter).await?;
                copy.read_from(Arc::clone(&source.end().log));
            }
            outcome => break outcome,
        }
    };
    let took = meter.end();
    source.close().await;
    target.close().await;
    say(&ends, copied.map_err(|error| failed(&error))?, took)
}

pub(super) async fn verify(args: VerifyArgs) -> Result<(), CliError> {
    let ends = args.ends;
    let source = open_source(&ends.from).await?;
    // Both are only read: a running shop's log will do for either.
    let target = open_source(&ends.to).await?;
    let (from, to) = (Arc::clone(&source.end().log), Arc::clone(&target.end().log));
    let mut meter = Meter::new("comparing");
    let mut comparison = Copy::comparison(from, to, Settings::default());
    let watch = |progress, trouble: Option<&CopyError>| match trouble {
        Some(trouble) => meter.waits(trouble),
        None => {
            meter.note(progress);
        }
    };
    let verified = comparison.run(Until::End, watch).await;
    let took = meter.end();
    source.close().await;
    target.close().await;
    say(&ends, verified.map_err(|error| failed(&error))?, took)
}

/// A folder takes appends in the order in which they are begun; on a wire each waits for the one before.
fn settings(to: &Whereabouts, source: &Source) -> Settings {
    let settings = match to {
        Whereabouts::Folder(_) => Settings::queued(),
        Whereabouts::Server(_) => Settings::default(),
    };
    match source {
        Source::Held(_) => settings,
        // It is looked for in its folder then.
        Source::Running { .. } => Settings {
            source_patience: Duration::ZERO,
            ..settings
        },
    }
}

/// Becomes true at Ctrl-C or SIGTERM.
fn told() -> Result<Until, CliError> {
    let (tell, told) = watch::channel(false);
    let mut signals = StopSignals::listen()?;
    tokio::spawn(async move {
        signals.next().await;
        tell.send_replace(true);
    });
    Ok(Until::Told(told))
}

fn is_told(until: &Until) -> bool {
    match until {
        Until::End => false,
        Until::Told(told) => *told.borrow(),
    }
}

/// A shop that was read from does not answer: it has stopped, and its folder is free; or it starts again, elsewhere.
async fn again(source: Source, until: &mut Until, meter: &Meter) -> Result<Source, CliError> {
    let Source::Running { folder, end } = source else {
        return Ok(source);
    };
    end.close().await;
    loop {
        if let Some(end) = left_behind(&folder).await? {
            meter.line("the shop has stopped: taking the rest from its folder");
            // Nobody appends while we hold it.
            *until = Until::End;
            return Ok(Source::Held(end));
        }
        if let Ok(end) = running(&folder).await
            && end.log.head().await.is_ok()
        {
            return Ok(Source::Running { folder, end });
        }
        if is_told(until) {
            return Err(CliError::Failed(
                "stopped while the shop was neither up nor down; run it again to go on".to_owned(),
            ));
        }
        sleep(LOOK).await;
    }
}

fn caught_up(progress: Progress, running: bool) -> String {
    let events = progress.verified;
    let next = if running {
        "stop the shop to finish, or Ctrl-C"
    } else {
        "Ctrl-C ends it"
    };
    format!("caught up: the target holds the same {events} events; following ({next})")
}

fn failed(error: &CopyError) -> CliError {
    let kept = match error {
        CopyError::Source(_) | CopyError::Target(_) => "\n  what was copied stays; run it again to go on",
        _ => "",
    };
    CliError::Failed(format!("{error}{kept}"))
}

fn say(ends: &Ends, progress: Progress, took: Duration) -> Result<(), CliError> {
    let mut out = io::stdout().lock();
    let seconds = took.as_secs_f64();
    let Progress { verified, appended, .. } = progress;
    if ends.json {
        let summary = Summary {
            events: verified,
            appended,
            seconds,
        };
        return output::json_lines(&mut out, &[summary]).map_err(CliError::from);
    }
    let rate = verified as f64 / seconds.max(0.001);
    writeln!(
        out,
        "{verified} events are the same in {} and in {}",
        ends.from, ends.to
    )?;
    writeln!(
        out,
        "  {appended} appended, {seconds:.1} s, {rate:.0}/s; each was read back and compared"
    )?;
    Ok(())
}
