use super::inspect::{differences, labelled, outside_label};
use super::verb::{VERBS, Verb};
use crate::cli::console::{Style, Symbol, Tone, count, wrap};
use crate::engine::{ConsentMode, ConsentRequest, Drift, DriftFrom};
use crate::escape::is_hard_to_type;
use crate::model::{Call, Danger, Effect, Target};

/// The consent screen of one effect: what it is, what it would do, what to type. Ends with a line break.
pub fn consent_text(request: &ConsentRequest<'_>, effect: &Effect, style: &Style) -> String {
    let mut out = format!("\n{}\n", style.heading(&format!("{}: consent", request.step.path)));
    out.push_str(&drift_text(&request.drifted, &request.effects, style));
    for line in wrap(&style.show(&effect.summary), style.columns(), "", "  ") {
        out.push_str(&style.paint(Tone::Strong, &line));
        out.push('\n');
    }
    out.push_str(&asked_text(request, style));
    out.push_str(&effect_text(effect, &request.place, style));
    out.push('\n');
    out.push_str(&expected_text(request, effect, style));
    out
}

/// What one effect is and would do, at `place` where it is a request to the provider.
pub(super) fn effect_text(effect: &Effect, place: &str, style: &Style) -> String {
    let mut out = String::new();
    let mut row = |label: &str, text: &str| out.push_str(&labelled(label, text, style));
    row("danger", danger(effect.danger));
    row("how many", &how_many(std::iter::once(&effect.target)));
    row("target", &format!("{} {}", effect.target.kind, effect.target.name));
    row("target id", &effect.target.id);
    match &effect.call {
        Call::Outside(call) => {
            row("where", &call.place());
            row(outside_label(call), &call.to_string());
            for (label, text) in call.details() {
                row(&label, &text);
            }
        }
        Call::Http(call) => {
            row("where", place);
            row("request", &format!("{} {}", call.method, call.path));
        }
        Call::Hand(_) => row("where", place),
    }
    for change in differences(&effect.before, &effect.after, style) {
        row("change", &change);
    }
    out.push_str(&radius_text(effect, style));
    for consequence in &effect.consequences {
        out.push_str(&labelled("know", consequence, style));
    }
    out
}

/// What must be typed for a yes, and what else may be.
fn expected_text(request: &ConsentRequest<'_>, effect: &Effect, style: &Style) -> String {
    let phrase = typed_phrase(&request.mode, 1);
    let wanted = match &request.mode {
        ConsentMode::YesNo => "do it? y/N: type `y` to do it".to_owned(),
        ConsentMode::StepId(_) => format!("type the step id to do it: {phrase}"),
        ConsentMode::Target { shown, .. } if *shown == effect.target.name => {
            format!("type the target's name (or its id) to do it: {phrase}")
        }
        ConsentMode::Target { .. } => {
            let why = if effect.target.ambiguous {
                "another one bears the same name"
            } else if is_hard_to_type(&effect.target.name) {
                "its name is long, or not plain ASCII, and may look like another"
            } else {
                "its name is not enough"
            };
            format!("{why}; type this code (or the target's id) to do it: {phrase}")
        }
        ConsentMode::Count { .. } => format!("to do it, type: {phrase}"),
    };
    let mut out = String::new();
    if !effect.preselected {
        // With others beside it, nobody would have chosen it for the person.
        let unsure = "NOT SURE: nothing proves that this one is to be chosen. Of several it would start unselected; `skip \
                      REASON` where you do not know.";
        for line in wrap(unsure, style.columns(), "", "  ") {
            out.push_str(&style.paint(Tone::Care, &line));
            out.push('\n');
        }
    }
    for text in [wanted, format!("or: skip REASON, inspect, {VERBS}")] {
        for line in wrap(&style.show(&text), style.columns(), "", "  ") {
            out.push_str(&line);
            out.push('\n');
        }
    }
    out
}

