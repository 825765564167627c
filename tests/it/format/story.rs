//! An incident in which everything happens that can be journaled, written through the real journal. Nothing in it hangs on
//! the machine or the day, so that it is the same bytes each time.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use quell::journal::{
    Accepted, Basis, Consent, EffectDecision, Event, Expanded, FailureDecision, Journal, LeakedToken, Left,
    NestedRunbook, NoteKind, Payload, PlanAmended, PlanApproved, PlanSealed, PlannedEffect, PlannedStep,
    PreparedAnswers, Proposed, RunOpened, RunOutcome, SettledBy, SkipCause, Stamp, WaitEnd,
};
use quell::model::{
    Account, Actor, AnswerKind, Ask, Attribution, ByHand, Call, Change, Chore, CommandCall, CredentialFacts,
    CredentialKind, Danger, Digest, Disposition, Effect, EffectKey, EvidenceRef, Finding, FindingStatus, Gap, Given,
    HttpCall, IncidentId, Outcome, OutsideCall, Phase, Question, Radius, Resolves, Resource, Role, RunId, SecretEnv,
    Severity, Source, StepPath, Target, UndoCall, Verdict, Wait, WebCall, WebCheck, WebRead, World,
};
use serde_json::{Map, Value, json};

/// The journal's bytes.
pub(super) fn tell() -> Vec<u8> {
    let mut story = Story::begin();
    story.first_run();
    story.second_run();
    story.afterwards();
    story.bytes()
}

struct Story {
    dir: tempfile::TempDir,
    journal: Journal,
    now: Timestamp,
    run: Option<RunId>,
    step: Option<StepPath>,
    role: Option<Role>,
}

