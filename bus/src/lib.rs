//! Commands and events between processes, over NATS JetStream.
