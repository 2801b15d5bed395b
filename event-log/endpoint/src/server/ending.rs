//! An answer without an end of its own, which ends when the endpoint stops.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_util::{FutureExt, future::BoxFuture};
use http::HeaderMap;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::sync::watch;
use tonic::{Status, body::Body};

/// Ends with UNAVAILABLE once the endpoint stops. Never with OK: clients take that for "nothing more will ever come" or ask again at
/// once, for ever.
pub(super) struct Ending {
    body: Body,
    stopping: BoxFuture<'static, ()>,
    ended: bool,
}

impl Ending {
    pub(super) fn new(body: Body, mut stopping: watch::Receiver<bool>) -> Self {
        let stopping = async move {
            // An endpoint that is gone has stopped.
            let _ = stopping.wait_for(|stopping| *stopping).await;
        };
        Self {
            body,
            stopping: stopping.boxed(),
            ended: false,
        }
    }
}

fn farewell() -> HeaderMap {
    let mut trailers = HeaderMap::new();
    // Fails for statuses that cannot be headers only; this one can.
    let _ = Status::unavailable("the event log is shutting down").add_header(&mut trailers);
    trailers
}

impl HttpBody for Ending {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        if self.stopping.poll_unpin(cx).is_ready() {
            self.ended = true;
            // What the answer holds on to is let go now, not when the client has read the end.
            self.body = Body::empty();
            return Poll::Ready(Some(Ok(Frame::trailers(farewell()))));
        }
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        self.ended = match &frame {
            Poll::Ready(None) => true,
            Poll::Ready(Some(Ok(frame))) => frame.is_trailers(),
            _ => false,
        };
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.ended || self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}
