//! Conditions whose answer is known before anything runs.

use handlebars::template::{HelperTemplate, Parameter, Template, TemplateElement};
use serde_json::Value;

use crate::runbook::diagnostic::{Diagnostic, did_you_mean};
use crate::runbook::fields::quoted;
use crate::runbook::input::InputType;
use crate::runbook::node::Node;
use crate::runbook::reference::Surroundings;
use crate::runbook::resolve::Scope;
use crate::runbook::schema::{Schema, fits, words};
use crate::runbook::template::{Templates, segments};

/// What is known of a value before a run.
enum Known {
    /// The value.
    Value(Value),
    /// Only whether it counts as yes.
    Counts(bool),
    /// Nothing.
    Nothing,
}

impl Known {
    fn counts(&self) -> Option<bool> {
        match self {
            Self::Value(value) => Some(match value {
                Value::Null => false,
                Value::Bool(flag) => *flag,
                Value::Number(number) => number.as_f64() != Some(0.0),
                Value::String(text) => !text.is_empty(),
                Value::Array(items) => !items.is_empty(),
                Value::Object(map) => !map.is_empty(),
            }),
            Self::Counts(yes) => Some(*yes),
            Self::Nothing => None,
        }
    }
}

/// Warns where a condition that stands at `node` is always the same, or compares with what never comes. `either` says what
/// that means: where it always holds, and where it never does.
pub(in crate::runbook) fn check(
    condition: &Template,
    node: &Node,
    either: [&str; 2],
    around: &Surroundings<'_>,
    problems: &mut Vec<Diagnostic>,
) {
    let [TemplateElement::HelperBlock(call)] = condition.elements.as_slice() else { return };
    let Some(parameter) = call.params.first() else { return };
    let mut judge = Judge { around, node, problems, told: false };
    let known = judge.parameter(parameter);
    if judge.told {
        return; // What it compares with says more.
    }
    let Some(holds) = known.counts() else { return };
    let (always, help) = if holds { ("always holds", either[0]) } else { ("never holds", either[1]) };
    let text = node.as_text().unwrap_or_default();
    problems.push(Diagnostic::warning("R028", &node.span, format!("`{text}` {always}")).help(help));
}

struct Judge<'a, 'p> {
    around: &'a Surroundings<'a>,
    node: &'a Node,
    problems: &'p mut Vec<Diagnostic>,
    /// Whether something was said of a part of the condition.
    told: bool,
}

impl Judge<'_, '_> {
    fn parameter(&mut self, parameter: &Parameter) -> Known {
        match parameter {
            Parameter::Literal(value) => Known::Value(value.clone()),
            Parameter::Subexpression(inner) => match inner.as_element() {
                TemplateElement::Expression(call) => self.call(call),
                _ => Known::Nothing,
            },
            _ => path(parameter).map_or(Known::Nothing, |path| self.path(&path)),
        }
    }

    fn call(&mut self, call: &HelperTemplate) -> Known {
        let name = call.name.as_name().unwrap_or_default();
        let given: Vec<Known> = call.params.iter().map(|parameter| self.parameter(parameter)).collect();
        let counts: Vec<Option<bool>> = given.iter().map(Known::counts).collect();
        match (name, call.params.as_slice()) {
            ("eq" | "ne", [left, right]) => {
                let never = self.never(left, &given[1]) || self.never(right, &given[0]);
                if never {
                    return Known::Counts(name == "ne");
                }
                self.literal(call)
            }
            ("not", [_]) => counts[0].map_or(Known::Nothing, |yes| Known::Counts(!yes)),
            ("and", _) if counts.contains(&Some(false)) => Known::Counts(false),
            ("or", _) if counts.contains(&Some(true)) => Known::Counts(true),
            ("and", [_, ..]) if counts.iter().all(Option::is_some) => Known::Counts(true),
            ("or", [_, ..]) if counts.iter().all(Option::is_some) => Known::Counts(false),
            _ => self.literal(call),
        }
    }

    /// A call that looks at nothing but what stands in it.
    fn literal(&self, call: &HelperTemplate) -> Known {
        let literal = |parameter: &Parameter| match parameter {
            Parameter::Literal(value) => Some(value.to_string()),
            _ => None,
        };
        let values: Option<Vec<String>> = call.params.iter().map(literal).collect();
        let (Some(name), Some(values)) = (call.name.as_name(), values.filter(|values| !values.is_empty())) else {
            return Known::Nothing;
        };
        let text = format!("({name} {})", values.join(" "));
        Templates::new().truthy(&text, &Scope::default()).map_or(Known::Nothing, Known::Counts)
    }

    /// An input that is always given counts as yes, unless it is of a kind that has a no.
    fn path(&self, path: &str) -> Known {
        let name = path.strip_prefix("inputs.").unwrap_or_default();
        let Some(input) = self.around.runbook.inputs.iter().find(|input| input.name == name) else {
            return Known::Nothing;
        };
        let may_be_no = input.ty.is_list() || matches!(input.ty, InputType::Bool | InputType::Integer);
        let is_given = input.default.is_some() || (input.required && !input.unknown_ok);
        if is_given && !may_be_no && !self.around.untyped.contains(&input.name) {
            Known::Counts(true)
        } else {
            Known::Nothing
        }
    }

    /// Says so where a path is compared with a value that it never has.
    fn never(&mut self, parameter: &Parameter, other: &Known) -> bool {
        let (Some(path), Known::Value(value)) = (path(parameter), other) else { return false };
        let Some(document) = self.around.follow(&path).ok().and_then(|pointed| pointed.schema) else { return false };
        let schema = Schema::new(&document).resolved();
        let (types, choices) = (schema.types(), schema.choices());
        let given = match value {
            Value::Null => return false,
            Value::Bool(_) => "boolean",
            Value::Number(number) if number.is_f64() => "number",
            Value::Number(_) => "integer",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        let help = if !fits(given, &types) {
            format!("it is {}", words(&types))
        } else if let Some(text) = value.as_str().filter(|text| !choices.is_empty() && !choices.contains(text)) {
            let meant = did_you_mean(text, choices.iter().copied());
            meant.map_or_else(
                || format!("it is one of {}", quoted(&choices)),
                |meant| format!("did you mean `{meant}`?"),
            )
        } else {
            return false;
        };
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let message = format!("`{path}` is never `{value}`");
        self.problems.push(Diagnostic::warning("R028", &self.node.span, message).help(help));
        self.told = true;
        true
    }
}

/// The path that a parameter is.
fn path(parameter: &Parameter) -> Option<String> {
    let (Parameter::Name(raw)
    | Parameter::Path(handlebars::Path::Relative((_, raw)) | handlebars::Path::Local((_, _, raw)))) = parameter
    else {
        return None;
    };
    let parts = segments(raw);
    let from = usize::from(parts.first().is_some_and(|first| first == "@root"));
    Some(parts[from..].join("."))
}
