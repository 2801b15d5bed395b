//! Persistent subscriptions: groups of consumers that the endpoint hands events to and that acknowledge them.
//!
//! - `group`: one group as a pure state machine · `runner`: the task that feeds it, with `following`, `replay` and
//!   `writing`
//! - `registry`: all groups · `stored`: what of them stands in the log · `settings`, `key`, `sought`: what a group is
//!   told
//! - `consumer`: the way to a consumer · `requests`, `outlook`: the protocol's words
//!
//! At least once: an event is handled when a consumer acknowledges or skips it, or when it is parked, and the
//! checkpoint never passes one that is not. After a restart a group goes on behind its checkpoint, a replay where its
//! mark is.

mod consumer;
mod following;
mod group;
mod key;
mod outlook;
mod pinning;
mod registry;
mod replay;
mod requests;
mod runner;
mod settings;
mod sought;
mod stored;
#[cfg(test)]
mod tests;
mod writing;

use std::{pin::Pin, sync::Arc};

use async_trait::async_trait;
use futures_util::{Stream, StreamExt};
use tokio::sync::{mpsc, oneshot};
use tonic::{Request, Response, Status, Streaming};

use self::{
    consumer::replies,
    group::ConsumerId,
    key::{Key, Source},
    outlook::describe,
    registry::{Registry, ask},
    requests::{Verdict, buffer, missing, verdict},
    runner::{Command, Who},
};
use crate::{
    messages::Ids,
    service::Service,
    status::bad_request,
    wire::{
        client::Empty,
        persistent_subscriptions::{
            CreateReq, CreateResp, DeleteReq, DeleteResp, GetInfoReq, GetInfoResp, ListReq, ListResp, ReadReq,
            ReadResp, ReplayParkedReq, ReplayParkedResp, SubscriptionInfo, UpdateReq, UpdateResp, delete_req,
            get_info_req, list_req, persistent_subscriptions_server::PersistentSubscriptions, read_req,
            replay_parked_req,
        },
    },
};

/// The groups of this log.
pub(crate) struct Groups {
    registry: Registry,
}

impl Groups {
    pub(crate) fn new(service: Arc<Service>) -> Self {
        Self {
            registry: Registry::new(service),
        }
    }

    async fn describe(&self, key: &Key) -> Result<SubscriptionInfo, Status> {
        let (entry, outlook, end) = self.registry.look(key).await?;
        Ok(describe(&entry, &outlook, end))
    }
}

/// Hears what a consumer says until it has no more to say, or is gone.
async fn listen(
    mut said: Streaming<ReadReq>,
    group: mpsc::Sender<Command>,
    consumer: ConsumerId,
    mut gone: oneshot::Receiver<()>,
) {
    let status = loop {
        let message = tokio::select! {
            message = said.message() => message,
            _ = &mut gone => break Status::cancelled("the consumer is gone"),
        };
        let heard = match message {
            Ok(Some(message)) => verdict(message.content),
            Ok(None) => break Status::cancelled("the consumer has said all"),
            Err(error) => break error,
        };
        let command = match heard {
            Ok(Verdict::Ack(ids)) => Command::Ack { consumer, ids },
            Ok(Verdict::Nack { ids, refusal, reason }) => Command::Nack {
                consumer,
                ids,
                refusal,
                reason,
            },
            Err(error) => break error,
        };
        if group.send(command).await.is_err() {
            return;
        }
    };
    // A group that has ended has no consumers.
    let _ = group.send(Command::Leave { consumer, status }).await;
}

#[async_trait]
impl PersistentSubscriptions for Groups {
    type ReadStream = Pin<Box<dyn Stream<Item = Result<ReadResp, Status>> + Send>>;

    async fn create(&self, request: Request<CreateReq>) -> Result<Response<CreateResp>, Status> {
        self.registry.create(requests::create(request.into_inner())?).await?;
        Ok(Response::new(CreateResp {}))
    }

    async fn update(&self, request: Request<UpdateReq>) -> Result<Response<UpdateResp>, Status> {
        self.registry.update(requests::update(request.into_inner())?).await?;
        Ok(Response::new(UpdateResp {}))
    }

    async fn delete(&self, request: Request<DeleteReq>) -> Result<Response<DeleteResp>, Status> {
        let options = request.into_inner().options.ok_or_else(missing)?;
        let source = match options.stream_option {
            Some(delete_req::options::StreamOption::All(_)) => Source::All,
            Some(delete_req::options::StreamOption::StreamIdentifier(name)) => Source::from_wire(Some(&name))?,
            None => return Err(missing()),
        };
        self.registry.delete(&Key::new(source, &options.group_name)?).await?;
        Ok(Response::new(DeleteResp {}))
    }

