//! The shop under measurement: the real binary, in a process of its own.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use crate::{Result, client::Connection};

/// A running shop; dropping it kills it.
pub(crate) struct Shop {
    child: Child,
    /// `127.0.0.1:<port>`
    pub(crate) authority: String,
    pub(crate) pid: u32,
    /// From the start of the process until it listened.
    pub(crate) ready_in: std::time::Duration,
}

/// The binary under measurement, beside this one.
pub(crate) fn binary() -> Result<PathBuf> {
    let binary = std::env::current_exe()?.with_file_name("jangteo");
    if binary.exists() {
        Ok(binary)
    } else {
        Err(format!("{} is missing: make bench builds it", binary.display()).into())
    }
}

impl Shop {
    /// Starts the shop with the demo catalogue and a fast carrier.
    pub(crate) async fn start(data: &Path) -> Result<Self> {
        Self::start_with(data, &[]).await
    }

    /// As [`Self::start`], with further flags.
    pub(crate) async fn start_with(data: &Path, flags: &[&str]) -> Result<Self> {
        let began = std::time::Instant::now();
        let mut child = Command::new(binary()?)
            .args([
                "up",
                "--demo",
                "--listen",
                "127.0.0.1:0",
                "--carrier-speed",
                "1",
                "--data",
            ])
            .arg(data)
            .args(flags)
            .env("RUST_LOG", "warn")
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let pid = child.id().unwrap_or_default();
        let out = child.stdout.take().ok_or("no standard output")?;
        let mut lines = BufReader::new(out).lines();
        while let Some(line) = lines.next_line().await? {
            if let Some((_, authority)) = line.split_once("listening on http://") {
                let authority = authority.trim().to_owned();
                tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
                return Ok(Self {
                    child,
                    authority,
                    pid,
                    ready_in: began.elapsed(),
                });
            }
        }
        Err("the shop ended before it listened".into())
    }

    /// Asks it to stop and waits.
    pub(crate) async fn stop(mut self) -> Result<()> {
        Command::new("kill")
            .args(["-TERM", &self.pid.to_string()])
            .status()
            .await?;
        self.child.wait().await?;
        Ok(())
    }

    pub(crate) async fn connect(&self) -> Result<Connection> {
        Connection::open(&self.authority).await
    }

    /// Signs in a demo account and returns its bearer token.
    pub(crate) async fn sign_in(&self, role: &str) -> Result<String> {
        let body = json!({"email": format!("{role}@demo.example"), "password": "jangteo-demo"});
        let answer = self
            .connect()
            .await?
            .json("POST", "/api/v1/sessions", None, &body)
            .await?;
        answer["access_token"]
            .as_str()
            .map(str::to_owned)
            .ok_or_else(|| format!("cannot sign in: {answer}").into())
    }

    /// Lists products with plenty of stock and returns their ids.
    pub(crate) async fn stocked_products(&self, count: usize) -> Result<Vec<String>> {
        self.limited_products(count, 1_000_000).await
    }

    /// Lists products with so many pieces of each and returns their ids.
    pub(crate) async fn limited_products(&self, count: usize, pieces: u64) -> Result<Vec<String>> {
        let token = self.sign_in("seller").await?;
        let mut connection = self.connect().await?;
        let mut ids = Vec::new();
        for number in 0..count {
            let product = json!({"title": format!("Bench jar {number}"), "description": "", "brand": "Bench",
                "category": "Bench", "attributes": {}, "price": {"amount": 1_000, "currency": "KRW"}});
            let listed = connection
                .json("POST", "/api/v1/products", Some(&token), &product)
                .await?;
            let id = listed["id"]
                .as_str()
                .ok_or_else(|| format!("not listed: {listed}"))?
                .to_owned();
            let path = format!("/api/v1/products/{id}/stock-receipts");
            connection
                .json("POST", &path, Some(&token), &json!({ "quantity": pieces }))
                .await?;
            ids.push(id);
        }
        Ok(ids)
    }
}

/// Runs a command of the binary to its end and returns its last line of JSON.
pub(crate) async fn command(arguments: &[&str]) -> Result<Value> {
    let output = Command::new(binary()?).args(arguments).output().await?;
    if !output.status.success() {
        return Err(format!("jangteo {arguments:?}: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    let text = String::from_utf8(output.stdout)?;
    let last = text.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("null");
    Ok(serde_json::from_str(last)?)
}
