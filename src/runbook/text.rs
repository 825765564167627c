//! Templates inside a runbook's texts: every path in them is followed before anything runs.

use std::ops::Range;

use handlebars::template::{HelperTemplate, Parameter, Template, TemplateElement};
use serde_json::Value;

use super::diagnostic::{Diagnostic, did_you_mean};
use super::fields::quoted;
use super::lint;
use super::node::{Kind, Node};
use super::reference::{Astray, Surroundings};
use super::schema::Schema;
use super::secret;
use super::template::{HELPERS, segments};

/// Checks a text that may hold `{{ … }}`.
pub(super) fn check_text(node: &Node, around: &Surroundings<'_>, source: &str, problems: &mut Vec<Diagnostic>) {
    let Kind::Text(text, offset) = &node.kind else { return };
    if !text.contains("{{") {
        return;
    }
    if is_too_deep(text) {
        return problems.push(too_deep(node));
    }
    let place = |line: usize, column: usize| match offset {
        Some(offset) => at(source, *offset, text, line, column),
        None => node.span.clone(),
    };
    match Template::compile(text) {
        Ok(template) => {
            let mut walker = Walker { around, problems, scopes: Vec::new() };
            walker.template(&template, &place);
        }
        Err(error) => {
            let span = error.pos().map_or_else(|| node.span.clone(), |(line, column)| place(line, column));
            problems.push(
                Diagnostic::error("R015", &span, "this is not a valid template")
                    .help("every `{{` needs its `}}`, every `{{#if inputs.x}}` its `{{/if}}`"),
            );
        }
    }
}

/// Checks a condition: a path, or a helper call in parentheses. `either` says what it means where it always holds, and
/// where it never does.
pub(super) fn check_condition(
    node: &Node,
    either: [&str; 2],
    around: &Surroundings<'_>,
    problems: &mut Vec<Diagnostic>,
) {
    let Some(condition) = node.as_text() else { return };
    if is_too_deep(condition) {
        return problems.push(too_deep(node));
    }
    match Template::compile(&format!("{{{{#if {condition}}}}}1{{{{/if}}}}")) {
        Ok(template) if is_one_value(&template) => {
            let mut walker = Walker { around, problems, scopes: Vec::new() };
            walker.template(&template, &|_, _| node.span.clone());
            lint::condition(&template, node, either, around, problems);
        }
        _ => {
            let help =
                "it is a path such as `steps.audit.complete`, or a call such as `(eq steps.pace.choice \"cut-now\")`";
            let message = match condition.trim() {
                "" => "`when` is empty".to_owned(),
                _ => format!("`{condition}` is not a condition"),
            };
            problems.push(Diagnostic::error("R015", &node.span, message).help(help));
        }
    }
}

/// Whether `#if` was given one value: a second one would be dropped without a word, and none fails only in the run.
fn is_one_value(template: &Template) -> bool {
    match template.elements.as_slice() {
        [TemplateElement::HelperBlock(call)] => call.params.len() == 1 && call.hash.is_empty(),
        _ => false,
    }
}

/// Templates are read by recursion: a deep one would end the process, not the check. No honest text comes near.
fn is_too_deep(text: &str) -> bool {
    text.matches("{{").count() > 100 || text.matches('(').count() > 50
}

fn too_deep(node: &Node) -> Diagnostic {
    let problem = Diagnostic::error("R021", &node.span, "this text has more than 100 `{{` or 50 `(` in it");
    problem.help("nobody can follow it: leave it out, or split the step")
}

type Place<'f> = dyn Fn(usize, usize) -> Range<usize> + 'f;

struct Walker<'a, 'p> {
    around: &'a Surroundings<'a>,
    problems: &'p mut Vec<Diagnostic>,
    /// What `this` is, innermost last: a JSON Schema document, or `None` where it may be anything.
    scopes: Vec<Option<Value>>,
}

impl Walker<'_, '_> {
    fn template(&mut self, template: &Template, place: &Place<'_>) {
        for (element, mapping) in template.elements.iter().zip(&template.mapping) {
            let span = place(mapping.0, mapping.1);
            match element {
                TemplateElement::RawString(_) | TemplateElement::Comment(_) => {}
                TemplateElement::Expression(call) | TemplateElement::HtmlExpression(call) => self.call(call, &span),
                TemplateElement::HelperBlock(call) => {
                    self.call(call, &span);
                    let inner = match call.name.as_name() {
                        Some("each") => Some(call.params.first().and_then(|list| self.items(list))),
                        Some("with") => Some(call.params.first().and_then(|value| self.schema(value))),
                        _ => None,
                    };
                    let entered = inner.is_some();
                    self.scopes.extend(inner);
                    if let Some(body) = &call.template {
                        self.template(body, place);
                    }
                    if entered {
                        self.scopes.pop();
                    }
                    if let Some(other) = &call.inverse {
                        self.template(other, place);
                    }
                }
                _ => {
                    let message = "partials and decorators are not part of the language";
                    self.problems.push(Diagnostic::error("R015", &span, message).help("write the text itself"));
                }
            }
        }
    }

