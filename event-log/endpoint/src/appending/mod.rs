//! Appending: one append per call, or many over one stream of messages.
//!
//! - [`collected`]: the pieces of an append, no larger than the log takes
//! - [`write`](writing::write): the append itself, and streams made anew after a deletion
//! - [`single`], [`batch`]: the two calls, and what they answer

mod batch;
mod collected;
mod refusal;
mod single;
#[cfg(test)]
mod tests;
mod writing;

pub(crate) use self::{batch::batch, single::append, writing::recreating};
