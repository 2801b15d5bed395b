//! The shop in a world that is out to break it: seeded, deterministic, and replayed by its seed.
//!
//! Real are the deciders, the services, the sagas and their runner, the subscribers and theirs, and the reconciliation. Played are
//! time, the log's moods, the bus between sagas and services, the payment provider, the carrier, the post, customers and operators. Nothing waits by the machine's clock, nothing runs on a second
//! thread, and all chance comes from the seed ([`chance`]): the same seed is the same history, to the byte.
//!
//! - [`world`]: puts it together and plays it to its end; [`weather`]: what goes wrong, and how often, until it is calm;
//! - [`clock`]: virtual time; [`log`], [`bus`]: what lies between the processes; [`house`], [`processes`]: who is killed when;
//! - [`choreography`]: mails, points and notifications; [`operator`]: who sees to what needs a human;
//! - [`provider`], [`carrier`], [`mailbox`], [`customers`], [`aftersales`]: the parties outside;
//! - [`evidence`], [`judge`]: what is left, and the invariants; [`mutants`]: planted bugs, which the judge must find.
//!
//! ```text
//! JANGTEO_SEED=17 cargo test -p simulation one_seed -- --nocapture     the history of one seed
//! JANGTEO_SEEDS=100000 cargo test -p simulation all_seeds              more seeds than `make test` plays
//! ```

pub mod aftersales;
pub mod bus;
pub mod carrier;
pub mod chance;
pub mod choreography;
pub mod clock;
pub mod customers;
pub mod evidence;
pub mod house;
pub mod judge;
pub mod log;
pub mod mailbox;
pub mod mutants;
pub mod operator;
pub mod processes;
pub mod provider;
pub mod weather;
pub mod world;

#[cfg(test)]
mod tests;

pub use world::{Ending, play};
