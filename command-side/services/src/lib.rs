//! Command routes, execution, inventory and accounts, payment and carrier adapters.
