//! A shop in five processes.

use std::{collections::BTreeMap, path::Path};

use crate::shop::Shop;

/// In the order of their start.
pub(super) const ROLES: [&str; 5] = ["log", "command", "query", "saga", "projection"];

/// A shop whose roles have processes of their own, each with a folder and a port that it keeps over restarts.
pub(super) struct Five<'a> {
    data: &'a Path,
    running: BTreeMap<&'static str, Shop>,
    ports: BTreeMap<&'static str, String>,
    /// How the others reach the log.
    log: String,
    /// Where NATS is, and the prefix there; without it commands go over HTTP.
    nats: Option<(String, String)>,
}

impl<'a> Five<'a> {
    pub(super) async fn start(data: &'a Path) -> Self {
        Self::start_with(data, None).await
    }

    pub(super) async fn start_over_nats(data: &'a Path, url: &str, prefix: &str) -> Self {
        Self::start_with(data, Some((url.to_owned(), prefix.to_owned()))).await
    }

    async fn start_with(data: &'a Path, nats: Option<(String, String)>) -> Self {
        let mut five = Self {
            data,
            running: BTreeMap::new(),
            ports: BTreeMap::new(),
            log: String::new(),
            nats,
        };
        for role in ROLES {
            five.launch(role).await;
        }
        five
    }

    async fn launch(&mut self, role: &'static str) {
        let address = |role: &str| {
            self.ports
                .get(role)
                .cloned()
                .unwrap_or_else(|| "127.0.0.1:0".to_owned())
        };
        let folder = |role: &str| self.data.join(role).to_str().unwrap().to_owned();
        let mut arguments = vec!["serve", "--role", role]
            .into_iter()
            .map(str::to_owned)
            .collect::<Vec<_>>();
        arguments.extend(["--data".to_owned(), folder(role), "--keys".to_owned(), folder("keys")]);
        arguments.extend(["--listen".to_owned(), address(role)]);
        match role {
            "log" => arguments.extend(["--log-listen".to_owned(), address("wire")]),
            _ => arguments.extend(["--log".to_owned(), self.log.clone()]),
        }
        if let Some((url, prefix)) = self.nats.as_ref().filter(|_| role != "log") {
            let nats = ["--nats", url, "--nats-prefix", prefix];
            arguments.extend(nats.map(str::to_owned));
        }
        match role {
            "saga" if self.nats.is_some() => {}
            "saga" => arguments.extend(["--command-url".to_owned(), format!("http://{}", address("command"))]),
            "projection" => arguments.extend(["--query-url".to_owned(), format!("http://{}", address("query"))]),
            _ => {}
        }
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let process = Shop::launch(&arguments).await;
        let port = process.address.strip_prefix("http://").unwrap().to_owned();
        self.ports.insert(role, port);
        if role == "log" {
            let offered = std::fs::read_to_string(self.data.join("log/log-address")).unwrap();
            let offered = offered.trim().to_owned();
            let wire = offered
                .strip_prefix("esdb://")
                .unwrap()
                .split('?')
                .next()
                .unwrap()
                .to_owned();
            self.ports.insert("wire", wire);
            self.log = offered;
        }
        self.running.insert(role, process);
    }

    /// SIGKILL, and a new process on the same folder and port.
    pub(super) async fn kill_and_restart(&mut self, role: &'static str) {
        self.running.remove(role).unwrap().kill().await;
        self.launch(role).await;
    }

    pub(super) fn commands(&self) -> &Shop {
        &self.running["command"]
    }

    pub(super) fn queries(&self) -> &Shop {
        &self.running["query"]
    }

    pub(super) async fn stop(mut self) {
        for role in ROLES.iter().rev() {
            self.running.remove(role).unwrap().stop().await;
        }
    }
}
