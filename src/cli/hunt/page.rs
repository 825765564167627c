//! What a hunt brought, as a page and as a document.

use serde_json::{Value, json};

use super::Hunted;
use super::looks::Looks;
use crate::cli::console::{Style, Tone, count, finding_line, gap_line, wrap};
use crate::cli::prompt::differences;
use crate::cloudflare::families::family;
use crate::hunt::Verdict;
use crate::hunt::usage::{Place, Usage};
use crate::model::{Attribution, Finding, Source};

/// One JSON document.
pub(super) fn document(hunted: &Hunted, looks: &Looks<'_>) -> Value {
    let requests = looks.connected.meter.snapshot();
    json!({
        "schema": "quell.hunt/1", "account": looks.connected.account, "suspect": hunted.suspect,
        "since": hunted.log.since, "until": hunted.log.before, "log": { "complete": hunted.log.complete, "reach": hunted.log.reach },
        "credentials": hunted.analysis.usages, "global_keys": hunted.analysis.global_keys,
        "own_elsewhere": hunted.analysis.own_elsewhere, "limits": hunted.analysis.limits,
        "findings": looks.findings, "verdicts": hunted.hunt.verdicts, "by_others": hunted.hunt.by_others,
        "drifted": hunted.hunt.drifted,
        "graph": hunted.hunt.graph, "items": hunted.hunt.items, "gaps": looks.gaps,
        "requests": { "reads": requests.reads, "throttled": requests.throttled },
    })
}

/// The page. Ends with a line break.
pub(super) fn text(hunted: &Hunted, looks: &Looks<'_>, style: &Style) -> String {
    let mut page = Page { text: String::new(), style };
    page.heading("Credentials");
    let telling = |usage: &&Usage| usage.unexplained || usage.held || !usage.credential_acts.is_empty();
    let (told, rest): (Vec<&Usage>, Vec<&Usage>) = hunted.analysis.usages.iter().partition(telling);
    told.iter().for_each(|usage| page.usage(usage));
    if !rest.is_empty() {
        page.say("  ", &format!("{} used as before, or by quell itself", count(rest.len(), "other principal")));
    }
    if hunted.analysis.own_elsewhere {
        page.toned(Tone::Alarm, "  ", "quell's OWN CREDENTIAL is used by somebody else: make a fresh one, and cut it");
    }
    for used in &hunted.analysis.global_keys {
        page.toned(
            Tone::Alarm,
            "  ",
            &format!("global API key of {} used: {}; change it, whatever else leaked", used.email, place(&used.place)),
        );
    }
    if hunted.suspect.is_none() {
        page.say("  ", "Nobody is named as the intruder: `--suspect TOKEN` says whose acts are hostile.");
    }

    page.heading("Findings");
    let mut techniques: Vec<(&str, &str)> =
        hunted.hunt.verdicts.iter().map(|judged| (judged.technique.as_str(), judged.title.as_str())).collect();
    techniques.sort_unstable();
    for (technique, title) in techniques {
        let of: Vec<_> = looks.findings.iter().filter(|finding| finding.technique == technique).collect();
        if let Some(judged) = hunted.hunt.verdicts.iter().find(|judged| judged.technique == technique && !of.is_empty())
        {
            page.toned(Tone::Strong, "  ", &format!("{technique} {title}: {}", judged.verdict.words()));
            of.iter().for_each(|finding| page.finding(finding));
        }
    }
    if looks.findings.is_empty() {
        page.say("  ", "none");
    }
    if hunted.hunt.by_others > 0 {
        let others = count(usize::try_from(hunted.hunt.by_others).unwrap_or(usize::MAX), "resource");
        page.say("  ", &format!("{others} changed by others in the window, who are blamed for nothing"));
    }

    page.heading("What cannot be known");
    for judged in hunted.hunt.verdicts.iter().filter(|judged| judged.verdict == Verdict::Unknown) {
        page.say("  ", &format!("{} {}: {}", judged.technique, judged.title, judged.because.join("; ")));
    }
    hunted.analysis.limits.iter().for_each(|limit| page.say("  ", limit));
    if hunted.suspect.is_some() {
        page.heading("Who made what");
        for (depth, node) in hunted.hunt.graph.tree() {
            let tie = if depth == 0 { String::new() } else { format!(", {}", node.tie.words()) };
            page.say(&"  ".repeat(depth + 1), &format!("{}{tie}: {}", node.title(), node.reach.words()));
        }
    }
    if !looks.gaps.is_empty() {
        page.heading("Not seen");
        looks.gaps.iter().for_each(|gap| page.line(&gap_line(gap, style)));
    }
    page.heading("In short");
    hunted.summaries.iter().for_each(|summary| page.say("  ", summary));
    page.text
}

struct Page<'s> {
    text: String,
    style: &'s Style,
}

