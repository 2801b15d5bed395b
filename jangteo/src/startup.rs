//! Wires the shop and starts it; stops it in order.

/// A running shop.
pub struct Shop {}

/// Why the shop did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {}
