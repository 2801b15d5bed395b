//! The limits of this machine's disk, and the embedded log against them.

use std::path::Path;

use event_log::embedded::EmbeddedLog;

use crate::{
    Effort, Result,
    drive::Throughput,
    event_log as log_driver, raw_log,
    report::{Mark, Report, short},
};

/// Bytes of a typical event with its metadata.
pub(crate) const EVENT_BYTES: usize = 600;
/// Durable appends an order needs at the least, one after the other.
const APPENDS_PER_ORDER: f64 = 5.0;

/// What the disk allows: appends to a raw preallocated file, group commit, one fdatasync a batch.
pub(crate) struct Limits {
    pub(crate) raw_1: f64,
    pub(crate) raw_64: f64,
    /// Orders per second if an order were five such appends in a row and nothing else, 64 in flight.
    pub(crate) order_floor: f64,
}

pub(crate) async fn limits(folder: &Path, effort: Effort, report: &mut Report) -> Result<Limits> {
    report.line(&format!(
        "limits: durable appends of {EVENT_BYTES} bytes to a raw preallocated file, group commit"
    ));
    let raw_1 = raw_log::run(folder, 1, effort.each, EVENT_BYTES).await?;
    let raw_64 = raw_log::run(folder, 64, effort.each, EVENT_BYTES).await?;
    report.figure("raw file, 1 writer", &told(&raw_1));
    report.figure("raw file, 64 writers", &told(&raw_64));
    let (raw_1, raw_64) = (raw_1.per_second, raw_64.per_second);
    let order_floor = raw_64 / APPENDS_PER_ORDER;
    report.figure(
        "floor of an order: five appends in a row, 64 in flight",
        &format!("{} /s", short(order_floor)),
    );
    Ok(Limits {
        raw_1,
        raw_64,
        order_floor,
    })
}

/// Throughput and waiting, in one line.
pub(crate) fn told(measured: &Throughput) -> String {
    let millis = |time: std::time::Duration| short(time.as_secs_f64() * 1_000.0);
    format!(
        "{} /s, p50 {} ms, p99 {} ms",
        short(measured.per_second),
        millis(measured.p50),
        millis(measured.p99)
    )
}

/// Appends a second, in process.
pub(crate) struct InProcess {
    pub(crate) writers_1: f64,
    pub(crate) writers_64: f64,
}

pub(crate) async fn measure(folder: &Path, effort: Effort, limits: &Limits, report: &mut Report) -> Result<InProcess> {
    report.line("the embedded log, in process");
    let mut reached = Vec::new();
    for (writers, limit, mark) in [(1, limits.raw_1, 0.8), (64, limits.raw_64, 0.25)] {
        let data = folder.join(format!("log-{writers}"));
        let log = EmbeddedLog::open(&data)?;
        let measured = log_driver::run(log.clone(), writers, effort.each, EVENT_BYTES).await?;
        log.close();
        report.figure(&format!("appends, {writers} writers"), &told(&measured));
        let what = format!("appends, {writers} writers, of the raw file");
        report.mark(&what, measured.per_second / limit, "x", Mark::AtLeast(mark));
        reached.push(measured.per_second);
    }
    Ok(InProcess {
        writers_1: reached[0],
        writers_64: reached[1],
    })
}
