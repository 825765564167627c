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
