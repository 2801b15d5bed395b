//! The house rules, and the whole shop in processes, over real protocols.
//!
//! Each test starts the real `jangteo` binary on a folder and a port of its own, and talks HTTP and command line to it.
#![cfg(test)]

mod alerts;
mod bad_input;
mod browser;
mod chapters;
mod containers;
mod crashes;
mod database;
mod database_moves;
mod drift;
mod elasticsearch;
mod empty_shop;
mod figures;
mod first_order;
mod flash_sale;
mod foreign_clients;
mod full_order;
mod grown;
mod house_rules;
mod imports;
mod log_away;
mod log_faults;
mod mails;
mod money;
mod moving;
mod operators;
mod postgres;
mod rebuilding;
mod reference;
mod roles;
mod shop;
mod shop_pages;

// The official Rust client's own tests: `common`, `streams`, `persistent_subscriptions`. They find each other at the root.
include!(concat!(env!("OUT_DIR"), "/eventstore_tests.rs"));
