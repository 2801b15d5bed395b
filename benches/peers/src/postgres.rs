//! PostgreSQL: one insert an append; the stream and its version are the key, so that a second one with the same is refused.

use std::sync::Arc;

use tokio_postgres::{Client, NoTls, Statement};

use crate::{Load, METADATA, Result, STREAM_EVENTS, Throughput, drive, new_stream};

const TABLE: &str = "CREATE TABLE IF NOT EXISTS events (
    position bigserial,
    stream text NOT NULL,
    version bigint NOT NULL,
    id uuid NOT NULL,
    type text NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    metadata bytea NOT NULL,
    data bytea NOT NULL,
    PRIMARY KEY (stream, version)
)";
const INSERT: &str = "INSERT INTO events (stream, version, id, type, metadata, data)
    VALUES ($1, $2, $3::text::uuid, 'OrderPlaced', $4, $5) RETURNING position";

async fn connect(address: &str) -> Result<Client> {
    let (client, connection) = tokio_postgres::connect(address, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// Drives it with a connection for each writer: one connection runs one statement at a time. What is counted is `inserts` in
/// a row, each committed before the next begins.
pub(crate) async fn drive(load: Load, inserts: u64) -> Result<Throughput> {
    connect(&load.address).await?.execute(TABLE, &[]).await?;
    let mut connections: Vec<(Arc<Client>, Statement)> = Vec::new();
    for _ in 0..load.writers {
        let client = connect(&load.address).await?;
        let insert = client.prepare(INSERT).await?;
        connections.push((Arc::new(client), insert));
    }
    let data = load.data();
    Ok(drive::drive(load.writers, load.each, |writer| {
        let (client, insert) = connections[writer].clone();
        let data = data.clone();
        let mut stream = new_stream();
        move |count| {
            // One insert a piece: streams of an order's length. A workflow: a stream of its own.
            let first = if inserts == 1 {
                (count % STREAM_EVENTS) as i64
            } else {
                0
            };
            if first == 0 {
                stream = new_stream();
            }
            let (client, insert, stream, data) = (Arc::clone(&client), insert.clone(), stream.clone(), data.clone());
            async move {
                for version in first..first + inserts as i64 {
                    let id = uuid::Uuid::now_v7().to_string();
                    let values: [&(dyn tokio_postgres::types::ToSql + Sync); 5] =
                        [&stream, &version, &id, &METADATA.as_bytes(), &data];
                    client
                        .query_one(&insert, &values)
                        .await
                        .map_err(std::io::Error::other)?;
                }
                Ok::<_, std::io::Error>(())
            }
        }
    })
    .await?)
}
