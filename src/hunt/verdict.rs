use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::technique::Technique;
use crate::model::{Attribution, Finding, Gap};

/// What is known of a technique after everything was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The intruder did it.
    Confirmed,
    /// The intruder did not, by evidence that is complete.
    RuledOut,
    /// Nobody can say.
    Unknown,
}

impl Verdict {
    /// In words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::RuledOut => "ruled out",
            Self::Unknown => "cannot be known",
        }
    }
}

/// A verdict, and what it rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Judged {
    /// Row of the catalogue.
    pub technique: String,
    /// What the intruder does, in a few words.
    pub title: String,
    /// The verdict.
    pub verdict: Verdict,
    /// Ids of the findings that confirm it, or that leave it open.
    pub findings: Vec<String>,
    /// What rules it out, or why it cannot be known; in words.
    pub because: Vec<String>,
    /// True where only what is never logged nor listed keeps it from being ruled out: nothing that was missed here.
    pub permanent: bool,
}

/// What was looked at.
#[derive(Debug, Clone, Default)]
pub struct Sight {
    /// Families that were asked for; those without a gap were read to their end at every seat.
    pub read: BTreeSet<String>,
    /// What was not seen, the audit logs among it.
    pub gaps: Vec<Gap>,
    /// Whether the audit logs of the window were read to their end, and reach back to its start.
    pub whole_log: bool,
    /// Ids of techniques that acts in the log may be of which it tells too little, each with a sentence about them.
    pub untold: BTreeMap<String, String>,
    /// The window, in words.
    pub window: String,
    /// Where alone was looked, in words: `of zones a.example alone`; empty where it was everywhere.
    pub within: String,
    /// Families of which [`Sight::within`] holds. What they show is not ruled out: elsewhere nobody looked.
    pub narrowed: BTreeSet<String>,
}

/// So many families are named one by one.
const MANY: usize = 16;

