//! A workflow of four steps, each step's answer durable before the next begins, started over HTTP and answered at its end: the
//! saga runner on the embedded log, the same on Restate, the same written by hand on PostgreSQL, and the floor.

mod serving;

use std::{
    os::unix::fs::PermissionsExt,
    path::Path,
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures_util::future::try_join_all;
use hdrhistogram::Histogram;
use serde_json::json;
use tokio::process::Command;

pub(crate) use serving::serve;

use crate::{
    Effort, Result,
    client::Connection,
    drive::Throughput,
    log_marks::{EVENT_BYTES, Limits, told},
    peers::{driven, provisioned, script},
    report::{Mark, Report, latencies, millis, short},
    served::Server,
};

/// How many workflows are on their way at once.
const IN_FLIGHT: [usize; 2] = [1, 64];

/// Workflows a second with 1 and with 64 in flight.
#[derive(Default, Clone, Copy)]
struct Paces {
    alone: f64,
    together: f64,
}

pub(crate) async fn measure(folder: &Path, effort: Effort, limits: &Limits, report: &mut Report) -> Result<()> {
    report.line("workflow: four steps, each answer durable before the next begins, started over HTTP");
    let (ours, p99) = ours(folder, effort, report).await?;
    let restate = restate(folder, effort, report).await?;
    let postgres = postgres(folder, effort, report).await?;
    let at_least = |report: &mut Report, what: &str, value: f64, unit: &str, bound: f64| {
        report.mark(what, value, unit, Mark::AtLeast(bound));
    };
    if let Some(restate) = restate {
        at_least(
            report,
            "64 in flight, of Restate",
            ours.together / restate.together,
            "x",
            10.0,
        );
        at_least(report, "1 in flight, of Restate", ours.alone / restate.alone, "x", 6.0);
    }
    if let Some(postgres) = postgres {
        at_least(
            report,
            "64 in flight, of PostgreSQL by hand",
            ours.together / postgres,
            "x",
            3.0,
        );
    }
    at_least(
        report,
        "64 in flight, of the floor (five raw appends)",
        ours.together / limits.order_floor,
        "x",
        0.25,
    );
    report.mark("p99, 64 in flight", p99, "ms", Mark::AtMost(10.0));
    Ok(())
}

/// The saga runner, in a process of its own. Also the 99th percentile with 64 in flight, in milliseconds.
async fn ours(folder: &Path, effort: Effort, report: &mut Report) -> Result<(Paces, f64)> {
    let data = folder.join("workflows");
    std::fs::create_dir_all(&data)?;
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("workflows").arg("--folder").arg(&data);
    let server = Server::that_prints(command, "listening on ").await?;
    let measured = over_http(&server.address, "/workflows", effort, "saga runner", report).await?;
    server.stop().await?;
    Ok(measured)
}

async fn restate(folder: &Path, effort: Effort, report: &mut Report) -> Result<Option<Paces>> {
    let mut command = Command::new(script("restate.sh"));
    command.arg(folder.join("restate"));
    let server = match Server::that_prints(command, "restate ").await {
        Ok(server) => server,
        Err(error) => {
            report.line(&format!("  skipped, Restate: infra/local/restate.sh: {error}"));
            return Ok(None);
        }
    };
    let binary = match provisioned("peers.sh").await? {
        Ok(binary) => binary,
        Err(why) => {
            report.line(&format!("  skipped, Restate's service: {why}"));
            return Ok(None);
        }
    };
    let mut command = Command::new(&binary);
    command.arg("serve-restate");
    let service = Server::that_prints(command, "listening on ").await?;
    let (ingress, admin) = server.address.split_once(' ').ok_or("no two addresses")?;
    let deployment = json!({"uri": format!("http://{}", service.address)});
    Connection::open(admin)
        .await?
        .json("POST", "/deployments", None, &deployment)
        .await?;
    let (paces, _) = over_http(ingress, "/Workflow/run", effort, "Restate", report).await?;
    service.stop().await?;
    server.stop().await?;
    Ok(Some(paces))
}

/// Five inserts a workflow on each of 64 connections: its start and its four steps.
async fn postgres(folder: &Path, effort: Effort, report: &mut Report) -> Result<Option<f64>> {
    let binary = match provisioned("peers.sh").await? {
        Ok(binary) => binary,
        Err(why) => {
            report.line(&format!("  skipped, PostgreSQL: {why}"));
            return Ok(None);
        }
    };
    // Its own user must be able to walk down to its folder.
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o711))?;
    let mut command = Command::new(script("postgres.sh"));
    command.arg(folder.join("postgres-workflow"));
    let server = match Server::that_prints(command, "host=").await {
        Ok(server) => server,
        Err(error) => {
            report.line(&format!("  skipped, PostgreSQL: infra/local/postgres.sh: {error}"));
            return Ok(None);
        }
    };
    let address = format!("host={}", server.address);
    let mut last = None;
    for writers in IN_FLIGHT {
        let measured: Throughput = driven(&binary, "postgres-workflow", &address, writers, effort.each).await?;
        report.figure(
            &format!("PostgreSQL by hand, {writers} in flight ({EVENT_BYTES} bytes a row)"),
            &told(&measured),
        );
        last = Some(measured.per_second);
    }
    server.stop().await?;
    Ok(last)
}

/// Starts workflows over HTTP, each after the end of the one before on its connection.
async fn over_http(authority: &str, path: &str, effort: Effort, whose: &str, report: &Report) -> Result<(Paces, f64)> {
    let mut paces = Paces::default();
    let mut p99 = 0.0;
    for in_flight in IN_FLIGHT {
        // What compiles, fills and connects at first is not what is measured.
        drive(authority, path, in_flight, effort.each / 4).await?;
        let (pace, taken) = drive(authority, path, in_flight, effort.each).await?;
        let (p50, worst) = (millis(&taken, 0.5), millis(&taken, 0.99));
        report.figure(
            &format!("{whose}, {in_flight} in flight"),
            &format!("{} /s, p50 {} ms, p99 {} ms", short(pace), short(p50), short(worst)),
        );
        if in_flight == 1 {
            paces.alone = pace;
        } else {
            (paces.together, p99) = (pace, worst);
        }
    }
    Ok((paces, p99))
}

async fn drive(authority: &str, path: &str, in_flight: usize, each: Duration) -> Result<(f64, Histogram<u64>)> {
    let began = Instant::now();
    let workers = (0..in_flight).map(|_| {
        let (authority, path) = (authority.to_owned(), path.to_owned());
        tokio::spawn(async move {
            let mut connection = Connection::open(&authority).await?;
            let mut taken = latencies()?;
            while began.elapsed() < each {
                let sent = Instant::now();
                let body = Bytes::from(format!("\"{}\"", uuid::Uuid::now_v7()));
                let answer = connection.send("POST", &path, None, None, Some(body)).await?;
                if answer.status != 200 {
                    return Err(format!("{path}: {} {}", answer.status, String::from_utf8_lossy(&answer.body)).into());
                }
                taken.record(sent.elapsed().as_micros() as u64)?;
            }
            Result::Ok(taken)
        })
    });
    let mut all = latencies()?;
    for taken in try_join_all(workers).await? {
        all.add(taken?)?;
    }
    Ok((all.len() as f64 / began.elapsed().as_secs_f64(), all))
}