impl Story {
    fn begin() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let now: Timestamp = "2026-11-23T14:12:00.25Z".parse().unwrap();
        let first = Stamp { at: now, by: "alice".into(), role: Some(Role::Commander), run: None, path: None };
        let opened = Event::IncidentOpened {
            id: IncidentId::new("20261123-141200-k7qd"),
            title: "A token is in the wrong hands: “ci-deploy” \u{1b}[2J".into(),
            world: World::Rehearsal("leaked-token".into()),
            tool: "0.1.0".into(),
            machine: "laptop-7".into(),
        };
        let (journal, _) = Journal::create(dir.path(), &first, opened).unwrap();
        Self { dir, journal, now, run: None, step: None, role: Some(Role::Operator) }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("journal.jsonl")
    }

    fn bytes(&self) -> Vec<u8> {
        fs::read(self.path()).unwrap()
    }

    fn say(&mut self, event: Event) {
        self.say_by("alice", event);
    }

    fn say_by(&mut self, by: &str, event: Event) {
        self.now += SignedDuration::from_millis(1250);
        let (run, path) = (self.run.clone(), self.step.clone());
        let stamp = Stamp { at: self.now, by: by.into(), role: self.role, run, path };
        self.journal.append(&stamp, event).unwrap();
    }

    /// What follows is about this step.
    fn at(&mut self, step: &str) {
        self.step = Some(StepPath::step(step));
    }

    /// Begins a step.
    fn enter(&mut self, step: &str) {
        self.at(step);
        self.say(Event::StepBegan);
    }

    fn done(&mut self, output: Value) {
        self.say(Event::StepDone { output: Payload::Inline(output), summary: "as it should be".into() });
    }

    fn kept(&self, source: &str) -> EvidenceRef {
        EvidenceRef { sha256: Digest::of(source.as_bytes()), bytes: 512, source: source.into(), at: self.now }
    }

    fn first_run(&mut self) {
        let answers = PreparedAnswers { name: "answers.toml".into(), sha256: Digest::of(b"answers") };
        self.say(Event::DriverTaken { machine: "laptop-7".into(), pid: 4711, answers: Some(answers), up_to: None });
        self.run = Some(RunId::new("r1"));
        let world = World::Rehearsal("leaked-token".into());
        let leaked = LeakedToken { token: "8a186ff6".into(), mask: "«secret:9f3a52c1»".into() };
        let mut opened = run_opened("r1", world, CredentialKind::UserToken);
        if let Event::RunOpened(opened) = &mut opened {
            opened.leaked = Some(leaked);
        }
        self.say(opened);
        self.say(Event::PlanSealed(Box::new(plan(b"plan"))));
        self.say(approved(&[http("cut", 1), http("cut", 2)], false));
        self.look();
        self.cut();
        self.outside();
        self.by_hand();
        self.ask();
        self.chores();
        self.skipped();
        self.failed();
        self.group();
        self.around();
        self.step = None;
        self.say(Event::RunEnding { reason: "a false alarm".into() });
        self.enter("goodbye");
        self.done(json!({ "text": "bye" }));
        self.step = None;
        self.say(Event::RunClosed { outcome: RunOutcome::Aborted, reason: "a false alarm".into() });
    }

    fn second_run(&mut self) {
        let up_to = Some(Danger::Reversible);
        self.say(Event::DriverTaken { machine: "laptop-7".into(), pid: 4712, answers: None, up_to });
        self.run = Some(RunId::new("r2"));
        self.say(run_opened("r2", World::Live("api.example.com".into()), CredentialKind::AccountToken));
        let none = PlanSealed { steps: Vec::new(), nested: Vec::new(), ..plan(b"none") };
        self.say(Event::PlanSealed(Box::new(none)));
        self.say(approved(&[], true));
        self.say(Event::RunClosed { outcome: RunOutcome::Done, reason: "every step has ended".into() });
    }

    fn look(&mut self) {
        self.enter("look");
        let evidence = self.kept("GET /accounts/…/tokens");
        self.say(Event::EvidenceTaken { evidence });
        for (n, severity) in [Severity::Info, Severity::Low, Severity::Medium, Severity::High, Severity::Critical]
            .into_iter()
            .enumerate()
        {
            self.say(Event::FindingMade { finding: Box::new(finding(n, severity)) });
        }
        let statuses = [
            FindingStatus::Contained,
            FindingStatus::Reverted,
            FindingStatus::RuledOut,
            FindingStatus::Accepted,
            FindingStatus::Open,
        ];
        for (n, status) in statuses.into_iter().enumerate() {
            self.say(Event::FindingSettled { id: finding_id(n), status, detail: "looked at again".into() });
        }
        for permission in [Some("DNS Read".to_owned()), None] {
            let (family, scope) = ("dns_records".to_owned(), "shop.example.com".to_owned());
            self.say(Event::GapSeen { gap: Gap { family, scope, reason: "HTTP 403".into(), permission } });
        }
        let output = Payload::Kept(self.kept("output of step look"));
        self.say(Event::StepDone { output, summary: "12 tokens".into() });
    }

    fn propose(&mut self, effects: &[&Effect], ask: Option<Ask>, chore: Option<Chore>) {
        self.say(Event::Proposed(Box::new(Proposed {
            output: Payload::Inline(json!({ "seen": effects.len() })),
            summary: "looked".into(),
            effects: effects.iter().map(|effect| (*effect).clone()).collect(),
            account_for_rest: true,
            verb: "disable".into(),
            ask,
            chore,
            already: vec![("old-deploy".into(), "it is disabled".into())],
            not_proposed: vec![("break-glass".into(), "it is never to be touched".into())],
        })));
    }

    fn consent(&mut self, effects: &[&Effect], left: Vec<Left>, basis: Basis) {
        let consents = effects.iter().map(|effect| Consent { effect: effect.key.clone(), digest: effect.digest() });
        let phrase = (basis == Basis::Typed).then(|| format!("disable {}", effects.len()));
        self.say(Event::Consented { effects: consents.collect(), left, phrase, basis });
    }

    /// Bob agrees, or Alice goes on without him.
    fn second(&mut self, effects: &[&Effect], alone: Option<&str>) {
        let consents = effects.iter().map(|effect| Consent { effect: effect.key.clone(), digest: effect.digest() });
        let event = Event::Seconded { effects: consents.collect(), alone: alone.map(str::to_owned) };
        self.say_by(if alone.is_some() { "alice" } else { "bob" }, event);
    }

    fn intend(&mut self, effect: &Effect, attempt: u32) {
        self.say(Event::Intended { effect: effect.key.clone(), attempt, call: effect.call.digest() });
    }

    fn settle(&mut self, effect: &Effect, attempt: u32, outcome: Outcome, by: SettledBy) {
        let receipt = json!({ "status": 200, "id": "t", "note": null });
        self.say(Event::Settled { effect: effect.key.clone(), attempt, outcome, receipt, by });
    }

    fn verify(&mut self, effect: &Effect, verdict: Verdict) {
        let evidence = vec![self.kept("GET /accounts/…/tokens/t")];
        self.say(Event::Verified { effect: effect.key.clone(), verdict, evidence });
    }

    fn decide(&mut self, effect: &Effect, decision: EffectDecision) {
        let words = "seen in the dashboard".to_owned();
        self.say(Event::EffectDecided { effect: effect.key.clone(), decision, words });
    }

    fn cut(&mut self) {
        self.enter("cut");
        let effects = [1, 2, 3, 4, 5, 6, 7, 8, 9].map(|n| http("cut", n));
        let [one, two, three, four, five, six, seven, eight, nine] = &effects;
        self.propose(&[one, two, three, four, five, six, seven, eight, nine], None, None);
        self.consent(&[one], Vec::new(), Basis::Plan);
        self.second(&[one], None);
        let later = left(six, Disposition::Later { owner: "platform team".into() });
        let keep = left(seven, Disposition::Keep { reason: "the partner deploys with it".into() });
        self.consent(&[two, three, four, five], vec![later, keep], Basis::Typed);
        self.second(&[two, three, four, five], Some("nobody else is awake"));
        self.say(Event::Rechecked);
        self.intend(one, 1);
        self.say(Event::AnswerSealed { effect: one.key.clone(), attempt: 1, sha256: Digest::of(b"sealed") });
        self.settle(one, 1, Outcome::Applied, SettledBy::Answer);
        self.verify(one, Verdict::Holds("it is disabled".into()));
        self.say(Event::WentOn { basis: Basis::Plan });
        self.intend(two, 1);
        self.settle(two, 1, Outcome::NotSent("HTTP 429".into()), SettledBy::Answer);
        self.intend(two, 2);
        self.settle(two, 2, Outcome::Refused("HTTP 403".into()), SettledBy::Answer);
        self.decide(two, EffectDecision::Abandon);
        self.intend(three, 1);
        self.settle(three, 1, Outcome::Unknown("the answer was lost".into()), SettledBy::Answer);
        self.verify(three, Verdict::DoesNotHold("it is active".into()));
        self.decide(three, EffectDecision::Retry);
        self.consent(&[three], Vec::new(), Basis::UpTo(Danger::Disruptive));
        self.second(&[three], None);
        self.intend(three, 2);
        self.settle(three, 2, Outcome::Applied, SettledBy::Vault);
        self.verify(three, Verdict::CannotTell("HTTP 403".into()));
        self.intend(four, 1);
        self.verify(four, Verdict::Holds("it is disabled".into()));
        self.settle(four, 1, Outcome::Applied, SettledBy::Probe);
        self.intend(five, 1);
        self.settle(five, 1, Outcome::Unknown("it could not be sealed".into()), SettledBy::Person);
        self.decide(five, EffectDecision::Applied);
        let met = left(eight, Disposition::AlreadyMet { proof: "it is disabled".into() });
        let unseen = left(nine, Disposition::Unseen { why: "HTTP 403".into() });
        self.say(Event::RowsLeft { left: vec![met, unseen] });
        self.done(json!({ "disabled": ["t1"] }));
        self.step = None;
        self.say(Event::SecretRevealed { effect: one.key.clone(), attempt: 1, to: "terminal".into() });
        self.deliver(one);
    }

    /// A sink has a secret whose first delivery was in doubt.
    fn deliver(&mut self, of: &Effect) {
        let deliveries = [
            (Outcome::Unknown("it was killed after 30 s".into()), SettledBy::Answer),
            (Outcome::NotSent("it is not there".into()), SettledBy::Probe),
            (Outcome::Applied, SettledBy::Answer),
        ];
        for (outcome, by) in deliveries {
            let (effect, attempt, sink) = (of.key.clone(), 1, "vault".to_owned());
            if by == SettledBy::Answer {
                let (to, call) = ("tee -a t1".into(), Digest::of(b"delivery"));
                let (effect, sink) = (effect.clone(), sink.clone());
                self.say(Event::DeliveryIntended { effect, attempt, sink, to, call });
            }
            self.say(Event::DeliverySettled { effect, attempt, sink, outcome, seen: "it ended".into(), by });
        }
    }

    fn outside(&mut self) {
        self.enter("outside");
        let secret = || Given::Secret(SecretEnv { secret_env: "HOOK".into() });
        let text = |text: &str| Given::Text(text.to_owned());
        let command = OutsideCall::Command(CommandCall {
            argv: vec!["tee".into(), "-a".into(), "it's a file".into()],
            env: [("KEY".to_owned(), secret()), ("LANG".to_owned(), text("C"))].into(),
            pass_env: vec!["USER".into()],
            stdin: Some(text("one line\n")),
            cwd: Some("/srv".into()),
            timeout: 300,
            expect: vec![0, 3],
            outputs: [("id".to_owned(), "/id".to_owned())].into(),
        });
        let read = WebRead {
            url: "https://gate.example/state".into(),
            headers: [("accept".to_owned(), text("application/json"))].into(),
            timeout: 30,
        };
        let web = OutsideCall::Web(WebCall {
            method: "POST".into(),
            url: secret(),
            headers: BTreeMap::new(),
            body: json!({ "text": "cut", "key": { "secret_env": "HOOK" } }),
            timeout: 15,
            expect: vec![200],
            outputs: BTreeMap::new(),
            verify: Some(Box::new(WebCheck {
                read,
                expect: Vec::new(),
                pointer: Some("/state".into()),
                equals: Some(json!("off")),
            })),
            best_effort: true,
        });
        let calls = [command, web].map(Call::Outside);
        let effects: Vec<Effect> = (1..)
            .zip(calls)
            .map(|(n, call)| Effect { call, undo: None, resolves: None, ..http("outside", n) })
            .collect();
        let [command, web] = [&effects[0], &effects[1]];
        self.propose(&[command, web], None, None);
        self.consent(&[command, web], Vec::new(), Basis::Typed);
        for effect in [command, web] {
            self.intend(effect, 1);
            self.settle(effect, 1, Outcome::Applied, SettledBy::Answer);
            self.verify(effect, Verdict::CannotTell("nobody can look".into()));
        }
        self.done(json!({ "done": true }));
    }

    fn by_hand(&mut self) {
        self.enter("hands");
        let call = Call::Hand(ByHand {
            instruction: "Remove the deploy key.".into(),
            dashboard: Some("Manage account > Members".into()),
            curl: Some("curl -X DELETE …".into()),
            request: Some(HttpCall {
                method: "DELETE".into(),
                path: "/keys/1".into(),
                body: None,
                secret_answer: false,
            }),
            read: Some("curl …/keys/1".into()),
            place: Some(json!({ "key": 1 })),
            blind: true,
        });
        let effect = Effect { call: call.clone(), ..http("hands", 1) };
        let seen = Effect { call, ..http("hands", 2) };
        self.propose(&[&effect, &seen], None, None);
        self.verify(&seen, Verdict::CannotTell("nobody answers".into()));
        self.verify(&seen, Verdict::Holds("it is gone".into()));
        self.settle(&seen, 0, Outcome::Applied, SettledBy::Probe);
        self.settle(&effect, 0, Outcome::Applied, SettledBy::Person);
        self.verify(&effect, Verdict::DoesNotHold("it is still there".into()));
        self.decide(&effect, EffectDecision::Applied);
        self.done(Value::Null);
    }

    fn ask(&mut self) {
        self.enter("ask");
        let kinds = [
            AnswerKind::Text,
            AnswerKind::Choice { options: vec![("now".into(), "cut now".into())] },
            AnswerKind::File,
        ];
        let question = |(name, kind): (&str, AnswerKind)| Question {
            name: name.into(),
            prompt: "Which?".into(),
            kind,
            required: name == "a",
            takes: None,
        };
        let questions = ["a", "b", "c"].into_iter().zip(kinds).map(question).collect();
        self.propose(&[], Some(Ask { instruction: "Only people know.".into(), questions }), None);
        self.say(Event::Answered {
            fields: Map::from_iter([("a".to_owned(), json!("x")), ("b".to_owned(), json!("now"))]),
        });
        self.done(json!({ "answers": {} }));
    }

    fn chores(&mut self) {
        let ends = [
            ("wait-1", WaitEnd::Elapsed, None),
            ("wait-2", WaitEnd::Held, None),
            ("wait-3", WaitEnd::CutShort, Some("enough".to_owned())),
        ];
        for (step, end, words) in ends {
            self.enter(step);
            let every = (end == WaitEnd::Held).then_some(30);
            self.propose(
                &[],
                None,
                Some(Chore::Wait(Wait { message: "the cache to forget".into(), seconds: 60, every })),
            );
            self.say(Event::Waited { end, words });
            self.done(json!({ "ended": "elapsed" }));
        }
        self.enter("draft");
        self.propose(&[], None, Some(Chore::Report));
        let written = || Event::ReportWritten { sha256: Digest::of(b"report"), file: "report.md".into() };
        self.say(written());
        self.done(json!({ "path": "report.md" }));
        self.enter("switch");
        self.propose(&[], None, Some(Chore::Switch { token: "f5d2".into() }));
        self.say(Event::CredentialSwitched {
            effect: http("cut", 1).key,
            attempt: 1,
            credential: credential(CredentialKind::AccountToken),
            proof: "verified".into(),
        });
        self.done(json!({ "switched": true }));
        self.step = None;
        self.say(written());
    }

    fn skipped(&mut self) {
        for (step, cause) in [("skip-1", SkipCause::When), ("skip-2", SkipCause::Person), ("skip-3", SkipCause::Jump)] {
            self.at(step);
            let output = (cause == SkipCause::Person).then(|| Payload::Inline(json!({ "seen": 1 })));
            self.say(Event::StepSkipped { reason: "not now".into(), cause, output });
        }
    }

    fn failed(&mut self) {
        let decisions = [("fail-1", FailureDecision::Continue), ("fail-2", FailureDecision::Jump("last".into()))];
        for (step, decision) in decisions {
            self.enter(step);
            self.say(Event::StepFailed { error: "no connection".into(), hint: Some("check the network".into()) });
            self.say(Event::FailureDecided { decision: FailureDecision::Retry, words: "once more".into() });
            self.say(Event::StepBegan);
            self.say(Event::StepFailed { error: "no connection".into(), hint: None });
            self.say(Event::FailureDecided { decision, words: "as the runbook says".into() });
        }
    }

    fn group(&mut self) {
        self.enter("group");
        let group = StepPath::step("group");
        let inner = PlannedStep {
            path: StepPath::within(&group, "inner", Some(1), Some("é/1")),
            parent: Some(group),
            round: 1,
            key: Some("é/1".into()),
            ..step("inner", Phase::Contain, Danger::Observe)
        };
        let path = inner.path.clone();
        self.say(Event::Expanded(Box::new(Expanded {
            round: 1,
            items: Payload::Inline(json!({ "é/1": { "id": "é/1" } })),
            inputs: Some(Payload::Inline(json!({ "é/1": { "who": "ci" } }))),
            files: [("inner.txt".to_owned(), Digest::of(b"inner"))].into(),
            steps: vec![Arc::new(inner)],
        })));
        self.step = Some(path);
        self.say(Event::StepBegan);
        self.done(json!({ "text": "told" }));
        self.at("group");
        self.done(json!({ "results": [] }));
    }

    /// What happens around the steps.
    fn around(&mut self) {
        self.step = None;
        let roles = [None, Some(Role::Approver), Some(Role::Scribe), Some(Role::Operator), Some(Role::Commander)];
        for (role, kind) in roles.into_iter().zip(NoteKind::ALL) {
            self.role = role;
            self.say(Event::Noted { text: "the shop stays up".into(), kind });
        }
        self.say(Event::Paused { reason: "a person paused it".into() });
        // A process dies in the middle of a line; the next one cuts it off.
        let mut file = OpenOptions::new().append(true).open(self.path()).unwrap();
        file.write_all(br#"{"v":"#).unwrap();
        let credential = credential(CredentialKind::GlobalKey);
        self.say(Event::RunResumed { tool: "0.1.0".into(), credential });
        let amended = PlanSealed { nested: Vec::new(), ..plan(b"amended") };
        self.say(Event::PlanAmended(Box::new(PlanAmended {
            plan: amended,
            runbook_sha256: Digest::of(b"edited"),
            changes: vec!["the title of step `last` is another".into()],
            words: "only words".into(),
        })));
    }
}

