//! A wire to the node that can be cut.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// Passes bytes on to the node while it is open.
pub(super) struct Forwarder {
    address: SocketAddr,
    wire: watch::Sender<Wire>,
    /// So many pieces have passed towards the node.
    passed: Arc<AtomicUsize>,
    /// So many connections were tried.
    tried: watch::Sender<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wire {
    /// All passes.
    Open,
    /// So many more pieces pass towards the node, then it is cut.
    Last(usize),
    /// Connections end, and new ones with them.
    Cut,
}

impl Forwarder {
    pub(super) async fn to(node: &str) -> Self {
        let node = node.trim_start_matches("http://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let wire = watch::Sender::new(Wire::Open);
        let passed = Arc::<AtomicUsize>::default();
        let tried = watch::Sender::new(0);
        tokio::spawn({
            let (wire, passed, tried) = (wire.clone(), Arc::clone(&passed), tried.clone());
            async move {
                while let Ok((client, _)) = listener.accept().await {
                    tried.send_modify(|tried| *tried += 1);
                    tokio::spawn(pass(client, node.clone(), wire.clone(), Arc::clone(&passed)));
                }
            }
        });
        Self {
            address,
            wire,
            passed,
            tried,
        }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(super) fn set(&self, wire: Wire) {
        self.passed.store(0, Ordering::SeqCst);
        self.wire.send_replace(wire);
    }

    /// Waits until somebody has tried to connect twice more.
    pub(super) async fn tried_twice(&self) {
        let before = *self.tried.borrow();
        self.tried
            .subscribe()
            .wait_for(|tried| *tried >= before + 2)
            .await
            .unwrap();
    }

    /// Waits until it is cut.
    pub(super) async fn cut(&self) {
        is_cut(&mut self.wire.subscribe()).await;
    }
}

/// One connection, until either side ends or the wire is cut.
async fn pass(mut client: TcpStream, node: String, wire: watch::Sender<Wire>, passed: Arc<AtomicUsize>) -> Option<()> {
    let mut state = wire.subscribe();
    let mut node = TcpStream::connect(node).await.ok()?;
    let (mut there, mut back) = ([0; 1 << 16], [0; 1 << 16]);
    loop {
        tokio::select! {
            biased;
            () = is_cut(&mut state) => return None,
            read = client.read(&mut there) => {
                let read = read.ok().filter(|read| *read > 0)?;
                let before = passed.fetch_add(1, Ordering::SeqCst);
                let last = *wire.borrow();
                if matches!(last, Wire::Last(pieces) if before >= pieces) {
                    wire.send_replace(Wire::Cut);
                    return None;
                }
                node.write_all(&there[..read]).await.ok()?;
            }
            read = node.read(&mut back) => {
                let read = read.ok().filter(|read| *read > 0)?;
                client.write_all(&back[..read]).await.ok()?;
            }
        }
    }
}

async fn is_cut(state: &mut watch::Receiver<Wire>) {
    state.wait_for(|wire| *wire == Wire::Cut).await.unwrap();
}
