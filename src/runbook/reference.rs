//! Paths such as `inputs.suspect` and `steps.inventory.suspects`: what they point at, as far as it is known before a run.

use std::cell::RefCell;
use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::check::Vocabulary;
use super::diagnostic::did_you_mean;
use super::fields::quoted;
use super::language::{Runbook, StepSpec};
use super::schema::Schema;

/// What stands around a step: everything that it may refer to.
pub(super) struct Surroundings<'a> {
    pub(super) runbook: &'a Runbook,
    /// Inputs of whose values nothing is known.
    pub(super) untyped: &'a [String],
    pub(super) vocabulary: &'a Vocabulary,
    pub(super) step: &'a StepSpec,
    /// The steps before it, in its own list and in the lists around that.
    pub(super) visible: Vec<&'a StepSpec>,
    /// The items of the lists that are gone through around it: name, and JSON Schema document where it is known.
    pub(super) items: Vec<(&'a str, Option<Value>)>,
    /// Whether steps may not have been reached: where the step is done in any case.
    pub(super) is_final: bool,
    /// Whether the text is fixed before any step has a result: titles and reasons.
    pub(super) is_early: bool,
    /// The inputs that were referred to so far, anywhere in the runbook.
    pub(super) used: &'a RefCell<BTreeSet<String>>,
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
        let parts: Vec<&str> = path.split('.').collect();
        match parts.split_first() {
            Some((&"inputs", rest)) => self.input(rest),
            Some((&"steps", _)) if self.is_early => Err(Astray::new(
                "R012",
                format!("`{path}` has no value when the title and the reason of a step are fixed"),
                Some("they may hold inputs; put results into `with`".to_owned()),
            )),
            Some((&"steps", rest)) => self.steps(rest),
            Some((&"incident", rest)) => {
                let known = ["id", "account_id", "account_name", "world"];
                match rest {
                    [name] if known.contains(name) => {
                        Ok(Pointed { schema: Some(json!({ "type": "string" })), optional: None })
                    }
                    parts => {
                        let meant = parts.first().and_then(|name| did_you_mean(name, known));
                        let help = meant.map_or_else(
                            || format!("known are {}", quoted(&known)),
                            |meant| format!("did you mean `incident.{meant}`?"),
                        );
                        let message = format!("`{path}` is nothing that is known of an incident");
                        Err(Astray::new("R011", message, Some(help)))
                    }
                }
            }
            Some((root, rest)) => match self.items.iter().rfind(|(name, _)| name == root) {
                Some((_, None)) => Ok(Pointed { schema: None, optional: None }),
                Some((_, Some(schema))) => fields(schema, rest, root),
                None => Err(self.nowhere(path, root)),
            },
            None => Err(Astray::new("R011", "an empty path points nowhere".to_owned(), None)),
        }
    }

    fn input(&self, parts: &[&str]) -> Result<Pointed, Astray> {
        let names = || self.runbook.inputs.iter().map(|input| input.name.as_str());
        let Some((name, rest)) = parts.split_first() else {
            let help = Some("name one of them, as in `inputs.suspect`".to_owned());
            return Err(Astray::new("R011", "`inputs` is no value by itself".to_owned(), help));
        };
        let Some(input) = self.runbook.inputs.iter().find(|input| input.name == *name) else {
            let help = did_you_mean(name, names()).map(|meant| format!("did you mean `inputs.{meant}`?"));
            let help = help.unwrap_or_else(|| match names().collect::<Vec<_>>().as_slice() {
                [] => format!("an input begins with `[inputs.{name}]`"),
                names => format!("the inputs are {}", quoted(names)),
            });
            let help = Some(help);
            return Err(Astray::new("R011", format!("the runbook has no input `{name}`"), help));
        };
        self.used.borrow_mut().insert(input.name.clone());
        if !rest.is_empty() {
            let help = Some(format!("write `inputs.{name}`"));
            return Err(Astray::new("R011", format!("the input `{name}` has no fields"), help));
        }
        if self.untyped.contains(&input.name) {
            return Ok(Pointed { schema: None, optional: None });
        }
        let certain = input.default.is_some() || (input.required && !input.unknown_ok);
        let optional = (!certain).then(|| format!("the input `{name}` may be left empty"));
        Ok(Pointed { schema: Some(input.ty.schema()), optional })
    }

    fn steps(&self, parts: &[&str]) -> Result<Pointed, Astray> {
        let Some((id, rest)) = parts.split_first() else {
            let help = Some("name a step and a field of its result, as in `steps.inventory.suspects`".to_owned());
            return Err(Astray::new("R011", "`steps` is no value by itself".to_owned(), help));
        };
        match self.visible.iter().rfind(|step| step.id == *id) {
            Some(step) => self.output(step, rest, &format!("steps.{id}")),
            None => Err(self.unseen(id)),
        }
    }

    /// A path whose beginning is nothing: what was meant, if that can be told.
    fn nowhere(&self, path: &str, first: &str) -> Astray {
        let rest = path.strip_prefix(first).unwrap_or_default();
        let meant = if self.runbook.inputs.iter().any(|input| input.name == first) {
            Some(format!("inputs.{path}"))
        } else if self.visible.iter().any(|step| step.id == first) {
            Some(format!("steps.{path}"))
        } else {
            let roots = self.items.iter().map(|(name, _)| *name).chain(["inputs", "steps", "incident"]);
            did_you_mean(first, roots).map(|root| format!("{root}{rest}")).filter(|_| !rest.is_empty())
        };
        let items = self.items.iter().map(|(name, _)| format!(", or is `{name}`")).collect::<String>();
        let help = meant.map_or_else(
            || format!("a path begins with `inputs.`, `steps.` or `incident.`{items}"),
            |meant| format!("did you mean `{meant}`?"),
        );
        Astray::new("R011", format!("`{path}` points nowhere"), Some(help))
    }

    /// Why a step cannot be referred to.
    fn unseen(&self, id: &str) -> Astray {
        if self.step.id == id || self.step.holds(id) {
            let message = format!("`steps.{id}` is the step itself, which has no result yet");
            return Astray::new("R012", message, Some("refer to an earlier step".to_owned()));
        }
        let calls = |step: &&&StepSpec| step.calls.is_some() && step.held().any(|(inner, _)| inner.id == id);
        if let Some(call) = self.visible.iter().find(calls).filter(|_| self.runbook.step(id).is_none()) {
            let message = format!("`{id}` is a step of the runbook that `{}` calls", call.id);
            let way = if call.foreach.is_some() { "results" } else { id };
            return Astray::new("R012", message, Some(format!("from here it is `steps.{}.{way}`", call.id)));
        }
        if self.runbook.step(id).is_none() {
            let earlier: Vec<&str> = self.visible.iter().map(|step| step.id.as_str()).collect();
            let meant = did_you_mean(id, earlier.iter().copied()).map(|meant| format!("did you mean `steps.{meant}`?"));
            let help = meant.unwrap_or_else(|| match earlier.as_slice() {
                [] => "no step comes before this one".to_owned(),
                earlier => format!("the steps before are {}", quoted(earlier)),
            });
            return Astray::new("R011", format!("there is no step `{id}`"), Some(help));
        }
        if let Some(group) = self.visible.iter().find(|step| step.holds(id)) {
            let message = format!("`{id}` is a step of the group `{}`", group.id);
            let way = if group.foreach.is_some() { "results".to_owned() } else { id.to_owned() };
            return Astray::new("R012", message, Some(format!("from here it is `steps.{}.{way}`", group.id)));
        }
        let message = format!("`steps.{id}` is a later step, which has no result yet");
        Astray::new("R012", message, Some("refer to an earlier step".to_owned()))
    }

    /// Follows fields of a step's output: of an action by its schema, of a group by its steps.
    fn output(&self, step: &StepSpec, rest: &[&str], so_far: &str) -> Result<Pointed, Astray> {
        let optional = if self.is_final {
            Some("the run may end before its step".to_owned())
        } else {
            step.when.as_ref().map(|_| format!("step `{}` has a `when`, and may be skipped", step.id))
        };
        let or = |pointed: Pointed| Pointed { optional: optional.clone().or(pointed.optional), ..pointed };
        if step.foreach.is_some() {
            return fields(&results(), rest, so_far).map(or);
        }
        if step.is_call() && step.calls.is_none() {
            return Ok(or(Pointed { schema: None, optional: None })); // What it calls is a problem of its own.
        }
        if step.holds_steps() {
            let Some((id, rest)) = rest.split_first() else { return Ok(or(Pointed { schema: None, optional: None })) };
            let inner = step.held().map(|(inner, _)| inner).find(|inner| inner.id == *id).ok_or_else(|| {
                let known: Vec<&str> = step.held().map(|(inner, _)| inner.id.as_str()).collect();
                let message = match &step.calls {
                    Some(called) => {
                        format!("the runbook `{}`, which `{}` calls, has no step `{id}`", called.name, step.id)
                    }
                    None => format!("the group `{}` has no step `{id}`", step.id),
                };
                let meant =
                    did_you_mean(id, known.iter().copied()).map(|meant| format!("did you mean `{so_far}.{meant}`?"));
                Astray::new("R011", message, meant.or_else(|| Some(format!("its steps are {}", quoted(&known)))))
            })?;
            return self.output(inner, rest, &format!("{so_far}.{id}")).map(or);
        }
        match self.vocabulary.actions.get(&step.action) {
            Some(words) => fields(&words.output, rest, so_far).map(|pointed| one_of_its_own(step, pointed)).map(or),
            None => Ok(or(Pointed { schema: None, optional: None })), // The unknown action is a problem of its own.
        }
    }
}

