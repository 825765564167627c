//! Finding, cutting, deleting and rolling tokens: what is taken along, what is left alone, and what counts as done.

mod cutting;
mod inventory;
mod rolling;
