//! Pure sagas and the runner that makes them durable.
