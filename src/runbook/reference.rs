//! Paths such as `inputs.suspect` and `steps.inventory.suspects`: what they point at, as far as it is known before a run.

use serde_json::{Value, json};

use super::check::Vocabulary;
use super::diagnostic::did_you_mean;
use super::fields::quoted;
use super::language::Runbook;
use super::schema::Schema;

/// What stands beside a step: everything that it may refer to.
pub(super) struct Surroundings<'a> {
    pub(super) runbook: &'a Runbook,
    pub(super) vocabulary: &'a Vocabulary,
    /// Number of the step; those before it may be referred to.
    pub(super) at: usize,
}

/// Where a path points.
pub(super) struct Pointed {
    /// JSON Schema document of the value; `None` where it may be anything.
    pub(super) schema: Option<Value>,
    /// Why there may be no value.
    pub(super) optional: Option<String>,
}

/// A path that points nowhere.
pub(super) struct Astray {
    pub(super) code: &'static str,
    pub(super) message: String,
    pub(super) help: Option<String>,
}

impl Surroundings<'_> {
    /// Follows a path.
    pub(super) fn follow(&self, path: &str) -> Result<Pointed, Astray> {
        let mut parts = path.split('.');
        match parts.next() {
            Some("inputs") => self.input(parts.collect::<Vec<_>>().as_slice()),
            Some("steps") => self.step(parts.collect::<Vec<_>>().as_slice()),
            Some("incident") => {
                let known = ["id", "account_id", "account_name", "world"];
                match parts.collect::<Vec<_>>().as_slice() {
                    [name] if known.contains(name) => {
                        Ok(Pointed { schema: Some(json!({ "type": "string" })), optional: None })
                    }
                    _ => Err(Astray::new(
                        "R011",
                        format!("`{path}` is nothing that is known of an incident"),
                        Some(format!("known are {}", quoted(&known))),
                    )),
                }
            }
            _ => Err(Astray::new(
                "R011",
                format!("`{path}` points nowhere"),
                Some("a path begins with `inputs.`, `steps.` or `incident.`".to_owned()),
            )),
        }
    }

    fn input(&self, parts: &[&str]) -> Result<Pointed, Astray> {
        let names = || self.runbook.inputs.iter().map(|input| input.name.as_str());
        let Some((name, rest)) = parts.split_first() else {
            return Err(Astray::new("R011", "`inputs` is no value by itself".to_owned(), None));
        };
        let Some(input) = self.runbook.inputs.iter().find(|input| input.name == *name) else {
            let help = did_you_mean(name, names()).map(|meant| format!("did you mean `inputs.{meant}`?"));
            let help = help.or_else(|| Some(format!("the inputs are {}", quoted(&names().collect::<Vec<_>>()))));
            return Err(Astray::new("R011", format!("the runbook has no input `{name}`"), help));
        };
        if !rest.is_empty() {
            return Err(Astray::new("R011", format!("the input `{name}` has no fields"), None));
        }
        let certain = input.default.is_some() || (input.required && !input.unknown_ok);
        let optional = (!certain).then(|| format!("the input `{name}` may be left empty"));
        Ok(Pointed { schema: Some(input.ty.schema()), optional })
    }

    fn step(&self, parts: &[&str]) -> Result<Pointed, Astray> {
        let Some((id, rest)) = parts.split_first() else {
            return Err(Astray::new("R011", "`steps` is no value by itself".to_owned(), None));
        };
        let steps = &self.runbook.steps;
        let Some(position) = steps.iter().position(|step| step.id == *id) else {
            let earlier = steps.iter().take(self.at).map(|step| step.id.as_str());
            let help = did_you_mean(id, earlier).map(|meant| format!("did you mean `steps.{meant}`?"));
            return Err(Astray::new("R011", format!("there is no step `{id}`"), help));
        };
        if position >= self.at {
            let what = if position == self.at { "the step itself" } else { "a later step" };
            return Err(Astray::new(
                "R012",
                format!("`steps.{id}` is {what}, which has no result yet"),
                Some("refer to an earlier step".to_owned()),
            ));
        }
        let optional = steps[position].when.as_ref().map(|_| format!("step `{id}` has a `when`, and may be skipped"));
        let Some(words) = self.vocabulary.actions.get(&steps[position].action) else {
            return Ok(Pointed { schema: None, optional }); // The unknown action is a problem of its own.
        };
        let mut schema = Schema::new(&words.output).resolved();
        let mut nullable = None;
        for (depth, field) in rest.iter().enumerate() {
            let so_far =
                || format!("steps.{id}{}", rest[..depth].iter().map(|part| format!(".{part}")).collect::<String>());
            match schema.property(field) {
                Some(property) => {
                    if property.is_nullable() {
                        nullable = Some(format!("`{}.{field}` may have no value", so_far()));
                    }
                    schema = property;
                }
                None if schema.is_map() || (schema.properties().is_empty() && schema.types().is_empty()) => {
                    return Ok(Pointed { schema: None, optional });
                }
                None => {
                    let fields = schema.properties();
                    let help =
                        did_you_mean(field, fields.iter().copied()).map(|meant| format!("did you mean `{meant}`?"));
                    let help =
                        help.or_else(|| (!fields.is_empty()).then(|| format!("its fields are {}", quoted(&fields))));
                    return Err(Astray::new("R011", format!("`{}` has no field `{field}`", so_far()), help));
                }
            }
        }
        Ok(Pointed { schema: Some(schema.to_document()), optional: optional.or(nullable) })
    }
}

impl Astray {
    const fn new(code: &'static str, message: String, help: Option<String>) -> Self {
        Self { code, message, help }
    }
}
