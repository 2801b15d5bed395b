//! A NATS server for tests.

use std::{
    path::PathBuf,
    process::Stdio,
    sync::Arc,
    time::{Duration, Instant},
};

use domain::steps::Service;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
};
use uuid::Uuid;

use crate::{CommandHandler, Nats, NatsSettings, Worker, WorkerLimits};

/// How long anything that must happen may take on a slow, busy machine.
pub(super) const DEADLINE: Duration = Duration::from_secs(60);

const FURTHER: &str = "further.conf";

/// A server, and a prefix on it that is this test's own.
pub(super) struct Server {
    url: String,
    prefix: String,
    own: Option<Own>,
}

struct Own {
    child: Child,
    folder: TempDir,
}

impl Server {
    /// The one that `make test` started, or an own one. None where there can be none, which is said.
    pub(super) async fn any(test: &str) -> Option<Self> {
        match std::env::var("JANGTEO_TEST_NATS") {
            Ok(url) => Some(Self {
                url,
                prefix: fresh_prefix(),
                own: None,
            }),
            Err(_) => Self::own(test).await,
        }
    }

    /// One that this test may stop.
    pub(super) async fn own(test: &str) -> Option<Self> {
        Self::own_with(test, "").await
    }

    /// One with further settings of its own.
    pub(super) async fn own_with(test: &str, settings: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FURTHER), settings).unwrap();
        let (child, line) = launch(&folder, None).await;
        let Some(url) = line else {
            skipped(test, "no nats-server can be had here, see infra/local/nats.sh");
            return None;
        };
        Some(Self {
            url,
            prefix: fresh_prefix(),
            own: Some(Own { child, folder }),
        })
    }

    pub(super) fn settings(&self) -> NatsSettings {
        NatsSettings {
            url: self.url.clone(),
            prefix: self.prefix.clone(),
            credentials: None,
            trusted: None,
        }
    }

    pub(super) async fn connect(&self) -> Nats {
        Nats::connect(&self.settings()).await.unwrap()
    }

    /// A connection that goes another way.
    pub(super) async fn connect_through(&self, url: String) -> Nats {
        let settings = NatsSettings { url, ..self.settings() };
        Nats::connect(&settings).await.unwrap()
    }

    pub(super) fn address(&self) -> &str {
        self.url.trim_start_matches("nats://")
    }

    /// Stops it. What it has acknowledged stays in its folder.
    pub(super) async fn stop(&mut self) {
        let own = self.own.as_mut().unwrap();
        let pid = own.child.id().unwrap().to_string();
        Command::new("kill").args(["-TERM", &pid]).status().await.unwrap();
        own.child.wait().await.unwrap();
    }

    /// Starts it again, at the same address.
    pub(super) async fn start(&mut self) {
        let own = self.own.as_mut().unwrap();
        let port = self.url.rsplit(':').next().unwrap();
        let (child, line) = launch(&own.folder, Some(port)).await;
        assert_eq!(line.as_deref(), Some(&*self.url));
        own.child = child;
    }

    /// Leaves nothing behind.
    pub(super) async fn clear(mut self) {
        if self.own.is_some() {
            return self.stop().await;
        }
        let nats = self.connect().await;
        for stream in ["COMMANDS", "DEAD_COMMANDS", "EVENTS"] {
            // Some tests have not made all of them.
            let _ = nats.context().delete_stream(nats.stream_name(stream)).await;
        }
    }
}

async fn launch(folder: &TempDir, port: Option<&str>) -> (Child, Option<String>) {
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../infra/local/nats.sh");
    let mut child = Command::new(script)
        .arg(folder.path())
        .args(port)
        .env("JANGTEO_NATS_KEEP", "1")
        .env("JANGTEO_NATS_FURTHER", folder.path().join(FURTHER))
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

fn fresh_prefix() -> String {
    format!("test-{}", Uuid::now_v7().simple())
}

fn skipped(what: &str, why: &str) {
    let line = format!("{what}: {why}\n");
    print!("SKIPPED {line}");
    if let Some(file) = std::env::var_os("JANGTEO_SKIPPED") {
        use std::io::Write as _;
        let file = std::fs::OpenOptions::new().append(true).create(true).open(file);
        file.unwrap().write_all(line.as_bytes()).unwrap();
    }
}

/// Every service, answered by one handler.
pub(super) fn workers(nats: &Nats, handler: &Arc<impl CommandHandler>, limits: &WorkerLimits) -> Vec<Worker> {
    let start = |service| Worker::start(nats, service, Arc::clone(handler) as _, limits.clone());
    Service::ALL.into_iter().map(start).collect()
}

pub(super) async fn stop(workers: Vec<Worker>) {
    for worker in workers {
        worker.stop().await;
    }
}

/// Waits until the condition holds.
pub(super) async fn eventually(what: &str, condition: impl AsyncFn() -> bool) {
    let began = Instant::now();
    while !condition().await {
        assert!(began.elapsed() < DEADLINE, "never happened: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
