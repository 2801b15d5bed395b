//! Deleting streams: softly, by metadata, or for good.
use tonic::Status;

use crate::{
    service::Service,
    wire::streams::{DeleteReq, DeleteResp, TombstoneReq, TombstoneResp},
};

/// Hides everything of a stream.
pub(crate) async fn delete(_service: &Service, _request: DeleteReq) -> Result<DeleteResp, Status> {
    Err(Status::unimplemented("later"))
}

/// Deletes a stream for good.
pub(crate) async fn tombstone(_service: &Service, _request: TombstoneReq) -> Result<TombstoneResp, Status> {
    Err(Status::unimplemented("later"))
}
