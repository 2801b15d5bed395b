//! The endpoint: from the listener to the calls.

mod calls;
mod dispatch;
mod ending;
mod gate;
mod listening;
#[cfg(test)]
mod tests;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use event_log::EventLog;
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};
use tokio_rustls::TlsAcceptor;

use self::{dispatch::Dispatch, gate::Gate, listening::Server};
use crate::{access::Access, gossip::Node, service::Service, tls::Certificate};

/// How long tasks of the endpoint's own may take to end once no call is left.
const LAST_WRITES: Duration = Duration::from_secs(3);

/// What one client, and all of them together, may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Connections open at once; further ones wait in the kernel's queue.
    pub connections: usize,
    /// How long a client may take for its handshake and for a request's head.
    pub header_timeout: Duration,
    /// How long a connection may be silent before the client is asked whether it is still there, and how long it may take to answer.
    pub keep_alive: Duration,
    /// Calls open at once on one connection.
    pub calls: u32,
    /// Bytes of one event, data and metadata together. As the log's own limit.
    pub event_bytes: usize,
    /// Bytes of one append.
    pub append_bytes: usize,
    /// Events of one append.
    pub append_events: usize,
    /// Bytes that wait for a reader that does not read, per call.
    pub send_bytes: usize,
    /// How long calls in flight may still take once the endpoint is told to stop; then they are cut.
    pub stop_grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 1024,
            header_timeout: Duration::from_secs(30),
            keep_alive: Duration::from_secs(15),
            calls: 1024,
            event_bytes: 1024 * 1024,
            append_bytes: 16 * 1024 * 1024,
            append_events: 4096,
            send_bytes: 256 * 1024,
            stop_grace: Duration::from_secs(5),
        }
    }
}

/// Who may speak, and whether others can listen.
pub enum Security {
    /// Plaintext, no credentials. On loopback only.
    Insecure,
    /// TLS, and Basic credentials on every call.
    Tls {
        /// What the endpoint shows to its clients.
        certificate: Certificate,
        /// Who may.
        access: Arc<dyn Access>,
    },
}

/// What an endpoint needs.
pub struct EndpointSettings {
    /// The log it serves.
    pub log: Arc<dyn EventLog>,
    /// Where clients come in.
    pub listener: TcpListener,
    /// Who may speak.
    pub security: Security,
    /// What they may take.
    pub limits: Limits,
}

/// Why an endpoint did not start.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    /// Without TLS anybody who reaches the address could read and write everything.
    #[error("{0} can be reached from other machines: without TLS the event log is served on loopback only")]
    NotLoopback(SocketAddr),
    /// The listener has no address.
    #[error("the listener is broken: {0}")]
    Listener(#[from] std::io::Error),
    /// The certificate and the key do not make a server.
    #[error("TLS cannot be served with this certificate: {0}")]
    Tls(#[from] rustls::Error),
}

/// By what address a client is known; kept with each request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// A running endpoint. Dropping it cuts all calls.
pub struct Endpoint {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    listening: JoinHandle<()>,
    following: JoinHandle<()>,
}

impl Endpoint {
    /// Serves until [`Self::stop`].
    ///
    /// # Errors
    /// See [`EndpointError`].
    pub async fn start(settings: EndpointSettings) -> Result<Self, EndpointError> {
        let EndpointSettings {
            log,
            listener,
            security,
            limits,
        } = settings;
        let address = listener.local_addr()?;
        let (gate, tls) = match security {
            Security::Insecure if !address.ip().to_canonical().is_loopback() => {
                return Err(EndpointError::NotLoopback(address));
            }
            Security::Insecure => (None, None),
            Security::Tls { certificate, access } => {
                (Some(Gate::new(access)), Some(TlsAcceptor::from(certificate.server()?)))
            }
        };
        let (stop, stopping) = watch::channel(false);
        let service = Service::new(log, limits.clone(), stopping.clone());
        let following = tokio::spawn(service.streams.follow());
        let dispatch = Dispatch::new(service, gate, Node::new(address), stopping.clone());
        let server = Arc::new(Server::new(dispatch, tls, &limits));
        let listening = tokio::spawn(listening::listen(listener, server, limits, stopping));
        Ok(Self {
            address,
            stop,
            listening,
            following,
        })
    }

    /// Where clients come in.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no more calls, ends subscriptions with UNAVAILABLE, and waits for what is in flight, at most [`Limits::stop_grace`].
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        if let Err(error) = (&mut self.listening).await {
            tracing::error!(%error, "the event log's endpoint ended early");
        }
        // Persistent subscriptions write down how far they are; whatever hears of the stop is gone then.
        let _ = tokio::time::timeout(LAST_WRITES, self.stop.closed()).await;
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        self.listening.abort();
        self.following.abort();
    }
}
