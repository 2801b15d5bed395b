//! Pure deciders: one aggregate, one file.
