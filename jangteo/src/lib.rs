//! The one binary: configuration, wiring, operator commands, imports, the demo shop.
