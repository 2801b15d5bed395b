//! Clients that nobody here wrote, against the event log served alone: the official Rust crate's own integration tests,
//! the official Node client and the Python client.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Instant,
};

use tokio::process::{Child, Command};

use crate::shop::{DEADLINE, binary, skipped};

/// How the log is served.
#[derive(Clone, Copy, Debug)]
enum Wire {
    /// Plaintext on loopback, by explicit choice.
    Insecure,
    /// TLS with a certificate of its own, and the operator's credentials.
    Tls,
}

/// `jangteo serve --role log` on a folder of its own. Dropping it kills it.
struct ServedLog {
    _child: Child,
    data: tempfile::TempDir,
    wire: Wire,
    /// `esdb://127.0.0.1:<port>?…`, without credentials.
    address: String,
}

impl ServedLog {
    /// Starts it and waits until it has written its address down.
    async fn start(wire: Wire) -> Self {
        let data = tempfile::tempdir().unwrap();
        let mut command = Command::new(binary());
        command
            .args(["serve", "--role", "log", "--listen", "127.0.0.1:0"])
            .args(["--log-listen", "127.0.0.1:0", "--data"])
            .arg(data.path());
        if let Wire::Insecure = wire {
            command.arg("--log-insecure");
        }
        let mut child = command.stdout(Stdio::null()).kill_on_drop(true).spawn().unwrap();
        let began = Instant::now();
        let address = loop {
            if let Ok(address) = std::fs::read_to_string(data.path().join("log-address")) {
                let (_, rest) = address.split_once("://").unwrap_or_default();
                let (host_and_port, _) = rest.split_once('?').unwrap_or_default();
                if tokio::net::TcpStream::connect(host_and_port).await.is_ok() {
                    break address.trim().to_owned();
                }
            }
            assert!(child.try_wait().unwrap().is_none(), "the log ended before it listened");
            assert!(began.elapsed() < DEADLINE, "the log never listened");
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        };
        Self {
            _child: child,
            data,
            wire,
            address,
        }
    }

    fn connection_string(&self) -> String {
        match self.wire {
            Wire::Insecure => self.address.clone(),
            Wire::Tls => {
                let token = std::fs::read_to_string(self.data.path().join("operator-token")).unwrap();
                let login = format!("esdb://operator:{}@", token.trim());
                self.address.replacen("esdb://", &login, 1)
            }
        }
    }

    /// The official Rust client.
    fn rust_client(&self) -> eventstore::Client {
        let settings = format!("{}&discoveryInterval=1&defaultDeadline=60000", self.connection_string());
        eventstore::Client::new(settings.parse().unwrap()).unwrap()
    }
}

/// What a script of `infra/local` prints, or why it cannot be had on this machine.
async fn provisioned(script: &str) -> Result<String, String> {
    let output = Command::new(root().join("infra/local").join(script)).output();
    let output = tokio::time::timeout(DEADLINE * 4, output)
        .await
        .expect("the installation never ended")
        .unwrap();
    let (out, error) = (
        String::from_utf8_lossy(&output.stdout).trim().to_owned(),
        String::from_utf8_lossy(&output.stderr).trim().to_owned(),
    );
    match output.status.code() {
        Some(0) => Ok(out),
        Some(69) => Err(error.lines().last().unwrap_or("no reason given").to_owned()),
        _ => panic!("{script} failed: {error}"),
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// Runs a client's script to its end, which must be a good one.
async fn passes(mut command: Command, script: &str, log: &ServedLog) {
    command
        .arg(root().join("tests/clients").join(script))
        .env("JANGTEO_LOG", log.connection_string())
        .kill_on_drop(true);
    let output = tokio::time::timeout(DEADLINE * 4, command.output())
        .await
        .unwrap_or_else(|_| panic!("{script} never ended"))
        .unwrap();
    let (out, error) = (
        String::from_utf8_lossy(&output.stdout).into_owned(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    );
    println!("{script}, {:?}:\n{out}", log.wire);
    assert!(output.status.success(), "{script}, {:?}:\n{out}\n{error}", log.wire);
    assert!(out.ends_with("all steps passed\n"), "{script} stopped early:\n{out}");
}

#[tokio::test]
async fn the_official_node_client() {
    let folder = match provisioned("node-client.sh").await {
        Ok(folder) => folder,
        Err(why) => return skipped("the event log with the official Node client", &why),
    };
    for wire in [Wire::Insecure, Wire::Tls] {
        let log = ServedLog::start(wire).await;
        let mut node = Command::new("node");
        node.env("JANGTEO_NODE_CLIENT", &folder);
        passes(node, "node/shop-log.mjs", &log).await;
    }
}

#[tokio::test]
async fn the_python_client() {
    let python = match provisioned("python-client.sh").await {
        Ok(python) => python,
        Err(why) => return skipped("the event log with the Python client", &why),
    };
    for wire in [Wire::Insecure, Wire::Tls] {
        let log = ServedLog::start(wire).await;
        passes(Command::new(&python), "python/shop_log.py", &log).await;
    }
}

/// The tests that the Rust crate's authors run against a container, as they lie in its package.
async fn the_rust_crates_own_tests(wire: Wire) {
    let log = ServedLog::start(wire).await;
    let streams = crate::streams::tests(log.rust_client());
    tokio::time::timeout(DEADLINE * 2, streams)
        .await
        .expect("the crate's tests of streams never ended")
        .unwrap();
    let subscriptions = crate::persistent_subscriptions::tests(log.rust_client());
    tokio::time::timeout(DEADLINE * 2, subscriptions)
        .await
        .expect("the crate's tests of persistent subscriptions never ended")
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rust_crates_own_tests_in_plaintext() {
    the_rust_crates_own_tests(Wire::Insecure).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rust_crates_own_tests_over_tls() {
    the_rust_crates_own_tests(Wire::Tls).await;
}
