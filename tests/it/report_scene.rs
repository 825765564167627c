//! A journal of an incident that never was, written through the real journal.
#![expect(clippy::unwrap_used, reason = "a scene that cannot be written is a failed test")]

use jiff::Timestamp;
use quell::journal::{
    Consent, EffectDecision, Entry, Event, FailureDecision, Journal, Left, NoteKind, Payload, PlanSealed, PlannedStep,
    PreparedAnswers, Proposed, RunOpened, RunOutcome, SettledBy, SkipCause, Stamp,
};
use quell::model::{
    Account, Actor, AnswerKind, Ask, Attribution, ByHand, Call, Change, CredentialFacts, CredentialKind, Danger,
    Digest, Disposition, Effect, EffectKey, EvidenceRef, Finding, FindingStatus, Gap, HttpCall, IncidentId, Outcome,
    Phase, Question, Radius, Resolves, Resource, RunId, Severity, Source as Noticed, StepPath, Target, Verdict, World,
};
use quell::report::{ReportModel, Source, model};
use serde_json::{Map, Value, json};

/// The names that an attacker, or a careless colleague, may have chosen.
#[derive(Clone)]
pub(crate) struct Names {
    pub(crate) token: String,
    pub(crate) record: String,
    pub(crate) reason: String,
    pub(crate) decided: String,
    pub(crate) to_do: String,
}

impl Names {
    pub(crate) fn honest() -> Self {
        Self {
            token: "ci-deploy".into(),
            record: "www.example.com".into(),
            reason: "the partner cannot change it before Monday".into(),
            decided: "keep the site up while tokens are cut".into(),
            to_do: "ask the bank for its logs".into(),
        }
    }

    /// The same text wherever there is a choice.
    pub(crate) fn all(text: &str) -> Self {
        Self { token: text.into(), record: text.into(), reason: text.into(), decided: text.into(), to_do: text.into() }
    }
}

/// The journal being written; each event comes seven seconds after the one before.
pub(crate) struct Scene {
    _dir: tempfile::TempDir,
    journal: Journal,
    entries: Vec<Entry>,
    now: Timestamp,
    run: RunId,
}

impl Scene {
    fn create(world: World) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let now: Timestamp = "2026-11-23T14:00:00.250Z".parse().unwrap();
        let opened = Event::IncidentOpened {
            id: IncidentId::new("20261123-1400-k7qd"),
            title: "A token is in the wrong hands".into(),
            world,
            tool: "0.1.0".into(),
            machine: "laptop-7".into(),
        };
        let stamp = Stamp { at: now, by: "alice".into(), role: None, run: None, path: None };
        let (journal, first) = Journal::create(dir.path(), &stamp, opened).unwrap();
        Self { _dir: dir, journal, entries: vec![first], now, run: RunId::new("r1") }
    }

    fn tick(&mut self) -> Timestamp {
        self.now += jiff::SignedDuration::from_secs(7);
        self.now
    }

    fn say(&mut self, step: Option<&str>, event: Event) {
        let at = self.tick();
        let stamp =
            Stamp { role: None, at, by: "alice".into(), run: Some(self.run.clone()), path: step.map(StepPath::step) };
        let new = self.journal.append(&stamp, event).unwrap();
        self.entries.extend(new);
    }

    fn propose(&mut self, step: &str, verb: &str, output: Value, effects: &[&Effect], ask: Option<Ask>) {
        self.say(Some(step), Event::StepBegan);
        self.say(
            Some(step),
            Event::Proposed(Box::new(Proposed {
                chore: None,
                output: Payload::Inline(output),
                summary: "looked".into(),
                effects: effects.iter().map(|effect| (*effect).clone()).collect(),
                account_for_rest: true,
                verb: verb.into(),
                ask,
                already: Vec::new(),
                not_proposed: Vec::new(),
            })),
        );
    }

    fn consent(&mut self, step: &str, effects: &[&Effect], left: Vec<Left>, phrase: &str) {
        let effects =
            effects.iter().map(|effect| Consent { effect: effect.key.clone(), digest: effect.digest() }).collect();
        self.say(
            Some(step),
            Event::Consented { effects, left, phrase: Some(phrase.into()), basis: quell::journal::Basis::Typed },
        );
    }

    fn send(&mut self, step: &str, effect: &Effect, attempt: u32, outcome: Option<Outcome>) {
        let call = effect.call.digest();
        self.say(Some(step), Event::Intended { effect: effect.key.clone(), attempt, call });
        if let Some(outcome) = outcome {
            self.settle(step, effect, attempt, outcome, SettledBy::Answer);
        }
    }

    fn settle(&mut self, step: &str, effect: &Effect, attempt: u32, outcome: Outcome, by: SettledBy) {
        let effect = effect.key.clone();
        self.say(Some(step), Event::Settled { effect, attempt, outcome, receipt: Value::Null, by });
    }

    fn verify(&mut self, step: &str, effect: &Effect, verdict: Verdict) {
        let kept = self.evidence(&format!("GET /tokens/{}", effect.target.id));
        self.say(Some(step), Event::Verified { effect: effect.key.clone(), verdict, evidence: vec![kept] });
    }

    fn evidence(&self, source: &str) -> EvidenceRef {
        EvidenceRef { sha256: Digest::of(source.as_bytes()), bytes: 512, source: source.into(), at: self.now }
    }

    fn done(&mut self, step: &str, output: Value, summary: &str) {
        self.say(Some(step), Event::StepDone { output: Payload::Inline(output), summary: summary.into() });
    }

    pub(crate) fn note(&mut self, text: &str) {
        self.write_down(NoteKind::Note, text);
    }

    fn write_down(&mut self, kind: NoteKind, text: &str) {
        self.say(None, Event::Noted { text: text.into(), kind });
    }

    pub(crate) fn report(&self) -> ReportModel {
        self.report_with(&[])
    }

    pub(crate) fn report_with(&self, problems: &[quell::journal::Problem]) -> ReportModel {
        let payload = |payload: &Payload| match payload {
            Payload::Inline(value) => Some(value.clone()),
            Payload::Kept(_) => None,
        };
        model(&Source {
            entries: &self.entries,
            state: self.journal.state(),
            head: self.journal.head(),
            problems,
            payload: &payload,
        })
    }
}

