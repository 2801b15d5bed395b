//! The endpoint: from the listener to the calls.

mod calls;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use event_log::EventLog;
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

use crate::{access::Access, service::Service, tls::Certificate};

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

/// A running endpoint. Dropping it cuts all calls.
pub struct Endpoint {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Endpoint {
    /// Serves until [`Self::stop`].
    ///
    /// # Errors
    /// See [`EndpointError`].
    pub async fn start(settings: EndpointSettings) -> Result<Self, EndpointError> {
        let address = settings.listener.local_addr()?;
        let (stop, stopping) = watch::channel(false);
        let service = Service::new(settings.log, settings.limits, stopping);
        let _calls = calls::Calls::new(Arc::clone(&service));
        let follow = tokio::spawn(service.streams.follow());
        Ok(Self { address, stop, tasks: vec![follow] })
    }

    /// Where clients come in.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no more calls, ends subscriptions with UNAVAILABLE, and waits for what is in flight, at most [`Limits::stop_grace`].
    pub async fn stop(self) {
        self.stop.send_replace(true);
        drop(self);
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        for task in &self.tasks {
            task.abort();
        }
    }
}
