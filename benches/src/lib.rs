//! Limits and peers, side by side.
