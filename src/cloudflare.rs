//! Everything that is a fact about Cloudflare: paths, fields, codes, limits.
pub mod actions;
pub mod audit;