    /// `{{path}}`, `{{helper …}}` or the head of a block.
    fn call(&mut self, call: &HelperTemplate, span: &Range<usize>) {
        let bare = call.params.is_empty() && call.hash.is_empty() && !call.block;
        match &call.name {
            Parameter::Subexpression(inner) => self.parameter(&Parameter::Subexpression(inner.clone()), span),
            name if bare => self.parameter(name, span),
            name => {
                let helper = name.as_name().unwrap_or_default();
                if !HELPERS.contains(&helper) {
                    let problem = Diagnostic::error("R016", span, format!("there is no helper `{helper}`"));
                    let meant =
                        did_you_mean(helper, HELPERS.iter().copied()).map(|meant| format!("did you mean `{meant}`?"));
                    let help = meant.unwrap_or_else(|| format!("the helpers are {}", quoted(HELPERS)));
                    self.problems.push(problem.help(help));
                }
            }
        }
        for parameter in call.params.iter().chain(call.hash.values()) {
            self.parameter(parameter, span);
        }
    }

    fn parameter(&mut self, parameter: &Parameter, span: &Range<usize>) {
        match parameter {
            Parameter::Literal(_) => {}
            Parameter::Subexpression(inner) => match inner.as_element() {
                TemplateElement::Expression(call) => {
                    // `(lookup)` without arguments is a path in parentheses.
                    self.call(call, span);
                }
                _ => self.problems.push(Diagnostic::error("R015", span, "this is not a valid expression")),
            },
            Parameter::Name(raw) => self.path(raw, span),
            Parameter::Path(path) => {
                let raw = match path {
                    handlebars::Path::Relative((_, raw)) | handlebars::Path::Local((_, _, raw)) => raw,
                };
                self.path(raw, span);
            }
            _ => self.problems.push(Diagnostic::error("R015", span, "this is not a valid expression")),
        }
    }

    fn path(&mut self, raw: &str, span: &Range<usize>) {
        if let Err(astray) = self.follow(raw) {
            self.problems
                .push(Diagnostic { help: astray.help, ..Diagnostic::error(astray.code, span, astray.message) });
        }
    }

    /// The schema of what a path points at; `None` where it may be anything.
    fn follow(&self, raw: &str) -> Result<Option<Value>, Astray> {
        let parts = segments(raw);
        match parts.first().map(String::as_str) {
            Some("@root") => self.at_root(&parts[1..]),
            Some(local) if local.starts_with('@') => Ok(None),
            Some("..") => {
                let up = parts.iter().take_while(|part| *part == "..").count();
                match self.scopes.len().checked_sub(up) {
                    Some(0) => self.at_root(&parts[up..]),
                    Some(depth) => within(self.scopes[depth - 1].as_ref(), &parts[up..], raw),
                    None => Err(Astray { code: "R011", message: format!("`{raw}` leaves the template"), help: None }),
                }
            }
            _ => match self.scopes.last() {
                None => self.at_root(&parts),
                Some(_) if self.is_root(&parts[0]) => Err(Astray {
                    code: "R011",
                    message: format!("`{raw}` is looked for in the item here"),
                    help: Some(format!("write `@root.{raw}` inside `#each` and `#with`")),
                }),
                Some(item) => {
                    let from = usize::from(parts[0] == "this" || parts[0] == ".");
                    within(item.as_ref(), &parts[from..], raw)
                }
            },
        }
    }

    /// The same from the root. A secret is nothing that a text or a condition may hold.
    fn at_root(&self, parts: &[String]) -> Result<Option<Value>, Astray> {
        let path = parts.join(".");
        let schema = self.around.follow(&path)?.schema;
        if schema.as_ref().is_some_and(|schema| Schema::new(schema).is_secret()) {
            return Err(secret::in_text(&path));
        }
        Ok(schema)
    }

    /// Whether paths from the root begin like this.
    fn is_root(&self, part: &str) -> bool {
        matches!(part, "inputs" | "steps" | "incident") || self.around.items.iter().any(|(name, _)| *name == part)
    }

    fn schema(&self, parameter: &Parameter) -> Option<Value> {
        let Parameter::Path(handlebars::Path::Relative((_, raw)) | handlebars::Path::Local((_, _, raw))) = parameter
        else {
            return None;
        };
        self.follow(raw).ok().flatten()
    }

    fn items(&self, parameter: &Parameter) -> Option<Value> {
        let list = self.schema(parameter)?;
        Schema::new(&list).items().map(Schema::to_document)
    }
}

/// Follows fields inside an item.
fn within(item: Option<&Value>, fields: &[String], raw: &str) -> Result<Option<Value>, Astray> {
    let Some(item) = item else { return Ok(None) };
    let mut schema = Schema::new(item).resolved();
    for field in fields {
        match schema.property(field) {
            Some(property) => schema = property,
            None if schema.properties().is_empty() => return Ok(None),
            None => {
                let help = did_you_mean(field, schema.properties()).map(|meant| format!("did you mean `{meant}`?"));
                return Err(Astray {
                    code: "R011",
                    message: format!("`{raw}`: the item has no field `{field}`"),
                    help,
                });
            }
        }
    }
    Ok(Some(schema.to_document()))
}

/// The tag that begins at `line` and `column` (from 1) of a text that stands at `offset` of the source.
fn at(source: &str, offset: usize, text: &str, line: usize, column: usize) -> Range<usize> {
    let before: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let rest = &text[before.min(text.len())..];
    let inside = rest.char_indices().nth(column.saturating_sub(1)).map_or(rest.len(), |(at, _)| at);
    let start = offset + before + inside;
    let length = source.get(start..offset + text.len()).and_then(|tag| tag.find("}}")).map_or(1, |end| end + 2);
    start..(start + length).min(offset + text.len()).max(start)
}
