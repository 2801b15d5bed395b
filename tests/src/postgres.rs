//! A PostgreSQL server for tests: the one that `make test` started, or one of a test's own that is stopped and started.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    process::{Child, Command},
    sync::watch,
    task::JoinHandle,
};

use crate::shop::{DEADLINE, skipped};

/// Schemas of this test's own on the server that `make test` started: a prefix that nobody else has. The server's data goes
/// with the run.
pub(crate) struct Schemas {
    url: String,
    prefix: String,
}

impl Schemas {
    pub(crate) fn new(test: &str) -> Option<Self> {
        let Ok(url) = std::env::var("JANGTEO_TEST_POSTGRES") else {
            skipped(test, "JANGTEO_TEST_POSTGRES names no PostgreSQL server");
            return None;
        };
        let prefix = format!("test_{}", uuid::Uuid::now_v7().simple());
        Some(Self { url, prefix })
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    pub(crate) fn arguments(&self) -> [&str; 4] {
        ["--database", &self.url, "--database-prefix", &self.prefix]
    }
}

/// A server of this test's own, on a port that it keeps.
pub(crate) struct OwnServer {
    script: Child,
    pub(crate) port: u16,
    _folder: tempfile::TempDir,
}

impl OwnServer {
    /// None where PostgreSQL cannot be had.
    pub(crate) async fn start() -> Option<Self> {
        let folder = tempfile::Builder::new()
            .permissions(world_may_enter())
            .tempdir()
            .unwrap();
        let mut script = Command::new(script())
            .arg(folder.path().join("server"))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(script.stdout.take().unwrap()).lines();
        let said = tokio::time::timeout(DEADLINE, lines.next_line()).await;
        let line = said.expect("PostgreSQL never started").unwrap()?;
        let port = line.split_whitespace().find_map(|word| word.strip_prefix("port="))?;
        Some(Self {
            script,
            port: port.parse().unwrap(),
            _folder: folder,
        })
    }

    /// Down, as a crash would: what is committed is on the disk, and nobody is told.
    pub(crate) async fn crash(&self) {
        self.signal("-USR1").await;
        self.until(false).await;
    }

    /// Up again, on the same port.
    pub(crate) async fn restart(&self) {
        self.signal("-USR2").await;
        self.until(true).await;
    }

    /// Down for good; its folder goes.
    pub(crate) async fn end(mut self) {
        self.signal("-TERM").await;
        let ended = tokio::time::timeout(DEADLINE, self.script.wait()).await;
        ended.expect("PostgreSQL never ended").unwrap();
    }

    async fn signal(&self, signal: &str) {
        let pid = self.script.id().unwrap().to_string();
        Command::new("kill").args([signal, &pid]).status().await.unwrap();
    }

    async fn until(&self, up: bool) {
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).await.is_ok() != up {
            assert!(began.elapsed() < DEADLINE, "PostgreSQL never became up: {up}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../infra/local/postgres.sh")
}

/// PostgreSQL's own user must be able to walk down to its folder.
fn world_may_enter() -> std::fs::Permissions {
    std::os::unix::fs::PermissionsExt::from_mode(0o711)
}

/// A way to a server that can be made slow, and cut.
pub(crate) struct SlowWay {
    accepting: JoinHandle<()>,
    delay: watch::Sender<Duration>,
    /// Counts the cuts: whoever was connected before is cut off.
    cuts: watch::Sender<u32>,
    pub(crate) port: u16,
}

impl SlowWay {
    pub(crate) async fn to(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (delay, delayed) = watch::channel(Duration::ZERO);
        let (cuts, cut) = watch::channel(0);
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let Ok(server) = TcpStream::connect(("127.0.0.1", server)).await else {
                    continue;
                };
                let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
                tokio::spawn(pass(from_client, to_server, delayed.clone(), until_cut(&cut)));
                tokio::spawn(pass(from_server, to_client, delayed.clone(), until_cut(&cut)));
            }
        });
        Self {
            accepting,
            delay,
            cuts,
            port,
        }
    }

    /// Every piece of what is said, in both directions, takes this long from now on.
    pub(crate) fn takes(&self, delay: Duration) {
        self.delay.send_replace(delay);
    }

    /// Ends all connections in the middle of what is said. New ones may be made.
    pub(crate) fn cut(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
    }
}

impl Drop for SlowWay {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Ends at the next cut, or when the way is no more.
fn until_cut(cuts: &watch::Receiver<u32>) -> impl Future<Output = ()> + use<> {
    let mut cuts = cuts.clone();
    cuts.mark_unchanged();
    async move {
        let _ = cuts.changed().await;
    }
}

async fn pass(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    delay: watch::Receiver<Duration>,
    cut: impl Future<Output = ()>,
) {
    let talk = async {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(read @ 1..) = from.read(&mut buffer).await {
            let late = *delay.borrow();
            tokio::time::sleep(late).await;
            if to.write_all(&buffer[..read]).await.is_err() {
                break;
            }
        }
        let _ = to.shutdown().await;
    };
    tokio::select! {
        () = talk => {}
        () = cut => {}
    }
}
