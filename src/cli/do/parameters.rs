//! The parameters of an action as they are typed: a name stands for what is named, commas set several apart, and JSON says
//! all else.

use serde_json::{Map, Value, json};

use crate::action::AnyAction;
use crate::cli::errors::CliError;
use crate::cli::session::leaked::is_id;
use crate::cloudflare::api::Connected;
use crate::cloudflare::{Named, named};
use crate::secret::may_be_token_value;

/// What a parameter is, as far as it matters for typing it.
#[derive(Debug, Clone, PartialEq)]
enum Form {
    Text,
    List(Box<Self>),
    /// A table of which one text is enough: that field, and what the table is called.
    Reference {
        field: String,
        of: String,
    },
    /// Written as JSON.
    Other,
}

impl Form {
    fn of(root: &Value, schema: &Value) -> Self {
        let named = schema["$ref"].as_str().and_then(|path| Some((path.rsplit('/').next()?, path.strip_prefix('#')?)));
        let inner = named.and_then(|(_, path)| root.pointer(path)).unwrap_or(schema);
        // What may be left out is what it is when it is there.
        if let Some(of) = inner["anyOf"].as_array().and_then(|any| any.iter().find(|one| one["type"] != "null")) {
            return Self::of(root, of);
        }
        let is = |kind: &str| match &inner["type"] {
            Value::Array(kinds) => kinds.iter().any(|it| it == kind),
            one => one == kind,
        };
        let needs: Vec<&str> = inner["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        match needs.as_slice() {
            _ if is("array") => Self::List(Box::new(Self::of(root, &inner["items"]))),
            [field] if is("object") && inner["properties"][*field]["type"] == "string" => Self::Reference {
                field: (*field).to_owned(),
                of: named.map(|(name, _)| name.to_owned()).unwrap_or_default(),
            },
            _ if is("string") || inner["type"].is_null() => Self::Text,
            _ => Self::Other,
        }
    }

    /// What is typed, as the action takes it.
    fn read(&self, text: &str) -> Value {
        match (self, serde_json::from_str(text)) {
            (Self::List(of), Ok(Value::Array(items))) => {
                let item = |item: Value| match item {
                    Value::String(text) => of.take(&text),
                    other => other,
                };
                items.into_iter().map(item).collect()
            }
            (Self::List(_), Ok(Value::Object(item))) => json!([item]),
            (Self::List(of), _) => {
                text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(|part| of.read(part)).collect()
            }
            (Self::Text | Self::Reference { .. }, Ok(value)) if value.is_object() || value.is_array() => value,
            (Self::Other, Ok(value)) => value,
            (form, _) => form.take(text),
        }
    }

    /// A text that is the value, or names it.
    fn take(&self, text: &str) -> Value {
        match self {
            Self::Reference { field, .. } => json!({ field: text }),
            Self::Text | Self::List(_) | Self::Other => text.into(),
        }
    }

    /// How it is typed.
    fn typed(&self, name: &str) -> String {
        match self {
            Self::Text => format!("--with {name}=TEXT"),
            Self::Reference { field, .. } => format!("--with {name}={}", field.to_uppercase()),
            Self::List(of) => match of.as_ref() {
                Self::Reference { field, .. } => {
                    let field = field.to_uppercase();
                    format!("--with {name}={field},{field}")
                }
                Self::Text => format!("--with {name}=TEXT,TEXT"),
                Self::List(_) | Self::Other => format!("--with '{name}=[…]'"),
            },
            Self::Other => format!("--with '{name}=JSON'"),
        }
    }
}

fn form(schema: &Value, name: &str) -> Form {
    Form::of(schema, &schema["properties"][name])
}

/// The parameters, each as its kind is written; what the action would not take is refused before anything begins.
pub(super) fn read(action: &dyn AnyAction, given: &[String]) -> Result<Map<String, Value>, CliError> {
    let schema = action.params_schema();
    let mut with = Map::new();
    for pair in given {
        let (name, text) =
            pair.split_once('=').ok_or_else(|| CliError::usage(format!("`--with {pair}` is not `name=value`")))?;
        // Also inside of lists and tables: what is written down is the whole of it.
        let is_of_value = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        if text.split(|c| !is_of_value(c)).any(may_be_token_value) {
            return Err(CliError::usage(format!("the parameter `{name}` looks like a secret"))
                .hint("give a token's id, never its value: parameters are written down; nothing was sent"));
        }
        with.insert(name.to_owned(), form(&schema, name).read(text));
    }
    action.check(&with.clone().into()).map_err(|error| {
        let id = action.spec().id;
        let missing = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let missing: Vec<String> = missing
            .filter(|name| !with.contains_key(*name))
            .map(|name| format!("`{}`", form(&schema, name).typed(name)))
            .collect();
        let typed = if missing.is_empty() { String::new() } else { format!("type {}; ", missing.join(" and ")) };
        CliError::usage(error.message)
            .hint(format!("{typed}`quell actions {id}` lists what it takes; nothing was sent"))
    })?;
    Ok(with)
}

