use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::cli::console::{Style, Tone, row};
use crate::cli::plan::permissions;
use crate::cli::session::load::Loaded;
use crate::cloudflare::families::families;
use crate::cloudflare::tokens::OF_USERS;
use crate::hunt::Family;
use crate::hunt::probe::Probe;

/// The action that reads every kind of resource.
const HUNT: &str = "cloudflare.hunt";

/// What a runbook takes of a credential.
pub(crate) struct Needs {
    runbook: String,
    reads: BTreeSet<String>,
    writes: BTreeSet<String>,
}

impl Needs {
    /// Those of a runbook and of all that it calls.
    pub(crate) fn of(loaded: &Loaded) -> Self {
        let (writes, reads): (Vec<_>, Vec<_>) = permissions(loaded).into_iter().partition(|needed| needed.write);
        let names = |needed: Vec<crate::cli::plan_document::Needed>| needed.into_iter().map(|it| it.group).collect();
        let mut needs = Self { runbook: loaded.runbook.name.clone(), reads: names(reads), writes: names(writes) };
        if loaded.runbook.all_steps().any(|step| step.action == HUNT) {
            needs.reads.extend(living().map(|family| family.permission.to_owned()));
        }
        needs
    }

    /// The kinds of resource that it reads.
    pub(crate) fn families(&self) -> Vec<&'static Family> {
        living().filter(|family| self.reads.contains(family.permission)).collect()
    }

    /// Groups to look with that no kind of resource was probed for.
    fn unprobed(&self, probes: &[Probe]) -> Vec<&str> {
        let is_probed = |group: &str| probes.iter().any(|probe| probe.family.permission == group);
        self.reads.iter().map(String::as_str).filter(|group| !is_probed(group)).collect()
    }

    /// The groups of a token for `plan`, or for `run`: those that any token can have, and those of users.
    fn groups(&self, to_act: bool) -> (Vec<&str>, Vec<&str>) {
        let writes = self.writes.iter().filter(|_| to_act);
        let all: BTreeSet<&str> = self.reads.iter().chain(writes).map(String::as_str).collect();
        all.into_iter().partition(|group| !OF_USERS.contains(group))
    }

    /// For `--json`.
    pub(super) fn document(&self, probes: &[Probe]) -> Value {
        let token = |to_act: bool| {
            let (groups, of_users) = self.groups(to_act);
            json!({
                "owner": "account", "permission_groups": groups, "of_users_only": of_users,
                "resources": "this account and all its zones", "expires_within": "24h", "addresses": "your own only",
            })
        };
        json!({
            "runbook": self.runbook, "not_probed": self.unprobed(probes),
            "writes": self.writes.iter().map(|group| json!({ "group": group, "sight": "unknown until tried" })).collect::<Vec<_>>(),
            "token": { "plan": token(false), "run": token(true) },
        })
    }

    /// What it takes to act, and the tokens to make, to be copied.
    pub(super) fn page(&self, probes: &[Probe], style: &Style) -> String {
        let mut text =
            format!("\n{}\n", style.paint(Tone::Strong, &format!("what {} takes", style.show(&self.runbook))));
        let mut say = |label: &str, tone: Tone, value: &str| text.push_str(&row(label, value, tone, style));
        let unprobed = self.unprobed(probes);
        if !unprobed.is_empty() {
            say("not tried", Tone::Faint, &format!("{}: nothing that is listed shows it", unprobed.join(", ")));
        }
        if self.writes.is_empty() {
            say("writes", Tone::Good, "nothing");
        } else {
            let groups: Vec<&str> = self.writes.iter().map(String::as_str).collect();
            say("to act", Tone::Care, &format!("{}: unknown until tried", groups.join(", ")));
        }
        for (command, to_act) in [("plan", false), ("run", true)] {
            let (groups, of_users) = self.groups(to_act);
            text.push_str(&format!("\n{}\n", style.paint(Tone::Strong, &format!("a token for `quell {command}`"))));
            let mut say = |label: &str, value: &str| text.push_str(&row(label, value, Tone::Faint, style));
            say("make it", "Manage account > Account API tokens > Create token, on a clean machine");
            say("groups", &groups.join(", "));
            if !of_users.is_empty() {
                let told = format!("{}: only a user's own token can have these", of_users.join(", "));
                say("of users", &told);
            }
            say("resources", "this account, and all its zones");
            say("expires", "within 24 hours");
            say("addresses", "only the one that you work from");
        }
        text
    }
}

/// Every kind of resource that can still be read.
pub(super) fn living() -> impl Iterator<Item = &'static Family> {
    families().filter(|family| family.retired.is_none())
}
