//! Serves an event log over a wire compatible with EventStoreDB's gRPC protocol.