fn effect(step: &str, verb: &str, id: &str, name: &str, danger: Danger) -> Effect {
    let action = format!("example.token.{verb}");
    Effect {
        key: EffectKey::derive(step, &action, "token", id),
        action,
        target: Target { kind: "token".into(), id: id.into(), name: name.into(), ambiguous: false },
        summary: format!("{verb} token {name}"),
        danger,
        call: Call::Http(HttpCall {
            method: "PUT".into(),
            path: format!("/tokens/{id}"),
            body: None,
            secret_answer: false,
        }),
        before: json!({"status": "active"}),
        after: json!({"status": "disabled"}),
        radius: Radius::default(),
        consequences: Vec::new(),
        facts: Vec::new(),
        preselected: true,
        undo: None,
        resolves: None,
    }
}

fn finding(id: &str, attribution: Attribution, name: &str, at: Option<&str>) -> Finding {
    Finding {
        id: id.into(),
        technique: "CF-T07".into(),
        severity: Severity::High,
        status: FindingStatus::Open,
        family: "dns_record".into(),
        change: Change::Changed,
        resource: Resource { id: format!("rec-{id}"), name: name.into(), zone: Some("example.com".into()) },
        actor: match attribution {
            Attribution::Intruder | Attribution::Shared => Actor {
                token_id: Some("tok-stolen".into()),
                token_name: Some("ci-deploy".into()),
                email: None,
                ip: Some("203.0.113.9".into()),
            },
            Attribution::Other => Actor { email: Some("dave@example.com".into()), ..Actor::default() },
            Attribution::Unattributed => Actor::default(),
        },
        attribution,
        detail: format!("{name} points elsewhere"),
        at: at.map(|at| at.parse().unwrap()),
        before: Some(json!({"content": "192.0.2.10", "proxied": true, "ttl": 1})),
        after: Some(json!({"content": "203.0.113.66", "proxied": true, "ttl": 1})),
        evidence: vec![Digest::of(id.as_bytes())],
        sources: vec![Noticed::Audit, Noticed::Diff],
    }
}

const STEPS: [(&str, Phase, &str); 8] = [
    ("inventory", Phase::Identify, "List tokens and events"),
    ("cut", Phase::Contain, "Disable the suspect token and what it created"),
    ("second-look", Phase::Identify, "Read the audit log again"),
    ("revert", Phase::Eradicate, "Put DNS back"),
    ("rotate", Phase::Recover, "Rotate what remains"),
    ("ask-owner", Phase::Recover, "Do the owners confirm service"),
    ("harden", Phase::Recover, "Require two factors"),
    ("purge", Phase::Recover, "Purge caches"),
];

