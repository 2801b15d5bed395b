//! Subscribers over a log in memory.

mod dead_letters;
mod points;
pub(crate) mod shop;
