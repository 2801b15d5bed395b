//! How much is read at a time, and how pages become a stream of replies.

use std::{pin::Pin, sync::Arc};

use event_log::RecordedEvent;
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use tonic::Status;

use crate::wire::streams::ReadResp;

/// What a reader is sent.
pub(crate) type Answers = Pin<Box<dyn Stream<Item = Result<ReadResp, Status>> + Send>>;

/// A reading in progress.
pub(crate) trait Pages: Send + 'static {
    /// The next replies; none when everything was said.
    fn next(&mut self) -> impl Future<Output = Result<Option<Vec<ReadResp>>, Status>> + Send;
}

/// The replies of a reading, each page read when the one before it was taken.
pub(crate) fn answers(pages: impl Pages) -> Answers {
    let pages = stream::try_unfold(pages, |mut pages| async move {
        let page = pages.next().await?;
        Ok::<_, Status>(page.map(|page| (stream::iter(page.into_iter().map(Ok::<_, Status>)), pages)))
    });
    pages.try_flatten().boxed()
}

/// The first page is small, so that a short reading is answered at once.
const FIRST: usize = 64;
/// Pages of the whole log are cut by the log itself when their events are large.
const MOST_OF_ALL: usize = 512;
/// Pages of a stream are not: this many events of any size have room.
const MOST_OF_A_STREAM: usize = 64;
/// What a page should have at most, as far as the size of the last one tells.
const BYTES: usize = 1024 * 1024;
/// What an event costs beside its bytes.
const OVERHEAD: usize = 512;

/// How many events the next page is to have: as many as fit the bytes, and no more than twice the last page.
#[derive(Debug, Clone, Copy)]
pub(super) struct PageSize {
    events: usize,
    most: usize,
}

impl PageSize {
    pub(super) const fn of_all() -> Self {
        Self {
            events: FIRST,
            most: MOST_OF_ALL,
        }
    }

    pub(super) const fn of_a_stream() -> Self {
        Self {
            events: FIRST,
            most: MOST_OF_A_STREAM,
        }
    }

    /// At most this many events.
    pub(super) const fn events(self) -> usize {
        self.events
    }

    /// At most this many events of `remaining`.
    pub(super) fn within(self, remaining: u64) -> usize {
        usize::try_from(remaining).unwrap_or(usize::MAX).min(self.events)
    }

    /// Learns from a page how large events are.
    pub(super) fn learn(&mut self, page: &[Arc<RecordedEvent>]) {
        let cost = |event: &Arc<RecordedEvent>| OVERHEAD + event.data.len() + event.metadata.len();
        let bytes: usize = page.iter().map(cost).sum();
        if let Some(each) = bytes.checked_div(page.len()) {
            self.events = (BYTES / each.max(1)).clamp(1, self.most.min(2 * self.events));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::tests::recorded_of;

    #[test]
    fn pages_grow_with_small_events_and_shrink_with_large_ones() {
        let mut size = PageSize::of_all();
        let small = [recorded_of(100)];
        for expected in [128, 256, 512, 512] {
            size.learn(&small);
            assert_eq!(size.events(), expected);
        }
        size.learn(&[]);
        assert_eq!(size.events(), 512);
        size.learn(&[recorded_of(100_000)]);
        assert_eq!(size.events(), 10);
        size.learn(&[recorded_of(5_000_000)]);
        assert_eq!((size.events(), size.within(7), size.within(0)), (1, 1, 0));
        size.learn(&small);
        assert_eq!(size.events(), 2);
        let mut size = PageSize::of_a_stream();
        size.learn(&small);
        assert_eq!(size.events(), 64);
    }
}
