//! A consumer's side of a group: what is on its way to it, and why it ended.

use std::sync::Arc;

use futures_util::{Stream, StreamExt, future::Either, stream};
use tokio::sync::{mpsc, oneshot};
use tonic::Status;

use crate::{
    messages::{Ids, recorded},
    reading::Resolved,
    wire::{
        client::Empty,
        persistent_subscriptions::{
            ReadResp,
            read_resp::{
                Content, ReadEvent, SubscriptionConfirmation,
                read_event::{Count, Position},
            },
        },
    },
};

/// A message on its way to a consumer.
#[derive(Debug)]
pub(super) struct Delivery {
    pub(super) message: Arc<Resolved>,
    pub(super) retries: u32,
}

/// The group's end.
#[derive(Debug)]
pub(super) struct Sending {
    pub(super) deliveries: mpsc::Sender<Delivery>,
    end: oneshot::Sender<Status>,
}

impl Sending {
    /// Tells the consumer why there is no more.
    pub(super) fn end(self, status: Status) {
        // A consumer that is gone needs no reason.
        let _ = self.end.send(status);
    }
}

/// The consumer's end.
#[derive(Debug)]
pub(super) struct Receiving {
    deliveries: mpsc::Receiver<Delivery>,
    end: oneshot::Receiver<Status>,
}

/// A way for at most `buffer` messages at once.
pub(super) fn way(buffer: usize) -> (Sending, Receiving) {
    let (deliveries, receiver) = mpsc::channel(buffer.max(1));
    let (end, ended) = oneshot::channel();
    (
        Sending { deliveries, end },
        Receiving {
            deliveries: receiver,
            end: ended,
        },
    )
}

/// What goes over the wire: the confirmation, the messages, and the reason of the end.
pub(super) fn replies(
    subscription_id: String,
    ids: Ids,
    receiving: Receiving,
) -> impl Stream<Item = Result<ReadResp, Status>> + Send + 'static {
    let confirmation = Content::SubscriptionConfirmation(SubscriptionConfirmation { subscription_id });
    let confirmed = stream::once(async {
        Ok(ReadResp {
            content: Some(confirmation),
        })
    });
    let messages = stream::unfold(Some(receiving), move |receiving| async move {
        let Receiving {
            mut deliveries,
            mut end,
        } = receiving?;
        let next = {
            let delivery = std::pin::pin!(deliveries.recv());
            match futures_util::future::select(&mut end, delivery).await {
                Either::Left((status, _)) => Either::Left(status),
                Either::Right((Some(delivery), _)) => Either::Right(delivery),
                Either::Right((None, end)) => Either::Left(end.await),
            }
        };
        match next {
            Either::Right(delivery) => Some((Ok(reply(&delivery, ids)), Some(Receiving { deliveries, end }))),
            Either::Left(Ok(status)) => Some((Err(status), None)),
            // The group ended without a word: clients come again after this.
            Either::Left(Err(_)) => Some((Err(Status::unavailable("the group is not served any longer")), None)),
        }
    });
    confirmed.chain(messages)
}

fn reply(delivery: &Delivery, ids: Ids) -> ReadResp {
    let Resolved { event, link } = &*delivery.message;
    let position = delivery.message.place();
    let position = position.map_or(Position::NoPosition(Empty {}), |place| {
        Position::CommitPosition(place.0)
    });
    let retries = i32::try_from(delivery.retries).unwrap_or(i32::MAX);
    let event = ReadEvent {
        event: event.as_ref().map(|event| recorded(event, ids)),
        link: link.as_ref().map(|link| recorded(link, ids)),
        position: Some(position),
        count: Some(Count::RetryCount(retries)),
    };
    ReadResp {
        content: Some(Content::Event(event)),
    }
}
