use serde::{Deserialize, Serialize};

/// Something that is left when an incident is closed, and who accepts that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    /// Its name within the incident, e.g. `finding CF-T07:dns_records:372e67`.
    pub matter: String,
    /// What is left, in words.
    pub what: String,
    /// Who accepts it.
    pub by: String,
    /// Why.
    pub reason: String,
}
