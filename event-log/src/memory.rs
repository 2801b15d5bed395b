//! The in-memory adapter, for tests.
