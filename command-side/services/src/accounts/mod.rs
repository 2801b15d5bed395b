//! Accounts and sessions: who may sign in, and as what.
