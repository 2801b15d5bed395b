//! The contract suite: every adapter passes it.
