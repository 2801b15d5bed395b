//! Documents over HTTP: how projections in a process of their own write to the query role's stores.
//!
//! - [`wire`]: what is asked and answered; [`endpoint`]: the query role's side; [`remote`]: the projections' side, a
//!   [`DocumentStore`](read_models::documents::DocumentStore) like any other; [`shown`]: how far queries see, where nothing
//!   had to be written.
//!
//! **Late commits.** A commit that got no answer may still happen. So whoever reads a checkpoint gets a lease with it, and only
//! the newest lease of a generation may commit: once a checkpoint is read again, everything sent before is void.

pub(crate) mod endpoint;
mod leases;
pub(crate) mod remote;
pub(crate) mod shown;
#[cfg(test)]
mod tests;
mod wire;
