//! The domain, pure: `decide(state, command) -> events | refusal` and `evolve(state, event) -> state`. No I/O, no clock,
//! no randomness, no floats for money; time and identifiers arrive inside the command.
//!
//! One aggregate, one file, read top-down: stream name, state, `evolve`, `decide`. They are [`product`], [`cart`],
//! [`order`], [`payment`], [`shipment`], [`returns`] and [`repair`]; [`checkout`] makes a cart or a list of wishes into the lines of an order.
//! [`commands`] is what sagas ask of the services.

mod aggregate;
pub mod cart;
pub mod checkout;
pub mod commands;
pub mod order;
pub mod payment;
pub mod product;
mod refusal;
pub mod repair;
pub mod returns;
pub mod shipment;
pub mod steps;
mod values;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod testing;

pub use aggregate::Aggregate;
pub use cart::Cart;
pub use order::Order;
pub use payment::Payment;
pub use product::Product;
pub use refusal::{ChangedLine, FieldRefusal, Kind, Refusal};
pub use repair::RepairCase;
pub use returns::Returns;
pub use shipment::Shipment;