/// Begins a run with the plan of [`STEPS`].
fn begun(world: World, inputs: Value) -> Scene {
    let mut scene = Scene::create(world.clone());
    scene.say(
        None,
        Event::RunOpened(Box::new(RunOpened {
            detected_at: None,
            roles: Default::default(),
            update_seconds: None,
            run: RunId::new("r1"),
            runbook: "token-compromise".into(),
            title: "A token is in the wrong hands".into(),
            runbook_sha256: Digest::of(b"runbook"),
            source: "embedded".into(),
            target_seconds: Some(60),
            world,
            api: "api.example.com".into(),
            account: Account { id: "acc-1".into(), name: "Example Corp".into() },
            credential: CredentialFacts {
                kind: CredentialKind::AccountToken,
                id: Some("tok-ir".into()),
                owner: None,
                expires: None,
            },
            crown_jewels: vec!["example.com".into()],
            skew_ms: Some(320),
            leaked: None,
        })),
    );
    let Value::Object(inputs) = inputs else { unreachable!("inputs are a table") };
    let steps = STEPS.map(|(id, phase, title)| PlannedStep {
        path: StepPath::step(id),
        phase,
        title: title.into(),
        why: None,
        action: "example".into(),
        max_danger: Danger::Disruptive,
        container: false,
        parent: None,
        round: 0,
        key: None,
        finally: false,
        skippable: true,
        second_person: false,
        needed_by: Vec::new(),
    });
    let plan = PlanSealed {
        digest: Digest::of(b"plan"),
        inputs,
        steps: steps.iter().cloned().map(Into::into).collect(),
        not_examined: vec![],
        nested: vec![],
        files: [].into(),
        actions: [].into(),
    };
    scene.say(None, Event::PlanSealed(Box::new(plan)));
    scene
}

pub(crate) fn known_marks() -> Value {
    json!({
        "detected_at": "2026-11-23T13:40:00Z",
        "exposed_since": "2026-11-20T08:00:00Z",
        "reported_by": "monitoring",
        "commander": "bob",
    })
}

/// Everything that can become of a step and of an effect.
pub(crate) fn eventful(world: World, inputs: Value, names: &Names) -> Scene {
    let mut scene = begun(world, inputs);
    inventory(&mut scene, names);
    cut(&mut scene, names);
    scene.say(Some("second-look"), Event::StepBegan);
    let error = "cannot read the audit log: 502".to_owned();
    scene.say(Some("second-look"), Event::StepFailed { error, hint: None });
    let words = "the first pass stands".to_owned();
    scene.say(Some("second-look"), Event::FailureDecided { decision: FailureDecision::Continue, words });
    revert(&mut scene, names);
    rotate(&mut scene, names);
    answer(&mut scene, names);
    let reason = format!("not during the incident: {}", names.reason);
    scene.say(Some("harden"), Event::StepSkipped { reason, cause: SkipCause::Person, output: None });
    scene.write_down(NoteKind::Decision, &names.decided);
    scene.write_down(NoteKind::Todo, &names.to_do);
    let reason = "the shift is over".to_owned();
    scene.say(None, Event::RunClosed { outcome: RunOutcome::Aborted, reason });
    scene
}

fn inventory(scene: &mut Scene, names: &Names) {
    let act = |id: &str, at: &str, token: &str, ip: &str| {
        json!({
            "id": id, "at": at, "action": "create", "success": true, "resource_type": "token", "token_id": token,
            "token_name": names.token, "ip": ip, "method": "POST", "uri": "/user/tokens", "log": "v2",
            "resource_id": format!("res-{id}"), "zone": null, "email": null, "user_agent": "curl",
        })
    };
    let output = json!({
        "events": [
            act("a1", "2026-11-23T12:10:00Z", "tok-stolen", "203.0.113.9"),
            act("a2", "2026-11-23T12:10:05Z", "tok-stolen", "203.0.113.9"),
            act("a3", "2026-11-23T12:11:00Z", "tok-stolen", "198.51.100.4"),
            act("a4", "2026-11-23T12:12:00Z", "tok-other", "198.51.100.4"),
            {"id": "a5", "at": "no time"},
        ],
        "principals": [{
            "token_id": "tok-stolen", "token_name": names.token,
            "honest_ips": ["198.51.100.4"], "hostile_ips": ["203.0.113.9"],
            "mixed_ips": ["198.51.100.40"],
        }],
        "tokens": [
            {"id": "tok-stolen", "name": names.token, "marks": ["no expiry"], "role": "suspect"},
            {"id": "tok-unused", "name": "old-backup", "marks": ["no expiry", "never used"], "role": "other"},
        ],
        "controls": ["2 of 9 tokens have no expiry", "4 members are Super Administrators"],
        "not_examined": ["Worker script bodies"],
    });
    scene.propose("inventory", "look", output.clone(), &[], None);
    for source in ["GET /tokens", "GET /audit"] {
        let evidence = scene.evidence(source);
        scene.say(Some("inventory"), Event::EvidenceTaken { evidence });
    }
    let gap = Gap {
        family: "members".into(),
        scope: "account".into(),
        reason: "403: not allowed".into(),
        permission: Some("Memberships Read".into()),
    };
    scene.say(Some("inventory"), Event::GapSeen { gap });
    for (id, attribution, name, at) in [
        ("f-dns", Attribution::Intruder, names.record.as_str(), Some("2026-11-23T12:15:00Z")),
        ("f-shared", Attribution::Shared, "mail.example.com", Some("2026-11-23T12:16:00Z")),
        ("f-other", Attribution::Other, "shop.example.com", None),
        ("f-nobody", Attribution::Unattributed, names.record.as_str(), None),
    ] {
        let finding = Box::new(finding(id, attribution, name, at));
        scene.say(Some("inventory"), Event::FindingMade { finding });
    }
    scene.done("inventory", output, "9 tokens, 2 created in the window");
}

