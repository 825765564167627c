use jiff::{SignedDuration, Timestamp};

use super::{Style, Tone, duration, wrap};
use crate::journal::{NestedRunbook, RunOpened};
use crate::model::{CredentialFacts, Digest, IncidentId, World};

/// What a run is about and bound to: stands above everything else that it says. `calls` are the runbooks that its own
/// calls, `opened_at` is when it was opened, `beforehand` says what is consented to before anything is shown. Ends with a
/// line break.
pub fn header(
    opened: &RunOpened,
    calls: &[NestedRunbook],
    incident: &IncidentId,
    opened_at: Timestamp,
    now: Timestamp,
    beforehand: &[String],
    style: &Style,
) -> String {
    let style = &Style { rehearsal: opened.world.is_rehearsal(), ..*style };
    let world = match &opened.world {
        World::Live(host) => format!("live {host}"),
        World::Rehearsal(scenario) => format!("REHEARSAL {scenario}: nothing real is read or changed"),
    };
    let target = opened.target_seconds.map(SignedDuration::from_secs);
    let elapsed = now.duration_since(opened_at);
    let elapsed = match target {
        None => duration(elapsed),
        Some(target) if elapsed > target => {
            format!("{}, past the {} aimed for", duration(elapsed), duration(target))
        }
        Some(target) => format!("{} of the {} aimed for", duration(elapsed), duration(target)),
    };
    let book = |name: &str, sha256: &Digest, source: &str| format!("{name} ({}), {source}", sha256.short());
    let mut rows = vec![
        ("incident", incident.as_str().to_owned()),
        ("runbook", book(&opened.runbook, &opened.runbook_sha256, &opened.source)),
    ];
    rows.extend(calls.iter().map(|it| ("calls", book(&it.name, &it.sha256, &it.source))));
    rows.extend([
        ("world", world),
        ("API host", opened.api.clone()),
        ("account", format!("{} ({})", opened.account.name, opened.account.id)),
        ("acting as", credential(&opened.credential)),
    ]);
    if !opened.roles.is_empty() {
        let each: Vec<_> = opened.roles.iter().map(|(role, name)| format!("{role} {name}")).collect();
        rows.push(("roles", each.join(", ")));
    }
    if let Some(at) = opened.detected_at {
        let ago = duration(now.duration_since(at));
        rows.push(("detected", format!("{}, {ago} ago", at.strftime("%F %H:%M UTC"))));
    }
    rows.push(("elapsed", elapsed));
    rows.extend(beforehand.iter().map(|words| ("consent", words.clone())));
    let rows = rows.iter().map(|(label, value)| row(label, value, Tone::Faint, style));
    format!("{}\n{}", style.heading(&style.show(&opened.title)), rows.collect::<String>())
}

/// A label and what it is about, wrapped under itself. Ends with a line break.
pub fn row(label: &str, value: &str, tone: Tone, style: &Style) -> String {
    let mut out = String::new();
    for (at, line) in wrap(&style.show(value), style.columns(), "           ", "           ").iter().enumerate() {
        let label = if at == 0 { label } else { "" };
        out.push_str(&format!("{} {}\n", style.paint(tone, &format!("{label:<10}")), line.trim_start()));
    }
    out
}

/// Which credential it is.
pub fn credential(facts: &CredentialFacts) -> String {
    let mut parts = vec![facts.kind.as_str().to_owned()];
    parts.extend(facts.id.clone());
    parts.extend(facts.owner.as_ref().map(|owner| format!("of {owner}")));
    parts.extend(facts.expires.map(|at| format!("until {at:.0}")));
    parts.join(" ")
}
