//! What the server pushes, gathered into pages.
//!
//! The client turns in circles, without end and without letting others run, if the server ends a subscription with status OK. This project's
//! endpoint never does; whether EventStoreDB ever does is not known here.

use std::sync::Arc;

use event_log::{EventFilter, LogError, Position, RecordedEvent};
use eventstore::{Error, SubscribeToAllOptions, Subscription, SubscriptionEvent, SubscriptionFilter};
use futures_util::{Stream, StreamExt, poll};
use tokio::{sync::mpsc, task::JoinHandle};

use crate::{error::Fault, events, line::Line, log::EventStoreLog};

/// A page is passed on when it has this many events or bytes, or when nothing more is there at once.
const PAGE_EVENTS: usize = 512;
const PAGE_BYTES: usize = 1024 * 1024;
/// Pages that may wait for the reader.
const PAGES: usize = 2;
/// EventStoreDB: how many events its filter looks at before it tells how far it is; its own default is 32.
const WINDOW: u32 = 256;

/// What a subscription told, or a look found.
pub(crate) struct Heard {
    /// Those that pass the filter, in order.
    pub(crate) events: Vec<Arc<RecordedEvent>>,
    /// Everything up to here was considered.
    pub(crate) to: Position,
}

/// Why a subscription ended.
pub(crate) struct Failed {
    pub(crate) error: LogError,
    /// Another attempt may have more luck; otherwise the server answered, and will answer the same.
    pub(crate) passing: bool,
}

impl From<LogError> for Failed {
    fn from(error: LogError) -> Self {
        Self { error, passing: false }
    }
}

/// One subscription, until something goes wrong with it.
pub(crate) struct Pump {
    pages: mpsc::Receiver<Result<Heard, Failed>>,
    task: JoinHandle<()>,
}

impl Drop for Pump {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Pump {
    pub(crate) fn start(log: Arc<EventStoreLog>, after: Position, filter: EventFilter) -> Self {
        let (sender, pages) = mpsc::channel(PAGES);
        let task = tokio::spawn(async move {
            if let Err(error) = run(&log, after, &filter, &sender).await {
                let _ = sender.send(Err(error)).await;
            }
        });
        Self { pages, task }
    }

    /// The next page; none once it is over. May be given up waiting for.
    pub(crate) async fn heard(&mut self) -> Option<Result<Heard, Failed>> {
        self.pages.recv().await
    }
}

/// Until the reader goes away or the subscription fails.
async fn run(
    log: &Arc<EventStoreLog>,
    after: Position,
    filter: &EventFilter,
    pages: &mpsc::Sender<Result<Heard, Failed>>,
) -> Result<(), Failed> {
    // A connection of its own: what is not read of it holds up nobody else.
    let line = Line::new(Arc::clone(&log.board));
    let failed = |error: Error, number: u64| {
        let passing = line.heed(&error, number);
        let speaker = &log.board.speaker;
        let error = if passing {
            speaker.lost(&log.board.cause(&error))
        } else {
            speaker.unexpected("subscribing to $all", Fault::Server(error))
        };
        Failed { error, passing }
    };
    let (client, number) = line.client().map_err(|error| failed(error, 0))?;
    let subscription = client.subscribe_to_all(&options(log, after, filter)).await;
    let mut told = std::pin::pin!(events_of(subscription));
    let mut at = after;
    while let Some(first) = told.next().await {
        let mut page = Page::new(at, filter);
        page.add(first.map_err(|error| failed(error, number))?)?;
        let mut broken = None;
        while !page.is_full()
            && let std::task::Poll::Ready(Some(more)) = poll!(told.next())
        {
            match more {
                Ok(more) => page.add(more)?,
                Err(error) => {
                    broken = Some(error);
                    break;
                }
            }
        }
        let heard = page.heard;
        if heard.to > at {
            at = heard.to;
            log.see(at);
            if pages.send(Ok(heard)).await.is_err() {
                return Ok(());
            }
        }
        if let Some(error) = broken {
            return Err(failed(error, number));
        }
    }
    Ok(())
}

/// The subscription as a stream, which, other than the client's own future, may be polled and left. Ends after an error.
fn events_of(subscription: Subscription) -> impl Stream<Item = Result<SubscriptionEvent, Error>> {
    futures_util::stream::unfold(Some(subscription), |subscription| async {
        let mut subscription = subscription?;
        match subscription.next_subscription_event().await {
            Ok(event) => Some((Ok(event), Some(subscription))),
            Err(error) => Some((Err(error), None)),
        }
    })
}

fn options(log: &EventStoreLog, after: Position, filter: &EventFilter) -> SubscribeToAllOptions {
    let options = SubscribeToAllOptions::default().position(events::from(after));
    let options = match server_filter(filter) {
        Some(filter) => options.filter(filter),
        None => options,
    };
    match &log.board.login {
        Some(login) => options.authenticated(login.credentials()),
        None => options,
    }
}

/// What the server can leave out: it looks at the beginning of stream names, or else of types, so it lets too much through, never too little.
/// `order` is also the category of a stream that is called so, without a dash.
fn server_filter(filter: &EventFilter) -> Option<SubscriptionFilter> {
    let (kind, beginnings) = if filter.categories.is_empty() {
        (SubscriptionFilter::on_event_type(), &filter.types)
    } else {
        (SubscriptionFilter::on_stream_name(), &filter.categories)
    };
    if beginnings.is_empty() || beginnings.iter().any(String::is_empty) {
        return None;
    }
    Some(
        beginnings
            .iter()
            .fold(kind.max(WINDOW), |kind, beginning| kind.add_prefix(beginning)),
    )
}

struct Page<'a> {
    after: Position,
    filter: &'a EventFilter,
    heard: Heard,
    bytes: usize,
}

impl<'a> Page<'a> {
    fn new(after: Position, filter: &'a EventFilter) -> Self {
        Self {
            after,
            filter,
            heard: Heard {
                events: vec![],
                to: after,
            },
            bytes: 0,
        }
    }

    fn is_full(&self) -> bool {
        self.heard.events.len() >= PAGE_EVENTS || self.bytes >= PAGE_BYTES
    }

    fn add(&mut self, told: SubscriptionEvent) -> Result<(), LogError> {
        match told {
            SubscriptionEvent::EventAppeared(event) => {
                let Some(event) = events::original(event) else {
                    return Ok(());
                };
                let position = events::position(&event);
                if position > self.after && events::passes(self.filter, &event) {
                    self.bytes += event.data.len() + event.custom_metadata.len();
                    self.heard.events.push(events::recorded(event)?);
                }
                self.heard.to = self.heard.to.max(position);
            }
            SubscriptionEvent::Checkpoint(checkpoint) => {
                self.heard.to = self.heard.to.max(Position(checkpoint.commit));
            }
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_leaves_out_what_it_can() {
        let filter = |categories: &[&str], types: &[&str]| EventFilter {
            categories: categories.iter().map(ToString::to_string).collect(),
            types: types.iter().map(ToString::to_string).collect(),
        };
        assert!(server_filter(&filter(&[], &[])).is_none());
        assert!(server_filter(&filter(&["", "order"], &[])).is_none());
        let shown = format!(
            "{:?}",
            server_filter(&filter(&["order", "cart"], &["OrderPlaced"])).unwrap()
        );
        assert!(
            shown.contains("order") && shown.contains("cart") && !shown.contains("OrderPlaced"),
            "{shown}"
        );
        let shown = format!("{:?}", server_filter(&filter(&[], &["OrderPlaced"])).unwrap());
        assert!(shown.contains("OrderPlaced"), "{shown}");
    }
}
