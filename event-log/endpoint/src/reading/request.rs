//! What a reader asks for, taken apart.

use event_log::{Direction, Position, StreamVersion};
use event_schemas::StreamName;
use tonic::Status;

use super::{filter::Filter, form::Form};
use crate::{
    messages::{Ids, stream_from},
    status::bad_request,
    wire::{
        client::{StreamOptions, stream_options::RevisionOption},
        streams::{
            ReadReq,
            read_req::{
                Options,
                options::{AllOptions, CountOption, FilterOption, ReadDirection, StreamOption, all_options::AllOption},
            },
        },
    },
};

/// Where a reader begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place<T> {
    /// Before everything.
    Start,
    /// At this one.
    At(T),
    /// Behind everything.
    End,
}

/// How often: once up to a count, or for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    Once { direction: Direction, count: u64 },
    ForEver,
}

/// What is read.
#[derive(Debug)]
pub(super) enum Source {
    Stream {
        stream: StreamName,
        from: Place<StreamVersion>,
    },
    All {
        from: Place<Position>,
        filter: Option<Filter>,
    },
}

/// A reader's whole wish.
#[derive(Debug)]
pub(super) struct Wish {
    pub(super) source: Source,
    pub(super) extent: Extent,
    pub(super) form: Form,
}

impl Wish {
    /// # Errors
    /// `INVALID_ARGUMENT`, with what is missing or does not go together.
    pub(super) fn new(request: ReadReq) -> Result<Self, Status> {
        let options = request.options.ok_or_else(|| missing("options"))?;
        let extent = extent(&options)?;
        let form = Form {
            ids: Ids::wanted(options.uuid_option.as_ref()),
            resolve_links: options.resolve_links,
            positions: options.control_option.is_some_and(|control| control.compatibility >= 1),
        };
        let filter = match &options.filter_option {
            Some(FilterOption::Filter(filter)) => Some(Filter::new(filter)?),
            Some(FilterOption::NoFilter(_)) | None => None,
        };
        let source = match options.stream_option.ok_or_else(|| missing("stream or all"))? {
            StreamOption::Stream(_) if filter.is_some() => {
                return Err(bad_request("only the whole log is read with a filter"));
            }
            StreamOption::Stream(options) => stream(options)?,
            StreamOption::All(options) => Source::All {
                from: place_in_all(options)?,
                filter,
            },
        };
        Ok(Self { source, extent, form })
    }
}

fn missing(what: &str) -> Status {
    bad_request(format!("the request says nothing of {what}"))
}

fn extent(options: &Options) -> Result<Extent, Status> {
    let direction = match ReadDirection::try_from(options.read_direction) {
        Ok(ReadDirection::Forwards) => Direction::Forwards,
        Ok(ReadDirection::Backwards) => Direction::Backwards,
        Err(_) => return Err(bad_request("one reads forwards or backwards")),
    };
    match options.count_option {
        Some(CountOption::Count(count)) => Ok(Extent::Once { direction, count }),
        Some(CountOption::Subscription(_)) if direction == Direction::Forwards => Ok(Extent::ForEver),
        Some(CountOption::Subscription(_)) => Err(bad_request("one subscribes forwards only")),
        None => Err(missing("count or subscription")),
    }
}

fn stream(options: StreamOptions) -> Result<Source, Status> {
    let from = match options.revision_option.as_ref() {
        // The largest number is how some clients write "the end".
        Some(RevisionOption::Revision(StreamVersion::MAX) | RevisionOption::End(_)) => Place::End,
        Some(RevisionOption::Revision(revision)) => Place::At(*revision),
        Some(RevisionOption::Start(_)) => Place::Start,
        None => return Err(missing("where in the stream to begin")),
    };
    let stream = stream_from(options.stream_identifier.as_ref())?;
    Ok(Source::Stream { stream, from })
}

fn place_in_all(options: AllOptions) -> Result<Place<Position>, Status> {
    Ok(match options.all_option {
        Some(AllOption::Position(position)) => match position.commit_position {
            u64::MAX => Place::End,
            commit => Place::At(Position(commit)),
        },
        Some(AllOption::Start(_)) => Place::Start,
        Some(AllOption::End(_)) => Place::End,
        None => return Err(missing("where in the log to begin")),
    })
}