impl Story {
    /// What happens when no run is open any more.
    fn afterwards(&mut self) {
        (self.run, self.step) = (None, None);
        let done_at = "2026-11-23T14:20:00Z".parse().unwrap();
        let sha256 = Digest::of(b"screenshot");
        let file = EvidenceRef { sha256, bytes: 10, source: "shot.png".into(), at: self.now };
        self.say(Event::Attested { text: "removed the member in the dashboard".into(), done_at, file: Some(file) });
        self.say(Event::Attested { text: "called the bank".into(), done_at, file: None });
        self.say(Event::IncidentClosed {
            accepted: vec![Accepted {
                matter: "gap 1".into(),
                what: "not seen: members of account: refused".into(),
                by: "Maya Lindqvist".into(),
                reason: "no permission for it".into(),
            }],
        });
    }
}

/// A plan is approved; of its effects only the first is covered.
fn approved(effects: &[Effect], by_file: bool) -> Event {
    let path = StepPath::step("cut");
    let planned = effects.iter().enumerate().map(|(n, effect)| PlannedEffect {
        key: effect.key.clone(),
        path: path.clone(),
        summary: effect.summary.clone(),
        danger: effect.danger,
        digest: effect.digest(),
        before: effect.before.clone(),
        asked: n > 0,
    });
    Event::PlanApproved(Box::new(PlanApproved {
        file: Digest::of(b"plan.json"),
        made_at: "2026-11-23T14:00:00Z".parse().unwrap(),
        looked_at: vec![StepPath::step("look"), path.clone()],
        effects: planned.collect(),
        phrase: format!("approve {}", effects.len()),
        by_file,
    }))
}

