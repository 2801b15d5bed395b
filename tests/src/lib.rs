//! The whole shop, in processes, over real protocols.
