use serde::{Deserialize, Serialize};

/// Something that could not be seen. Always shown; never read as "absent".
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Gap {
    /// The kind of resource, e.g. `tokens`, `dns_records`, `audit_v1`.
    pub family: String,
    /// Where: the account, a zone's name, or a user.
    pub scope: String,
    /// Why it could not be seen, in words.
    pub reason: String,
    /// The permission that would let it be seen, where that is the cause.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permission: Option<String>,
}
