use serde_json::Value;

use super::consent::{danger, drift_text, radius_text};
use super::decision::looked;
use super::inspect::{labelled, quote};
use super::list::for_all;
use super::verb::VERBS;
use crate::cli::console::{Style, Symbol, Tone, shorten, wrap};
use crate::engine::{HandReply, HandRequest};
use crate::journal::EffectState;
use crate::model::{Danger, Effect, EffectKey};

/// A field of an image, by its name.
type Field = (String, Value);

/// Fields that are shown; `inspect` shows all.
const FIELDS: usize = 12;

/// The screen of work for a person: what to do, where, and what is asked afterwards. A command line stands alone and
/// unbroken, to be copied. Ends with a line break.
pub fn hand_text(request: &HandRequest<'_>, operator: &str, style: &Style) -> String {
    let (at, of) = request.position;
    let place = if of > 1 { format!(" {at} of {of}") } else { String::new() };
    let mut out = format!("\n{}\n", style.heading(&format!("{}: by hand{place}", request.step.path)));
    out.push_str(&drift_text(request.drifted.as_slice(), &[request.effect], style));
    for line in wrap(&style.show(&request.effect.summary), style.columns(), "", "  ") {
        out.push_str(&style.paint(Tone::Strong, &line));
        out.push('\n');
    }
    out.push_str(&labelled("target", &format!("{} {}", request.effect.target.kind, request.effect.target.name), style));
    out.push_str(&labelled("target id", &request.effect.target.id, style));
    let rated = match request.effect.danger {
        Danger::Observe => "not rated: quell cannot tell what the work touches",
        rated => danger(rated),
    };
    out.push_str(&labelled("danger", rated, style));
    let many = if of > 1 { format!("1 at a time; this is {at} of {of}") } else { "1".to_owned() };
    out.push_str(&labelled("how many", &many, style));
    out.push_str("  to do, and then to say so:\n");
    out.push_str(&quote(&request.work.instruction, style));
    out.push_str(&images_text(request.effect, request.work.blind, style));
    if let Some(dashboard) = &request.work.dashboard {
        out.push_str(&labelled("dashboard", dashboard, style));
    }
    out.push_str(&radius_text(request.effect, style));
    for consequence in &request.effect.consequences {
        out.push_str(&labelled("know", consequence, style));
    }
    for (title, command) in [("to read it", &request.work.read), ("or to do it", &request.work.curl)] {
        if let Some(command) = command {
            out.push_str(&titled(&format!("{title} in a shell with the credential:"), style));
            out.push_str(&format!("\n{}\n", style.show(command)));
        }
    }
    out.push_str(&look_text(request, style));
    out.push('\n');
    out.push_str(&wanted_text(request, operator, style));
    out
}

/// What a fresh look showed, and what may be typed: for who has just seen all else.
pub(super) fn again_text(request: &HandRequest<'_>, operator: &str, style: &Style) -> String {
    format!("{}{}", look_text(request, style), wanted_text(request, operator, style))
}

/// What the latest look showed, if anybody looked.
fn look_text(request: &HandRequest<'_>, style: &Style) -> String {
    let state = request.rows.iter().find(|state| state.effect.key == request.effect.key);
    let verdict = state.and_then(|state| state.verdict.as_ref());
    verdict.map_or_else(String::new, |verdict| labelled("a look", &looked(Some(verdict)), style))
}

/// What is there and what should be, field by field.
fn images_text(effect: &Effect, blind: bool, style: &Style) -> String {
    let (before, after) = (&effect.before, &effect.after);
    let arrow = style.symbol(Symbol::Arrow);
    let short = |value: &Value| shorten(&style.show(&value.to_string()), style.columns(), style);
    let fields = |image: &Value| match image {
        Value::Object(map) => map.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
        Value::Null => Vec::new(),
        other => vec![("it".to_owned(), other.clone())],
    };
    let (is, should): (Vec<Field>, Vec<Field>) = (fields(before), fields(after));
    let of = |image: &[Field], name: &str| {
        image.iter().find(|(known, _)| known == name).map_or_else(|| "none".to_owned(), |(_, value)| short(value))
    };
    let mut lines: Vec<String> = match (is.as_slice(), should.as_slice()) {
        ([], []) => return String::new(),
        (is, []) => is.iter().map(|(name, value)| format!("{}: {}", style.show(name), short(value))).collect(),
        ([], should) => {
            should.iter().map(|(name, value)| format!("{}: none {arrow} {}", style.show(name), short(value))).collect()
        }
        (is, should) => {
            let names = is.iter().chain(should.iter().filter(|(name, _)| !is.iter().any(|(known, _)| known == name)));
            let differing = names.filter(|(name, _)| of(is, name) != of(should, name));
            differing
                .map(|(name, _)| format!("{}: {} {arrow} {}", style.show(name), of(is, name), of(should, name)))
                .collect()
        }
    };
    if lines.is_empty() {
        return titled("what it was before is not known to differ from what it is", style);
    }
    let more = lines.len().saturating_sub(FIELDS);
    lines.truncate(FIELDS);
    if more > 0 {
        lines.push(format!("and {more} more fields: `inspect` shows all"));
    }
    let title = match (is.is_empty(), should.is_empty()) {
        (false, true) if blind => "as it is; what it was before is not known:",
        (false, true) => "as it is; before, it was not there:",
        (true, _) => "it is not there; as it was before:",
        (false, false) => "as it is, and as it was before:",
    };
    format!("{}{}", titled(title, style), quote(&lines.join("\n"), style))
}