/// What is known of `technique`, given what was found and what was looked at.
///
/// It is ruled out only where every family that would show it was read to its end and everywhere, the audit log of the
/// window is complete, and no act in it may have been one of it; whatever else there is leaves it open, and is named.
pub fn judge(technique: &Technique, findings: &[Finding], sight: &Sight) -> Judged {
    let of = |whose: &[Attribution]| {
        let these = findings.iter().filter(|finding| finding.technique == technique.id);
        these
            .filter(|finding| whose.contains(&finding.attribution))
            .map(|finding| finding.id.clone())
            .collect::<Vec<_>>()
    };
    let judged = |verdict, findings, because, permanent| Judged {
        technique: technique.id.to_owned(),
        title: technique.title.to_owned(),
        verdict,
        findings,
        because,
        permanent,
    };
    let intruder = of(&[Attribution::Intruder]);
    if !intruder.is_empty() {
        return judged(Verdict::Confirmed, intruder, Vec::new(), false);
    }
    let open = of(&[Attribution::Shared, Attribution::Unattributed]);
    let mut because = Vec::new();
    if !open.is_empty() {
        because.push(format!("{} of which nobody can say whose they are", crate::model::count(open.len(), "finding")));
    }
    if !sight.whole_log {
        let reasons = sight.gaps.iter().filter(|gap| gap.family.starts_with("audit_v"));
        because.push(
            reasons
                .map(|gap| format!("the audit log of {} is not whole: {}", gap.scope, gap.reason))
                .next()
                .unwrap_or_else(|| "the audit log is not whole".to_owned()),
        );
    }
    because.extend(sight.untold.get(technique.id).cloned());
    let (mut seen, mut unseen, mut unread) = (Vec::new(), Vec::new(), Vec::new());
    for family in technique.shows.iter().map(|show| show.family).collect::<BTreeSet<_>>() {
        match (sight.read.contains(family), sight.gaps.iter().find(|gap| gap.family == family)) {
            (_, Some(gap)) => {
                let permission = gap.permission.as_ref().map(|needed| format!(" (needs {needed})")).unwrap_or_default();
                unseen.push(format!("{family} of {} not seen: {}{permission}", gap.scope, gap.reason));
            }
            (false, None) => unread.push(format!("{family} was not read")),
            (true, None) => seen.push(family),
        }
    }
    unseen.extend(unread);
    let narrowed: Vec<&str> = seen.iter().copied().filter(|family| sight.narrowed.contains(*family)).collect();
    match narrowed.len() {
        0 => {}
        few if few <= MANY => unseen.push(format!("{} read {}", narrowed.join(", "), sight.within)),
        many => unseen.push(format!("{many} families read {}", sight.within)),
    }
    let more = unseen.len().saturating_sub(MANY);
    because.extend(unseen.into_iter().take(MANY));
    if more > 0 {
        because.push(format!("{more} more families were not seen"));
    }
    let permanent = because.is_empty() && !technique.hidden.is_empty();
    if !technique.hidden.is_empty() {
        because.push(technique.hidden.to_owned());
    }
    if !because.is_empty() {
        return judged(Verdict::Unknown, open, because, permanent);
    }
    let families = match seen.len() {
        0 => String::new(),
        few if few <= MANY => format!(", and all of {}", seen.join(", ")),
        many => format!(", and all of {many} families"),
    };
    judged(Verdict::RuledOut, Vec::new(), vec![format!("both audit logs {}{families}", sight.window)], false)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Sight, Verdict, judge};
    use crate::hunt::technique::{Act, Aim, Lever, Show, Technique, any};
    use crate::model::{Actor, Attribution, Change, Finding, FindingStatus, Gap, Resource, Severity};

    const NOTHING: Lever = Lever { actions: &[], text: "" };
    const ROUTES: Technique = Technique {
        id: "T1",
        title: "a route is made",
        aim: Aim::Traffic,
        attack: &[],
        severity: Severity::High,
        acts: &[Act::new("", "/routes/**")],
        shows: &[Show { family: "routes", when: any }],
        hidden: "",
        contain: NOTHING,
        revert: NOTHING,
        withdraw: "",
        page: "",
    };

    fn sight() -> Sight {
        Sight { read: ["routes".to_owned()].into(), whole_log: true, window: "since monday".into(), ..Sight::default() }
    }

    fn finding(attribution: Attribution) -> Finding {
        Finding {
            id: "T1:routes:1".into(),
            technique: "T1".into(),
            severity: Severity::High,
            status: FindingStatus::Open,
            family: "routes".into(),
            change: Change::Added,
            resource: Resource { id: "1".into(), name: "x".into(), zone: None },
            actor: Actor::default(),
            attribution,
            detail: String::new(),
            at: None,
            before: None,
            after: None,
            evidence: Vec::new(),
            sources: Vec::new(),
        }
    }

    #[test]
    fn ruled_out_only_where_everything_was_seen() {
        let judged = judge(&ROUTES, &[], &sight());
        assert_eq!(
            (judged.verdict, judged.because),
            (Verdict::RuledOut, vec!["both audit logs since monday, and all of routes".to_owned()])
        );
        let within = || Sight { within: "of zones a.example alone".into(), ..sight() };
        assert_eq!(judge(&ROUTES, &[], &within()).verdict, Verdict::RuledOut, "it is read of the whole account");
        for (without, reason) in [
            (Sight { whole_log: false, ..sight() }, "the audit log is not whole"),
            (
                Sight { untold: [("T1".to_owned(), "1 write nobody can tell".to_owned())].into(), ..sight() },
                "1 write nobody can tell",
            ),
            (Sight { read: BTreeSet::new(), ..sight() }, "routes was not read"),
            (Sight { narrowed: ["routes".to_owned()].into(), ..within() }, "routes read of zones a.example alone"),
        ] {
            let judged = judge(&ROUTES, &[], &without);
            assert_eq!(
                (judged.verdict, judged.because, judged.permanent),
                (Verdict::Unknown, vec![reason.to_owned()], false)
            );
        }
    }

    #[test]
    fn a_gap_names_the_permission_and_what_is_never_logged_is_no_gap() {
        let gap = Gap {
            family: "routes".into(),
            scope: "one.example".into(),
            reason: "refused".into(),
            permission: Some("Routes Read".into()),
        };
        let judged = judge(&ROUTES, &[], &Sight { gaps: vec![gap], ..sight() });
        assert_eq!(judged.because, ["routes of one.example not seen: refused (needs Routes Read)"]);
        let judged = judge(&Technique { hidden: "Reads are never logged.", ..ROUTES }, &[], &sight());
        assert_eq!((judged.verdict, judged.permanent), (Verdict::Unknown, true));
    }

    #[test]
    fn a_colleague_confirms_nothing_and_nobody_leaves_it_open() {
        assert_eq!(judge(&ROUTES, &[finding(Attribution::Intruder)], &Sight::default()).verdict, Verdict::Confirmed);
        assert_eq!(judge(&ROUTES, &[finding(Attribution::Other)], &sight()).verdict, Verdict::RuledOut);
        for whose in [Attribution::Shared, Attribution::Unattributed] {
            let judged = judge(&ROUTES, &[finding(whose)], &sight());
            assert_eq!((judged.verdict, judged.findings), (Verdict::Unknown, vec!["T1:routes:1".to_owned()]));
        }
    }
}