/// What is not as somebody was told before: stands above all else.
pub(super) fn drift_text(drifted: &[Drift], effects: &[&Effect], style: &Style) -> String {
    const KINDS: [&str; 3] = [
        "changed since it was shown; what follows is as it is now",
        "not as the approved plan forecast it; what follows is as it is now",
        "new: the approved plan does not have it",
    ];
    let kind = |drift: &Drift| match drift.from {
        DriftFrom::Shown(_) => 0,
        DriftFrom::Forecast { .. } => 1,
        DriftFrom::Nothing => 2,
    };
    let mut out = String::new();
    for (at, title) in KINDS.iter().enumerate() {
        let mut of = drifted.iter().filter(|drift| kind(drift) == at).peekable();
        if of.peek().is_some() {
            for line in wrap(title, style.columns(), "", "  ") {
                out.push_str(&style.paint(Tone::Care, &line));
                out.push('\n');
            }
        }
        for drift in of {
            let effect = effects.iter().find(|effect| effect.key == drift.key);
            let name = effect.map_or_else(|| drift.key.to_string(), |effect| effect.target.name.clone());
            out.push_str(&labelled("target", &name, style));
            for change in changed(drift, effect.map(|effect| effect.danger), style) {
                out.push_str(&labelled("changed", &change, style));
            }
        }
    }
    if !out.is_empty() {
        out.push('\n');
    }
    out
}

/// What of an effect is not as it was told, one line each.
fn changed(drift: &Drift, danger: Option<Danger>, style: &Style) -> Vec<String> {
    let (before, was) = match &drift.from {
        DriftFrom::Nothing => return Vec::new(),
        DriftFrom::Shown(before) => (before, None),
        DriftFrom::Forecast { before, danger } => (before, Some(*danger)),
    };
    let mut changes = differences(before, &drift.now, style);
    if let (Some(was), Some(is)) = (was, danger)
        && was != is
    {
        changes.push(format!("danger: {was} {} {is}", style.symbol(Symbol::Arrow)));
    }
    if changes.is_empty() {
        changes.push("what would be sent, or the target's name; `inspect` shows it as it is now".to_owned());
    }
    changes
}

/// Why it is asked for although consent was given beforehand, in one line; nothing where none was.
pub(super) fn asked_text(request: &ConsentRequest<'_>, style: &Style) -> String {
    if request.asked.is_empty() {
        return String::new();
    }
    let reasons: Vec<String> = request.asked.iter().map(ToString::to_string).collect();
    labelled("asked for", &reasons.join("; "), style)
}

/// The blast radius of one effect: what it reaches, who is cut off, how it is put back.
pub(super) fn radius_text(effect: &Effect, style: &Style) -> String {
    [("reaches", effect.radius.reach()), ("cut off", effect.radius.cut_off()), ("undo", &effect.reversal())]
        .map(|(label, text)| labelled(label, text, style))
        .concat()
}

/// How many things of which kind: `3 tokens, 1 notification`.
pub(crate) fn how_many<'t>(targets: impl Iterator<Item = &'t Target>) -> String {
    let mut kinds: Vec<(&str, usize)> = Vec::new();
    for target in targets {
        match kinds.iter_mut().find(|(kind, _)| *kind == target.kind) {
            Some((_, number)) => *number += 1,
            None => kinds.push((&target.kind, 1)),
        }
    }
    kinds.into_iter().map(|(kind, number)| count(number, kind)).collect::<Vec<_>>().join(", ")
}

/// A danger with what it means.
pub(super) const fn danger(danger: Danger) -> &'static str {
    match danger {
        Danger::Observe => "observe: nothing outside changes",
        Danger::Reversible => "reversible: can be put back as it was",
        Danger::Disruptive => "disruptive: something in production may stop working until a person mends it",
        Danger::Irreversible => "irreversible: cannot be put back",
    }
}

/// The phrase as it is to be typed. A target or step that is called like a verb is asked for behind `run`, so that
/// the verb stays what it is.
pub(super) fn typed_phrase(mode: &ConsentMode, chosen: usize) -> String {
    let phrase = mode.phrase(chosen);
    if Verb::parse(&phrase).is_some() { format!("run {phrase}") } else { phrase }
}

/// The phrase in a typed line, where the line is consent to `chosen` rows.
pub(super) fn consented(mode: &ConsentMode, line: &str, chosen: usize) -> Option<String> {
    let line = line.trim();
    let phrase = match line.strip_prefix("run ") {
        Some(phrase) if mode.accepts(phrase, chosen) => phrase,
        _ if Verb::parse(line).is_none() && mode.accepts(line, chosen) => line,
        _ => return None,
    };
    Some(phrase.trim().to_owned())
}
