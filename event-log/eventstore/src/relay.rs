//! The relay: what the client connects to, inside this process.
//!
//! It carries bytes and does not look at them. So calls, keep-alive pings and flow control are the client's and the node's own: a reader that
//! does not read makes the node wait, and at most [`PIECE`] bytes in each direction are held here.

mod gossip;
mod nodes;
mod socket;
mod tls;

use std::{io, net::Ipv4Addr, sync::Arc, time::Duration};

use tokio::{
    io::copy_bidirectional_with_sizes,
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
};
use tokio_rustls::TlsAcceptor;

use self::{
    nodes::{Nodes, Wire},
    socket::PromptSocket,
};
use crate::address::{Address, ConnectError, Node};

/// How much is read at once.
const PIECE: usize = 64 * 1024;
/// After the machine ran out of sockets.
const BREATH: Duration = Duration::from_millis(50);
/// How long our own client may take for its handshake.
const HANDSHAKE: Duration = Duration::from_secs(3);

/// Serves until it is dropped.
pub(crate) struct Relay {
    port: u16,
    nodes: Arc<Nodes>,
    task: JoinHandle<()>,
}

impl Relay {
    pub(crate) async fn start(address: &Address) -> Result<Self, ConnectError> {
        let nodes = Arc::new(Nodes::new(address)?);
        let acceptor = nodes.secure().then(tls::acceptor).transpose()?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        let task = tokio::spawn(serve(listener, acceptor, Arc::clone(&nodes)));
        Ok(Self { port, nodes, task })
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Connections go to this node from now on; those to another end.
    pub(crate) fn lead(&self, node: Node) {
        self.nodes.lead(node);
    }

    /// Why no node could be reached the last time.
    pub(crate) fn trouble(&self) -> Option<String> {
        self.nodes.trouble()
    }

    /// No more connections; those that are there end.
    pub(crate) fn stop(&self) {
        self.task.abort();
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.stop();
    }
}

async fn serve(listener: TcpListener, acceptor: Option<TlsAcceptor>, nodes: Arc<Nodes>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((client, _)) => {
                    connections.spawn(carry(client, acceptor.clone(), Arc::clone(&nodes)));
                }
                Err(error) => {
                    tracing::warn!(%error, "the event log's relay cannot accept a connection");
                    tokio::time::sleep(BREATH).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// One connection of the client's, until one of the two sides ends it or another node leads.
async fn carry(client: TcpStream, acceptor: Option<TlsAcceptor>, nodes: Arc<Nodes>) {
    let mut moved = nodes.moved();
    let (client, node) = tokio::join!(welcome(client, acceptor), nodes.dial());
    // Dialling may have found the leader; that is no move.
    moved.borrow_and_update();
    // What kept us from the node is remembered there; the client sees its connection end.
    let (Ok(mut client), Ok(mut node)) = (client, node) else {
        return;
    };
    tokio::select! {
        carried = copy_bidirectional_with_sizes(&mut client, &mut node, PIECE, PIECE) => match carried {
            Ok((there, back)) => tracing::trace!(there, back, "a connection to the event log ended"),
            Err(error) => tracing::debug!(%error, "a connection to the event log broke"),
        },
        _ = moved.changed() => {}
    }
}

async fn welcome(client: TcpStream, acceptor: Option<TlsAcceptor>) -> io::Result<Box<dyn Wire>> {
    let client = PromptSocket::new(client)?;
    let Some(acceptor) = acceptor else {
        return Ok(Box::new(client));
    };
    let wire = tokio::time::timeout(HANDSHAKE, acceptor.accept(client)).await??;
    Ok(Box::new(wire))
}
