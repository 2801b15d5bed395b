//! The contract suite: every document store passes it.
