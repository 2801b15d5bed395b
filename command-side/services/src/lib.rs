//! The command side: what changes the shop.
//!
//! A request becomes a command; [`execution`] loads the aggregate from the log, lets the domain decide, and appends what it
//! decided. [`services::Services`] is what sagas call, [`routes`](fn@routes::routes) what customers call.
//!
//! - [`products`], [`carts`], [`orders`], [`returns`]: event-sourced; [`images`]: product pictures in the blob store;
//! - [`inventory`], [`accounts`]: relational, told to the log through the [`outbox`];
//! - [`payments`], [`shipping`]: event-sourced, with the ports to the provider and the carrier.

pub mod accounts;
pub mod carts;
pub mod execution;
pub mod images;
pub mod inventory;
pub mod orders;
pub mod outbox;
pub mod payments;
pub mod problems;
pub mod products;
pub mod relational;
pub mod returns;
pub mod routes;
pub mod secret;
pub mod services;
pub mod shipping;

#[cfg(test)]
mod testing;
