//! The whole log into all read models, from nothing.

use std::{path::Path, time::Instant};

use crate::{
    Result,
    report::{Mark, Report, short},
    shop,
};

/// Rebuilds every read model of a stopped shop's folder.
pub(crate) async fn measure(data: &Path, report: &mut Report) -> Result<()> {
    let folder = data.to_str().ok_or("the folder's name is not UTF-8")?;
    let stats = shop::command(&["log", "stats", "--json", "--data", folder]).await?;
    let events = stats["events"].as_f64().ok_or("log stats says no events")?;
    let began = Instant::now();
    shop::command(&[
        "projection",
        "rebuild",
        "--all",
        "--approve",
        "--json",
        "--data",
        folder,
    ])
    .await?;
    let seconds = began.elapsed().as_secs_f64();
    report.line("replay");
    report.figure(
        "events in the log, seconds for all read models",
        &format!("{} in {} s", short(events), short(seconds)),
    );
    report.mark(
        "full replay into all read models",
        events / seconds,
        "events/s",
        Mark::AtLeast(200_000.0),
    );
    Ok(())
}
