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
    /// What the title of a work with a global API key begins with.
    pub(super) const KEY: &str = "Global API key";

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
            item(
                Self::KEY,
                "presses Change beside the global API key. Whatever still uses the key stops working: tell its owners first.",
                "API Tokens > Global API Key",
            ),
            item(
                "Origin CA key",
                "presses Change beside the Origin CA key: every value that was ever shown stays valid until then, and no log \
                 records it.",
                "API Tokens > Origin CA Key",
            ),
        ]
    }

    /// The consents that outlive password and session.
    pub(super) fn consents_of(who: &str) -> Self {
        Self {
            title: format!("Consents to OAuth applications of {who}"),
            instruction: format!("{who} revokes every application that nobody recognises."),
            dashboard: "My Profile > Connected Applications".to_owned(),
        }
    }

    /// All of it where nobody can say whose it is.
    pub(super) fn of_somebody() -> Vec<Self> {
        let who = "whoever the suspect belonged to";
        Self::of_user(who).into_iter().chain([Self::consents_of(who)]).collect()
    }
}
