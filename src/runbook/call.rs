//! A step that calls another runbook: what it gives it is held against the inputs that the runbook declares.

use std::ops::Range;

use jiff::Timestamp;

use super::check::{Checker, Slot};
use super::diagnostic::{Diagnostic, did_you_mean};
use super::fields::quoted;
use super::input::InputType;
use super::input_spec::InputSpec;
use super::inputs::read_default;
use super::nested::Called;
use super::node::{Kind, Node};

use super::schema::Schema;
use super::step::StepPlaces;

/// The keys of `with`.
const KEYS: [&str; 2] = ["name", "inputs"];

impl Checker<'_, '_> {
    /// What the step calls, and what it gives.
    pub(super) fn call(&mut self, places: &StepPlaces, table: &Node) {
        let Some(with) = table.get("with").filter(|with| matches!(with.kind, Kind::Table(_))) else {
            if table.get("with").is_none() {
                self.nameless(&places.table);
            }
            return; // A `with` that is no table is a problem of its own.
        };
        for (key, _) in with.entries().iter().filter(|(key, _)| !KEYS.contains(&key.name.as_str())) {
            let problem = Diagnostic::error("R009", &key.span, format!("`runbook` has no parameter `{}`", key.name));
            self.problems.push(match did_you_mean(&key.name, KEYS) {
                Some(meant) => problem.help(format!("did you mean `{meant}`?")),
                None => problem
                    .help(format!("its parameters are {}; what the runbook needs stands in `inputs`", quoted(&KEYS))),
            });
        }
        match with.get("name") {
            None => self.nameless(&with.span),
            Some(name) if name.as_text().is_none() => {
                let message = format!("`name` must be text, and is {}", name.what());
                let help =
                    "which runbook is called is fixed before the run, so that its text can be checked and pinned";
                self.problems.push(Diagnostic::error("R010", &name.span, message).help(help));
            }
            Some(_) => {}
        }
        let inputs = with.get("inputs");
        if let Some(inputs) = inputs.filter(|inputs| !matches!(inputs.kind, Kind::Table(_))) {
            let message = format!("`inputs` must be a table, and is {}", inputs.what());
            let problem = Diagnostic::error("R010", &inputs.span, message);
            self.problems.push(problem.help("it is written `inputs = { NAME = VALUE }`"));
            return;
        }
        match &self.around.step.calls {
            Some(called) => self.inputs(called, inputs, &with.span),
            // What it calls is a problem of its own.
            None => inputs.into_iter().flat_map(Node::entries).for_each(|(_, value)| self.anything(value)),
        }
    }

    fn nameless(&mut self, span: &Range<usize>) {
        let problem = Diagnostic::error("R008", span, "`runbook` needs the parameter `name`");
        self.problems
            .push(problem.help("`name`: the runbook to call; `quell runbooks list` shows those that there are"));
    }

    fn inputs(&mut self, called: &Called, given: Option<&Node>, with: &Range<usize>) {
        let (name, specs) = (&called.name, &called.runbook.inputs);
        let span = given.map_or(with, |given| &given.span);
        let given = given.map_or(&[][..], Node::entries);
        for (key, value) in given {
            match specs.iter().find(|spec| spec.name == key.name) {
                Some(spec) => self.input(value, spec),
                None => {
                    let message = format!("the runbook `{name}` has no input `{}`", key.name);
                    let problem = Diagnostic::error("R009", &key.span, message);
                    let known: Vec<&str> = specs.iter().map(|spec| spec.name.as_str()).collect();
                    self.problems.push(match did_you_mean(&key.name, known.iter().copied()) {
                        Some(meant) => problem.help(format!("did you mean `{meant}`?")),
                        None if known.is_empty() => problem.help("it has none"),
                        None => problem.help(format!("its inputs are {}", quoted(&known))),
                    });
                }
            }
        }
        let is_given = |spec: &InputSpec| given.iter().any(|(key, _)| key.name == spec.name);
        for spec in specs.iter().filter(|spec| spec.must_be_given() && !is_given(spec)) {
            let message = format!("the runbook `{name}` needs the input `{}`", spec.name);
            let help = spec.prompt.as_ref().map(|prompt| format!("`{}`: {prompt}", spec.name));
            self.problems.push(Diagnostic { help, ..Diagnostic::error("R008", span, message) });
        }
    }

    /// A value that is written down is read as it will be; of one that is passed on the type is known.
    fn input(&mut self, node: &Node, spec: &InputSpec) {
        let is_passed = ["from", "literal"].iter().any(|key| node.get(key).is_some());
        if is_passed {
            let wanted = spec.ty.schema();
            let (name, about) = (spec.name.as_str(), spec.prompt.as_deref());
            let slot = Slot { name, each: false, needed: spec.must_be_given(), about };
            return self.value(node, Schema::new(&wanted), slot);
        }
        match &node.kind {
            Kind::Text(text, _) if text.contains("{{") => return self.text(node),
            Kind::Array(items) => items.iter().for_each(|item| self.text(item)),
            _ => {}
        }
        if spec.ty == InputType::Secret && node.as_text().is_some() {
            // Not quoted: it may be one.
            let message = format!("the input `{}` is a secret, and no text in a runbook is", spec.name);
            let help = "pass an input of the type `secret`, or `{ secret_env = \"NAME\" }`; whoever can read the file has what stands in it";
            return self.problems.push(Diagnostic::error("R032", &node.span, message).help(help));
        }
        if let Err(why) = readable(node, spec) {
            let message = format!("the input `{}` cannot be {}: {why}", spec.name, node.shown());
            let help = spec.prompt.as_ref().map(|prompt| format!("`{}`: {prompt}", spec.name));
            self.problems.push(Diagnostic { help, ..Diagnostic::error("R010", &node.span, message) });
        }
    }
}

/// Whether a value that stands in a runbook can be read as the input. It is read when the step begins, so a time may hang
/// on the present.
fn readable(node: &Node, spec: &InputSpec) -> Result<(), String> {
    match (&spec.ty, node.as_text()) {
        (ty, Some(text))
            if (ty.is_list() || matches!(ty, InputType::Bool | InputType::Integer)) && !spec.is_unknown(text) =>
        {
            Err(format!("{}, and is text", spec.ty.wanted()))
        }
        (_, Some(text)) => spec.parse(text, Timestamp::UNIX_EPOCH).map(drop),
        (_, None) => read_default(node, &spec.ty).and_then(|value| spec.bounds.hold(&value)),
    }
}
