//! What clients ask for, read from the wire.

use tonic::{Status, metadata::MetadataMap};
use uuid::Uuid;

use super::{
    group::Refusal,
    key::{Key, Source},
    registry::Wish,
    runner::Who,
    settings::{Settings, Start},
    sought::Sought,
};
use crate::{
    messages::id_from,
    status::bad_request,
    wire::{
        client::{StreamIdentifier, StreamOptions, Uuid as WireId, stream_options::RevisionOption},
        persistent_subscriptions::{
            self as wire, AllOptions, CreateReq, UpdateReq,
            all_options::{AllOption, FilterOption},
            create_req, read_req, update_req,
        },
    },
};

/// The most messages that one consumer holds at once.
const MOST_HELD: i32 = 10_000;

pub(super) fn missing() -> Status {
    bad_request("the options are missing")
}

pub(super) fn create(request: CreateReq) -> Result<Wish, Status> {
    let options = request.options.ok_or_else(missing)?;
    let settings = options
        .settings
        .ok_or_else(|| bad_request("the settings are missing"))?;
    let place = match options.stream_option {
        Some(create_req::options::StreamOption::Stream(stream)) => of_stream(stream)?,
        Some(create_req::options::StreamOption::All(all)) => of_all(all)?,
        None => of_old(options.stream_identifier.as_ref(), &settings)?,
    };
    wish(place, &options.group_name, &settings)
}

pub(super) fn update(request: UpdateReq) -> Result<Wish, Status> {
    let options = request.options.ok_or_else(missing)?;
    let settings = options
        .settings
        .ok_or_else(|| bad_request("the settings are missing"))?;
    let place = match options.stream_option {
        Some(update_req::options::StreamOption::Stream(stream)) => of_stream(stream)?,
        Some(update_req::options::StreamOption::All(all)) => of_all(all)?,
        None => of_old(options.stream_identifier.as_ref(), &settings)?,
    };
    wish(place, &options.group_name, &settings)
}

struct Place {
    source: Source,
    start: Start,
    filter: Option<Sought>,
}

fn wish(place: Place, group: &str, settings: &wire::Settings) -> Result<Wish, Status> {
    let Place { source, start, filter } = place;
    Ok(Wish {
        key: Key::new(source, group)?,
        settings: Settings::from_wire(settings)?,
        start,
        filter,
    })
}

fn of_stream(options: StreamOptions) -> Result<Place, Status> {
    let start = match options.revision_option {
        Some(RevisionOption::Revision(0) | RevisionOption::Start(_)) | None => Start::Beginning,
        Some(RevisionOption::Revision(version)) => Start::At(version),
        Some(RevisionOption::End(_)) => Start::End,
    };
    let source = Source::from_wire(options.stream_identifier.as_ref())?;
    Ok(Place {
        source,
        start,
        filter: None,
    })
}

fn of_all(options: AllOptions) -> Result<Place, Status> {
    let start = match options.all_option {
        Some(AllOption::Position(position)) if position.commit_position > 0 => Start::At(position.commit_position),
        Some(AllOption::Position(_) | AllOption::Start(_)) | None => Start::Beginning,
        Some(AllOption::End(_)) => Start::End,
    };
    let filter = match options.filter_option {
        Some(FilterOption::Filter(filter)) => Some(Sought::from_wire(filter)?),
        Some(FilterOption::NoFilter(_)) | None => None,
    };
    Ok(Place {
        source: Source::All,
        start,
        filter,
    })
}

/// Clients of before 21.10 name the stream here, and the start in the settings: the largest number is the end.
fn of_old(identifier: Option<&StreamIdentifier>, settings: &wire::Settings) -> Result<Place, Status> {
    let start = match settings.revision {
        0 => Start::Beginning,
        u64::MAX => Start::End,
        version => Start::At(version),
    };
    let source = Source::from_wire(identifier)?;
    Ok(Place {
        source,
        start,
        filter: None,
    })
}

/// How many messages the consumer wants to hold.
pub(super) fn buffer(options: &read_req::Options) -> Result<usize, Status> {
    match options.buffer_size {
        size @ 1.. => Ok(usize::try_from(size.min(MOST_HELD)).unwrap_or(1)),
        size => Err(bad_request(format!("buffer_size is {size}: expected 1 or more"))),
    }
}

/// An acknowledgement or its opposite.
#[derive(Debug)]
pub(super) enum Verdict {
    Ack(Vec<Uuid>),
    Nack {
        ids: Vec<Uuid>,
        refusal: Refusal,
        reason: String,
    },
}

pub(super) fn verdict(content: Option<read_req::Content>) -> Result<Verdict, Status> {
    match content {
        Some(read_req::Content::Ack(ack)) => Ok(Verdict::Ack(ids(&ack.ids)?)),
        Some(read_req::Content::Nack(nack)) => {
            let refusal = match nack.action() {
                read_req::nack::Action::Park => Refusal::Park,
                // Who does not know what to do may get it again.
                read_req::nack::Action::Retry | read_req::nack::Action::Unknown => Refusal::Retry,
                read_req::nack::Action::Skip => Refusal::Skip,
                read_req::nack::Action::Stop => Refusal::Stop,
            };
            Ok(Verdict::Nack {
                ids: ids(&nack.ids)?,
                refusal,
                reason: nack.reason,
            })
        }
        Some(read_req::Content::Options(_)) => Err(bad_request("the options come once, first")),
        None => Err(bad_request("an empty message")),
    }
}

fn ids(ids: &[WireId]) -> Result<Vec<Uuid>, Status> {
    ids.iter().map(|id| id_from(Some(id))).collect()
}

/// What `metadata` says of who is calling.
pub(super) fn connection_name(metadata: &MetadataMap) -> String {
    let name = metadata.get("connection-name").and_then(|name| name.to_str().ok());
    name.unwrap_or_default().to_owned()
}

impl Who {
    pub(super) fn of<T>(request: &tonic::Request<T>) -> Self {
        let peer = request.extensions().get::<crate::server::Peer>();
        let granted = request.extensions().get::<crate::access::Granted>();
        Self {
            from: peer.map(|peer| peer.0.to_string()).unwrap_or_default(),
            user: granted.map_or_else(|| "anonymous".to_owned(), |granted| granted.user.clone()),
            connection: connection_name(request.metadata()),
        }
    }
}
