//! A large incident, written through the real journal: every event goes through the fold and to the disk.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use quell::evidence::{EvidenceSink, EvidenceStore};
use quell::journal::{
    Basis, Consent, Event, Expanded, FORMAT, Journal, NoteKind, Payload, PlanSealed, PlannedStep, Proposed, RunOpened,
    SettledBy, Stamp,
};
use quell::model::{
    Account, Actor, AnswerKind, Ask, Attribution, ByHand, Call, Change, CredentialFacts, CredentialKind, Danger,
    Digest, Effect, EffectKey, EvidenceRef, Finding, FindingStatus, Gap, HttpCall, IncidentId, Outcome, Phase,
    Question, Radius, Resolves, Resource, RunId, Severity, Source, StepPath, Target, UndoCall, Verdict, World,
};
use quell::secret::Redactor;
use serde_json::{Map, Value, json};

/// Effects of a step that changes something.
const EFFECTS: usize = 4;

/// Items of a step that is done for each of a list.
const ITEMS: usize = 2;

/// The runbook's text; only its digest matters.
const RUNBOOK: &str = "a runbook";

/// An incident that is being written.
pub(crate) struct Incident {
    /// Its journal.
    pub(crate) journal: Journal,
    kept: Vec<EvidenceRef>,
    now: Timestamp,
}

impl Incident {
    /// Begins an incident in `dir` whose run has `steps` steps, those that lists make included.
    pub(crate) fn begin(dir: &Path, steps: usize) -> Self {
        let now: Timestamp = "2026-11-23T14:00:00Z".parse().unwrap();
        let store = EvidenceStore::new(dir.join("evidence"), Arc::new(Redactor::new([7; 32])));
        let answer =
            |n: usize| json!({ "success": true, "result": [{ "id": format!("{n:032x}"), "status": "active" }] });
        let keep = |n| store.keep(&format!("GET /accounts/acc/tokens?page={n}"), answer(n).to_string().as_bytes(), now);
        let kept = (0..50).map(|n| keep(n).unwrap()).collect();
        let opened = Event::IncidentOpened {
            id: IncidentId::new("20261123-140000-k7qd"),
            title: "A token is in the wrong hands".into(),
            world: World::Live("api.example.com".into()),
            tool: "0.1.0".into(),
            machine: "laptop-7".into(),
        };
        let first = Stamp { at: now, by: "alice".into(), role: None, run: None, path: None };
        let journal = Journal::create(dir, &first, opened).unwrap().0;
        let mut incident = Self { journal, kept, now };
        incident.say(None, run_opened());
        let top = steps * 5 / (5 + ITEMS);
        let steps = (0..top).map(|n| planned(&id(n), kind(n) == Kind::List).into()).collect();
        let plan = PlanSealed {
            digest: Digest::of(b"plan"),
            inputs: Map::new(),
            steps,
            not_examined: vec!["registrar".into()],
            nested: Vec::new(),
            files: [].into(),
            actions: [].into(),
        };
        let kept = json!({
            "schema": "quell.sealed-plan/1", "format": FORMAT, "digest": plan.digest, "inputs": plan.inputs,
            "runbook": { "name": "large", "source": "embedded", "text": RUNBOOK },
        });
        fs::write(dir.join("plan-r1.json"), format!("{kept:#}\n")).unwrap();
        incident.say(None, Event::PlanSealed(Box::new(plan)));
        for n in 0..top {
            incident.walk(n);
        }
        incident
    }

    /// Goes on with an incident that was begun.
    pub(crate) fn open(dir: &Path) -> Self {
        let (journal, entries) = Journal::open(dir).unwrap();
        Self { journal, kept: Vec::new(), now: entries.last().unwrap().at }
    }

    /// Appends one event.
    fn say(&mut self, path: Option<&StepPath>, event: Event) {
        self.now += jiff::SignedDuration::from_millis(250);
        let run = (!matches!(event, Event::Noted { .. })).then(|| RunId::new("r1"));
        let stamp = Stamp { at: self.now, by: "alice".into(), role: None, run, path: path.cloned() };
        self.journal.append(&stamp, event).unwrap();
    }

    /// Writes a note, as another terminal would.
    pub(crate) fn note(&mut self, n: usize) {
        let text = format!("{n}: the partner says that their deploys stand still since the token was cut");
        self.say(None, Event::Noted { text, kind: NoteKind::Note });
    }

    fn walk(&mut self, n: usize) {
        let path = StepPath::step(&id(n));
        self.say(Some(&path), Event::StepBegan);
        match kind(n) {
            Kind::Look => self.look(&path, n),
            Kind::Change => self.change(&path, n),
            Kind::Hand => self.by_hand(&path, n),
            Kind::Question => self.question(&path),
            Kind::List => self.list(&path),
        }
        if n.is_multiple_of(3) {
            self.note(n);
        }
    }

    fn take(&mut self, path: &StepPath, n: usize) {
        let evidence = self.kept[n % self.kept.len()].clone();
        self.say(Some(path), Event::EvidenceTaken { evidence });
    }

