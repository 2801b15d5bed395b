//! Documents and catalogue search, and the stores that hold them.