/// The output of a step that was done item by item.
fn results() -> Value {
    json!({ "type": "object", "properties": {
        "results": { "type": "array", "items": { "type": "object", "properties": {
            "key": { "type": "string" }, "item": {}, "output": {},
        } } },
    }, "required": ["results"], "additionalProperties": false })
}

/// A field whose schema has `x-ids-of` holds the id of an item of that parameter, and so can be nothing else than those
/// that stand there.
fn one_of_its_own(step: &StepSpec, pointed: Pointed) -> Pointed {
    let with_ids = |mut schema: Value| {
        let items = schema["x-ids-of"].as_str().and_then(|name| step.with.get(name)).and_then(Value::as_array);
        let id = |item: &Value| item["id"].as_str().filter(|id| !id.contains("{{")).map(str::to_owned);
        if let Some(ids) = items.and_then(|items| items.iter().map(id).collect::<Option<Vec<_>>>()) {
            schema["enum"] = json!(ids);
        }
        schema
    };
    Pointed { schema: pointed.schema.map(with_ids), ..pointed }
}

/// Follows fields of a value that a schema describes.
fn fields(document: &Value, path: &[&str], root: &str) -> Result<Pointed, Astray> {
    let mut schema = Schema::new(document).resolved();
    let mut optional = None;
    for (depth, field) in path.iter().enumerate() {
        let so_far = || format!("{root}{}", path[..depth].iter().map(|part| format!(".{part}")).collect::<String>());
        match schema.property(field) {
            Some(property) => {
                if property.is_nullable() {
                    optional = Some(format!("`{}.{field}` may have no value", so_far()));
                }
                schema = property;
            }
            None if schema.is_map() || (schema.properties().is_empty() && schema.types().is_empty()) => {
                return Ok(Pointed { schema: None, optional });
            }
            None => {
                let known = schema.properties();
                let help = did_you_mean(field, known.iter().copied()).map(|meant| format!("did you mean `{meant}`?"));
                let help = help.or_else(|| (!known.is_empty()).then(|| format!("its fields are {}", quoted(&known))));
                return Err(Astray::new("R011", format!("`{}` has no field `{field}`", so_far()), help));
            }
        }
    }
    Ok(Pointed { schema: Some(schema.to_document()), optional })
}

impl Astray {
    const fn new(code: &'static str, message: String, help: Option<String>) -> Self {
        Self { code, message, help }
    }
}
