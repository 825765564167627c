use handlebars::template::{Parameter, Template, TemplateElement};
use handlebars::{
    Context, Handlebars, Helper, HelperDef, HelperResult, JsonTruthy, Output, RenderContext, RenderError,
    RenderErrorReason, ScopedJson, no_escape,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::resolve::Scope;
use crate::escape;

/// Every helper that a template may call.
pub(super) const HELPERS: &[&str] = &[
    "if", "unless", "each", "with", "lookup", "eq", "ne", "gt", "gte", "lt", "lte", "and", "or", "not", "any", "len",
    "json", "md", "join", "default", "time",
];

/// The one helper that takes what has no value for nothing.
const ANY: &str = "any";

/// Renders the texts of a runbook. Strict: what is missing is an error, also inside conditions, and a table or list is
/// never printed by accident.
#[derive(Debug)]
pub struct Templates {
    registry: Handlebars<'static>,
}

/// Why a text could not be rendered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// It is not a template.
    #[error("`{0}` is not a valid template")]
    Syntax(String),
    /// It names something that has no value.
    #[error("`{0}` has no value")]
    Missing(String),
    /// It prints something that is not a text.
    #[error("`{0}` is a table or a list, which has no text; use `json` or `join`")]
    NotText(String),
    /// It failed otherwise.
    #[error("{0}")]
    Render(String),
}

impl Default for Templates {
    fn default() -> Self {
        Self::new()
    }
}

impl Templates {
    /// The renderer with its helpers.
    pub fn new() -> Self {
        let mut registry = Handlebars::new();
        registry.set_strict_mode(true);
        // Texts go to people and into requests; what needs escaping is escaped by its sink.
        registry.register_escape_fn(no_escape);
        registry.register_helper(ANY, Box::new(Any));
        registry.register_helper("json", Box::new(json_helper));
        registry.register_helper("md", Box::new(md_helper));
        registry.register_helper("join", Box::new(join_helper));
        registry.register_helper("default", Box::new(default_helper));
        registry.register_helper("time", Box::new(time_helper));
        Self { registry }
    }

    /// Renders a text.
    ///
    /// # Errors
    /// See [`TemplateError`].
    pub fn render_text(&self, text: &str, scope: &Scope) -> Result<String, TemplateError> {
        if !text.contains("{{") {
            return Ok(text.to_owned());
        }
        let template = Template::compile(text).map_err(|_| TemplateError::Syntax(text.to_owned()))?;
        let values = scope.named_in(text);
        require(&template, &values, true)?;
        self.registry.render_template(text, &values).map_err(|error| TemplateError::Render(error.to_string()))
    }

    /// Judges a condition: a path, or a helper call in parentheses.
    ///
    /// # Errors
    /// See [`TemplateError`]; above all, a path without a value is an error and not false.
    pub fn truthy(&self, when: &str, scope: &Scope) -> Result<bool, TemplateError> {
        let text = format!("{{{{#if {when}}}}}1{{{{/if}}}}");
        self.render_text(&text, scope).map(|rendered| rendered == "1")
    }
}

/// Every path from the root must have a value; Handlebars itself lets `#if` and `lookup` miss silently.
fn require(template: &Template, values: &Value, top: bool) -> Result<(), TemplateError> {
    for element in &template.elements {
        let (TemplateElement::Expression(call)
        | TemplateElement::HtmlExpression(call)
        | TemplateElement::HelperBlock(call)) = element
        else {
            continue;
        };
        let bare = call.params.is_empty() && call.hash.is_empty() && !call.block;
        if bare && top {
            require_parameter(&call.name, values, true)?;
        }
        // Inside `each` and `with` a path is relative to the item, and strict mode sees to it.
        if top {
            for parameter in call.params.iter().chain(call.hash.values()) {
                require_parameter(parameter, values, false)?;
            }
        }
        let same = top && !matches!(call.name.as_name(), Some("each" | "with"));
        for inner in [&call.template, &call.inverse].into_iter().flatten() {
            require(inner, values, same)?;
        }
    }
    Ok(())
}

fn require_parameter(parameter: &Parameter, values: &Value, printed: bool) -> Result<(), TemplateError> {
    let raw = match parameter {
        Parameter::Path(handlebars::Path::Relative((_, raw))) | Parameter::Name(raw) => raw,
        Parameter::Subexpression(inner) => {
            let TemplateElement::Expression(call) = inner.as_element() else { return Ok(()) };
            if call.name.as_name() == Some(ANY) {
                return Ok(());
            }
            return call
                .params
                .iter()
                .chain(call.hash.values())
                .try_for_each(|inner| require_parameter(inner, values, false));
        }
        _ => return Ok(()),
    };
    let parts = segments(raw);
    if parts.first().is_some_and(|first| first.starts_with('@') || first == ".." || first == "this") {
        return Ok(());
    }
    let mut value = values;
    for part in &parts {
        value = value.get(part).ok_or_else(|| TemplateError::Missing(raw.clone()))?;
    }
    if printed && (value.is_object() || value.is_array()) {
        return Err(TemplateError::NotText(raw.clone()));
    }
    Ok(())
}

/// The parts of a path as it was written, with `.` or `/` between.
pub(super) fn segments(raw: &str) -> Vec<String> {
    let raw = raw.trim();
    let mut parts = Vec::new();
    let mut rest = raw;
    while let Some(after) = rest.strip_prefix("../") {
        parts.push("..".to_owned());
        rest = after;
    }
    if rest == ".." {
        parts.push("..".to_owned());
        return parts;
    }
    parts.extend(
        rest.split(['.', '/']).filter(|part| !part.is_empty()).map(|part| part.trim_matches(['[', ']']).to_owned()),
    );
    if parts.is_empty() {
        parts.push("this".to_owned());
    }
    parts
}

