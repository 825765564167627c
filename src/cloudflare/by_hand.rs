use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One thing that a person is to do in the dashboard, as `items` of `manual` take it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ByHand {
    /// What it is called.
    pub title: String,
    /// What to do.
    pub instruction: String,
    /// Where in the dashboard.
    pub dashboard: String,
}

impl ByHand {
    /// What only the user can take back, once an intruder has had their key or their session: the mailbox first, since
    /// whoever signs in again by a password that was phished is there as before.
    pub(super) fn of_user(who: &str) -> [Self; 4] {
        let item = |title: &str, instruction: &str, dashboard: &str| Self {
            title: format!("{title} of {who}"),
            instruction: format!("{who} {instruction}"),
            dashboard: format!("My Profile > {dashboard}"),
        };
        [
            item(
                "Mailbox, password and second factor",
                "secures the mailbox first, then changes the password and re-enrols the second factor.",
                "Authentication",
            ),
            item("Sessions", "revokes every other session.", "Sessions"),
            item("Global API key", "presses Change beside the global API key.", "API Tokens > Global API Key"),
            item(
                "Origin CA key",
                "presses Change beside the Origin CA key: every value that was ever shown stays valid until then, and no log \
                 records it.",
                "API Tokens > Origin CA Key",
            ),
        ]
    }
}
