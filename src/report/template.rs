//! Handlebars, set up so that no value can become markup.

use handlebars::template::{Template, TemplateElement};
use handlebars::{
    Context, Handlebars, Helper, HelperResult, Output, RenderContext, RenderErrorReason, TemplateErrorReason,
};
use serde_json::Value;

use super::render::ReportError;
use super::words::cut;
use crate::escape;
use crate::model::Digest;

/// Stands in a table cell that has nothing to say.
const NOTHING: &str = "—";
/// Longest code span in running tables; ids and digests in full stand in the appendix.
const LONGEST_CODE: usize = 240;

/// Writes `context` through `source`.
///
/// Helpers: `diagram` for a Mermaid diagram, `code` and `codes` for one or several values as code spans, `short` for the short form of digests, `cell`
/// for a text or a dash.
pub(super) fn fill(source: &str, context: &Value) -> Result<String, ReportError> {
    let template = Template::compile(source).map_err(|error| ReportError::Template {
        at: error.pos(),
        what: match error.reason() {
            // The parser names rules of its grammar there, which helps nobody.
            TemplateErrorReason::InvalidSyntax(_) => "this is not Handlebars".to_owned(),
            reason => reason.to_string(),
        },
    })?;
    refuse_unescaped(&template)?;
    let mut registry = Handlebars::new();
    registry.set_strict_mode(true);
    registry.register_escape_fn(text);
    registry.register_helper("code", Box::new(code));
    registry.register_helper("diagram", Box::new(diagram));
    registry.register_helper("codes", Box::new(codes));
    registry.register_helper("short", Box::new(short));
    registry.register_helper("cell", Box::new(cell));
    registry.register_template("report", template);
    registry.render("report", context).map_err(|error| ReportError::Template {
        at: error.line_no.zip(error.column_no),
        what: match error.reason() {
            RenderErrorReason::MissingVariable(Some(name)) => format!("the report has no `{name}` here"),
            reason => reason.to_string(),
        },
    })
}

/// Leading blanks could turn what follows into a list or a code block.
fn text(text: &str) -> String {
    escape::markdown(text.trim())
}

/// `{{{name}}}` and `{{&name}}` would let a name that an attacker chose be markup.
fn refuse_unescaped(template: &Template) -> Result<(), ReportError> {
    for (element, place) in template.elements.iter().zip(&template.mapping) {
        let inner = match element {
            TemplateElement::HtmlExpression(_) => {
                let what = "unescaped output is not allowed: write `{{name}}` or `{{code name}}`".to_owned();
                return Err(ReportError::Template { at: Some((place.0, place.1)), what });
            }
            TemplateElement::HelperBlock(block) => [block.template.as_ref(), block.inverse.as_ref()],
            TemplateElement::DecoratorBlock(block) | TemplateElement::PartialBlock(block) => {
                [block.template.as_ref(), None]
            }
            _ => [None, None],
        };
        inner.into_iter().flatten().try_for_each(refuse_unescaped)?;
    }
    Ok(())
}

/// A Mermaid diagram, whose labels are escaped where it is drawn; nothing in it ends the block that it stands in.
fn diagram(
    helper: &Helper<'_>,
    _: &Handlebars<'_>,
    _: &Context,
    _: &mut RenderContext<'_, '_>,
    out: &mut dyn Output,
) -> HelperResult {
    let text = argument("diagram", helper)?.as_str().unwrap_or_default().replace('`', "");
    Ok(out.write(text.trim_end())?)
}

fn code(
    helper: &Helper<'_>,
    _: &Handlebars<'_>,
    _: &Context,
    _: &mut RenderContext<'_, '_>,
    out: &mut dyn Output,
) -> HelperResult {
    Ok(out.write(&span(argument("code", helper)?))?)
}

fn codes(
    helper: &Helper<'_>,
    _: &Handlebars<'_>,
    _: &Context,
    _: &mut RenderContext<'_, '_>,
    out: &mut dyn Output,
) -> HelperResult {
    Ok(out.write(&list(argument("codes", helper)?, span))?)
}

fn short(
    helper: &Helper<'_>,
    _: &Handlebars<'_>,
    _: &Context,
    _: &mut RenderContext<'_, '_>,
    out: &mut dyn Output,
) -> HelperResult {
    let short = |value: &Value| match value.as_str().and_then(Digest::parse) {
        Some(digest) => format!("`{}`", digest.short()),
        None => span(value),
    };
    Ok(out.write(&list(argument("short", helper)?, short))?)
}

fn cell(
    helper: &Helper<'_>,
    _: &Handlebars<'_>,
    _: &Context,
    _: &mut RenderContext<'_, '_>,
    out: &mut dyn Output,
) -> HelperResult {
    let plain = plain(argument("cell", helper)?);
    Ok(out.write(&if plain.trim().is_empty() { NOTHING.to_owned() } else { text(&plain) })?)
}

fn argument<'h>(name: &'static str, helper: &'h Helper<'_>) -> Result<&'h Value, RenderErrorReason> {
    let given = helper.param(0).ok_or(RenderErrorReason::ParamNotFoundForIndex(name, 0))?;
    if given.is_value_missing() {
        return Err(RenderErrorReason::MissingVariable(given.relative_path().cloned()));
    }
    Ok(given.value())
}

fn list(value: &Value, write: impl Fn(&Value) -> String) -> String {
    match value {
        Value::Array(items) if items.is_empty() => NOTHING.to_owned(),
        Value::Array(items) => items.iter().map(write).collect::<Vec<_>>().join(", "),
        one => write(one),
    }
}

fn span(value: &Value) -> String {
    let plain = plain(value);
    if plain.trim().is_empty() { NOTHING.to_owned() } else { escape::markdown_code(&cut(&plain, LONGEST_CODE)) }
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
