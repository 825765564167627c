//! The morning after: what must hold of the account, of the request log, and of what was written down.

use std::collections::BTreeMap;
use std::path::Path;

use quell::cloudflare::simulator::{CANARY, Innocent, Planted, canaries};
use quell::simulator::Request;
use serde_json::{Value, json};

use crate::scene::{Scene, files};

pub(crate) struct Morning<'s> {
    scene: &'s Scene,
    /// As a reader sees it: without the escapes.
    report: String,
    /// `quell status --json`.
    status: Value,
}

/// Sends a read with this bearer; the status of the answer.
pub(crate) fn asks(scene: &Scene, bearer: &str, method: &str, path: &str, body: Option<Value>) -> u16 {
    let headers = vec![("authorization".to_owned(), format!("Bearer {bearer}"))];
    let path = path.replace("{a}", &scene.scenario.cast.account_id);
    scene.simulator.act(&Request { method: method.to_owned(), path, query: String::new(), headers, body })
}

/// None of these opens anything any more, asked with its value.
#[track_caller]
pub(crate) fn are_dead(scene: &Scene, credentials: &[(&str, &str)]) {
    let before = scene.account();
    for (name, secret) in credentials {
        for path in ["/zones", "/accounts/{a}/tokens", "/user/tokens/verify", "/accounts/{a}/tokens/verify"] {
            assert_eq!(asks(scene, secret, "GET", path, None), 401, "{name} still opens {path}");
        }
        let zone = before["zones"][0]["zone"]["id"].as_str().unwrap();
        let record = json!({ "type": "A", "name": "back", "content": "203.0.113.66", "ttl": 60 });
        let write = asks(scene, secret, "POST", &format!("/zones/{zone}/dns_records"), Some(record));
        assert_eq!(write, 401, "{name} still writes");
    }
    assert_eq!(before, scene.account(), "an intruder's credential changed something");
}

/// The responder's own credential acts, and its user is a Super Administrator of the account.
#[track_caller]
pub(crate) fn nobody_is_locked_out(scene: &Scene) {
    let cast = &scene.scenario.cast;
    assert_eq!(asks(scene, &cast.responder_token, "GET", "/accounts/{a}/members", None), 200);
    let account = scene.account();
    let member = account["members"].as_array().unwrap().iter().find(|member| member["user"]["email"] == cast.email);
    let member = member.unwrap_or_else(|| panic!("the responder is no member: {}", account["members"]));
    assert_eq!(member["status"], "accepted");
    let roles = member["roles"].as_array().unwrap();
    assert!(roles.iter().any(|role| role["name"].as_str().unwrap().starts_with("Super Administrator")), "{roles:?}");
}

/// No write arrived twice, and no request was over the budget.
#[track_caller]
pub(crate) fn nothing_was_sent_twice_and_the_budget_held(scene: &Scene) {
    let mut sent: BTreeMap<String, usize> = BTreeMap::new();
    for write in scene.writes() {
        *sent.entry(format!("{} {} {}", write.method, write.path, write.body.unwrap_or_default())).or_default() += 1;
    }
    let twice: Vec<_> = sent.iter().filter(|(_, times)| **times > 1).collect();
    assert!(twice.is_empty(), "{twice:#?}");
    assert!(scene.simulator.requests().iter().all(|request| request.status != 429), "throttled");
}

/// No secret of the scenario, old or new, in any file below these, nor in what was printed.
#[track_caller]
pub(crate) fn no_secret_lies_about(scene: &Scene, dirs: &[&Path], printed: &[&str]) {
    let canaries = canaries(&scene.scenario);
    let tells = |text: &str| text.contains(CANARY) || canaries.iter().any(|canary| text.contains(canary));
    for (path, bytes) in dirs.iter().flat_map(|dir| files(dir)) {
        assert!(!tells(&String::from_utf8_lossy(&bytes)), "a secret stands in {}", path.display());
    }
    for text in printed {
        assert!(!tells(text), "a secret was printed\n{text}");
    }
}

/// The object with this id, wherever in the account it is.
pub(crate) fn find<'v>(value: &'v Value, id: &str) -> Option<&'v Value> {
    match value {
        Value::Object(fields) if fields.get("id").is_some_and(|it| it == id) => Some(value),
        Value::Object(fields) => fields.values().find_map(|value| find(value, id)),
        Value::Array(items) => items.iter().find_map(|value| find(value, id)),
        _ => None,
    }
}

/// The rule in a ruleset, or the object itself.
fn part<'v>(object: &'v Value, part: Option<&str>) -> &'v Value {
    part.map_or(object, |part| find(object, part).unwrap_or(&Value::Null))
}

