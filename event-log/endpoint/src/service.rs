//! What every call works with.

use std::sync::Arc;

use event_log::EventLog;
use event_schemas::StreamName;
use tokio::sync::watch;
use tonic::Status;

use crate::{
    server::Limits,
    status,
    streams::{StreamView, Streams},
};

/// The log, and what the endpoint knows of its streams. Shared by all calls.
pub(crate) struct Service {
    pub(crate) log: Arc<dyn EventLog>,
    pub(crate) streams: Streams,
    pub(crate) limits: Limits,
    stopping: watch::Receiver<bool>,
}

impl Service {
    pub(crate) fn new(log: Arc<dyn EventLog>, limits: Limits, stopping: watch::Receiver<bool>) -> Arc<Self> {
        Arc::new(Self {
            streams: Streams::new(Arc::clone(&log)),
            log,
            limits,
            stopping,
        })
    }

    /// What of `stream` is to be seen now.
    pub(crate) async fn view(&self, stream: &StreamName) -> Result<StreamView, Status> {
        self.streams
            .view(stream)
            .await
            .map_err(|error| status::log_fault(&error))
    }

    /// Resolves once the endpoint stops. For tasks of their own; calls are ended with UNAVAILABLE by the server.
    pub(crate) async fn stopping(&self) {
        let mut stopping = self.stopping.clone();
        // An endpoint that is gone has stopped.
        let _ = stopping.wait_for(|stopping| *stopping).await;
    }
}
