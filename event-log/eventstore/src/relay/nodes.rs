//! The server's nodes: which one takes appends, and how to get there.

use std::{
    future::Future,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rustls::pki_types::ServerName;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    sync::watch,
};
use tokio_rustls::TlsConnector;

use super::{
    gossip::{self, Gossip},
    socket::PromptSocket,
    tls::Connectors,
};
use crate::address::{Address, ConnectError, Login, Node};

/// How long one node may take to let us in, and to say who leads.
const DIAL: Duration = Duration::from_secs(3);

/// A connection, with TLS or without.
pub(crate) trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Wire for T {}

pub(crate) struct Nodes {
    seeds: Vec<Node>,
    cluster: bool,
    connectors: Option<Connectors>,
    login: Option<Login>,
    known: Mutex<Known>,
    /// Goes up with each other leader.
    moved: watch::Sender<u64>,
}

#[derive(Default)]
struct Known {
    leader: Option<Node>,
    members: Vec<Node>,
    /// Why the last attempt to get there failed; none after one that did not.
    trouble: Option<String>,
}

impl Nodes {
    pub(crate) fn new(address: &Address) -> Result<Self, ConnectError> {
        Ok(Self {
            seeds: address.nodes.clone(),
            cluster: address.cluster,
            connectors: address.trust.as_ref().map(Connectors::new).transpose()?,
            login: address.login.clone(),
            known: Mutex::default(),
            moved: watch::Sender::new(0),
        })
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn secure(&self) -> bool {
        self.connectors.is_some()
    }

    /// Why the last attempt to reach a node failed.
    pub(crate) fn trouble(&self) -> Option<String> {
        self.known().trouble.clone()
    }

    /// Changes when connections to the leader of before are to be given up.
    pub(crate) fn moved(&self) -> watch::Receiver<u64> {
        self.moved.subscribe()
    }

    /// The server said so itself, or gossip did.
    pub(crate) fn lead(&self, node: Node) {
        let mut known = self.known();
        if known.leader.as_ref() != Some(&node) {
            tracing::info!(leader = %node, "the event log's leader");
            known.leader = Some(node);
            self.moved.send_modify(|moves| *moves += 1);
        }
    }

    /// Whoever led may no longer; the next connection asks again.
    fn forget(&self, node: &Node) {
        let mut known = self.known();
        if known.leader.as_ref() == Some(node) {
            known.leader = None;
        }
    }

    /// A connection to the node that takes appends.
    pub(crate) async fn dial(&self) -> Result<Box<dyn Wire>, String> {
        let dialled = self.dial_leader().await;
        let mut known = self.known();
        if let Err(trouble) = &dialled
            && known.trouble.as_ref() != Some(trouble)
        {
            tracing::warn!(%trouble, "the event log cannot be reached");
        }
        known.trouble = dialled.as_ref().err().cloned();
        drop(known);
        dialled
    }

    async fn dial_leader(&self) -> Result<Box<dyn Wire>, String> {
        let remembered = self.known().leader.clone();
        if let Some(leader) = remembered {
            match self.open(&leader, |connectors| &connectors.http2).await {
                Ok(wire) => return Ok(wire),
                Err(trouble) => {
                    tracing::debug!(%leader, %trouble, "the leader of before cannot be reached");
                    self.forget(&leader);
                }
            }
        }
        let node = if self.cluster {
            self.discover().await?
        } else {
            self.seeds[0].clone()
        };
        self.open(&node, |connectors| &connectors.http2)
            .await
            .map_err(|trouble| format!("{node}: {trouble}"))
    }

    /// Asks the nodes of the connection string, then those heard of since, until one knows a leader.
    async fn discover(&self) -> Result<Node, String> {
        let mut asked: Vec<Node> = vec![];
        let mut troubles: Vec<String> = vec![];
        let mut to_ask = self.seeds.clone();
        to_ask.extend(self.known().members.iter().cloned());
        for node in to_ask {
            if asked.contains(&node) {
                continue;
            }
            match self.gossip(&node).await {
                Ok(gossip) => {
                    self.known().members = gossip.alive().collect();
                    if let Some(leader) = gossip.leader() {
                        self.lead(leader.clone());
                        return Ok(leader);
                    }
                    troubles.push(format!("{node}: no leader is known"));
                }
                Err(trouble) => troubles.push(format!("{node}: {trouble}")),
            }
            asked.push(node);
        }
        Err(troubles.join("; "))
    }

    async fn gossip(&self, node: &Node) -> Result<Gossip, String> {
        let wire = self.open(node, |connectors| &connectors.http1).await?;
        in_time(async { gossip::ask(wire, node, self.login.as_ref()).await }).await
    }

    async fn open(&self, node: &Node, with: impl Fn(&Connectors) -> &TlsConnector) -> Result<Box<dyn Wire>, String> {
        in_time(async {
            let connected = TcpStream::connect((node.host.as_str(), node.port)).await;
            let socket = connected
                .and_then(PromptSocket::new)
                .map_err(|error| error.to_string())?;
            let Some(connectors) = &self.connectors else {
                return Ok(Box::new(socket) as Box<dyn Wire>);
            };
            let name = ServerName::try_from(node.host.clone()).map_err(|error| error.to_string())?;
            match with(connectors).connect(name, socket).await {
                Ok(wire) => Ok(Box::new(wire) as Box<dyn Wire>),
                Err(error) => Err(format!("TLS: {error}")),
            }
        })
        .await
    }
}

async fn in_time<T>(attempt: impl Future<Output = Result<T, String>>) -> Result<T, String> {
    match tokio::time::timeout(DIAL, attempt).await {
        Ok(outcome) => outcome,
        Err(_) => Err(format!("no answer within {} s", DIAL.as_secs())),
    }
}
