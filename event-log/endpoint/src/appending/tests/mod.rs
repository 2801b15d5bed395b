//! What writers are answered.

mod batches;
mod single;
