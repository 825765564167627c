//! The audit logs (API.md section 8).

pub mod bulk;
pub mod credentials;
mod kinds;
pub mod limits;
pub mod pathless;
pub mod secrets;
pub mod wire;

pub use kinds::kind;