/// Whether what the intruder did is in place in this account. A token counts for as long as it may act.
fn is_there(planted: &Planted, account: &Value) -> bool {
    let now = find(account, planted.part.as_deref().unwrap_or(&planted.id));
    if planted.family == "tokens" {
        return now.is_some_and(|token| token["status"] == "active");
    }
    let (before, after) =
        (part(&planted.before, planted.part.as_deref()), part(&planted.after, planted.part.as_deref()));
    let Some(now) = now else { return after.is_null() };
    let is_time = |name: &str| name.ends_with("_on") || name.ends_with("_at") || name == "last_updated";
    let mut changed = after
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(name, value)| !is_time(name) && *name != "version" && before.get(name.as_str()) != Some(value));
    changed.all(|(name, value)| now.get(name) == Some(value))
}

impl<'s> Morning<'s> {
    /// Has the report written, and reads it.
    #[track_caller]
    pub(crate) fn of(scene: &'s Scene, dir: &Path) -> Self {
        let incident = dir.display().to_string();
        scene.run(&["report", &incident]).expect(0);
        let report = std::fs::read_to_string(dir.join("report.md")).unwrap().replace('\\', "");
        let status = scene.run(&["status", &incident, "--json"]).expect(0).json();
        Self { scene, report, status }
    }

    fn finding(&self, id: &str) -> Option<&Value> {
        let mut findings = self.status["findings"].as_array().unwrap().iter();
        findings.find(|finding| finding["resource"]["id"] == id)
    }

    /// The row of the report that tells of a finding.
    fn row(&self, finding: &Value) -> &str {
        let id = format!("| `{}` |", finding["id"].as_str().unwrap());
        let label = self.report.lines().find(|line| line.starts_with("| F") && line.contains(&id));
        let label = label.unwrap_or_else(|| panic!("{id} is not in the report\n{}", self.report));
        let label = &label[..label[2..].find(" |").unwrap() + 4];
        self.report.lines().find(|line| line.starts_with(label) && !line.contains(&id)).unwrap()
    }

    /// Each thing that the intruder did is in JSON and report, by its technique, and stands there as it stands in the
    /// account.
    #[track_caller]
    pub(crate) fn tells_all_of(&self, truth: &[Planted]) {
        let account = self.scene.account();
        for planted in truth {
            let shown = planted.part.as_deref().unwrap_or(&planted.id);
            let finding = self.finding(shown);
            let finding = finding.unwrap_or_else(|| panic!("missed: {} {}", planted.technique, planted.what));
            let told = (&finding["technique"], &finding["attribution"]);
            assert_eq!(told, (&json!(planted.technique), &json!("intruder")), "{}\n{finding:#}", planted.what);
            let status = finding["status"].as_str().unwrap();
            let is_over = matches!(status, "contained" | "reverted");
            assert!(is_over || matches!(status, "open" | "accepted"), "{status}: {}", planted.what);
            assert_eq!(!is_over, is_there(planted, &account), "{status}: {}\n{finding:#}", planted.what);
            let row = self.row(finding);
            assert!(row.contains(&planted.technique) && row.contains(&format!("| {status}")), "{row}");
            assert!(row.contains("| intruder ("), "{row}");
        }
    }

    /// Besides these the intruder is blamed for the credentials that it held, and for nothing else. Honest work with a stolen
    /// credential is told as such.
    #[track_caller]
    pub(crate) fn blames_nobody_else(&self, truth: &[Planted], innocents: &[Innocent], held: &[&str]) {
        for innocent in innocents {
            let shown = innocent.part.as_deref().unwrap_or(&innocent.id);
            if let Some(finding) = self.finding(shown) {
                let with = finding["actor"]["token_id"].as_str().unwrap_or_default();
                let whose = if held.contains(&with) { "shared" } else { "other" };
                assert_eq!(finding["attribution"], whose, "accused: {}\n{finding:#}", innocent.why);
            }
        }
        let is_known =
            |id: &str| held.contains(&id) || truth.iter().any(|it| it.part.as_deref().unwrap_or(&it.id) == id);
        for finding in self.status["findings"].as_array().unwrap() {
            let id = finding["resource"]["id"].as_str().unwrap();
            assert!(finding["attribution"] != "intruder" || is_known(id), "accused besides: {finding:#}");
        }
    }

    #[track_caller]
    pub(crate) fn says(&self, words: &str) {
        assert!(self.report.contains(words), "`{words}` is missing in\n{}", self.report);
    }

    #[track_caller]
    pub(crate) fn lacks(&self, words: &str) {
        let line = self.report.lines().find(|line| line.contains(words));
        assert!(line.is_none(), "`{words}` stands in\n{}", line.unwrap_or_default());
    }

    /// What could not be seen, as `FAMILY of SCOPE`.
    pub(crate) fn gaps(&self) -> Vec<String> {
        let text = |gap: &Value, name: &str| gap[name].as_str().unwrap().to_owned();
        let gaps = self.status["gaps"].as_array().unwrap().iter();
        gaps.map(|gap| format!("{} of {}", text(gap, "family"), text(gap, "scope"))).collect()
    }
}
