//! A NATS server of a test's own, to be stopped and started.

use std::{path::PathBuf, process::Stdio};

use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
};

use crate::shop::{DEADLINE, skipped};

pub(super) struct NatsServer {
    child: Child,
    folder: TempDir,
    /// `nats://127.0.0.1:<port>`, the same after a restart.
    pub(super) url: String,
}

impl NatsServer {
    /// None where none can be had, which is said.
    pub(super) async fn start(test: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let (child, url) = launch(&folder, None).await;
        let Some(url) = url else {
            skipped(test, "no nats-server can be had here, see infra/local/nats.sh");
            return None;
        };
        Some(Self { child, folder, url })
    }

    pub(super) fn port(&self) -> u16 {
        self.url.rsplit(':').next().unwrap().parse().unwrap()
    }

    /// Stops it; what it has acknowledged stays in its folder.
    pub(super) async fn stop(&mut self) {
        let pid = self.child.id().unwrap().to_string();
        Command::new("kill").args(["-TERM", &pid]).status().await.unwrap();
        self.child.wait().await.unwrap();
    }

    /// Starts it again, at the same address.
    pub(super) async fn start_again(&mut self) {
        let port = self.url.rsplit(':').next().unwrap();
        let (child, url) = launch(&self.folder, Some(port)).await;
        assert_eq!(url.as_deref(), Some(&*self.url));
        self.child = child;
    }
}

async fn launch(folder: &TempDir, port: Option<&str>) -> (Child, Option<String>) {
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../infra/local/nats.sh");
    let mut child = Command::new(script)
        .arg(folder.path())
        .args(port)
        .env("JANGTEO_NATS_KEEP", "1")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    // The first time it is built, which takes minutes.
    let line = tokio::time::timeout(DEADLINE * 10, lines.next_line()).await;
    (child, line.expect("nats.sh neither started nor gave up").unwrap())
}
