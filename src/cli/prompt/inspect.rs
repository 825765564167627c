use serde_json::Value;

use super::consent::radius_text;
use crate::cli::console::{Style, Symbol, Tone, shorten, wrap};
use crate::model::{Call, Effect, OutsideCall};

/// What `inspect` shows: of the one effect, or of the row with this number. An error says which row is wanted.
pub(super) fn inspected(effects: &[&Effect], row: Option<usize>, style: &Style) -> Result<String, String> {
    match (effects, row) {
        ([], _) => Err("there is no request to inspect here".to_owned()),
        ([effect], None) => Ok(inspect_text(effect, style)),
        (_, None) => Err("which row? `inspect NUMBER`".to_owned()),
        (effects, Some(row)) => match row.checked_sub(1).and_then(|at| effects.get(at)) {
            Some(effect) => Ok(inspect_text(effect, style)),
            None => Err(format!("there is no row {row}: rows go from 1 to {}", effects.len())),
        },
    }
}

/// The exact request, the before-image and what would be after it, whole. Ends with a line break.
pub fn inspect_text(effect: &Effect, style: &Style) -> String {
    let mut out = format!("{}\n", style.heading(&style.show(&effect.summary)));
    let mut row = |label: &str, text: &str| out.push_str(&labelled(label, text, style));
    row("effect", &format!("{} of `{}`", effect.key, effect.action));
    row("digest", effect.digest().as_str());
    row("target", &format!("{} {}", effect.target.kind, effect.target.name));
    row("target id", &effect.target.id);
    match &effect.call {
        Call::Http(call) => {
            row("request", &format!("{} {}", call.method, call.path));
            if call.secret_answer {
                row("answer", "holds a new secret; it is sealed in the vault before it is read");
            }
            if let Some(body) = &call.body {
                out.push_str(&json("body", body, style));
            }
        }
        Call::Outside(call) => {
            row(outside_label(call), &call.to_string());
            for (label, text) in call.details() {
                row(&label, &text);
            }
        }
        Call::Hand(_) => row("request", "none: a person does it, quell only looks afterwards"),
    }
    out.push_str(&radius_text(effect, style));
    for consequence in &effect.consequences {
        out.push_str(&labelled("know", consequence, style));
    }
    out.push_str(&json("before", &effect.before, style));
    out.push_str(&json("after", &effect.after, style));
    out
}

/// What the first line of a call outside the provider is.
pub(super) const fn outside_label(call: &OutsideCall) -> &'static str {
    match call {
        OutsideCall::Command(_) => "command",
        OutsideCall::Web(_) => "request",
    }
}

/// A labelled line, wrapped under itself.
pub(super) fn labelled(label: &str, text: &str, style: &Style) -> String {
    const ROOM: usize = 12;
    let indent = " ".repeat(ROOM);
    let mut out = String::new();
    for (at, line) in wrap(&style.show(text), style.columns(), &indent, &indent).iter().enumerate() {
        let label = if at == 0 { label } else { "" };
        let label = style.paint(Tone::Faint, &format!("  {label:<9} "));
        out.push_str(format!("{label}{}", line.get(ROOM..).unwrap_or_default()).trim_end());
        out.push('\n');
    }
    out
}

/// A JSON value as it is, behind a bar, so that no line of it can pass for one of quell's.
fn json(label: &str, value: &Value, style: &Style) -> String {
    if value.is_null() {
        return labelled(label, "not known", style);
    }
    let pretty = serde_json::to_string_pretty(value).unwrap_or_else(|_| value.to_string());
    format!("  {label}\n{}", quote(&pretty, style))
}

/// Text that others wrote: each of its lines behind a bar.
pub(super) fn quote(text: &str, style: &Style) -> String {
    let bar = style.symbol(Symbol::Quote);
    let mut out = String::new();
    for line in text.lines() {
        let shown = style.show(line);
        let inner = shown.len() - shown.trim_start().len();
        let first = format!("    {bar} {}", " ".repeat(inner));
        let rest = format!("    {bar} {}", " ".repeat(inner + 2));
        for line in wrap(shown.trim_start(), style.columns(), &first, &rest) {
            out.push_str(line.trim_end());
            out.push('\n');
        }
    }
    out
}

/// What a change changes: `status: "active" → "disabled"`, one line per field that differs.
pub(crate) fn differences(before: &Value, after: &Value, style: &Style) -> Vec<String> {
    let arrow = style.symbol(Symbol::Arrow);
    let short = |value: &Value| shorten(&style.show(&value.to_string()), style.columns(), style);
    let (Value::Object(old), Value::Object(new)) = (before, after) else {
        return match (before, after) {
            (before, after) if before == after => Vec::new(),
            (before, Value::Null) => vec![format!("{} {arrow} gone", short(before))],
            (Value::Null, after) => vec![format!("new: {}", short(after))],
            (before, after) => vec![format!("{} {arrow} {}", short(before), short(after))],
        };
    };
    let keys = old.keys().chain(new.keys().filter(|key| !old.contains_key(*key)));
    keys.filter(|key| old.get(*key) != new.get(*key))
        .map(|key| {
            let side = |map: &serde_json::Map<String, Value>| map.get(key).map_or_else(|| "none".to_owned(), short);
            format!("{}: {} {arrow} {}", style.show(key), side(old), side(new))
        })
        .collect()
}
