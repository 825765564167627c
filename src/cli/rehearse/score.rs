use std::fmt::Write;

use serde::Serialize;

use crate::cloudflare::simulator::{Innocent, Planted, Scenario};
use crate::journal::IncidentState;
use crate::model::{Attribution, Finding, FindingStatus};

/// What a rehearsal brought, measured against what had been planted.
#[derive(Debug, Serialize)]
pub(crate) struct Score {
    /// Schema of this document.
    pub(crate) schema: &'static str,
    /// Everything planted, with what became of it.
    pub(crate) planted: Vec<Scored>,
    /// Innocent changes that were blamed on the intruder.
    pub(crate) accused: Vec<Blamed>,
}

/// One planted artefact.
#[derive(Debug, Serialize)]
pub(crate) struct Scored {
    /// Technique.
    pub(crate) technique: String,
    /// What it is.
    pub(crate) what: String,
    /// Its family and id.
    pub(crate) resource: String,
    /// Whether a finding attributed to the intruder names it.
    pub(crate) found: bool,
    /// Whether it was put before a person, whoever was taken to have done it: as a finding, or in the second look.
    pub(crate) listed: bool,
    /// What became of that finding.
    pub(crate) status: Option<FindingStatus>,
}

/// One innocent change that was blamed.
#[derive(Debug, Serialize)]
pub(crate) struct Blamed {
    /// What it is.
    pub(crate) what: String,
    /// Its family and id.
    pub(crate) resource: String,
}

/// Compares findings with the scenario's truth.
pub(crate) fn of(scenario: &Scenario, state: &IncidentState) -> Score {
    let blamed = |id: &str, part: Option<&String>| {
        state.findings.values().find(|finding| finding.attribution == Attribution::Intruder && names(finding, id, part))
    };
    let planted = |planted: &Planted| {
        let finding = blamed(&planted.id, planted.part.as_ref());
        let id = planted.part.as_ref().unwrap_or(&planted.id);
        let mut shown = state.runs.iter().flat_map(|run| run.steps.values()).flat_map(|step| &step.effects);
        let mut known = state.findings.values();
        Scored {
            listed: known.any(|finding| names(finding, &planted.id, planted.part.as_ref()))
                || shown.any(|state| state.effect.target.id == *id),
            technique: planted.technique.clone(),
            what: planted.what.clone(),
            resource: format!("{}/{}", planted.family, planted.id),
            found: finding.is_some(),
            status: finding.map(|finding| finding.status),
        }
    };
    let accused = |innocent: &Innocent| {
        blamed(&innocent.id, innocent.part.as_ref())?;
        Some(Blamed { what: innocent.why.clone(), resource: format!("{}/{}", innocent.family, innocent.id) })
    };
    Score {
        schema: "quell.score/1",
        planted: scenario.truth.iter().map(planted).collect(),
        accused: scenario.innocents.iter().filter_map(accused).collect(),
    }
}

/// A rule inside a ruleset is named by its own id.
fn names(finding: &Finding, id: &str, part: Option<&String>) -> bool {
    match part {
        Some(part) => finding.resource.id == *part || finding.id.ends_with(part.as_str()),
        None => finding.resource.id == id || finding.id.ends_with(id),
    }
}

/// The score for people.
pub(crate) fn text(score: &Score, scenario: &Scenario) -> String {
    let found = score.planted.iter().filter(|planted| planted.found).count();
    let mut out =
        format!("\nREHEARSAL {}: {found} of {} planted artefacts found\n", scenario.name, score.planted.len());
    for planted in score.planted.iter().filter(|planted| !planted.found) {
        let how = if planted.listed { "listed, and laid to nobody" } else { "missed" };
        let _ = writeln!(out, "  {how}: {} {} ({})", planted.technique, planted.what, planted.resource);
    }
    let open: Vec<_> = score.planted.iter().filter(|planted| planted.status == Some(FindingStatus::Open)).collect();
    for planted in &open {
        let _ = writeln!(out, "  found, and still there: {} {}", planted.technique, planted.what);
    }
    for blamed in &score.accused {
        let _ = writeln!(out, "  innocent, and blamed: {} ({})", blamed.what, blamed.resource);
    }
    out.push_str(NEXT);
    out
}

/// What to do with one's own account: looking only.
const NEXT: &str = "
To look at your own account the same way, without changing anything:
1. in the dashboard: Manage account > Account API tokens > Create token, with an expiry of one day and
   Account: Account API Tokens Read, Account Settings Read, Account WAF Read, Account Firewall Access Rules Read
   Zone, all zones: Zone Read, DNS Read, SSL and Certificates Read, Zone WAF Read, Firewall Services Read
2. export CLOUDFLARE_API_TOKEN=… CLOUDFLARE_ACCOUNT_ID=…
3. quell plan cloudflare-token-compromise --set suspect=unknown
";
