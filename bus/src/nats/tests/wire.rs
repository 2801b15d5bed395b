//! A wire to the server that can be slow, and cut.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::watch,
    time::sleep,
};

/// Passes bytes on, each piece after a while.
pub(super) struct SlowWire {
    address: SocketAddr,
    /// Counts the cuts: whoever was connected before is cut off.
    cuts: watch::Sender<u32>,
}

impl SlowWire {
    pub(super) async fn to(server: &str, delay: Duration) -> Self {
        let server = server.to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let cuts = watch::Sender::new(0);
        let cutting = cuts.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass(client, server.clone(), delay, cutting.subscribe()));
            }
        });
        Self { address, cuts }
    }

    pub(super) fn url(&self) -> String {
        format!("nats://{}", self.address)
    }

    /// Ends all connections. New ones may be made.
    pub(super) fn cut(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
    }
}

/// One connection, until either side ends or it is cut.
async fn pass(mut client: TcpStream, server: String, delay: Duration, mut cuts: watch::Receiver<u32>) -> Option<()> {
    cuts.mark_unchanged();
    let mut server = TcpStream::connect(server).await.ok()?;
    let (mut there, mut back) = ([0; 1 << 16], [0; 1 << 16]);
    loop {
        tokio::select! {
            biased;
            _ = cuts.changed() => return None,
            read = client.read(&mut there) => {
                let read = read.ok().filter(|read| *read > 0)?;
                sleep(delay).await;
                server.write_all(&there[..read]).await.ok()?;
            }
            read = server.read(&mut back) => {
                let read = read.ok().filter(|read| *read > 0)?;
                sleep(delay).await;
                client.write_all(&back[..read]).await.ok()?;
            }
        }
    }
}
