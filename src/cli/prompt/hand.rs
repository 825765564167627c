use super::consent::{danger, drift_text, radius_text};
use super::inspect::{labelled, quote};
use super::verb::VERBS;
use crate::cli::console::{Style, Tone, wrap};
use crate::engine::{HandReply, HandRequest};
use crate::model::Danger;

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
    if let Some(dashboard) = &request.work.dashboard {
        out.push_str(&labelled("dashboard", dashboard, style));
    }
    out.push_str(&radius_text(request.effect, style));
    for consequence in &request.effect.consequences {
        out.push_str(&labelled("know", consequence, style));
    }
    if let Some(curl) = &request.work.curl {
        out.push_str("  or in a shell with the credential:\n");
        out.push_str(&format!("\n{}\n", style.show(curl)));
    }
    let wanted = [
        format!("done [NAME]: it is done, as NAME attests (without a name: {operator})"),
        "later OWNER: somebody does it later".to_owned(),
        "keep REASON: it stays as it is".to_owned(),
        format!("or: inspect, {VERBS}"),
    ];
    out.push('\n');
    for text in wanted {
        for line in wrap(&style.show(&text), style.columns(), "", "    ") {
            out.push_str(&line);
            out.push('\n');
        }
    }
    out
}

/// Reads what a person says about the work. `done` comes without note and proof, which are asked for then.
pub(super) fn attested(line: &str, operator: &str) -> Option<HandReply> {
    let line = line.trim();
    let (word, words) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let words = words.trim();
    match word {
        "done" => {
            let attested_by = if words.is_empty() { operator } else { words }.to_owned();
            Some(HandReply::Done { attested_by, note: None, proof: None })
        }
        "later" if !words.is_empty() => Some(HandReply::Later(words.to_owned())),
        "keep" if !words.is_empty() => Some(HandReply::Keep(words.to_owned())),
        _ => None,
    }
}
