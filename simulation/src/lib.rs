//! The shop in a world that is out to break it: seeded, deterministic, and replayed by its seed.
