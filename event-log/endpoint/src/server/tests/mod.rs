//! Over real connections: who is served, who is not, and how it ends.

mod connections;
mod credentials;
mod services;
