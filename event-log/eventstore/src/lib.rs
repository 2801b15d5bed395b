//! The EventLog port on EventStoreDB, through its official client.
