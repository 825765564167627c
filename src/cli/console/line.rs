//! The lines that tell of one thing each: a finding, a gap, an effect.

use super::{Style, Symbol, Tone, wrap};
use crate::journal::{EffectState, EffectStatus};
use crate::model::{Attribution, Change, Disposition, Finding, Gap, Outcome, Severity, Verdict};

/// One finding: how bad, which technique, what, where, by whom.
pub fn finding_line(finding: &Finding, style: &Style) -> String {
    let (word, tone) = match finding.severity {
        Severity::Critical => ("critical", Tone::Alarm),
        Severity::High => ("high", Tone::Alarm),
        Severity::Medium => ("medium", Tone::Care),
        Severity::Low => ("low", Tone::Faint),
        Severity::Info => ("info", Tone::Faint),
    };
    let change = match finding.change {
        Change::Added => "added",
        Change::Removed => "removed",
        Change::Changed => "changed",
    };
    let zone = finding.resource.zone.as_ref().map(|zone| format!(" in {zone}")).unwrap_or_default();
    let whose = match finding.attribution {
        Attribution::Intruder => "intruder",
        Attribution::Shared => "shared credential",
        Attribution::Other => "somebody else",
        Attribution::Unattributed => "unattributed",
    };
    let resource = &finding.resource;
    let text = format!(
        "{} {} {change}: {} ({}){zone}; {} [{whose}]",
        finding.technique, finding.family, resource.name, resource.id, finding.detail
    );
    labelled(word, tone, &text, style)
}

/// One gap: what could not be seen, where, why, and what would help.
pub fn gap_line(gap: &Gap, style: &Style) -> String {
    let permission = gap.permission.as_ref().map(|name| format!("; needs `{name}`")).unwrap_or_default();
    let text = format!("{} of {}: {}{permission}", gap.family, gap.scope, gap.reason);
    labelled("not seen", Tone::Care, &text, style)
}

/// Where one effect stands, by the latest that is known of it.
pub fn effect_line(state: &EffectState, style: &Style) -> String {
    let (word, tone, detail) = standing(state);
    let detail = if detail.is_empty() { String::new() } else { format!(": {detail}") };
    labelled(word, tone, &format!("{}{detail}", state.effect.summary), style)
}

fn standing(state: &EffectState) -> (&'static str, Tone, String) {
    let why = || state.outcome().and_then(Outcome::why).unwrap_or("no answer is recorded").to_owned();
    let seen = || state.verdict.as_ref().map(|verdict| verdict.detail().to_owned()).unwrap_or_default();
    match &state.status {
        EffectStatus::Proposed => match &state.verdict {
            Some(Verdict::Holds(proof)) => ("seen done", Tone::Good, proof.clone()),
            Some(Verdict::DoesNotHold(why)) => ("not done", Tone::Alarm, format!("a look: {why}")),
            Some(Verdict::CannotTell(why)) => ("not known", Tone::Care, format!("a look: {why}")),
            None => ("waiting", Tone::Faint, String::new()),
        },
        EffectStatus::Consented(_) if matches!(state.outcome(), Some(Outcome::NotSent(_))) => {
            ("not sent", Tone::Care, why())
        }
        EffectStatus::Consented(_) => ("consented", Tone::Faint, String::new()),
        EffectStatus::Open if state.verdict.is_some() => ("in doubt", Tone::Alarm, format!("a look: {}", seen())),
        EffectStatus::Open => ("sending", Tone::Faint, String::new()),
        EffectStatus::Unknown => ("in doubt", Tone::Alarm, why()),
        EffectStatus::Refused if matches!(state.outcome(), Some(Outcome::NotSent(_))) => {
            ("not sent", Tone::Alarm, why())
        }
        EffectStatus::Refused => ("refused", Tone::Alarm, why()),
        EffectStatus::Applied => ("applied", Tone::Good, String::new()),
        EffectStatus::VerifyFailed => ("not seen", Tone::Alarm, seen()),
        EffectStatus::Finished => match &state.verdict {
            Some(Verdict::Holds(proof)) => ("proven", Tone::Good, proof.clone()),
            Some(Verdict::CannotTell(why)) => ("unproven", Tone::Care, why.clone()),
            Some(Verdict::DoesNotHold(_)) | None => ("unproven", Tone::Care, state.words.clone().unwrap_or_else(seen)),
        },
        EffectStatus::Left(disposition) => match disposition {
            Disposition::Later { owner } => {
                let look = if state.verdict.is_some() { format!("; a look: {}", seen()) } else { String::new() };
                ("later", Tone::Care, format!("{owner} does it{look}"))
            }
            Disposition::Keep { reason } => ("kept", Tone::Faint, reason.clone()),
            Disposition::AlreadyMet { proof } => ("already so", Tone::Good, proof.clone()),
            Disposition::Unseen { why } => ("not done", Tone::Alarm, why.clone()),
        },
        EffectStatus::Abandoned => ("given up", Tone::Care, state.words.clone().unwrap_or_default()),
    }
}

/// `  word       text`, wrapped under itself. The word is what is coloured.
pub(super) fn labelled(word: &str, tone: Tone, text: &str, style: &Style) -> String {
    let room = 2 + word.len().max(10) + 1;
    let indent = " ".repeat(room);
    let wrapped = wrap(&style.show(text), style.columns(), &indent, &indent);
    let mut lines = wrapped.iter().map(|line| &line[room..]);
    let first = lines.next().unwrap_or_default();
    let mut out = format!("  {}{} {first}", style.paint(tone, word), " ".repeat(room - 3 - word.len()));
    for line in lines {
        out.push_str(&format!("\n{indent}{line}"));
    }
    out
}

/// One line for a step that has ended: sign, id, what came of it.
pub(super) fn ended_line(symbol: Symbol, tone: Tone, id: &str, text: &str, style: &Style) -> String {
    let sign = style.symbol(symbol);
    let wrapped = wrap(&style.show(&format!("{id}  {text}")), style.columns(), "   ", "    ");
    let mut out = format!("{} ", style.paint(tone, sign));
    // Two spaces would be lost in wrapping; they set the id apart. The third column of the indent is for the second.
    let first = wrapped.first().map_or("", |line| line.trim_start());
    let first = first.strip_prefix(id).map_or_else(|| first.to_owned(), |rest| format!("{id} {rest}"));
    out.push_str(&first);
    for line in wrapped.iter().skip(1) {
        out.push('\n');
        out.push_str(line);
    }
    out
}
