//! Payments: the provider's port, its simulator, and the service that calls it.
