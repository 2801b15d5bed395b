//! A server that does not help: what its clients talk to is a socket without TCP_NODELAY and without quick acknowledgements.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    task::JoinHandle,
};

use crate::Result;

/// Forwards until it is dropped.
pub(crate) struct Forwarder {
    accepting: JoinHandle<()>,
    /// Where it listens.
    pub(crate) address: String,
}

impl Forwarder {
    /// To `server`, `host:port`.
    pub(crate) async fn to(server: &str) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?.to_string();
        let server = server.to_owned();
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let Ok(server) = TcpStream::connect(&server).await else {
                    continue;
                };
                // Only the side that the clients see stands for the server; the other passes on what it gets.
                let _ = server.set_nodelay(true);
                let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
                tokio::spawn(pass(from_client, to_server));
                tokio::spawn(pass(from_server, to_client));
            }
        });
        Ok(Self { accepting, address })
    }
}

impl Drop for Forwarder {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        if to.write_all(&buffer[..read]).await.is_err() {
            break;
        }
    }
    let _ = to.shutdown().await;
}
