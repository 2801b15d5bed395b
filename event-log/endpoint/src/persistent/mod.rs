//! Persistent subscriptions: groups of consumers that the endpoint hands events to and that acknowledge them.

use std::{pin::Pin, sync::Arc};

use async_trait::async_trait;
use futures_util::Stream;
use tonic::{Request, Response, Status, Streaming};

use crate::{
    service::Service,
    wire::{
        client::Empty,
        persistent_subscriptions::{
            CreateReq, CreateResp, DeleteReq, DeleteResp, GetInfoReq, GetInfoResp, ListReq, ListResp, ReadReq,
            ReadResp, ReplayParkedReq, ReplayParkedResp, UpdateReq, UpdateResp,
            persistent_subscriptions_server::PersistentSubscriptions,
        },
    },
};

/// The groups of this log.
pub(crate) struct Groups {
    _service: Arc<Service>,
}

impl Groups {
    pub(crate) fn new(service: Arc<Service>) -> Self {
        Self { _service: service }
    }
}

fn later() -> Status {
    Status::unimplemented("not served yet")
}

#[async_trait]
impl PersistentSubscriptions for Groups {
    type ReadStream = Pin<Box<dyn Stream<Item = Result<ReadResp, Status>> + Send>>;

    async fn create(&self, _request: Request<CreateReq>) -> Result<Response<CreateResp>, Status> {
        Err(later())
    }
    async fn update(&self, _request: Request<UpdateReq>) -> Result<Response<UpdateResp>, Status> {
        Err(later())
    }
    async fn delete(&self, _request: Request<DeleteReq>) -> Result<Response<DeleteResp>, Status> {
        Err(later())
    }
    async fn read(&self, _request: Request<Streaming<ReadReq>>) -> Result<Response<Self::ReadStream>, Status> {
        Err(later())
    }
    async fn get_info(&self, _request: Request<GetInfoReq>) -> Result<Response<GetInfoResp>, Status> {
        Err(later())
    }
    async fn replay_parked(&self, _request: Request<ReplayParkedReq>) -> Result<Response<ReplayParkedResp>, Status> {
        Err(later())
    }
    async fn list(&self, _request: Request<ListReq>) -> Result<Response<ListResp>, Status> {
        Err(later())
    }
    async fn restart_subsystem(&self, _request: Request<Empty>) -> Result<Response<Empty>, Status> {
        Err(later())
    }
}
