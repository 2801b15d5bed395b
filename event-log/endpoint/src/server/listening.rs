//! The accept loop: HTTP/2 for calls and HTTP/1.1 for the few pages, with TLS or without, within limits.

use std::{
    convert::Infallible,
    io,
    net::SocketAddr,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use hyper::{Request, body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{
        conn::auto,
        graceful::{GracefulShutdown, Watcher},
    },
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_rustls::TlsAcceptor;

use super::{Limits, dispatch::Dispatch};

/// What HTTP/2 begins with. A connection that has said so much is known to hyper, which then minds the time.
const PREFACE: usize = 24;
/// What a client may send of one call before it is read, and of all calls of its connection.
const CALL_WINDOW: u32 = 1024 * 1024;
const CONNECTION_WINDOW: u32 = 4 * 1024 * 1024;
const FRAME_BYTES: u32 = 64 * 1024;
const HEADER_BYTES: u32 = 16 * 1024;

/// What every connection needs.
pub(super) struct Server {
    dispatch: Dispatch,
    tls: Option<TlsAcceptor>,
    protocols: auto::Builder<TokioExecutor>,
    header_timeout: Duration,
}

/// Serves until `stopping` says so, then lets calls in flight finish within [`Limits::stop_grace`].
pub(super) async fn listen(
    listener: TcpListener,
    server: Arc<Server>,
    limits: Limits,
    mut stopping: watch::Receiver<bool>,
) {
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    let places = Arc::new(Semaphore::new(limits.connections));
    loop {
        tokio::select! {
            biased;
            _ = stopping.wait_for(|stopping| *stopping) => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            (place, stream, peer) = accept(&listener, &places) => {
                connections.spawn(Arc::clone(&server).converse(stream, peer, graceful.watcher(), place));
            }
        }
    }
    drop(listener);
    if timeout(limits.stop_grace, graceful.shutdown()).await.is_err() {
        tracing::warn!(
            connections = connections.len(),
            "calls still in flight after the grace period are cut"
        );
    }
    connections.shutdown().await;
}

/// The next connection, once there is a place for it. Never fails: what can go wrong here passes, or goes wrong for one client.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> (Option<OwnedSemaphorePermit>, TcpStream, SocketAddr) {
    // The semaphore is never closed, so there is always a permit in the end.
    let place = Arc::clone(places).acquire_owned().await.ok();
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => return (place, stream, peer),
            Err(error) => {
                tracing::warn!(%error, "a connection to the event log could not be accepted");
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
        .max_buf_size(64 * 1024);
    builder
        .http2()
        .timer(TokioTimer::new())
        // A peer that is gone without a word is found by its silence.
        .keep_alive_interval(limits.keep_alive)
        .keep_alive_timeout(limits.keep_alive)
        .initial_stream_window_size(CALL_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_frame_size(FRAME_BYTES)
        .max_header_list_size(HEADER_BYTES)
        .max_send_buf_size(limits.send_bytes)
        .max_concurrent_streams(limits.calls);
    builder
}

impl Server {
    pub(super) fn new(dispatch: Dispatch, tls: Option<TlsAcceptor>, limits: &Limits) -> Self {
        Self {
            dispatch,
            tls,
            protocols: protocols(limits),
            header_timeout: limits.header_timeout,
        }
    }

    /// One connection, from its first byte to its last.
    async fn converse(
        self: Arc<Self>,
        stream: TcpStream,
        peer: SocketAddr,
        watcher: Watcher,
        place: Option<OwnedSemaphorePermit>,
    ) {
        let _place = place;
        let open = metrics::gauge!("log_endpoint_connections");
        open.increment(1);
        // Answers are small and written whole: waiting for more to send would only add latency.
        let _ = stream.set_nodelay(true);
        match &self.tls {
            None => Arc::clone(&self).serve(stream, peer, watcher).await,
            Some(tls) => match timeout(self.header_timeout, tls.accept(stream)).await {
                Ok(Ok(stream)) => Arc::clone(&self).serve(stream, peer, watcher).await,
                Ok(Err(error)) => tracing::debug!(%error, %peer, "no TLS with this client"),
                Err(_) => tracing::debug!(%peer, "a client did not finish its handshake"),
            },
        }
        open.decrement(1);
    }

    async fn serve<S>(self: Arc<Self>, stream: S, peer: SocketAddr, watcher: Watcher)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let said = Arc::new(AtomicUsize::new(0));
        let stream = Counted {
            stream,
            said: Arc::clone(&said),
        };
        let service = service_fn(|request: Request<Incoming>| {
            let server = Arc::clone(&self);
            async move { Ok::<_, Infallible>(server.dispatch.answer(request, peer).await) }
        });
        let connection = self.protocols.serve_connection(TokioIo::new(stream), service);
        let mut conversation = pin!(watcher.watch(connection));
        // hyper's own clocks begin once it knows which protocol is spoken: until then, this one holds.
        let outcome = tokio::select! {
            outcome = &mut conversation => outcome,
            () = sleep(self.header_timeout) => {
                if said.load(Ordering::Relaxed) < PREFACE {
                    return;
                }
                conversation.await
            }
        };
        if let Err(error) = outcome {
            tracing::debug!(%error, %peer, "a connection to the event log ended early");
        }
    }
}

/// Counts what the client has said.
struct Counted<S> {
    stream: S,
    said: Arc<AtomicUsize>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Counted<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let outcome = Pin::new(&mut self.stream).poll_read(cx, buffer);
        self.said.fetch_add(buffer.filled().len() - before, Ordering::Relaxed);
        outcome
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Counted<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
