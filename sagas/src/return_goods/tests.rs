//! Given facts, then commands.
