//! Something between the adapter and its server that behaves as networks do.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::JoinSet,
};

/// Carries bytes between whoever connects and one server. To who connects it is a server that sets no socket option: it acknowledges late, and
/// holds small pieces back.
pub(super) struct Middleman {
    pub(super) address: SocketAddr,
    carried: Arc<Carried>,
    task: tokio::task::JoinHandle<()>,
}

#[derive(Default)]
struct Carried {
    connections: AtomicU64,
    /// Bytes from the server.
    back: AtomicU64,
    /// Connections up to this one are half open: nothing goes either way, and nobody is told.
    frozen: watch::Sender<u64>,
}

impl Middleman {
    pub(super) async fn before(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let carried = Arc::new(Carried::default());
        let shared = Arc::clone(&carried);
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let number = shared.connections.fetch_add(1, Ordering::SeqCst) + 1;
                connections.spawn(carry(client, server, number, Arc::clone(&shared)));
            }
        });
        Self { address, carried, task }
    }

    /// How often somebody connected.
    pub(super) fn connections(&self) -> u64 {
        self.carried.connections.load(Ordering::SeqCst)
    }

    /// How many bytes the server sent.
    pub(super) fn back(&self) -> u64 {
        self.carried.back.load(Ordering::SeqCst)
    }

    /// Nothing goes over the connections of now any more.
    pub(super) fn freeze(&self) {
        self.carried.frozen.send_replace(self.connections());
    }
}

impl Drop for Middleman {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn carry(client: TcpStream, server: SocketAddr, number: u64, carried: Arc<Carried>) {
    let Ok(server) = TcpStream::connect(server).await else {
        return;
    };
    // The way from here to the server is no part of what is looked at.
    server.set_nodelay(true).unwrap();
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    tokio::join!(
        one_way(from_client, to_server, number, &carried, false),
        one_way(from_server, to_client, number, &carried, true)
    );
}

async fn one_way(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, number: u64, carried: &Carried, back: bool) {
    let mut piece = vec![0; 16 * 1024];
    let mut frozen = carried.frozen.subscribe();
    loop {
        let read = tokio::select! {
            read = from.read(&mut piece) => read,
            () = frozen_up_to(&mut frozen, number) => {
                // Half open for ever: the sockets stay.
                return std::future::pending().await;
            }
        };
        let Ok(length @ 1..) = read else { return };
        if back {
            carried.back.fetch_add(length as u64, Ordering::SeqCst);
        }
        if to.write_all(&piece[..length]).await.is_err() {
            return;
        }
    }
}

async fn frozen_up_to(frozen: &mut watch::Receiver<u64>, number: u64) {
    if frozen.wait_for(|frozen| *frozen >= number).await.is_err() {
        std::future::pending().await
    }
}
