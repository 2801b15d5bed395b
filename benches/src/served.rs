//! Servers under measurement, each in a process of its own: ours, and the peers.

use std::{
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
};

use crate::{Result, shop};

/// How long a server may take to start.
const START: Duration = Duration::from_secs(60);

/// A server; dropping it kills it.
pub(crate) struct Server {
    child: Child,
    /// How to reach it, in its own client's words.
    pub(crate) address: String,
}

impl Server {
    /// The embedded log of a folder, over the wire, without TLS.
    pub(crate) async fn our_log(folder: &Path) -> Result<Self> {
        let kept = folder.join("log-address");
        let _ = std::fs::remove_file(&kept);
        let mut child = Command::new(shop::binary()?)
            .args(["serve", "--role", "log", "--listen", "127.0.0.1:0"])
            .args(["--log-listen", "127.0.0.1:0", "--log-insecure", "--data"])
            .arg(folder)
            .env("RUST_LOG", "warn")
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let began = Instant::now();
        loop {
            if let Ok(address) = std::fs::read_to_string(&kept) {
                // A connection string: `esdb://host:port?…`.
                let (_, rest) = address.split_once("://").unwrap_or_default();
                let (address, _) = rest.split_once('?').unwrap_or_default();
                if tokio::net::TcpStream::connect(address).await.is_ok() {
                    let address = address.to_owned();
                    return Ok(Self { child, address });
                }
            }
            if let Some(status) = child.try_wait()? {
                return Err(format!("the log ended before it listened: {status}").into());
            }
            if began.elapsed() > START {
                return Err("the log never listened".into());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// A program that prints its address as its first line, behind `before`.
    pub(crate) async fn that_prints(mut command: Command, before: &str) -> Result<Self> {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let mut lines = BufReader::new(child.stdout.take().ok_or("no standard output")?).lines();
        let address = tokio::time::timeout(START, line_with(&mut lines, before)).await??;
        // The pipe stays read, so that the server never blocks on it.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(Self { child, address })
    }

    /// Asks it to stop and waits.
    pub(crate) async fn stop(mut self) -> Result<()> {
        if let Some(pid) = self.child.id() {
            Command::new("kill").args(["-TERM", &pid.to_string()]).status().await?;
        }
        tokio::time::timeout(START, self.child.wait()).await??;
        Ok(())
    }
}

async fn line_with(lines: &mut Lines<BufReader<ChildStdout>>, before: &str) -> Result<String> {
    while let Some(line) = lines.next_line().await? {
        if let Some((_, address)) = line.split_once(before) {
            return Ok(address.trim().to_owned());
        }
    }
    Err("the server ended before it listened".into())
}
