//! Reads of a stream and of $all.

use std::{sync::Arc, time::Duration};

use event_log::{Direction, EventFilter, LogError, Position, RecordedEvent, STREAM_DELETED, StreamVersion, TOMBSTONE};
use event_schemas::StreamName;
use eventstore::{
    Client, Error, ReadAllOptions, ReadStream, ReadStreamOptions, StreamPosition, SubscribeToAllOptions,
    SubscriptionEvent, SubscriptionFilter,
};
use futures_util::FutureExt;

use crate::{
    error::Fault,
    events::{self, Foreign},
    line::within,
    log::EventStoreLog,
};

/// Events looked at for one page of a filtered read of $all.
const CONSIDERED: usize = 1024;
/// Bytes of one page of $all; one event may go beyond.
const PAGE_BYTES: usize = 4 * 1024 * 1024;
/// Behind every event: the wire's positions are signed.
const END: Position = Position(i64::MAX as u64);

/// What a read of a stream found.
pub(crate) enum Found {
    Events(Vec<Foreign>),
    /// The stream was deleted for good.
    Buried,
}

impl EventStoreLog {
    pub(crate) fn read_options(&self) -> ReadStreamOptions {
        match &self.board.login {
            Some(login) => ReadStreamOptions::default().authenticated(login.credentials()),
            None => ReadStreamOptions::default(),
        }
    }

    fn read_all_options(&self) -> ReadAllOptions {
        match &self.board.login {
            Some(login) => ReadAllOptions::default().authenticated(login.credentials()),
            None => ReadAllOptions::default(),
        }
    }

    pub(crate) async fn stream_page(
        &self,
        stream: &StreamName,
        from: Option<StreamVersion>,
        direction: Direction,
        max: usize,
    ) -> Result<Vec<Arc<RecordedEvent>>, LogError> {
        if max == 0 {
            return Ok(vec![]);
        }
        match self.read_versions(stream, from, direction, max).await? {
            Found::Events(found) => {
                self.recent.remember_page(stream, from, direction, max, &found);
                self.own(found)
            }
            Found::Buried => self.buried_page(stream, from, direction, max).await,
        }
    }

    /// The events as they came; none of a stream that does not exist.
    pub(crate) async fn read_versions(
        &self,
        stream: &StreamName,
        from: Option<StreamVersion>,
        direction: Direction,
        max: usize,
    ) -> Result<Found, LogError> {
        // The wire's versions are signed: from there on is a tombstone at most.
        let beyond = from.is_some_and(|version| version >= TOMBSTONE);
        let from = from.filter(|_| !beyond);
        if beyond && direction == Direction::Forwards {
            let found = self.read_versions_from(stream, None, Direction::Backwards, 1).await?;
            return Ok(match found {
                Found::Events(_) => Found::Events(vec![]),
                Found::Buried => Found::Buried,
            });
        }
        let found = self.read_versions_from(stream, from, direction, max).await?;
        let (Found::Events(events), Direction::Backwards, Some(from)) = (&found, direction, from) else {
            return Ok(found);
        };
        // EventStoreDB: a backward read that starts beyond the last event finds nothing.
        if events.is_empty()
            && let Found::Events(last) = self.read_versions_from(stream, None, Direction::Backwards, 1).await?
            && last.first().is_some_and(|last| last.revision < from)
        {
            return self.read_versions_from(stream, None, Direction::Backwards, max).await;
        }
        Ok(found)
    }

    async fn read_versions_from(
        &self,
        stream: &StreamName,
        from: Option<StreamVersion>,
        direction: Direction,
        max: usize,
    ) -> Result<Found, LogError> {
        let position = match (from, direction) {
            (Some(version), _) => StreamPosition::Position(version),
            (None, Direction::Forwards) => StreamPosition::Start,
            (None, Direction::Backwards) => StreamPosition::End,
        };
        let options = self
            .read_options()
            .max_count(max.min(i64::MAX as usize))
            .position(position);
        let options = match direction {
            Direction::Forwards => options.forwards(),
            Direction::Backwards => options.backwards(),
        };
        let name = stream.as_str().to_owned();
        let attempt = move |client: Client, limit: Duration| {
            let (name, options) = (name.clone(), options.clone());
            async move { all_of(within(limit, client.read_stream(name, &options)).await?, limit, never).await }.boxed()
        };
        match self.line.call("read a stream", attempt).await {
            Ok((events, _)) => Ok(Found::Events(events)),
            Err(Fault::Server(Error::ResourceNotFound)) => Ok(Found::Events(vec![])),
            Err(Fault::Server(Error::ResourceDeleted)) => Ok(Found::Buried),
            Err(fault) => Err(self.board.speaker.unexpected("reading a stream", fault)),
        }
    }

