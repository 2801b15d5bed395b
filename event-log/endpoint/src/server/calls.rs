//! The calls of the service Streams, each to the part that answers it.

use std::{pin::Pin, sync::Arc};

use async_trait::async_trait;
use futures_util::Stream;
use tonic::{Request, Response, Status, Streaming};

use crate::{
    appending, reading,
    service::Service,
    streams,
    wire::streams::{
        AppendReq, AppendResp, BatchAppendReq, BatchAppendResp, DeleteReq, DeleteResp, ReadReq, TombstoneReq,
        TombstoneResp, streams_server::Streams,
    },
};

/// The service Streams.
pub(super) struct Calls {
    service: Arc<Service>,
}

impl Calls {
    pub(super) fn new(service: Arc<Service>) -> Self {
        Self { service }
    }
}

#[async_trait]
impl Streams for Calls {
    type ReadStream = reading::Answers;
    type BatchAppendStream = Pin<Box<dyn Stream<Item = Result<BatchAppendResp, Status>> + Send>>;

    async fn read(&self, request: Request<ReadReq>) -> Result<Response<Self::ReadStream>, Status> {
        let answers = reading::read(&self.service, request.into_inner()).await?;
        Ok(Response::new(answers))
    }

    async fn append(&self, request: Request<Streaming<AppendReq>>) -> Result<Response<AppendResp>, Status> {
        let answer = appending::append(&self.service, request.into_inner()).await?;
        Ok(Response::new(answer))
    }

    async fn delete(&self, request: Request<DeleteReq>) -> Result<Response<DeleteResp>, Status> {
        let answer = streams::delete(&self.service, request.into_inner()).await?;
        Ok(Response::new(answer))
    }

    async fn tombstone(&self, request: Request<TombstoneReq>) -> Result<Response<TombstoneResp>, Status> {
        let answer = streams::tombstone(&self.service, request.into_inner()).await?;
        Ok(Response::new(answer))
    }

    async fn batch_append(
        &self,
        request: Request<Streaming<BatchAppendReq>>,
    ) -> Result<Response<Self::BatchAppendStream>, Status> {
        let answers = appending::batch(Arc::clone(&self.service), request.into_inner());
        Ok(Response::new(Box::pin(answers)))
    }
}
