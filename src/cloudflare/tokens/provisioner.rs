use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What mints a token for an application (API.md section 4).
const APPLICATION: &str = "com.cloudflare.api.oauthtoken";

/// The service that minted a token for somebody, as the token itself tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Provisioner {
    /// Its kind as the API calls it: `com.cloudflare.api.oauthtoken` is an application that somebody consented to.
    pub kind: String,
    /// Its id, where the API tells one: of an application the id of its OAuth client.
    #[serde(default)]
    pub id: Option<String>,
}

impl Provisioner {
    /// Who minted the token that the API shows so; `None` where it names nobody.
    pub fn of(token: &Value) -> Option<Self> {
        let text = |name: &str| token.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        Some(Self { kind: text("provisioner_type")?.to_owned(), id: text("provisioner_id").map(str::to_owned) })
    }

    /// Whether it is an application that somebody consented to.
    pub fn is_application(&self) -> bool {
        self.kind == APPLICATION
    }

    /// The fact for the tables from which tokens are chosen.
    pub fn fact(&self) -> (String, String) {
        ("minted by".to_owned(), self.to_string())
    }
}

impl fmt::Display for Provisioner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.id, self.is_application()) {
            (Some(id), true) => write!(f, "the application `{id}`"),
            (None, true) => f.write_str("an application that is not named"),
            (Some(id), false) => write!(f, "the service `{}` (`{id}`)", self.kind),
            (None, false) => write!(f, "the service `{}`", self.kind),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Provisioner;

    #[test]
    fn an_application_is_told_from_other_services_and_nobody_is_named_without_a_kind() {
        let told = |token: serde_json::Value| Provisioner::of(&token).map(|it| (it.is_application(), it.to_string()));
        let application = json!({ "provisioner_type": "com.cloudflare.api.oauthtoken", "provisioner_id": "c1" });
        assert_eq!(told(application), Some((true, "the application `c1`".to_owned())));
        let unnamed = json!({ "provisioner_type": "com.cloudflare.api.oauthtoken", "provisioner_id": null });
        assert_eq!(told(unnamed), Some((true, "an application that is not named".to_owned())));
        let service = json!({ "provisioner_type": "com.cloudflare.r2", "provisioner_id": "r" });
        assert_eq!(told(service), Some((false, "the service `com.cloudflare.r2` (`r`)".to_owned())));
        assert_eq!(told(json!({ "provisioner_type": "", "provisioner_id": "c1" })), None);
        assert_eq!(told(json!({ "name": "x" })), None);
    }
}
