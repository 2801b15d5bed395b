//! The demo shop: products, pictures and one account per role, for a first look.
