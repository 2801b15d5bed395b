//! Which nodes there are.
