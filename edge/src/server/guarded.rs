//! A request's body with a limit on its size and on its time.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::time::{Sleep, sleep};

/// Why a body could not be read to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BodyError {
    /// More than the server takes on any route.
    #[error("larger than {0} bytes")]
    TooLarge(u64),
    /// Not complete in time.
    #[error("not complete within {} s", .0.as_secs())]
    TooSlow(Duration),
    /// The client went away, or broke the protocol.
    #[error(transparent)]
    Broken(#[from] hyper::Error),
}

/// The body. The clock starts when it is first waited for, so that a body that is there already costs no timer.
pub(crate) struct Guarded {
    body: Incoming,
    left: u64,
    limit: u64,
    patience: Duration,
    deadline: Option<Pin<Box<Sleep>>>,
}

impl Guarded {
    pub(crate) fn new(body: Incoming, limit: u64, patience: Duration) -> Self {
        Self {
            body,
            left: limit,
            limit,
            patience,
            deadline: None,
        }
    }
}

impl Body for Guarded {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = &mut *self;
        match Pin::new(&mut this.body).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                let length = frame.data_ref().map_or(0, |data| data.len() as u64);
                Poll::Ready(Some(match this.left.checked_sub(length) {
                    Some(left) => {
                        this.left = left;
                        Ok(frame)
                    }
                    None => Err(BodyError::TooLarge(this.limit)),
                }))
            }
            Poll::Ready(other) => Poll::Ready(other.map(|frame| frame.map_err(BodyError::from))),
            Poll::Pending => {
                let deadline = this.deadline.get_or_insert_with(|| Box::pin(sleep(this.patience)));
                match deadline.as_mut().poll(cx) {
                    Poll::Ready(()) => Poll::Ready(Some(Err(BodyError::TooSlow(this.patience)))),
                    Poll::Pending => Poll::Pending,
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
