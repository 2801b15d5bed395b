//! Appending: one append per call, or many over one stream of messages.
use std::sync::Arc;

use futures_util::Stream;
use tonic::{Status, Streaming};

use crate::{
    service::Service,
    wire::streams::{AppendReq, AppendResp, BatchAppendReq, BatchAppendResp},
};

/// Answers one call of Append.
pub(crate) async fn append(_service: &Service, _messages: Streaming<AppendReq>) -> Result<AppendResp, Status> {
    Err(Status::unimplemented("later"))
}

/// Answers one call of BatchAppend.
pub(crate) fn batch(
    _service: Arc<Service>,
    _messages: Streaming<BatchAppendReq>,
) -> impl Stream<Item = Result<BatchAppendResp, Status>> + Send {
    futures_util::stream::empty()
}