fn left(effect: &Effect, disposition: Disposition) -> Left {
    Left { effect: effect.key.clone(), disposition }
}

fn credential(kind: CredentialKind) -> CredentialFacts {
    let expires = Some("2027-02-11T21:05:54Z".parse().unwrap());
    CredentialFacts { kind, id: Some("889691f9".into()), owner: Some("maya@example.com".into()), expires }
}

fn run_opened(run: &str, world: World, kind: CredentialKind) -> Event {
    let roles = Role::ALL.map(|role| (role, format!("the {role}")));
    Event::RunOpened(Box::new(RunOpened {
        run: RunId::new(run),
        runbook: "story".into(),
        title: "A token is in the wrong hands".into(),
        runbook_sha256: Digest::of(b"runbook"),
        source: "embedded".into(),
        target_seconds: Some(900),
        update_seconds: Some(1800),
        detected_at: Some("2026-11-23T13:55:00Z".parse().unwrap()),
        roles: roles.into(),
        world,
        api: "api.example.com".into(),
        account: Account { id: "acc".into(), name: "Harbor Lane Books".into() },
        credential: credential(kind),
        crown_jewels: vec!["shop.example.com".into()],
        skew_ms: Some(-730),
        leaked: None,
    }))
}

fn step(id: &str, phase: Phase, max_danger: Danger) -> PlannedStep {
    PlannedStep {
        path: StepPath::step(id),
        phase,
        title: format!("Step {id}"),
        why: (id == "cut").then(|| "It leaked.".to_owned()),
        action: "example.action".into(),
        max_danger,
        container: id == "group",
        parent: None,
        round: 0,
        key: None,
        finally: id == "goodbye",
        skippable: id != "cut",
        second_person: id == "cut",
        needed_by: if id == "look" { vec!["cut".into()] } else { Vec::new() },
    }
}

