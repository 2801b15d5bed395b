//! Serves an event log over a wire compatible with EventStoreDB's gRPC protocol.
//!
//! [`Endpoint::start`] serves any [`event_log::EventLog`]; there is no second store: stream metadata, deletions and the
//! state of persistent subscriptions are events like all others.
//!
//! - `server`: connections, TLS, who may speak, which call goes where
//! - `appending`, `reading`, `persistent`: what the calls do
//! - `streams`: metadata, and what of a stream is to be seen
//! - `messages`, `status`: the log's words in the wire's, and its faults

mod access;
mod appending;
mod features;
mod gossip;
mod messages;
mod persistent;
mod reading;
mod server;
mod service;
mod status;
mod streams;
#[cfg(test)]
mod testing;
mod tls;
mod wire;

pub use access::{Access, Denied, Granted, OperatorToken};
pub use server::{Endpoint, EndpointError, EndpointSettings, Limits, Security};
pub use tls::{Certificate, CertificateError};