    fn done(&mut self, path: &StepPath, output: Value, summary: &str) {
        self.say(Some(path), Event::StepDone { output: Payload::Inline(output), summary: summary.into() });
    }

    fn look(&mut self, path: &StepPath, n: usize) {
        for page in 0..14 {
            self.take(path, n + page);
        }
        self.say(Some(path), Event::FindingMade { finding: Box::new(finding(n)) });
        let scope = format!("zone-{n}.example.com");
        let reason = "HTTP 403: the token may not read it".to_owned();
        let gap = Gap { family: "dns_records".into(), scope, reason, permission: Some("DNS Read".into()) };
        self.say(Some(path), Event::GapSeen { gap });
        let tokens: Vec<Value> = (0..8).map(|t| json!({ "id": format!("{t:032x}"), "name": "ci-deploy" })).collect();
        self.done(path, json!({ "tokens": tokens, "complete": true }), "8 tokens");
    }

    fn change(&mut self, path: &StepPath, n: usize) {
        self.take(path, n);
        self.take(path, n + 1);
        let effects: Vec<Effect> = (0..EFFECTS).map(|row| effect(path, n, row)).collect();
        self.say(Some(path), proposed(effects.clone(), None));
        let consents =
            effects.iter().map(|effect| Consent { effect: effect.key.clone(), digest: effect.digest() }).collect();
        let phrase = Some(format!("disable {EFFECTS}"));
        self.say(Some(path), Event::Consented { effects: consents, left: Vec::new(), phrase, basis: Basis::Typed });
        for (row, effect) in effects.iter().enumerate() {
            let key = || effect.key.clone();
            self.say(Some(path), Event::Intended { effect: key(), attempt: 1, call: effect.call.digest() });
            let receipt = json!({ "status": 200, "request_id": format!("{row:016x}") });
            let outcome = Outcome::Applied;
            let by = SettledBy::Answer;
            self.say(Some(path), Event::Settled { effect: key(), attempt: 1, outcome, receipt, by });
            let verdict = Verdict::Holds("the token is disabled".into());
            let evidence = vec![self.kept[(n + row) % self.kept.len()].clone()];
            self.say(Some(path), Event::Verified { effect: key(), verdict, evidence });
            if row == 0 {
                self.say(Some(path), Event::WentOn { basis: Basis::Typed });
            }
        }
        let detail = "the token is disabled".to_owned();
        let id = finding_id(n - 1);
        self.say(Some(path), Event::FindingSettled { id, status: FindingStatus::Contained, detail });
        self.done(path, json!({ "disabled": EFFECTS }), "4 of 4 done and proven");
    }

    fn by_hand(&mut self, path: &StepPath, n: usize) {
        let work = ByHand::new("Remove the deploy key from the build system.");
        let effect = Effect { call: Call::Hand(work), undo: None, resolves: None, ..effect(path, n, 0) };
        let key = effect.key.clone();
        self.say(Some(path), proposed(vec![effect], None));
        let receipt = json!({ "attested_by": "Priya Nair", "note": null, "proof": null });
        let by = SettledBy::Person;
        self.say(
            Some(path),
            Event::Settled { effect: key.clone(), attempt: 0, outcome: Outcome::Applied, receipt, by },
        );
        let verdict = Verdict::CannotTell("nobody looked".into());
        self.say(Some(path), Event::Verified { effect: key, verdict, evidence: Vec::new() });
        self.done(path, json!({ "done": 1 }), "1 of 1 done, not verified");
    }

    fn question(&mut self, path: &StepPath) {
        let kind =
            AnswerKind::Choice { options: vec![("cut".into(), "cut now".into()), ("wait".into(), "wait".into())] };
        let questions =
            vec![Question { name: "choice".into(), prompt: "Which?".into(), kind, required: true, takes: None }];
        let ask = Ask { instruction: "Cut now, or watch first?".into(), questions };
        self.say(Some(path), proposed(Vec::new(), Some(ask)));
        let fields = Map::from_iter([("choice".to_owned(), json!("cut")), ("reason".to_owned(), json!("it leaked"))]);
        self.say(Some(path), Event::Answered { fields: fields.clone() });
        self.done(path, Value::Object(fields), "cut: it leaked");
    }

    fn list(&mut self, path: &StepPath) {
        let items: Vec<String> = (0..ITEMS).map(|item| format!("item-{item}")).collect();
        let step = |key: &String| PlannedStep {
            path: path.item(key),
            parent: Some(path.clone()),
            key: Some(key.clone()),
            ..planned(path.id(), false)
        };
        let steps: Vec<Arc<PlannedStep>> = items.iter().map(|key| step(key).into()).collect();
        let inner: Vec<StepPath> = steps.iter().map(|step| step.path.clone()).collect();
        let fixed = items.iter().map(|key| (key.clone(), json!(key))).collect();
        let items = Payload::Inline(Value::Object(fixed));
        let files = [].into();
        self.say(Some(path), Event::Expanded(Box::new(Expanded { round: 1, items, inputs: None, files, steps })));
        for path in &inner {
            self.say(Some(path), Event::StepBegan);
            self.done(path, json!({ "text": "told" }), "told");
        }
        self.done(path, json!({ "results": [] }), "2 of 2 done");
    }
}