impl Page<'_> {
    fn heading(&mut self, title: &str) {
        let line = if self.text.is_empty() { "" } else { "\n" };
        self.text.push_str(&format!("{line}{}\n", self.style.paint(Tone::Strong, title)));
    }

    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    /// Words that others may have chosen a part of, wrapped.
    fn say(&mut self, indent: &str, text: &str) {
        let rest = format!("{indent}  ");
        wrap(&self.style.show(text), self.style.columns(), indent, &rest).iter().for_each(|line| self.line(line));
    }

    fn toned(&mut self, tone: Tone, indent: &str, text: &str) {
        let rest = format!("{indent}  ");
        let lines = wrap(&self.style.show(text), self.style.columns(), indent, &rest);
        lines.iter().for_each(|line| self.line(&self.style.paint(tone, line)));
    }

    /// What was found, with who did it and when, how that is known, and what differs.
    fn finding(&mut self, finding: &Finding) {
        self.line(&finding_line(finding, self.style));
        let at = finding
            .at
            .map_or_else(|| "at a time that is not known".to_owned(), |at| at.strftime("%F %H:%M:%SZ").to_string());
        let source = |source: &Source| match source {
            Source::Audit => "the audit log",
            Source::Diff => "what is there",
        };
        let sources: Vec<&str> = finding.sources.iter().map(source).collect();
        self.say("    ", &format!("by: {}; {at}; shown by {}", finding.actor.words(), sources.join(" and ")));
        // Fields that are kept for people and for repair say the same once more.
        let aside = family(&finding.family).map(|family| family.aside).unwrap_or_default();
        let told = |value: &Option<Value>| {
            let mut value = value.clone().unwrap_or_default();
            if let Some(fields) = value.as_object_mut() {
                fields.retain(|field, _| !aside.iter().any(|it| it.trim_start_matches('/') == field));
            }
            value
        };
        for change in differences(&told(&finding.before), &told(&finding.after), self.style) {
            wrap(&change, self.style.columns(), "    ", "      ").iter().for_each(|line| self.line(line));
        }
    }

    fn usage(&mut self, usage: &Usage) {
        let mut marks = Vec::new();
        if usage.shared {
            marks.push("shared principal".to_owned());
        }
        if usage.held {
            marks.push("in the intruder's hands".to_owned());
        }
        if usage.own {
            marks.push("quell acts with it".to_owned());
        }
        if let Some(off_hours) = usage.off_hours.filter(|acts| *acts > 0) {
            marks.push(format!("{off_hours} off-hours"));
        }
        let marks = if marks.is_empty() { String::new() } else { format!(": {}", marks.join(", ")) };
        let id = if usage.name.is_empty() { String::new() } else { format!(" ({})", usage.id) };
        self.toned(Tone::Strong, "  ", &format!("{}{id}{marks}", usage.title()));
        for of in &usage.places {
            self.toned(if of.unexplained { Tone::Care } else { Tone::Faint }, "    ", &place(of));
        }
        for usual in usage.usual.iter().filter(|usual| !usage.places.iter().any(|of| of.ip == usual.ip)) {
            let (ip, agent) = (or_nothing(usual.ip.as_deref()), or_nothing(usual.user_agent.as_deref()));
            self.toned(Tone::Faint, "    ", &format!("{ip} {agent}: before the window, {} times", usual.count));
        }
        for act in &usage.credential_acts {
            let failed = if act.success { "" } else { ", in vain" };
            let on = act.resource_id.as_deref().unwrap_or_default();
            self.toned(Tone::Care, "    ", &format!("{} {} {on}{failed}", act.at.strftime("%F %H:%MZ"), act.does));
        }
    }
}

/// `203.0.113.9 curl/8 (api_token): new address, 4 writes, 2 failed, 10:00Z to 11:00Z; the intruder's`.
fn place(place: &Place) -> String {
    let context = place.context.as_deref().map(|context| format!(" ({context})")).unwrap_or_default();
    let counts = [(place.writes, "write"), (place.reads, "read"), (place.failed, "failed attempt")];
    let counts = counts.into_iter().filter(|(number, _)| *number > 0);
    let counts = counts.map(|(number, one)| count(usize::try_from(number).unwrap_or(usize::MAX), one));
    let whose = match place.whose {
        Attribution::Intruder => "; the intruder's",
        Attribution::Shared => "; nobody can say whose",
        Attribution::Other | Attribution::Unattributed => "",
    };
    format!(
        "{} {}{context}: {}, {}, {} to {}{whose}",
        or_nothing(place.ip.as_deref()),
        or_nothing(place.user_agent.as_deref()),
        place.standing.words(),
        counts.collect::<Vec<_>>().join(", "),
        place.first.strftime("%F %H:%MZ"),
        place.last.strftime("%F %H:%MZ"),
    )
}

fn or_nothing(text: Option<&str>) -> &str {
    text.unwrap_or("\u{2013}")
}