/// The tokens among the parameters.
fn tokens<'w>(action: &dyn AnyAction, with: &'w mut Map<String, Value>) -> Vec<&'w mut Map<String, Value>> {
    let schema = action.params_schema();
    let is_token = |form: &Form| matches!(form, Form::Reference { of, .. } if of == "TokenRef");
    let mut all = Vec::new();
    for (name, value) in with.iter_mut() {
        let is_meant = match form(&schema, name) {
            Form::List(of) => is_token(&of),
            one => is_token(&one),
        };
        match value {
            Value::Array(items) if is_meant => all.extend(items.iter_mut().filter_map(Value::as_object_mut)),
            Value::Object(one) if is_meant => all.push(one),
            _ => {}
        }
    }
    all
}

/// Ids of the tokens among the parameters.
pub(super) fn token_ids(action: &dyn AnyAction, with: &Map<String, Value>) -> Vec<String> {
    let mut with = with.clone();
    tokens(action, &mut with).iter().filter_map(|token| token["id"].as_str().map(str::to_owned)).collect()
}

/// Puts the ids of tokens in the place of their names. Where no list can be read, what was given is taken for ids.
///
/// # Errors
/// No token is called so, or several are.
pub(super) async fn find(
    action: &dyn AnyAction,
    with: &mut Map<String, Value>,
    connected: &Connected,
) -> Result<(), CliError> {
    let mut wanted = tokens(action, with);
    wanted.retain(|token| token["id"].as_str().is_some_and(|id| !is_id(id)));
    if wanted.is_empty() {
        return Ok(());
    }
    let known = named(Named::Tokens, &*connected.read).await;
    for token in wanted.into_iter().filter(|_| !known.is_empty()) {
        let name = token["id"].as_str().unwrap_or_default().to_owned();
        let called: Vec<&(String, String)> = known.iter().filter(|(known, id)| *known == name || *id == name).collect();
        match called.as_slice() {
            [(_, id)] => {
                token.insert("id".to_owned(), id.clone().into());
                token.insert("name".to_owned(), name.into());
            }
            [] => {
                return Err(CliError::usage(format!("no token that this credential sees is called `{name}`"))
                    .hint("give its id, which is taken as it is; nothing was sent"));
            }
            several => {
                let mut error = CliError::usage(format!("{} tokens are called `{name}`", several.len()))
                    .hint("give the id of the one that is meant; nothing was sent");
                error.causes = several.iter().map(|(_, id)| id.clone()).collect();
                return Err(error);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{read, token_ids};
    use crate::action::AnyAction;
    use crate::cli::catalogue::CATALOGUE;

    fn action(id: &str) -> &'static dyn AnyAction {
        CATALOGUE.get(id).unwrap_or_else(|| panic!("no action `{id}`"))
    }

    fn typed(id: &str, given: &[&str]) -> Value {
        let given: Vec<String> = given.iter().map(|&pair| pair.to_owned()).collect();
        read(action(id), &given).map_or_else(|error| error.text().into(), Value::from)
    }

    #[test]
    fn a_name_stands_for_what_is_named_in_every_spelling() {
        let two = json!({ "tokens": [{ "id": "a" }, { "id": "7" }] });
        for given in ["tokens=a,7", "tokens= a , 7", r#"tokens=["a","7"]"#, r#"tokens=[{"id":"a"},"7"]"#] {
            assert_eq!(typed("cloudflare.token.disable", &[given]), two, "{given}");
        }
        let whole = r#"tokens={"id":"a","owner":"account"}"#;
        let one = json!({ "tokens": [{ "id": "a", "owner": "account" }] });
        assert_eq!(typed("cloudflare.token.disable", &[whole]), one);
        let member = typed("cloudflare.member.remove", &["members=maya@example.com"]);
        assert_eq!(member, json!({ "members": [{ "member": "maya@example.com" }] }));
        let roles = typed("cloudflare.member.set_roles", &["members=m", "roles=Administrator Read Only"]);
        assert_eq!(roles["roles"], json!(["Administrator Read Only"]));
    }

    #[test]
    fn what_does_not_fit_is_told_with_how_it_is_typed() {
        let told = typed("cloudflare.token.disable", &[]).to_string();
        assert!(told.contains("missing field `tokens`") && told.contains("`--with tokens=ID,ID`"), "{told}");
        let told = typed("cloudflare.token.disable", &["tokens=a", "token=b"]).to_string();
        assert!(
            told.contains("unknown field `token`") && told.contains("quell actions cloudflare.token.disable"),
            "{told}"
        );
    }

    #[test]
    fn tokens_are_known_among_the_parameters() {
        let given = ["tokens=a".to_owned(), "exclude=b".to_owned()];
        let with = read(action("cloudflare.tokens.rotate"), &given).unwrap_or_default();
        assert_eq!(token_ids(action("cloudflare.tokens.rotate"), &with), ["a", "b"]);
    }
}
