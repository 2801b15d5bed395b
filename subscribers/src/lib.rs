//! Choreography: subscribers, who listen to the log and act once per event, beside the sagas.
//!
//! A saga knows a whole story and tells others what to do. A subscriber knows no story: it hears of one thing and does one
//! thing, and nobody waits for it. That fits mails, points and notifications: an order is as good without them.
//!
//! - [`Subscriber`]: what one is; [`mails`], [`points`], [`notifications`].
//! - [`Subscriptions`]: all of them, each following the log from a checkpoint of its own, in order. What fails is tried again;
//!   what fails often is put aside as a dead letter, an event in the log itself.
//! - [`DeadLetters`]: those, listed, tried again or discarded by operators.

mod dead_letters;
mod following;
mod history;
pub mod mails;
pub mod notifications;
pub mod points;
mod subscriber;
mod subscriptions;

#[cfg(test)]
mod tests;

/// What [`Subscriptions::start_with`] asks for.
pub use event_log::{Bookmark, MemoryBookmark};

pub use dead_letters::{DeadLetter, DeadLetterError, DeadLetters, Fate};
pub use following::Patience;
pub use subscriber::{Fact, NotTaken, Subscriber};
pub use subscriptions::{Standing, Subscriptions};
