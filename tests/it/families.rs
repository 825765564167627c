//! The table of families: each entry is whole, the official schema knows what it asks, and nothing asks for a secret.

mod got_at;
mod page;
pub(crate) mod requests;
mod secrets;
mod served;
mod table;
mod written;