fn cut(scene: &mut Scene, names: &Names) {
    let stolen = effect("cut", "disable", "tok-stolen", &names.token, Danger::Disruptive);
    let child = effect("cut", "disable", "tok-child", "child", Danger::Reversible);
    scene.propose("cut", "disable", json!({}), &[&stolen, &child], None);
    scene.consent("cut", &[&stolen, &child], Vec::new(), "disable 2");
    scene.send("cut", &stolen, 1, Some(Outcome::NotSent("no connection".into())));
    scene.send("cut", &stolen, 2, Some(Outcome::Applied));
    scene.verify("cut", &stolen, Verdict::Holds("its status is disabled".into()));
    scene.send("cut", &child, 1, Some(Outcome::Unknown("the answer was lost".into())));
    scene.verify("cut", &child, Verdict::CannotTell("403 on the read".into()));
    let decided = Event::EffectDecided {
        effect: child.key,
        decision: EffectDecision::Applied,
        words: "seen disabled in the dashboard".into(),
    };
    scene.say(Some("cut"), decided);
    scene.done("cut", json!({}), "1 of 2 done and proven, 1 done, not verified");
}

fn revert(scene: &mut Scene, names: &Names) {
    let mut dns = effect("revert", "revert", "rec-f-dns", &names.record, Danger::Reversible);
    dns.target.kind = "dns_record".into();
    dns.after = json!({"content": "192.0.2.10", "proxied": true, "ttl": 1});
    dns.resolves = Some(Resolves { finding: "f-dns".into(), status: FindingStatus::Reverted });
    let mut shared = effect("revert", "revert", "rec-f-shared", "mail.example.com", Danger::Reversible);
    shared.target.kind = "dns_record".into();
    scene.propose("revert", "revert", json!({}), &[&dns, &shared], None);
    scene.consent("revert", &[&dns, &shared], Vec::new(), "revert 2");
    scene.send("revert", &dns, 1, Some(Outcome::Applied));
    scene.verify("revert", &dns, Verdict::Holds("the record is as before".into()));
    scene.send("revert", &shared, 1, Some(Outcome::Refused("409 conflict".into())));
    let decided = Event::EffectDecided {
        effect: shared.key,
        decision: EffectDecision::Abandon,
        words: "a colleague changed it since".into(),
    };
    scene.say(Some("revert"), decided);
    let (id, detail) = ("f-dns".to_owned(), "the record is as before".to_owned());
    scene.say(Some("revert"), Event::FindingSettled { id, status: FindingStatus::Reverted, detail });
    scene.done("revert", json!({}), "1 of 2 done and proven, 1 not done");
}

fn rotate(scene: &mut Scene, names: &Names) {
    let one = effect("rotate", "rotate", "tok-deploy", "deploy", Danger::Irreversible);
    let two = effect("rotate", "rotate", "tok-partner", &names.token, Danger::Irreversible);
    let three = effect("rotate", "rotate", "tok-billing", "billing", Danger::Irreversible);
    let mut key = effect("rotate", "rotate", "key-origin", "origin key", Danger::Disruptive);
    key.call = Call::Hand(ByHand::new("change it"));
    scene.propose("rotate", "rotate", json!({}), &[&one, &two, &three, &key], None);
    let keep = Disposition::Keep { reason: names.reason.clone() };
    let later = Disposition::Later { owner: "carol (billing)".into() };
    let left = vec![Left { effect: two.key, disposition: keep }, Left { effect: three.key, disposition: later }];
    scene.consent("rotate", &[&one], left, "rotate 1");
    scene.send("rotate", &one, 1, Some(Outcome::Applied));
    scene.verify("rotate", &one, Verdict::Holds("the old value is rejected".into()));
    scene.settle("rotate", &key, 0, Outcome::Applied, SettledBy::Person);
    scene.verify("rotate", &key, Verdict::CannotTell("no read shows it".into()));
    scene.done("rotate", json!({}), "1 of 4 done and proven");
}