    /// A page of a stream that was deleted for good: the server has it under no name, so it is read out of $all.
    async fn buried_page(
        &self,
        stream: &StreamName,
        from: Option<StreamVersion>,
        direction: Direction,
        max: usize,
    ) -> Result<Vec<Arc<RecordedEvent>>, LogError> {
        let mut events = self.exhume(stream).await?;
        match direction {
            Direction::Forwards => events.retain(|event| event.version >= from.unwrap_or(0)),
            Direction::Backwards => {
                events.retain(|event| event.version <= from.unwrap_or(TOMBSTONE));
                events.reverse();
            }
        }
        events.truncate(max);
        Ok(events)
    }

    /// All events of a stream that was deleted for good, its tombstone last. The server is asked for this stream's part of $all.
    pub(crate) async fn exhume(&self, stream: &StreamName) -> Result<Vec<Arc<RecordedEvent>>, LogError> {
        let filter = SubscriptionFilter::on_stream_name().add_prefix(stream.as_str());
        let options = SubscribeToAllOptions::default()
            .position(StreamPosition::Start)
            .filter(filter);
        let options = match &self.board.login {
            Some(login) => options.authenticated(login.credentials()),
            None => options,
        };
        let name = stream.as_str().to_owned();
        let attempt = move |client: Client, limit: Duration| {
            let (name, options) = (name.clone(), options.clone());
            async move {
                let mut subscription = client.subscribe_to_all(&options).await;
                let mut events = vec![];
                loop {
                    let heard = within(limit, subscription.next_subscription_event()).await?;
                    let event = match heard {
                        SubscriptionEvent::EventAppeared(event) => events::original(event),
                        // The log's end, and no tombstone: it was scavenged.
                        SubscriptionEvent::CaughtUp => return Ok(events),
                        _ => None,
                    };
                    let Some(event) = event.filter(|event| event.stream_id == name) else {
                        continue;
                    };
                    let last = event.event_type == STREAM_DELETED;
                    events.push(event);
                    if last {
                        return Ok(events);
                    }
                }
            }
            .boxed()
        };
        let events = self.line.call("read a deleted stream", attempt).await;
        self.own(events.map_err(|fault| self.board.speaker.unexpected("reading a deleted stream", fault))?)
    }

    /// In the port's words.
    fn own(&self, events: Vec<Foreign>) -> Result<Vec<Arc<RecordedEvent>>, LogError> {
        let own: Vec<_> = events.into_iter().map(events::recorded).collect::<Result<_, _>>()?;
        if let Some(highest) = own.iter().map(|event| event.position).max() {
            self.see(highest);
        }
        Ok(own)
    }

    /// Events of $all after `after`, as they came: at most `max`, or up to the one that is the `wanted`th to pass the filter. Fewer when they are
    /// large; none only at the end.
    pub(crate) async fn read_positions(
        &self,
        after: Position,
        max: usize,
        wanted: (&EventFilter, usize),
    ) -> Result<Vec<Foreign>, LogError> {
        // Reads begin with the event at the position given, which is not wanted.
        let count = if after == Position::START { max } else { max + 1 };
        let options = self
            .read_all_options()
            .position(events::from(after))
            .forwards()
            .max_count(count);
        let (filter, wanted) = (wanted.0.clone(), wanted.1);
        let enough = move |so_far: &mut SoFar, event: &Foreign| {
            so_far.passed += usize::from(events::position(event) > after && events::passes(&filter, event));
            so_far.passed >= wanted || so_far.bytes >= PAGE_BYTES
        };
        let (mut found, _) = self.read_all_page(options, enough).await?;
        found.retain(|event| events::position(event) > after);
        Ok(found)
    }

