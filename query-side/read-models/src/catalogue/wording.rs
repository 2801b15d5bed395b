//! What is true of words whichever engine looks for them.

pub(crate) mod korean;
