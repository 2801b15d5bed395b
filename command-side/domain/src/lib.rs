//! The domain, pure: `decide(state, command) -> events | refusal` and `evolve(state, event) -> state`. No I/O, no clock,
//! no randomness, no floats for money; time and identifiers arrive inside the command.
//!
//! One aggregate, one file, read top-down. [`commands`] is what sagas ask of the services.

pub mod commands;
