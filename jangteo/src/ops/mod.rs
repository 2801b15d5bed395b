//! What operators may see and do: streams, events, counts, read models and their rebuilds, imports.

pub mod importing;
pub mod projections;
mod query;
pub mod reading;
pub mod routes;
pub mod view;

#[cfg(test)]
pub(crate) mod tests;