fn answer(scene: &mut Scene, names: &Names) {
    let question = Question {
        name: "confirmed".into(),
        prompt: "Who confirms that service is back?".into(),
        kind: AnswerKind::Text,
        required: true,
        takes: None,
    };
    let ask = Ask { instruction: "Ask the owners.".into(), questions: vec![question] };
    scene.propose("ask-owner", "answer", json!({}), &[], Some(ask));
    let fields = Map::from_iter([("confirmed".to_owned(), json!(names.reason))]);
    scene.say(Some("ask-owner"), Event::Answered { fields });
    scene.done("ask-owner", json!({}), "answered");
}

/// A run that stopped with its one request in doubt.
pub(crate) fn interrupted(world: World) -> Scene {
    let mut scene = begun(world, json!({"detected_at": null, "reported_by": "not known"}));
    let reason = "harm is being done".to_owned();
    scene.say(Some("inventory"), Event::StepSkipped { reason, cause: SkipCause::Person, output: None });
    let stolen = effect("cut", "disable", "tok-stolen", "ci-deploy", Danger::Disruptive);
    scene.propose("cut", "disable", json!({}), &[&stolen], None);
    scene.consent("cut", &[&stolen], Vec::new(), "cut");
    scene.send("cut", &stolen, 1, None);
    scene.say(None, Event::Paused { reason: "interrupted".into() });
    scene
}

/// Work by hand that somebody says is done, and that a read does not show.
pub(crate) fn disbelieved(world: World) -> Scene {
    let mut scene = begun(world, known_marks());
    let mut key = effect("rotate", "rotate", "key-origin", "origin key", Danger::Disruptive);
    key.call = Call::Hand(ByHand::new("change it"));
    scene.propose("rotate", "rotate", json!({}), &[&key], None);
    scene.settle("rotate", &key, 0, Outcome::Applied, SettledBy::Person);
    scene.verify("rotate", &key, Verdict::DoesNotHold("the old key is still taken".into()));
    scene
}

/// A run that contained the incident after a pause, with an output too large for the journal.
pub(crate) fn contained(world: World) -> Scene {
    let mut scene = begun(world, known_marks());
    let stolen = effect("cut", "disable", "tok-stolen", "ci-deploy", Danger::Disruptive);
    scene.propose("cut", "disable", json!({}), &[&stolen], None);
    scene.say(None, Event::Paused { reason: "interrupted".into() });
    let credential = scene.journal.state().runs[0].credential.clone();
    scene.say(None, Event::RunResumed { tool: "0.1.0".into(), credential });
    scene.say(Some("cut"), Event::Rechecked);
    scene.consent("cut", &[&stolen], Vec::new(), "cut");
    scene.send("cut", &stolen, 1, Some(Outcome::Applied));
    scene.verify("cut", &stolen, Verdict::Holds("its status is disabled".into()));
    let output = Payload::Kept(scene.evidence("output of step cut"));
    scene.say(Some("cut"), Event::StepDone { output, summary: "1 of 1 done and proven".into() });
    scene
}

/// A file answered the prompts until the run paused; a person typed the rest.
pub(crate) fn answered_by_a_file_first(world: World) -> Scene {
    let mut scene = begun(world, known_marks());
    let one = effect("cut", "disable", "tok-one", "one", Danger::Disruptive);
    let two = effect("cut", "disable", "tok-two", "two", Danger::Disruptive);
    let answers = PreparedAnswers { name: "drill/answers.toml".into(), sha256: Digest::of(b"answers") };
    scene.say(None, Event::DriverTaken { machine: "laptop-7".into(), pid: 7, answers: Some(answers), up_to: None });
    scene.propose("cut", "disable", json!({}), &[&one, &two], None);
    scene.consent("cut", &[&one], Vec::new(), "cut");
    scene.send("cut", &one, 1, Some(Outcome::Applied));
    scene.note("from another terminal");
    scene.say(None, Event::Paused { reason: "interrupted".into() });
    scene.say(None, Event::DriverTaken { machine: "laptop-7".into(), pid: 8, answers: None, up_to: None });
    scene.consent("cut", &[&two], Vec::new(), "cut");
    scene
}
