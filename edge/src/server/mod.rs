//! The accept loop: HTTP/1.1 and HTTP/2 without TLS on one port, with the limits that keep one client from starving the rest.

mod answer;
mod guarded;
#[cfg(test)]
mod tests;

use std::{
    convert::Infallible,
    future::Future,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use hyper::service::service_fn;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto, graceful::GracefulShutdown},
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
    time::{sleep, timeout},
};
use warp::filters::BoxedFilter;

pub(crate) use self::guarded::BodyError;
use self::{answer::Answering, guarded::Guarded};
use crate::{reply::Response, route_table::RouteTable};

/// What one client, and all of them together, may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Connections open at once; further ones wait in the kernel's queue.
    pub connections: usize,
    /// How long a client may take for a request's head, and how long a connection may idle between requests.
    pub header_timeout: Duration,
    /// How long a client may take for a request's body.
    pub body_timeout: Duration,
    /// The largest body on any route; most routes have a smaller limit of their own.
    pub body_bytes: u64,
    /// How long requests in flight may still take once the server is told to stop; then they are cut.
    pub shutdown_grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4096,
            header_timeout: Duration::from_secs(30),
            body_timeout: Duration::from_secs(60),
            body_bytes: 16 * 1024 * 1024,
            shutdown_grace: Duration::from_secs(10),
        }
    }
}

/// Serves `routes` (see [`crate::rejection::recovered`]) on `listener` until `shutdown` resolves, then lets requests in flight
/// finish within [`Limits::shutdown_grace`].
pub async fn serve(
    listener: TcpListener,
    routes: BoxedFilter<(Response,)>,
    table: Arc<RouteTable>,
    limits: Limits,
    shutdown: impl Future<Output = ()> + Send,
) {
    let server = Arc::new(Server {
        answering: Answering::new(routes, table, limits.body_timeout, limits.body_bytes),
        protocols: protocols(&limits),
        header_timeout: limits.header_timeout,
    });
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    let places = Arc::new(Semaphore::new(limits.connections));
    loop {
        tokio::select! {
            biased;
            () = &mut shutdown => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            (place, stream) = accept(&listener, &places) => {
                connections.spawn(Arc::clone(&server).converse(stream, graceful.watcher(), place));
            }
        }
    }
    drop(listener);
    if timeout(limits.shutdown_grace, graceful.shutdown()).await.is_err() {
        tracing::warn!(
            connections = connections.len(),
            "requests still in flight after the grace period are cut"
        );
    }
    connections.shutdown().await;
}

/// The next connection, once there is a place for it. Never fails: what can go wrong here passes, or goes wrong for one client.
async fn accept(listener: &TcpListener, places: &Arc<Semaphore>) -> (Option<OwnedSemaphorePermit>, TcpStream) {
    // The semaphore is never closed, so there is always a permit in the end.
    let place = Arc::clone(places).acquire_owned().await.ok();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return (place, stream),
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                // Out of file descriptors, most likely: trying again at once would only burn the processor.
                sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

fn protocols(limits: &Limits) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_timeout)
        .pipeline_flush(true);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(limits.header_timeout)
        .keep_alive_timeout(Duration::from_secs(20))
        .max_concurrent_streams(200)
        .max_header_list_size(64 * 1024);
    builder
}

struct Server {
    answering: Answering,
    protocols: auto::Builder<TokioExecutor>,
    header_timeout: Duration,
}

impl Server {
    /// One connection, from its first byte to its last.
    async fn converse(
        self: Arc<Self>,
        stream: TcpStream,
        watcher: hyper_util::server::graceful::Watcher,
        place: Option<OwnedSemaphorePermit>,
    ) {
        let _place = place;
        // Answers are small and written whole: waiting for more to send would only add latency.
        let _ = stream.set_nodelay(true);
        let asked = AtomicBool::new(false);
        let service = service_fn(|request: hyper::Request<hyper::body::Incoming>| {
            asked.store(true, Ordering::Relaxed);
            let server = Arc::clone(&self);
            async move { Ok::<_, Infallible>(server.answering.answer(request).await) }
        });
        let connection = self.protocols.serve_connection(TokioIo::new(stream), service);
        let mut conversation = pin!(watcher.watch(connection));
        // hyper's own timeout begins once it knows which protocol is spoken: until the first request, this one holds.
        let silence = sleep(self.header_timeout);
        let outcome = tokio::select! {
            outcome = &mut conversation => outcome,
            () = silence => {
                if !asked.load(Ordering::Relaxed) {
                    return;
                }
                conversation.await
            }
        };
        if let Err(error) = outcome {
            tracing::debug!(%error, "a connection ended early");
        }
    }
}
