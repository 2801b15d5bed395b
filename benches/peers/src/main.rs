//! The peers: `serve-umadb FOLDER` and `serve-restate` serve one, `umadb`, `postgres` and `postgres-workflow` drive one as
//! `jangteo-bench` drives our log.
//!
//! A driver prints one line: events a second, and the median and the 99th percentile of an append in microseconds.

use std::{env, error::Error, time::Duration};

#[path = "../../src/drive.rs"]
mod drive;
mod postgres;
mod restate;
mod umadb;

use drive::Throughput;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// After so many events a writer starts a new stream: an order's life.
const STREAM_EVENTS: u64 = 8;
const METADATA: &str = r#"{"schema_version":1,"occurred_at":"2026-11-21T06:51:34.120Z","correlation_id":"01936f5e-7c1a-7d30-8000-000000000000","actor":"system:bench"}"#;

/// What to drive, and how.
#[derive(Clone)]
struct Load {
    /// Where the server is.
    address: String,
    writers: usize,
    each: Duration,
    /// Of one event, data and metadata.
    event_bytes: usize,
    /// Whether each append says which version its stream must have.
    expecting: bool,
}

impl Load {
    fn data(&self) -> Vec<u8> {
        vec![b'x'; self.event_bytes.saturating_sub(METADATA.len())]
    }
}

fn new_stream() -> String {
    format!("order-{}", uuid::Uuid::now_v7())
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let measured = match arguments[..] {
        ["serve-umadb", folder] => return umadb::serve(folder).await,
        ["serve-restate"] => return restate::serve().await,
        ["umadb", address, writers, seconds, bytes] => {
            umadb::drive(load(address, writers, seconds, bytes, true)?).await?
        }
        ["umadb-any", address, writers, seconds, bytes] => {
            umadb::drive(load(address, writers, seconds, bytes, false)?).await?
        }
        ["postgres", address, writers, seconds, bytes] => {
            postgres::drive(load(address, writers, seconds, bytes, true)?, 1).await?
        }
        // A workflow by hand: its start and four steps are an insert each.
        ["postgres-workflow", address, writers, seconds, bytes] => {
            postgres::drive(load(address, writers, seconds, bytes, true)?, 5).await?
        }
        _ => {
            return Err(
                "usage: peers serve-umadb FOLDER | umadb|umadb-any|postgres ADDRESS WRITERS SECONDS BYTES".into(),
            );
        }
    };
    print(&measured);
    Ok(())
}

fn load(address: &str, writers: &str, seconds: &str, bytes: &str, expecting: bool) -> Result<Load> {
    Ok(Load {
        address: address.to_owned(),
        writers: writers.parse()?,
        each: Duration::from_secs_f64(seconds.parse()?),
        event_bytes: bytes.parse()?,
        expecting,
    })
}

fn print(measured: &Throughput) {
    println!(
        "{} {} {}",
        measured.per_second,
        measured.p50.as_micros(),
        measured.p99.as_micros()
    );
}