fn plan(digest: &[u8]) -> PlanSealed {
    let steps = [
        ("look", Phase::Identify, Danger::Observe),
        ("cut", Phase::Contain, Danger::Disruptive),
        ("outside", Phase::Eradicate, Danger::Reversible),
        ("hands", Phase::Recover, Danger::Irreversible),
        ("ask", Phase::Prepare, Danger::Observe),
        ("wait-1", Phase::Recover, Danger::Observe),
        ("wait-2", Phase::Recover, Danger::Observe),
        ("wait-3", Phase::Recover, Danger::Observe),
        ("draft", Phase::Learn, Danger::Observe),
        ("switch", Phase::Prepare, Danger::Observe),
        ("skip-1", Phase::Learn, Danger::Observe),
        ("skip-2", Phase::Learn, Danger::Observe),
        ("skip-3", Phase::Learn, Danger::Observe),
        ("fail-1", Phase::Learn, Danger::Observe),
        ("fail-2", Phase::Learn, Danger::Observe),
        ("group", Phase::Contain, Danger::Observe),
        ("last", Phase::Learn, Danger::Observe),
        ("goodbye", Phase::Learn, Danger::Observe),
    ];
    PlanSealed {
        digest: Digest::of(digest),
        inputs: Map::from_iter([("suspect".to_owned(), json!("ci-deploy")), ("zones".to_owned(), json!(["a", 1.5]))]),
        steps: steps.into_iter().map(|(id, phase, danger)| Arc::new(step(id, phase, danger))).collect(),
        not_examined: vec!["registrar".into()],
        actions: [("example.action".to_owned(), 1)].into(),
        files: [("list.txt".to_owned(), Digest::of(b"list"))].into(),
        nested: vec![NestedRunbook { name: "block".into(), sha256: Digest::of(b"block"), source: "embedded".into() }],
    }
}

