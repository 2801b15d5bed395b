//! Reading: one stream or the whole log, once or for ever.
//!
//! A reader is answered page by page, and the next page is read when the last one is on its way: one that stops reading
//! stops its own reading, holds a page and what the connection buffers, and keeps nobody else from going on. No task
//! and no queue stands between the log and the connection.
//!
//! - [`request`]: what the reader asks for · [`filter`], [`links`], [`form`]: which events, and how they are written
//! - [`stream`], [`all`]: once · [`follow_stream`], [`follow_all`]: for ever
//! - [`pages`]: how much at a time · [`open`]: how many subscriptions there are

mod all;
mod filter;
mod follow_all;
mod follow_stream;
mod form;
mod links;
mod open;
mod pages;
mod replies;
mod request;
mod stream;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use tonic::Status;

use self::{
    all::AllOnce,
    follow_all::FollowAll,
    follow_stream::FollowStream,
    request::{Extent, Source, Wish},
    stream::StreamOnce,
};
pub(crate) use self::{
    filter::Filter,
    links::{Resolved, resolve},
    pages::{Answers, answers},
};
use crate::{service::Service, wire::streams::ReadReq};

/// Answers a reader.
///
/// # Errors
/// When the request makes no sense, the stream is tombstoned, or the log fails at once. What goes wrong later ends the replies.
pub(crate) async fn read(service: &Arc<Service>, request: ReadReq) -> Result<Answers, Status> {
    let Wish { source, extent, form } = Wish::new(request)?;
    let service = Arc::clone(service);
    match (source, extent) {
        (Source::Stream { stream, from }, Extent::Once { direction, count }) => {
            let reading = StreamOnce::new(service, form, stream, from, direction, count).await?;
            Ok(answers(reading))
        }
        (Source::All { from, filter }, Extent::Once { direction, count }) => {
            let reading = AllOnce::new(service, form, from, filter, direction, count).await?;
            Ok(answers(reading))
        }
        (Source::Stream { stream, from }, Extent::ForEver) => {
            Ok(answers(FollowStream::new(service, form, stream, from).await?))
        }
        (Source::All { from, filter }, Extent::ForEver) => {
            Ok(answers(FollowAll::new(service, form, from, filter).await?))
        }
    }
}
