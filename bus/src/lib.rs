//! Commands to the services and events to partners, on their way between processes.
//!
//! - [`CommandBus`] is the port: a command in, what became of it out. In one process it is the services themselves
//!   ([`InProcess`]); between processes it is NATS JetStream ([`NatsCommands`] sends, a [`Worker`] takes). Both pass
//!   [`contract`].
//! - [`EventPublisher`] lets what partners may see leave the house, as CloudEvents, from a checkpoint of its own.
//! - what nobody could handle is kept as a dead letter ([`DeadCommands`]) until an operator has decided.
//!
//! Commands are carried at least once, and the services do each once: a directive's id is the same however often it is sent.

mod command_bus;
pub mod contract;
mod events;
mod nats;

pub use command_bus::{CommandBus, CommandError, CommandHandler, InProcess};
pub use events::{EventPublisher, PublisherError};
pub use nats::{
    Credentials, DeadCommand, DeadCommands, Nats, NatsCommands, NatsError, NatsSettings, Worker, WorkerLimits,
};
