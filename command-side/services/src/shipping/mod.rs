//! Shipping: the carrier's port, its simulator, and the service that calls it.
