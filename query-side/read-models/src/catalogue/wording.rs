//! What is true of words whichever engine looks for them.

pub(crate) mod hangul;
pub(crate) mod keyboard;
pub(crate) mod korean;
pub(crate) mod synonyms;
pub(crate) mod titles;
pub(crate) mod words;
