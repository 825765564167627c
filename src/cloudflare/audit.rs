//! The audit logs (API.md section 8).

pub mod wire;
