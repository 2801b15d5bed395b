//! UmaDB: an append with a condition on the stream's tag is its way to expect a version.

use std::{path::Path, sync::Arc};

use tokio::sync::oneshot;
use umadb_client::{AsyncUmaDbClient, UmaDbClient};
use umadb_dcb::{DcbAppendCondition, DcbError, DcbEvent, DcbEventStoreAsync, DcbQuery, DcbQueryItem};
use umadb_server::{ServerOptions, StorageOptions};

use crate::{Load, METADATA, Result, STREAM_EVENTS, Throughput, drive, new_stream};

/// Serves a new database in a folder until SIGTERM, with the defaults of its own command line, and prints its address.
pub(crate) async fn serve(folder: &str) -> Result<()> {
    // It cannot bind port 0 and tell: a port that was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let listen_addr = format!("127.0.0.1:{port}");
    let options = ServerOptions {
        listen_addr: listen_addr.clone(),
        tls: None,
        api_key: None,
        storage: StorageOptions::default().db_path(Path::new(folder).join("uma.db")),
    };
    let (stop, stopped) = oneshot::channel();
    tokio::spawn(async move {
        while tokio::net::TcpStream::connect(&listen_addr).await.is_err() {
            tokio::task::yield_now().await;
        }
        println!("listening on http://{listen_addr}");
        let mut term = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).ok();
        match &mut term {
            Some(term) => term.recv().await,
            None => std::future::pending().await,
        };
        let _ = stop.send(());
    });
    umadb_server::start_server_with_options(options, stopped)
        .await
        .map_err(|error| error.to_string().into())
}

/// One writer: its stream, and where that stream's last event stands.
#[derive(Default)]
struct Writer {
    stream: String,
    last: Option<u64>,
}

/// Drives it over one connection, as our clients do.
pub(crate) async fn drive(load: Load) -> Result<Throughput> {
    let client = Arc::new(UmaDbClient::new(load.address.clone()).connect_async().await?);
    let data = load.data();
    Ok(drive::drive(load.writers, load.each, |_| {
        let client = Arc::clone(&client);
        let (data, expecting) = (data.clone(), load.expecting);
        let writer = Arc::new(tokio::sync::Mutex::new(Writer::default()));
        move |count| {
            let (client, writer, data) = (Arc::clone(&client), Arc::clone(&writer), data.clone());
            async move {
                let mut writer = writer.lock().await;
                if count.is_multiple_of(STREAM_EVENTS) {
                    *writer = Writer {
                        stream: new_stream(),
                        last: None,
                    };
                }
                let at = append(&client, &writer, data, expecting)
                    .await
                    .map_err(std::io::Error::other)?;
                writer.last = Some(at);
                Ok::<_, std::io::Error>(())
            }
        }
    })
    .await?)
}

async fn append(
    client: &AsyncUmaDbClient,
    writer: &Writer,
    data: Vec<u8>,
    expecting: bool,
) -> std::result::Result<u64, DcbError> {
    let tag = writer.stream.as_str();
    let condition = expecting.then(|| {
        let others = DcbQuery::new().item(DcbQueryItem::new().tags([tag]));
        DcbAppendCondition::new(others).after(writer.last)
    });
    let event = DcbEvent::new()
        .event_type("OrderPlaced")
        .tags([tag])
        .data(data)
        .uuid(uuid::Uuid::now_v7())
        .metadata_entry("metadata", METADATA);
    client.append(vec![event], condition, None).await
}