fn http(step: &str, n: usize) -> Effect {
    let id = format!("t{n}");
    Effect {
        key: EffectKey::derive(step, "example.action", "token", &id),
        action: "example.action".into(),
        target: Target { kind: "token".into(), id: id.clone(), name: format!("token {n}"), ambiguous: n == 2 },
        summary: format!("disable token {n}"),
        danger: Danger::Disruptive,
        call: Call::Http(HttpCall {
            method: "PUT".into(),
            path: format!("/tokens/{id}"),
            body: (n != 1).then(|| json!({ "status": "disabled", "policies": [{ "effect": "allow" }] })),
            secret_answer: n == 1,
        }),
        before: json!({ "status": "active" }),
        after: json!({ "status": "disabled" }),
        radius: Radius {
            reach: Some("zone a.example".into()),
            cut_off: Some("whoever deploys with it".into()),
            put_back: (n == 1).then(|| "enable it in the dashboard".into()),
        },
        consequences: vec!["it was last used: 2026-11-20".into()],
        facts: vec![("last used".into(), "2026-11-20".into())],
        preselected: n == 1,
        undo: Some(UndoCall { action: "example.restore".into(), with: json!({ "token": id }) }),
        resolves: Some(Resolves { finding: finding_id(0), status: FindingStatus::Contained }),
    }
}

