//! Calls to other servers, kept from hurting us: deadline, retries with jitter and a budget, circuit breaker, bulkhead.