    /// A page, and whether it was enough before it was all.
    async fn read_all_page(
        &self,
        options: ReadAllOptions,
        enough: impl Fn(&mut SoFar, &Foreign) -> bool + Clone + Send + 'static,
    ) -> Result<(Vec<Foreign>, bool), LogError> {
        let attempt = move |client: Client, limit: Duration| {
            let (options, enough) = (options.clone(), enough.clone());
            async move { all_of(within(limit, client.read_all(&options)).await?, limit, enough).await }.boxed()
        };
        let found = self.line.call("read the log", attempt).await;
        let found = found.map_err(|fault| self.board.speaker.unexpected("reading $all", fault))?;
        if let Some(highest) = found.0.iter().map(events::position).max() {
            self.see(highest);
        }
        Ok(found)
    }

    pub(crate) async fn page_forwards(
        &self,
        after: Position,
        filter: &EventFilter,
        max: usize,
    ) -> Result<(Vec<Arc<RecordedEvent>>, Position), LogError> {
        if max == 0 {
            return Ok((vec![], after));
        }
        let found = self
            .read_positions(after, considered(filter, max), (filter, max))
            .await?;
        self.filtered(found, filter, max, after)
    }

    pub(crate) async fn page_backwards(
        &self,
        before: Option<Position>,
        filter: &EventFilter,
        max: usize,
    ) -> Result<(Vec<Arc<RecordedEvent>>, Position), LogError> {
        let Some(upper) = before.or((max > 0).then_some(END)) else {
            return Ok((vec![], END));
        };
        if upper == Position::START || max == 0 {
            return Ok((vec![], upper));
        }
        // One more, to know whether there is more.
        let count = considered(filter, max).saturating_add(1);
        let position = if upper < END {
            events::from(upper)
        } else {
            StreamPosition::End
        };
        let options = self.read_all_options().position(position).backwards().max_count(count);
        let large = |so_far: &mut SoFar, _: &Foreign| so_far.bytes >= PAGE_BYTES;
        let (mut found, cut) = self.read_all_page(options, large).await?;
        let further = cut || found.len() == count;
        found.retain(|event| events::position(event) < upper);
        let oldest = found.last().map(events::position);
        let (page, at) = self.filtered(found, filter, max, Position::START)?;
        let further = further || oldest.is_some_and(|oldest| oldest < at);
        Ok((page, if further { at } else { Position::START }))
    }

    /// Those that pass, at most `max`, and the position of the last one considered; `none` if there was none.
    fn filtered(
        &self,
        found: Vec<Foreign>,
        filter: &EventFilter,
        max: usize,
        none: Position,
    ) -> Result<(Vec<Arc<RecordedEvent>>, Position), LogError> {
        let (mut page, mut at) = (vec![], none);
        for event in found {
            if page.len() == max {
                break;
            }
            at = events::position(&event);
            if events::passes(filter, &event) {
                page.push(events::recorded(event)?);
            }
        }
        Ok((page, at))
    }

    pub(crate) async fn last_position(&self) -> Result<Position, LogError> {
        let options = self
            .read_all_options()
            .position(StreamPosition::End)
            .backwards()
            .max_count(1);
        let (last, _) = self.read_all_page(options, never).await?;
        Ok(last.first().map_or(Position::START, events::position))
    }
}

/// How many events to ask for, of which `max` may pass.
fn considered(filter: &EventFilter, max: usize) -> usize {
    if *filter == EventFilter::default() {
        max.min(i64::MAX as usize - 2)
    } else {
        CONSIDERED
    }
}

/// What a read yielded so far.
#[derive(Default)]
struct SoFar {
    bytes: usize,
    passed: usize,
}

/// All that a read yields, or what it yields until it is enough; whether it was cut off so.
async fn all_of(
    mut events: ReadStream,
    limit: Duration,
    enough: impl Fn(&mut SoFar, &Foreign) -> bool,
) -> Result<(Vec<Foreign>, bool), Error> {
    let (mut all, mut so_far) = (vec![], SoFar::default());
    while let Some(event) = within(limit, events.next()).await? {
        let Some(event) = events::original(event) else { continue };
        so_far.bytes += event.data.len() + event.custom_metadata.len();
        let done = enough(&mut so_far, &event);
        all.push(event);
        if done {
            return Ok((all, true));
        }
    }
    Ok((all, false))
}

/// Everything is wanted.
fn never(_: &mut SoFar, _: &Foreign) -> bool {
    false
}