fn finding_id(n: usize) -> String {
    format!("CF-T07:dns_records:{n}")
}

fn finding(n: usize, severity: Severity) -> Finding {
    let changes = [Change::Added, Change::Removed, Change::Changed];
    let attributions = [Attribution::Intruder, Attribution::Shared, Attribution::Other, Attribution::Unattributed];
    let is_full = n == 0;
    let some = |text: &str| is_full.then(|| text.to_owned());
    Finding {
        id: finding_id(n),
        technique: "CF-T07".into(),
        severity,
        status: FindingStatus::Open,
        family: "dns_records".into(),
        change: changes[n % changes.len()],
        resource: Resource { id: n.to_string(), name: "www.example.com".into(), zone: some("example.com") },
        actor: Actor {
            token_id: some("t1"),
            token_name: some("ci-deploy"),
            email: some("a@b.example"),
            ip: some("203.0.113.9"),
        },
        attribution: attributions[n % attributions.len()],
        detail: "it points elsewhere".into(),
        at: is_full.then(|| "2026-11-23T13:12:00Z".parse().unwrap()),
        before: is_full.then(|| json!({ "content": "192.0.2.1" })),
        after: is_full.then(|| json!({ "content": "203.0.113.9" })),
        evidence: vec![Digest::of(b"evidence")],
        sources: if is_full { vec![Source::Audit, Source::Diff] } else { vec![Source::Diff] },
    }
}
