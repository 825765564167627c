//! Everything that is a fact about Cloudflare: paths, fields, codes, limits.
pub mod actions;
pub mod attribution;
pub mod audit;
pub mod dns;
pub mod path;
pub mod zones;
