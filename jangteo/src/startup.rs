//! Wires the shop and starts it; stops it in order.

/// A running shop.
pub struct Shop {}

/// Why the shop did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {}

/// Remembers when the process started, so that `up` can say how long it took to be ready.
pub fn note_process_start() {}

/// The description of the whole HTTP interface.
pub fn openapi() -> utoipa::openapi::OpenApi {
    edge::openapi::merge(vec![])
}
