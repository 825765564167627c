//! As much of JSON Schema as the parameters and outputs of actions use.

use serde_json::Value;

/// A place in a schema document: the document for `$ref`, and the part in question.
#[derive(Debug, Clone, Copy)]
pub(super) struct Schema<'s> {
    root: &'s Value,
    part: &'s Value,
}

impl<'s> Schema<'s> {
    /// The whole document.
    pub(super) const fn new(root: &'s Value) -> Self {
        Self { root, part: root }
    }

    fn at(self, part: &'s Value) -> Self {
        Self { root: self.root, part }.resolved()
    }

    /// A document of its own that says the same as this part.
    pub(super) fn to_document(self) -> Value {
        let mut document = self.part.clone();
        if let (Value::Object(map), Some(definitions)) = (&mut document, self.root.get("$defs")) {
            map.insert("$defs".to_owned(), definitions.clone());
        }
        document
    }

    /// Follows `$ref` as far as it goes.
    pub(super) fn resolved(self) -> Self {
        let mut part = self.part;
        // A schema that refers to itself without a property between would never end.
        for _ in 0..16 {
            let Some(target) = part["$ref"].as_str().and_then(|path| self.root.pointer(path.trim_start_matches('#')))
            else {
                break;
            };
            part = target;
        }
        Self { root: self.root, part }
    }

    /// The alternatives of an `anyOf` or `oneOf` besides null; itself where there are none.
    pub(super) fn alternatives(self) -> Vec<Self> {
        let this = self.resolved();
        let any = this.part["anyOf"].as_array().or_else(|| this.part["oneOf"].as_array());
        match any {
            None => vec![this],
            Some(any) => {
                any.iter().filter(|part| part["type"] != "null").flat_map(|part| this.at(part).alternatives()).collect()
            }
        }
    }

    /// The names of the JSON types that it takes, without null; empty where it takes any.
    pub(super) fn types(self) -> Vec<&'s str> {
        let mut types = Vec::new();
        for one in self.alternatives() {
            match &one.part["type"] {
                Value::String(name) => types.push(name.as_str()),
                Value::Array(names) => types.extend(names.iter().filter_map(Value::as_str)),
                // An enumeration of texts may come without a type.
                _ if one.part["enum"].is_array() || one.part["const"].is_string() => types.push("string"),
                _ => return Vec::new(),
            }
        }
        types.retain(|name| *name != "null");
        types.sort_unstable();
        types.dedup();
        types
    }

    /// True where null will do.
    pub(super) fn is_nullable(self) -> bool {
        let this = self.resolved();
        let names_null = |part: &Value| {
            part["type"] == "null" || part["type"].as_array().is_some_and(|names| names.contains(&"null".into()))
        };
        names_null(this.part)
            || ["anyOf", "oneOf"]
                .iter()
                .any(|key| this.part[*key].as_array().is_some_and(|any| any.iter().any(names_null)))
    }

    /// The property called `name`, in whichever alternative has it.
    pub(super) fn property(self, name: &str) -> Option<Self> {
        self.alternatives().into_iter().find_map(|one| one.part["properties"].get(name).map(|part| one.at(part)))
    }

    /// What the property called `name` is, in the words of its documentation: the first sentence.
    pub(super) fn about(self, name: &str) -> Option<&'s str> {
        let described = |one: Self| {
            let part = one.part["properties"].get(name)?;
            part["description"].as_str().or_else(|| one.at(part).part["description"].as_str())
        };
        let text = self.alternatives().into_iter().find_map(described)?;
        Some(text.split_once(". ").map_or(text, |(first, _)| first).trim_end_matches('.'))
    }

    /// The names of all properties.
    pub(super) fn properties(self) -> Vec<&'s str> {
        self.alternatives()
            .into_iter()
            .filter_map(|one| one.part["properties"].as_object())
            .flat_map(|map| map.keys())
            .map(String::as_str)
            .collect()
    }

    /// The form that a text must have, where it must have one.
    pub(super) fn format(self) -> Option<&'s str> {
        self.alternatives().into_iter().find_map(|one| one.part["format"].as_str())
    }

    /// What it says of itself.
    pub(super) fn description(self) -> Option<&'s str> {
        self.part["description"].as_str()
    }

    /// The names of the properties that must be there.
    pub(super) fn required(self) -> Vec<&'s str> {
        self.resolved().part["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
    }

    /// True where other properties than the named ones are allowed.
    pub(super) fn is_open(self) -> bool {
        self.alternatives().iter().any(|one| one.part["additionalProperties"] != false)
    }

    /// True where it is a table whose fields only a run brings.
    pub(super) fn is_map(self) -> bool {
        let has_any = |part: &Value| matches!(&part["additionalProperties"], Value::Bool(true) | Value::Object(_));
        self.alternatives().iter().any(|one| has_any(one.part))
    }

    /// The schema of the items of a list.
    pub(super) fn items(self) -> Option<Self> {
        self.alternatives().into_iter().find_map(|one| one.part.get("items").map(|part| one.at(part)))
    }

    /// The schema of the values of a table whose keys are the author's.
    pub(super) fn values(self) -> Option<Self> {
        let table =
            |one: Self| one.part.get("additionalProperties").filter(|part| part.is_object()).map(|part| one.at(part));
        self.alternatives().into_iter().find_map(table)
    }

    /// Whether a secret may stand there, as the name of the variable that holds it.
    pub(super) fn takes_secret(self) -> bool {
        self.types().is_empty() || self.property("secret_env").is_some()
    }

    /// Whether it is a secret and can be nothing else.
    pub(super) fn is_secret(self) -> bool {
        self.property("secret_env").is_some() && self.types() == ["object"]
    }

    /// The texts that it takes, where it lists them.
    pub(super) fn choices(self) -> Vec<&'s str> {
        let listed = |one: Schema<'s>| match (&one.part["enum"], &one.part["const"]) {
            (Value::Array(values), _) => values.iter().filter_map(Value::as_str).collect::<Vec<_>>(),
            (_, Value::String(value)) => vec![value.as_str()],
            _ => Vec::new(),
        };
        let alternatives = self.alternatives();
        let choices: Vec<&str> = alternatives.iter().flat_map(|one| listed(*one)).collect();
        if alternatives.iter().all(|one| !listed(*one).is_empty()) { choices } else { Vec::new() }
    }
}

/// Types in words, for messages.
pub(super) fn words(types: &[&str]) -> String {
    let mut words = Vec::new();
    for name in types {
        words.push(match *name {
            "string" => "text",
            "array" => "a list",
            "object" => "a table",
            "integer" => "a whole number",
            "number" => "a number",
            "boolean" => "true or false",
            other => other,
        });
    }
    words.join(" or ")
}

/// Whether a value of type `given` may stand where `wanted` are taken.
pub(super) fn fits(given: &str, wanted: &[&str]) -> bool {
    wanted.is_empty() || wanted.contains(&given) || (given == "integer" && wanted.contains(&"number"))
}
