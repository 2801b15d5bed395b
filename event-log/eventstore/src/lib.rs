//! The EventLog port on EventStoreDB, and on everything that speaks its protocol, through its official client.
//!
//! What one call passes through:
//!
//! - [`EventStoreLog`]: the port's words (`log`, `appending`, `burying`, `reading`, `following`, `census`)
//! - [`line`]: one client of the `eventstore` crate, made anew when it is dead; calls that wait, within a deadline, for the server to come back
//! - [`relay`]: a listener on loopback inside this process to which that client connects. It dials the real node, checks its certificate,
//!   follows a cluster's leader, and acknowledges at once what the client sends: the client never sets `TCP_NODELAY`, so that each
//!   call would otherwise wait 40 ms for the other side's delayed acknowledgement
//!
//! What was tried, and what was not: everything here runs against this project's own endpoint (crate `log-endpoint`). No EventStoreDB could
//! be had, so what is said about it rests on its documentation, its protocol and its source. The places where it differs from the endpoint
//! are marked "EventStoreDB:".

mod address;
mod appending;
mod burying;
mod census;
mod error;
mod events;
mod following;
mod line;
mod log;
mod reading;
mod recent;
mod relay;
#[cfg(test)]
mod tests;

pub use address::ConnectError;
pub use log::{EventStoreLog, Settings};