#[derive(PartialEq, Eq)]
enum Kind {
    Look,
    Change,
    Hand,
    Question,
    List,
}

const fn kind(n: usize) -> Kind {
    match n % 5 {
        0 => Kind::Look,
        1 => Kind::Change,
        2 => Kind::Hand,
        3 => Kind::Question,
        _ => Kind::List,
    }
}

fn id(n: usize) -> String {
    format!("step-{n:05}")
}

fn finding_id(n: usize) -> String {
    format!("CF-T07:dns_records:{n:032x}")
}

fn run_opened() -> Event {
    Event::RunOpened(Box::new(RunOpened {
        run: RunId::new("r1"),
        runbook: "large".into(),
        title: "A token is in the wrong hands".into(),
        runbook_sha256: Digest::of(RUNBOOK.as_bytes()),
        source: "embedded".into(),
        target_seconds: Some(900),
        update_seconds: None,
        detected_at: None,
        roles: Default::default(),
        world: World::Live("api.example.com".into()),
        api: "api.example.com".into(),
        account: Account { id: "acc".into(), name: "Example".into() },
        credential: CredentialFacts { kind: CredentialKind::UserToken, id: None, owner: None, expires: None },
        crown_jewels: Vec::new(),
        skew_ms: Some(12),
        leaked: None,
    }))
}

fn planned(id: &str, container: bool) -> PlannedStep {
    PlannedStep {
        path: StepPath::step(id),
        phase: Phase::Contain,
        title: "Disable the suspect token and what it created".into(),
        why: Some("Disabling keeps its policies and last use as evidence; deletion loses them.".into()),
        action: "cloudflare.token.disable".into(),
        max_danger: Danger::Disruptive,
        container,
        parent: None,
        round: 0,
        key: None,
        finally: false,
        skippable: true,
        second_person: false,
        needed_by: Vec::new(),
    }
}

fn proposed(effects: Vec<Effect>, ask: Option<Ask>) -> Event {
    Event::Proposed(Box::new(Proposed {
        output: Payload::Inline(json!({ "tokens": effects.len() })),
        summary: "looked".into(),
        effects,
        account_for_rest: false,
        verb: "disable".into(),
        ask,
        chore: None,
        already: Vec::new(),
        not_proposed: Vec::new(),
    }))
}

fn effect(path: &StepPath, n: usize, row: usize) -> Effect {
    let id = format!("{n:016x}{row:016x}");
    let action = "cloudflare.token.disable";
    let policies = json!([{ "effect": "allow", "permission_groups": [{ "name": "DNS Write" }] }]);
    Effect {
        key: EffectKey::derive(path.as_str(), action, "token", &id),
        action: action.into(),
        summary: format!("disable token ci-deploy-{n}"),
        danger: Danger::Disruptive,
        call: Call::Http(HttpCall {
            method: "PUT".into(),
            path: format!("/accounts/acc/tokens/{id}"),
            body: Some(json!({ "name": "ci-deploy", "status": "disabled", "policies": policies.clone() })),
            secret_answer: false,
        }),
        before: json!({ "name": "ci-deploy", "status": "active", "policies": policies.clone() }),
        after: json!({ "name": "ci-deploy", "status": "disabled", "policies": policies }),
        radius: Radius { cut_off: Some("whoever deploys with it".into()), ..Radius::default() },
        consequences: vec!["it was last used: 2026-11-20".into()],
        facts: vec![("last used".into(), "2026-11-20".into())],
        preselected: true,
        undo: Some(UndoCall { action: "cloudflare.token.restore".into(), with: json!({ "token": id }) }),
        resolves: Some(Resolves { finding: finding_id(n), status: FindingStatus::Contained }),
        target: Target { kind: "token".into(), id, name: format!("ci-deploy-{n}"), ambiguous: false },
    }
}

fn finding(n: usize) -> Finding {
    Finding {
        id: finding_id(n),
        technique: "CF-T07".into(),
        severity: Severity::High,
        status: FindingStatus::Open,
        family: "dns_records".into(),
        change: Change::Changed,
        resource: Resource {
            id: format!("{n:032x}"),
            name: "www.example.com".into(),
            zone: Some("example.com".into()),
        },
        actor: Actor { token_id: Some("tok".into()), ip: Some("203.0.113.9".into()), ..Actor::default() },
        attribution: Attribution::Intruder,
        detail: "the record points elsewhere".into(),
        at: Some("2026-11-23T13:12:00Z".parse().unwrap()),
        before: Some(json!({ "content": "192.0.2.1" })),
        after: Some(json!({ "content": "203.0.113.9" })),
        evidence: vec![Digest::of(&n.to_be_bytes())],
        sources: vec![Source::Audit, Source::Diff],
    }
}
