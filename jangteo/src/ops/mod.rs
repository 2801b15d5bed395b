//! What operators may see and do: streams, events, counts, read models, their rebuilds and audits, imports.

pub mod auditing;
pub mod circuits;
pub mod comparison;
pub mod dead_letters;
pub mod importing;
pub mod projections;
mod query;
pub mod reading;
pub mod routes;
pub mod sagas;
pub mod undelivered;
pub(crate) mod undelivered_routes;
pub mod view;

#[cfg(test)]
pub(crate) mod tests;
