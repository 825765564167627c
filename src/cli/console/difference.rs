//! How something that differs from a baseline is told.

use serde_json::Value;

use super::line::labelled;
use super::{Style, Symbol, Tone, shorten, wrap};
use crate::hunt::diff::fields;
use crate::hunt::{Difference, Family};
use crate::model::Change;

/// A value is told up to here; the JSON output has all of it.
const MOST: usize = 600;

/// One resource that differs: what happened to it, what it is called, where it is; below, field by field, what it was and
/// what it is. Ends with a line break.
pub fn difference_text(family: &Family, difference: &Difference, style: &Style) -> String {
    let (word, tone) = match difference.change() {
        Change::Added => ("added", Tone::Alarm),
        Change::Removed => ("removed", Tone::Alarm),
        Change::Changed => ("changed", Tone::Care),
    };
    let Some(item) = difference.item() else { return String::new() };
    let label = family.label(item);
    let id = if item.id.is_empty() || item.id == label { String::new() } else { format!(" ({})", item.id) };
    let name = if label.is_empty() { family.title } else { &label };
    let mut text = labelled(word, tone, &format!("{name}{id} in {}", item.seat.name), style);
    text.push('\n');
    // Of what was there, and nobody knows as what, only what it is can be said.
    let is_unknown = difference.before.as_ref().is_some_and(|before| before.value.is_null());
    if difference.change() == Change::Changed && !is_unknown {
        for change in fields(family, difference) {
            let arrow = style.symbol(Symbol::Arrow);
            let (before, after) = (told(change.before.as_ref(), style), told(change.after.as_ref(), style));
            text.push_str(&line(&format!("{}: {before} {arrow} {after}", path(&change.field, style)), style));
        }
    } else if let Value::Object(value) = family.compared(item) {
        let said = value.iter().filter(|(_, value)| !is_empty(value));
        let said: Vec<String> =
            said.map(|(name, value)| format!("{}: {}", style.show(name), told(Some(value), style))).collect();
        let now = if is_unknown && difference.after.is_some() { "now " } else { "" };
        text.push_str(&line(&format!("{now}{}", shorten(&said.join(", "), MOST, style)), style));
    }
    text
}

/// Set in under the name. Takes what is safe to show.
fn line(text: &str, style: &Style) -> String {
    const INDENT: &str = "             ";
    const HANGING: &str = "               ";
    wrap(text, style.columns(), INDENT, HANGING).join("\n") + "\n"
}

/// A JSON pointer as people write it: `rules.block-admin.enabled`.
fn path(pointer: &str, style: &Style) -> String {
    let path = pointer.trim_start_matches('/').replace('/', ".").replace("~1", "/").replace("~0", "~");
    if path.is_empty() { "it".to_owned() } else { style.show(&path) }
}

fn told(value: Option<&Value>, style: &Style) -> String {
    match value {
        None => "nothing".to_owned(),
        Some(value) => shorten(&style.show(&value.to_string()), MOST, style),
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::difference_text;
    use crate::cli::console::{Style, width};
    use crate::hunt::{Difference, Family, Part, Seat, blank};

    const FAMILY: Family = Family { name: "things", title: "things", key: &[Part::At("/name")], ..blank() };

    fn text(before: Option<Value>, after: Option<Value>, columns: usize) -> String {
        let item = |raw: Value| FAMILY.item(&Seat::zone("z", "shop.example"), raw);
        let difference = Difference { family: "things".into(), before: before.map(item), after: after.map(item) };
        difference_text(&FAMILY, &difference, &Style::plain(columns))
    }

    #[test]
    fn a_change_is_told_field_by_field() {
        let before = json!({ "id": "7f", "name": "door", "open": false, "rules": { "a/b": { "on": true } } });
        let after = json!({ "id": "7f", "name": "door", "open": true, "rules": { "a/b": { "on": false }, "x": 1 } });
        let expected = "  changed    door (7f) in shop.example\n             open: false → true\n             \
                        rules.a/b.on: true → false\n             rules.x: nothing → 1\n";
        assert_eq!(text(Some(before), Some(after.clone()), 80), expected);
        assert!(text(None, Some(after), 80).starts_with("  added      door (7f) in shop.example\n             name: "));
    }

    #[test]
    fn of_what_nobody_knows_as_what_it_was_there_what_it_is_is_told() {
        let expected = "  changed    door (7f) in shop.example\n             now name: \"door\", open: true\n";
        assert_eq!(text(Some(Value::Null), Some(json!({ "id": "7f", "name": "door", "open": true })), 80), expected);
    }

    #[test]
    fn what_an_intruder_named_acts_on_nothing_and_fits_the_width() {
        let hostile = json!({ "id": "7f", "name": format!("\u{1b}[2J\u{202e}{}", "x".repeat(200)), "\u{9b}field": "\u{7}\nvalue" });
        for columns in [40, 80] {
            for text in [text(Some(hostile.clone()), None, columns), text(None, Some(hostile.clone()), columns)] {
                assert!(!text.contains(['\u{1b}', '\u{202e}', '\u{9b}', '\u{7}']), "{text}");
                assert!(text.lines().all(|line| width(line) <= columns), "{text}");
            }
        }
    }
}