fn argument<'h>(helper: &'h Helper<'_>, at: usize) -> Result<&'h Value, RenderErrorReason> {
    helper.param(at).map(handlebars::PathAndJson::value).ok_or(RenderErrorReason::ParamNotFoundForIndex("helper", at))
}

/// `(any value other …)`; what has no value counts as no.
struct Any;

impl HelperDef for Any {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        let any = helper.params().iter().any(|given| given.value().is_truthy(false));
        Ok(ScopedJson::Derived(any.into()))
    }
}

fn json_helper(
    helper: &Helper<'_>,
    _: &Handlebars<'_>,
    _: &Context,
    _: &mut RenderContext<'_, '_>,
    out: &mut dyn Output,
) -> HelperResult {
    out.write(&argument(helper, 0)?.to_string())?;
    Ok(())
}

fn md_helper(
    helper: &Helper<'_>,
    _: &Handlebars<'_>,
    _: &Context,
    _: &mut RenderContext<'_, '_>,
    out: &mut dyn Output,
) -> HelperResult {
    out.write(&escape::markdown(&plain(argument(helper, 0)?)))?;
    Ok(())
}

/// `{{join list ", "}}`.
fn join_helper(
    helper: &Helper<'_>,
    _: &Handlebars<'_>,
    _: &Context,
    _: &mut RenderContext<'_, '_>,
    out: &mut dyn Output,
) -> HelperResult {
    let separator = helper.param(1).map_or_else(|| ", ".to_owned(), |separator| plain(separator.value()));
    let items: Vec<String> = argument(helper, 0)?.as_array().into_iter().flatten().map(plain).collect();
    out.write(&items.join(&separator))?;
    Ok(())
}

/// `{{default value "in its place"}}`, for a value that may be null.
fn default_helper(
    helper: &Helper<'_>,
    _: &Handlebars<'_>,
    _: &Context,
    _: &mut RenderContext<'_, '_>,
    out: &mut dyn Output,
) -> HelperResult {
    let value = argument(helper, 0)?;
    out.write(&plain(if value.is_null() { argument(helper, 1)? } else { value }))?;
    Ok(())
}

/// `{{time moment}}`, or with a length of time that is added or taken away: `{{time moment "72h"}}`.
fn time_helper(
    helper: &Helper<'_>,
    _: &Handlebars<'_>,
    _: &Context,
    _: &mut RenderContext<'_, '_>,
    out: &mut dyn Output,
) -> HelperResult {
    let failed = |what: String| RenderErrorReason::Other(what);
    let text = plain(argument(helper, 0)?);
    let moment: Timestamp = text.parse().map_err(|_| failed(format!("`{text}` is no moment")))?;
    let moment = match helper.param(1).map(|by| plain(by.value())) {
        None => moment,
        Some(by) => {
            let length: SignedDuration = by.parse().map_err(|_| failed(format!("`{by}` is no length of time")))?;
            moment.checked_add(length).map_err(|error| failed(error.to_string()))?
        }
    };
    out.write(&moment.strftime("%F %H:%M UTC").to_string())?;
    Ok(())
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{TemplateError, Templates};
    use crate::runbook::Scope;

    fn scope() -> Scope {
        let table = |value: serde_json::Value| value.as_object().cloned().unwrap_or_default();
        Scope {
            inputs: table(json!({ "name": "ci <b>", "none": null, "at": "2026-11-23T14:05:09Z" })),
            steps: table(json!({ "list": { "items": [{ "id": "a" }, { "id": "b" }], "flag": false } })),
            incident: table(json!({ "id": "i1" })),
            ..Scope::default()
        }
    }

    #[test]
    fn text_is_rendered_as_it_is() {
        let templates = Templates::new();
        for (text, wanted) in [
            ("{{inputs.name}} at {{incident.id}}", "ci <b> at i1"),
            ("{{#each steps.list.items}}{{this.id}}{{@root.incident.id}} {{/each}}", "ai1 bi1 "),
            ("{{default inputs.none \"nobody\"}}", "nobody"),
            ("{{json steps.list.flag}}", "false"),
            ("{{time inputs.at}}", "2026-11-23 14:05 UTC"),
            ("{{time inputs.at \"72h\"}} {{time inputs.at \"-30m\"}}", "2026-11-26 14:05 UTC 2026-11-23 13:35 UTC"),
        ] {
            assert_eq!(templates.render_text(text, &scope()).as_deref(), Ok(wanted), "{text}");
        }
    }

    #[test]
    fn what_is_missing_is_an_error_everywhere() {
        let templates = Templates::new();
        for text in [
            "{{inputs.nope}}",
            "{{#if inputs.nope}}x{{/if}}",
            "{{#each steps.nope.items}}x{{/each}}",
            "{{json (lookup steps.nope \"x\")}}",
        ] {
            assert!(matches!(templates.render_text(text, &scope()), Err(TemplateError::Missing(_))), "{text}");
        }
        assert!(matches!(templates.render_text("{{steps.list.items}}", &scope()), Err(TemplateError::NotText(_))));
        assert!(templates.truthy("steps.gone.flag", &scope()).is_err());
        assert_eq!(templates.truthy("(not steps.list.flag)", &scope()), Ok(true));
        assert_eq!(templates.truthy("(any steps.gone.flag steps.list.flag)", &scope()), Ok(false));
        assert_eq!(templates.truthy("(not (any steps.gone.flag steps.list.items))", &scope()), Ok(false));
        assert!(templates.truthy("(any (len steps.gone.items))", &scope()).is_err());
        assert_eq!(templates.truthy("(eq inputs.name \"x\")", &scope()), Ok(false));
    }
}
