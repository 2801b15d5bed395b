//! The peers, with the same events and the same number of writers, each server in a process of its own: UmaDB and PostgreSQL.

use std::{os::unix::fs::PermissionsExt, path::Path, path::PathBuf, process::Output, time::Duration};

use tokio::process::Command;

use crate::{
    Effort, Result,
    drive::Throughput,
    log_marks::{EVENT_BYTES, told},
    report::Report,
    served::Server,
};

/// Of a script of `infra/local` that says what this machine lacks.
const CANNOT_BE_HAD: i32 = 69;

/// Appends a second of a peer with 64 writers, where it could be measured.
#[derive(Default)]
pub(crate) struct Peers {
    pub(crate) umadb_64: Option<f64>,
    pub(crate) postgres_64: Option<f64>,
}

pub(crate) async fn measure(folder: &Path, effort: Effort, report: &mut Report) -> Result<Peers> {
    report.line("peers: a server in a process of its own, its own client, the same events");
    let mut peers = Peers::default();
    let binary = match provisioned("peers.sh").await? {
        Ok(binary) => binary,
        Err(why) => {
            report.line(&format!("  skipped, UmaDB and PostgreSQL: {why}"));
            return Ok(peers);
        }
    };

    let data = folder.join("umadb");
    std::fs::create_dir_all(&data)?;
    let mut command = Command::new(&binary);
    command.arg("serve-umadb").arg(&data);
    let umadb = Server::that_prints(command, "listening on ").await?;
    for (what, writers) in [("umadb", 1), ("umadb", 64), ("umadb-any", 64)] {
        let measured = driven(&binary, what, &umadb.address, writers, effort.each).await?;
        let note = if what == "umadb" { "" } else { ", no version expected" };
        report.figure(&format!("UmaDB, {writers} writers{note}"), &told(&measured));
        if writers == 64 {
            // The better of the two is the one to beat.
            peers.umadb_64 = Some(peers.umadb_64.unwrap_or_default().max(measured.per_second));
        }
    }
    umadb.stop().await?;

    peers.postgres_64 = postgres(folder, &binary, effort, report).await?;
    Ok(peers)
}

async fn postgres(folder: &Path, binary: &str, effort: Effort, report: &mut Report) -> Result<Option<f64>> {
    // Its own user must be able to walk down to its folder.
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o711))?;
    let mut command = Command::new(script("postgres.sh"));
    command.arg(folder.join("postgres"));
    let server = match Server::that_prints(command, "host=").await {
        Ok(server) => server,
        Err(error) => {
            report.line(&format!("  skipped, PostgreSQL: infra/local/postgres.sh: {error}"));
            return Ok(None);
        }
    };
    let address = format!("host={}", server.address);
    let mut last = None;
    for writers in [1, 64] {
        let measured = driven(binary, "postgres", &address, writers, effort.each).await?;
        report.figure(&format!("PostgreSQL, {writers} writers"), &told(&measured));
        last = Some(measured.per_second);
    }
    server.stop().await?;
    Ok(last)
}

/// What a driver of `benches/peers` measures.
pub(crate) async fn driven(
    binary: &str,
    what: &str,
    address: &str,
    writers: usize,
    each: Duration,
) -> Result<Throughput> {
    let output = Command::new(binary)
        .args([what, address, &writers.to_string()])
        .args([each.as_secs_f64().to_string(), EVENT_BYTES.to_string()])
        .output()
        .await?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let figures: Vec<f64> = said.split_whitespace().map_while(|word| word.parse().ok()).collect();
    let [per_second, p50, p99] = figures[..] else {
        return Err(format!("{what} said {said:?}: {}", String::from_utf8_lossy(&output.stderr)).into());
    };
    Ok(Throughput {
        per_second,
        p50: Duration::from_micros(p50 as u64),
        p99: Duration::from_micros(p99 as u64),
    })
}

pub(crate) fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../infra/local").join(name)
}

/// What a script prints, or why what it provides cannot be had.
pub(crate) async fn provisioned(name: &str) -> Result<std::result::Result<String, String>> {
    let Output { status, stdout, stderr } = Command::new(script(name)).output().await?;
    let (out, error) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    match status.code() {
        Some(0) => Ok(Ok(out.trim().to_owned())),
        Some(CANNOT_BE_HAD) => Ok(Err(error.trim().lines().last().unwrap_or("no reason given").to_owned())),
        _ => Err(format!("{name}: {error}").into()),
    }
}
