pub mod catalogue;
pub mod picture;
