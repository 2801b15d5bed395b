//! A TCP socket that keeps nobody waiting.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use socket2::{SockRef, TcpKeepalive};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

/// After how long a silent other side is asked whether it is still there, and how often before it counts as gone.
const KEEP_ALIVE: Duration = Duration::from_secs(5);
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(2);
const KEEP_ALIVE_RETRIES: u32 = 3;
/// How long the other side may leave unacknowledged what was sent to it.
#[cfg(target_os = "linux")]
const UNACKNOWLEDGED: Duration = Duration::from_secs(10);

/// Sends what is written without waiting (`TCP_NODELAY`), and acknowledges what is read at once (`TCP_QUICKACK`, on Linux).
///
/// Who writes a small piece, and then another before the first is acknowledged, waits for the acknowledgement unless it set
/// `TCP_NODELAY` (Nagle's algorithm); who reads the first piece acknowledges it only after 40 ms, or together with its answer, which
/// cannot come before the second. Neither the client nor every server sets `TCP_NODELAY`, so this socket acknowledges at once.
/// The kernel forgets that wish with each answer, so it is renewed after each read.
pub(crate) struct PromptSocket(TcpStream);

impl PromptSocket {
    pub(crate) fn new(socket: TcpStream) -> io::Result<Self> {
        socket.set_nodelay(true)?;
        let keep_alive = TcpKeepalive::new().with_time(KEEP_ALIVE);
        #[cfg(not(windows))]
        let keep_alive = keep_alive
            .with_interval(KEEP_ALIVE_INTERVAL)
            .with_retries(KEEP_ALIVE_RETRIES);
        SockRef::from(&socket).set_tcp_keepalive(&keep_alive)?;
        #[cfg(target_os = "linux")]
        SockRef::from(&socket).set_tcp_user_timeout(Some(UNACKNOWLEDGED))?;
        let socket = Self(socket);
        socket.acknowledge_at_once();
        Ok(socket)
    }

    /// It is a wish: where it cannot be had, calls are slower.
    fn acknowledge_at_once(&self) {
        #[cfg(target_os = "linux")]
        if let Err(error) = SockRef::from(&self.0).set_tcp_quickack(true) {
            tracing::trace!(%error, "no immediate acknowledgement");
        }
    }
}

impl AsyncRead for PromptSocket {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let read = ready!(Pin::new(&mut self.0).poll_read(cx, buffer));
        if read.is_ok() {
            self.acknowledge_at_once();
        }
        Poll::Ready(read)
    }
}

impl AsyncWrite for PromptSocket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(cx, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }
}
