//! On a real server: the one that `make test` started, or one of the test's own.

mod commands;
mod dead;
mod entrance;
mod events;
mod faults;
mod server;
mod wire;
