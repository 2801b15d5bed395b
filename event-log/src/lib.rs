//! The EventLog port, its contract suite, and its embedded and in-memory adapters.
