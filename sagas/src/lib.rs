//! Sagas: what the shop does when something has happened, over several services and days, until it is done or undone.
//!
//! - a saga is pure ([`place_order`], [`return_goods`]): a fact in, a new state and commands out ([`Saga`]);
//! - the [`SagaRunner`] makes it durable: it reads facts from the log, sends the commands that follow, writes down what
//!   the sagas know, keeps the timers, and can be killed anywhere;
//! - commands leave through a [`Dispatcher`]; their answers come back as events in the log, never as return values.
//!
//! Adding a saga: its events in `event-schemas`, a folder here whose type implements [`Saga`], one [`SagaRunner::start`] in the
//! binary's wiring.

mod checkpoint;
mod clock;
mod dispatch;
pub mod place_order;
mod policy;
pub mod return_goods;
mod roster;
mod runner;
mod saga;
mod watermark;
#[cfg(test)]
mod world;

pub use checkpoint::{Checkpoint, CheckpointError, MemoryCheckpoint};
pub use dispatch::{DispatchError, Dispatcher};
pub use domain::steps::{Service, service_of, step_key, step_name};
pub use event_log::{Clock, SystemClock};
pub use place_order::PlaceOrder;
pub use policy::Policy;
pub use return_goods::ReturnGoods;
pub use roster::Open;
pub use runner::{Limits, RunnerConfig, SagaRunner, StartError};
pub use saga::{Decision, Fact, Saga, UnknownState};