    async fn read(&self, request: Request<Streaming<ReadReq>>) -> Result<Response<Self::ReadStream>, Status> {
        let who = Who::of(&request);
        let mut said = request.into_inner();
        let Some(ReadReq {
            content: Some(read_req::Content::Options(options)),
        }) = said.message().await?
        else {
            return Err(bad_request("the options come first"));
        };
        let source = match &options.stream_option {
            Some(read_req::options::StreamOption::All(_)) => Source::All,
            Some(read_req::options::StreamOption::StreamIdentifier(name)) => Source::from_wire(Some(name))?,
            None => return Err(missing()),
        };
        let key = Key::new(source, &options.group_name)?;
        let (buffer, ids) = (buffer(&options)?, Ids::wanted(options.uuid_option.as_ref()));
        let group = self.registry.group(&key).await?;
        let joined = ask(&group, |reply| Command::Join { buffer, who, reply }).await?;
        let joined = joined.map_err(|_full| key.full())?;
        // Goes down with the replies: that is how the consumer's going is noticed.
        let (here, gone) = oneshot::channel();
        tokio::spawn(listen(said, group, joined.consumer, gone));
        let replies = replies(key.to_string(), ids, joined.receiving).map(move |reply| {
            let _ = &here;
            reply
        });
        Ok(Response::new(Box::pin(replies)))
    }

    async fn get_info(&self, request: Request<GetInfoReq>) -> Result<Response<GetInfoResp>, Status> {
        let options = request.into_inner().options.ok_or_else(missing)?;
        let source = match options.stream_option {
            Some(get_info_req::options::StreamOption::All(_)) => Source::All,
            Some(get_info_req::options::StreamOption::StreamIdentifier(name)) => Source::from_wire(Some(&name))?,
            None => return Err(missing()),
        };
        let subscription_info = Some(self.describe(&Key::new(source, &options.group_name)?).await?);
        Ok(Response::new(GetInfoResp { subscription_info }))
    }

    async fn replay_parked(&self, request: Request<ReplayParkedReq>) -> Result<Response<ReplayParkedResp>, Status> {
        let options = request.into_inner().options.ok_or_else(missing)?;
        let source = match options.stream_option {
            Some(replay_parked_req::options::StreamOption::All(_)) => Source::All,
            Some(replay_parked_req::options::StreamOption::StreamIdentifier(name)) => Source::from_wire(Some(&name))?,
            None => return Err(missing()),
        };
        let stop_at = match options.stop_at_option {
            Some(replay_parked_req::options::StopAtOption::StopAt(version)) => {
                let version = u64::try_from(version);
                Some(version.map_err(|_| bad_request("stop_at is less than 0"))?)
            }
            Some(replay_parked_req::options::StopAtOption::NoLimit(_)) | None => None,
        };
        let group = self.registry.group(&Key::new(source, &options.group_name)?).await?;
        ask(&group, |reply| Command::Replay { stop_at, reply }).await?;
        Ok(Response::new(ReplayParkedResp {}))
    }

    async fn list(&self, request: Request<ListReq>) -> Result<Response<ListResp>, Status> {
        let options = request.into_inner().options.ok_or_else(missing)?;
        let source = match options.list_option {
            Some(list_req::options::ListOption::ListAllSubscriptions(_)) => None,
            Some(list_req::options::ListOption::ListForStream(stream)) => Some(match stream.stream_option {
                Some(list_req::stream_option::StreamOption::All(_)) => Source::All,
                Some(list_req::stream_option::StreamOption::Stream(name)) => Source::from_wire(Some(&name))?,
                None => return Err(missing()),
            }),
            None => return Err(missing()),
        };
        let keys = self.registry.keys(source.as_ref()).await?;
        if let (true, Some(stream)) = (keys.is_empty(), source) {
            return Err(Key {
                stream,
                group: String::new(),
            }
            .does_not_exist());
        }
        let mut subscriptions = vec![];
        for key in keys {
            match self.describe(&key).await {
                Ok(described) => subscriptions.push(described),
                // Deleted while the others were looked at.
                Err(error) if error.code() == tonic::Code::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Response::new(ListResp { subscriptions }))
    }

    async fn restart_subsystem(&self, _request: Request<Empty>) -> Result<Response<Empty>, Status> {
        self.registry.restart().await?;
        Ok(Response::new(Empty {}))
    }
}
