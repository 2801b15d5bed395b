//! interim, not committed: drive ADDRESS WRITERS SECONDS SERVER_PID
use bytes::Bytes;
use event_log::{Append, EventLog, ExpectedVersion};
use event_schemas::{Category, ContentType, NewEvent};
use eventstore_log::{EventStoreLog, Settings};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use uuid::Uuid;
fn cpu(pid: &str) -> f64 {
    let s = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let f: Vec<&str> = s.rsplit(')').next().unwrap().split_whitespace().collect();
    (f[11].parse::<f64>().unwrap() + f[12].parse::<f64>().unwrap()) / 100.0
}
#[tokio::main]
async fn main() {
    let a: Vec<String> = std::env::args().collect();
    let log: Arc<dyn EventLog> = EventStoreLog::connect(&format!("esdb://{}?tls=false", a[1]), Settings::default())
        .await
        .unwrap();
    let writers: usize = a[2].parse().unwrap();
    let each = Duration::from_secs(a[3].parse().unwrap());
    let (c0, s0) = (cpu("self"), cpu(&a[4]));
    let began = Instant::now();
    let mut tasks = vec![];
    for _ in 0..writers {
        let log = log.clone();
        tasks.push(tokio::spawn(async move {
            let data = Bytes::from(format!(r#"{{"note":"{}"}}"#, "x".repeat(440)));
            let mut n = 0u64;
            let mut stream = Category::Order.stream(Uuid::now_v7());
            while began.elapsed() < each {
                let v = n % 8;
                if v == 0 { stream = Category::Order.stream(Uuid::now_v7()); }
                log.append(Append { stream: stream.clone(), expected: v.checked_sub(1).map_or(ExpectedVersion::None, ExpectedVersion::Exact),
                    events: vec![NewEvent { id: Uuid::now_v7(), event_type: "OrderPlaced".into(), content: ContentType::Json, metadata: Bytes::from_static(b"{\"schema_version\":1,\"occurred_at\":\"2026-11-21T06:51:34.120Z\",\"correlation_id\":\"01936f5e-7c1a-7d30-8000-000000000000\",\"actor\":\"system:bench\"}"), data: data.clone() }] }).await.unwrap();
                n += 1;
            }
            n
        }));
    }
    let mut n = 0;
    for t in tasks {
        n += t.await.unwrap();
    }
    let s = began.elapsed().as_secs_f64();
    let (c, sv) = (cpu("self") - c0, cpu(&a[4]) - s0);
    println!(
        "{:.0}/s client {:.1} us/append, server {:.1} us/append",
        n as f64 / s,
        c * 1e6 / n as f64,
        sv * 1e6 / n as f64
    );
}