/// What follows, in a line.
fn titled(title: &str, style: &Style) -> String {
    wrap(title, style.columns(), "  ", "  ").iter().map(|line| format!("{line}\n")).collect()
}

/// What may be typed.
fn wanted_text(request: &HandRequest<'_>, operator: &str, style: &Style) -> String {
    let mut wanted = vec![
        format!("done [NAME]: it is done, as NAME attests (without a name: {operator})"),
        "later OWNER: somebody does it later".to_owned(),
        "keep REASON: it stays as it is".to_owned(),
    ];
    if request.position.0 < request.position.1 {
        wanted.push("later OWNER for all, keep REASON for all: the same of all that are left in this step".to_owned());
    }
    if request.effect.is_read_back() {
        let rows = if request.rows.len() > 1 { " [ROW or NAME]" } else { "" };
        wanted.push(format!("check again{rows}: read it again; what shows is written down, and nobody vouches for it"));
    }
    wanted.push(format!("or: inspect, {VERBS}"));
    let mut out = String::new();
    for text in wanted {
        for line in wrap(&style.show(&text), style.columns(), "", "    ") {
            out.push_str(&line);
            out.push('\n');
        }
    }
    out
}

/// Reads what a person says about the work, and whether of all that is left of the step. `done` comes without note and
/// proof, which are asked for then. `None` where the line is something else; an error says why it is not taken.
pub(super) fn attested(line: &str, operator: &str) -> Option<Result<(HandReply, bool), String>> {
    let line = line.trim();
    let (word, words) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let (words, all) = for_all(words.trim());
    let said = match word {
        "done" if all => {
            return Some(Err(
                "`done` is said of each alone; `for all` goes with `later OWNER` and `keep REASON`".to_owned()
            ));
        }
        "done" => {
            let attested_by = if words.is_empty() { operator } else { words }.to_owned();
            HandReply::Done { attested_by, note: None, proof: None }
        }
        "later" if !words.is_empty() => HandReply::Later(words.to_owned()),
        "keep" if !words.is_empty() => HandReply::Keep(words.to_owned()),
        _ => return None,
    };
    Some(Ok((said, all)))
}

/// How work by hand is answered, in a sentence.
pub(super) fn expected(request: &HandRequest<'_>) -> String {
    let check = if request.effect.is_read_back() { ", or `check again`" } else { "" };
    format!("type `done [NAME]`, `later OWNER` or `keep REASON`{check}")
}

/// Reads `check again`, alone or with the row or name of other work of the step. `None` where the line is something
/// else; an error says why nothing is read.
pub(super) fn check_again(line: &str, request: &HandRequest<'_>) -> Option<Result<EffectKey, String>> {
    let mut words = line.trim().splitn(3, char::is_whitespace);
    if words.next() != Some("check") || words.next() != Some("again") {
        return None;
    }
    let wanted = words.next().unwrap_or_default().trim();
    let unread = "no read shows whether this is done: say so yourself";
    if wanted.is_empty() {
        return Some(if request.effect.is_read_back() {
            Ok(request.effect.key.clone())
        } else {
            Err(unread.to_owned())
        });
    }
    Some(row(wanted, request.rows).and_then(|state| match state {
        state if !state.effect.is_read_back() => Err(unread.to_owned()),
        state if !state.can_be_checked() => Err(format!("`{wanted}` is settled already: {}", state.effect.summary)),
        state => Ok(state.effect.key.clone()),
    }))
}

/// The work that is meant: by its row, from 1, or by id or name.
fn row<'r>(wanted: &str, rows: &'r [EffectState]) -> Result<&'r EffectState, String> {
    if let Ok(number) = wanted.parse::<usize>() {
        let state = number.checked_sub(1).and_then(|at| rows.get(at));
        return state.ok_or_else(|| format!("there is no row {number}: rows go from 1 to {}", rows.len()));
    }
    if let Some(state) = rows.iter().find(|state| state.effect.target.id == wanted) {
        return Ok(state);
    }
    let mut named = rows.iter().filter(|state| state.effect.target.name == wanted);
    match (named.next(), named.next()) {
        (Some(state), None) => Ok(state),
        (Some(_), Some(_)) => Err(format!("several are called `{wanted}`: say the row")),
        (None, _) => Err(format!("nothing here is called `{wanted}`: say the row, from 1 to {}", rows.len())),
    }
}
