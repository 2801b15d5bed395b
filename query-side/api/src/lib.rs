//! The REST queries: search, product page, cart, my page, tracking, seller.
