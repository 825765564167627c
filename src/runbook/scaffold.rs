use super::parse::is_id;

/// A small runbook to begin with, called `name`; it passes its check as it is. `None` where the name has the wrong shape.
pub fn scaffold(name: &str) -> Option<String> {
    is_id(name).then(|| include_str!("../../templates/runbook.toml").replace("\"NAME\"", &format!("\"{name}\"")))
}
