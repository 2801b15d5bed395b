//! What this server can do, as clients ask it.

use async_trait::async_trait;
use tonic::{Request, Response, Status};

use crate::wire::{
    client::Empty,
    server_features::{SupportedMethod, SupportedMethods, server_features_server::ServerFeatures},
};

/// The version of the protocol that is spoken: digits and dots, as clients read them. From 25.1 on they expect services that are
/// not served here.
pub(crate) const VERSION: &str = "24.10.0";

const STREAMS: &str = "event_store.client.streams.streams";
const PERSISTENT: &str = "event_store.client.persistent_subscriptions.persistentsubscriptions";
const GOSSIP: &str = "event_store.client.gossip.gossip";
const FEATURES: &str = "event_store.client.server_features.serverfeatures";

/// Service, method, and what of it is not a matter of course. Clients look for the lower case.
const METHODS: &[(&str, &str, &[&str])] = &[
    (STREAMS, "append", &[]),
    (STREAMS, "batchappend", &["deadline_duration"]),
    (STREAMS, "delete", &[]),
    (STREAMS, "read", &["position", "events"]),
    (STREAMS, "tombstone", &[]),
    (PERSISTENT, "create", &["stream", "all"]),
    (PERSISTENT, "update", &["stream", "all"]),
    (PERSISTENT, "delete", &["stream", "all"]),
    (PERSISTENT, "read", &["stream", "all"]),
    (PERSISTENT, "getinfo", &["stream", "all"]),
    (PERSISTENT, "replayparked", &["stream", "all"]),
    (PERSISTENT, "list", &["stream", "all"]),
    (PERSISTENT, "restartsubsystem", &[]),
    (GOSSIP, "read", &[]),
    (FEATURES, "getsupportedmethods", &[]),
];

/// The service ServerFeatures.
pub(crate) struct Features;

#[async_trait]
impl ServerFeatures for Features {
    async fn get_supported_methods(&self, _request: Request<Empty>) -> Result<Response<SupportedMethods>, Status> {
        let methods = METHODS.iter().map(|(service, method, features)| SupportedMethod {
            method_name: (*method).to_owned(),
            service_name: (*service).to_owned(),
            features: features.iter().map(|feature| (*feature).to_owned()).collect(),
        });
        Ok(Response::new(SupportedMethods {
            methods: methods.collect(),
            event_store_server_version: VERSION.to_owned(),
        }))
    }
}
