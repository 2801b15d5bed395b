//! The contract between the floors of the house: what is written to the log, and what leaves it.
//!
//! - one file per aggregate: [`product`], [`stock`], [`cart`], [`order`], [`payment`], [`shipment`], [`customer`],
//!   [`seller`], [`returns`], [`credit`], [`repair`], [`subscription`], [`audit`], [`saga`]; each event is a struct, each aggregate's events are one enum;
//! - [`ids`], [`money`] and [`time`]: the values events are made of;
//! - [`envelope`]: what surrounds an event in the log (stream name, event id, metadata);
//! - [`upcasters`]: how bytes written by older versions are read by this one;
//! - [`published`]: the CloudEvents that leave the house; stored and published forms evolve apart.
//!
//! The JSON Schemas in `event-schemas/json/` are generated from these types; a test fails on a breaking difference.

pub mod address;
pub mod audit;
pub mod cart;
pub mod credit;
pub mod customer;
pub mod envelope;
mod family;
pub mod ids;
pub mod money;
pub mod order;
pub mod payment;
pub mod product;
pub mod published;
pub mod repair;
pub mod returns;
pub mod saga;
pub mod schemas;
pub mod seller;
pub mod shipment;
mod shop_event;
pub mod stock;
pub mod subscription;
pub mod time;
pub mod upcasters;

pub use address::Address;
pub use envelope::{Actor, Category, ContentType, Metadata, NewEvent, StreamName};
pub use family::{DecodeError, DomainEvent};
pub use ids::{
    AccountId, CustomerId, DeadLetterId, Id, OrderId, PaymentId, ProductId, RefundId, RepairCaseId, ReturnId, SellerId,
    ShipmentId,
};
pub use money::{Currency, Money};
pub use shop_event::ShopEvent;
pub use time::Timestamp;
