//! The embedded log over the wire: the server in a process of its own, our adapter with its relay in this one.

use std::{path::Path, sync::Arc, time::Duration};

use event_log::EventLog;
use eventstore_log::{EventStoreLog, Settings};

use crate::{
    Effort, Result, batches, event_log as log_driver,
    forwarder::Forwarder,
    log_marks::{EVENT_BYTES, InProcess, told},
    peers::Peers,
    report::{Mark, Report, short},
    served::Server,
};

/// The adapter, to a server without TLS at `host:port`.
pub(crate) async fn adapter(address: &str) -> Result<Arc<dyn EventLog>> {
    let url = format!("esdb://{address}?tls=false");
    Ok(EventStoreLog::connect(&url, Settings::default()).await?)
}

pub(crate) async fn measure(
    folder: &Path,
    effort: Effort,
    in_process: &InProcess,
    peers: &Peers,
    report: &mut Report,
) -> Result<()> {
    report.line("the embedded log, over the wire: `jangteo serve --role log`, and our adapter with its relay");
    let server = Server::our_log(&folder.join("wire")).await?;
    for (writers, same) in [(1, in_process.writers_1), (64, in_process.writers_64)] {
        let measured = log_driver::run(adapter(&server.address).await?, writers, effort.each, EVENT_BYTES).await?;
        report.figure(&format!("appends, {writers} writers"), &told(&measured));
        let what = format!("appends, {writers} writers, of the same in process");
        report.figure(&what, &format!("{} x", short(measured.per_second / same)));
        if writers == 64 {
            against_peers("appends", measured.per_second, peers, report);
        }
    }
    let measured = batches::run(&server.address, 64, effort.each, EVENT_BYTES).await?;
    report.figure("BatchAppend by the Rust client, 64 writers", &told(&measured));
    against_peers("BatchAppend", measured.per_second, peers, report);

    let forwarder = Forwarder::to(&server.address).await?;
    let measured = log_driver::run(adapter(&forwarder.address).await?, 1, effort.each, EVENT_BYTES).await?;
    report.figure("appends, 1 writer, a server that does not help", &told(&measured));
    report.mark(
        "p50 of an append to a server that does not help",
        millis(measured.p50),
        "ms",
        Mark::AtMost(3.0),
    );
    drop(forwarder);
    server.stop().await
}

fn against_peers(how: &str, ours: f64, peers: &Peers, report: &mut Report) {
    for (peer, theirs) in [("UmaDB", peers.umadb_64), ("PostgreSQL", peers.postgres_64)] {
        if let Some(theirs) = theirs {
            let what = format!("{how}, 64 writers, of {peer}");
            report.mark(&what, ours / theirs, "x", Mark::AtLeast(2.0));
        }
    }
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}
