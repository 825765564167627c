use std::io::Write;
use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};
use quell::cli::console::{Rested, Screen, Style, Volume, Watch, header, left_text, resumed_text};
use quell::engine::Observer;
use quell::journal::{
    Consent, EffectState, Event, Journal, Payload, PlanSealed, RunOpened, RunOutcome, SettledBy, Stamp,
};
use quell::model::{
    Account, Actor, Attribution, Change, CredentialFacts, CredentialKind, Danger, Digest, Effect, Finding,
    FindingStatus, Gap, IncidentId, Outcome, Phase, Resource, Role, RunId, Severity, Source, StepPath, Verdict, World,
};
use serde_json::{Map, Value};

use super::{effect, five, planned, proposed};

/// What was written, for a test to read.
#[derive(Clone, Default)]
pub(super) struct Paper(Arc<Mutex<Vec<u8>>>);

impl Paper {
    pub(super) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

pub(super) fn screen(style: Style, volume: Volume) -> (Arc<Screen>, Paper) {
    let paper = Paper::default();
    (Arc::new(Screen::to(Box::new(paper.clone()), style, volume)), paper)
}

fn stamp(at: Timestamp) -> Stamp {
    let path = Some(StepPath::step("cut-suspect"));
    Stamp { at, by: "ann".into(), role: None, run: Some(RunId::new("r1")), path }
}

/// A journal whose entries are told as they come.
pub(super) struct Told {
    _dir: tempfile::TempDir,
    journal: Journal,
    watch: Watch,
    paper: Paper,
    at: Timestamp,
}

impl Told {
    pub(super) fn new(style: Style, effects: &[Effect]) -> Self {
        let (screen, paper) = screen(style, Volume::Normal);
        let at = "2026-11-23T14:12:00Z".parse().unwrap();
        let world = World::Rehearsal("token-leak".into());
        let credential = CredentialFacts { kind: CredentialKind::UserToken, id: None, owner: None, expires: None };
        let opened = Event::IncidentOpened {
            id: IncidentId::new("20261123-1412-k7qd"),
            title: "token leak".into(),
            world: world.clone(),
            tool: "0.1.0".into(),
            machine: "here".into(),
        };
        let dir = tempfile::tempdir().unwrap();
        let (journal, first) = Journal::create(dir.path(), &stamp(at), opened).unwrap();
        let watch = Watch::new(screen);
        watch.follow(dir.path());
        watch.entry(&first, journal.state());
        let mut told = Self { _dir: dir, journal, watch, paper, at };
        told.tell(Event::RunOpened(Box::new(RunOpened {
            detected_at: None,
            roles: Default::default(),
            update_seconds: None,
            run: RunId::new("r1"),
            runbook: "token".into(),
            title: "Token".into(),
            runbook_sha256: Digest::of(b""),
            source: "embedded".into(),
            target_seconds: None,
            world,
            api: "127.0.0.1".into(),
            account: Account { id: "a".into(), name: "Acme".into() },
            credential,
            crown_jewels: Vec::new(),
            skew_ms: None,
            leaked: None,
        })));
        let later = ["check-again", "watch", "close"].map(|id| {
            let mut later = planned(id);
            later.phase = Phase::Recover;
            later
        });
        told.tell(Event::PlanSealed(Box::new(PlanSealed {
            nested: vec![],
            files: [].into(),
            actions: [].into(),
            not_examined: Vec::new(),
            digest: Digest::of(b""),
            inputs: Map::new(),
            steps: std::iter::once(planned("cut-suspect")).chain(later).map(Into::into).collect(),
        })));
        told.tell(Event::StepBegan);
        told.tell(Event::Proposed(Box::new(proposed(effects, false))));
        told
    }

    pub(super) fn tell(&mut self, event: Event) {
        self.at += SignedDuration::from_secs(1);
        for entry in self.journal.append(&stamp(self.at), event).unwrap() {
            self.watch.entry(&entry, self.journal.state());
        }
    }

    fn send(&mut self, effect: &Effect, outcome: Option<Outcome>) {
        self.tell(Event::Consented {
            basis: quell::journal::Basis::Typed,
            effects: vec![Consent { effect: effect.key.clone(), digest: effect.digest() }],
            left: Vec::new(),
            phrase: Some("cut-suspect".into()),
        });
        self.tell(Event::Intended { effect: effect.key.clone(), attempt: 1, call: effect.call.digest() });
        if let Some(outcome) = outcome {
            self.tell(Event::Settled {
                effect: effect.key.clone(),
                attempt: 1,
                outcome,
                receipt: Value::Null,
                by: SettledBy::Answer,
            });
        }
    }

    fn effect(&self, at: usize) -> EffectState {
        self.journal.state().latest_run().unwrap().step(&StepPath::step("cut-suspect")).unwrap().effects[at].clone()
    }

    /// One step from begin to end, as it is told.
    pub(super) fn course(style: Style) -> String {
        let effects = [effect(1, "ci-deploy", Danger::Disruptive)];
        let mut told = Self::new(style, &effects);
        for number in 0..11 {
            told.tell(Event::FindingMade { finding: Box::new(finding(number)) });
        }
        let gap = Gap {
            family: "tokens".into(),
            scope: "the account".into(),
            reason: "the API refused to show it: 403".into(),
            permission: Some("Account API Tokens Read".into()),
        };
        told.tell(Event::GapSeen { gap });
        told.send(&effects[0], Some(Outcome::Applied));
        told.tell(Event::Verified {
            effect: effects[0].key.clone(),
            verdict: Verdict::Holds("its status is `disabled`".into()),
            evidence: Vec::new(),
        });
        told.tell(Event::StepDone { output: Payload::Inline(Value::Null), summary: "1 of 1 done and proven".into() });
        told.tell(Event::Paused { reason: "a person paused it".into() });
        told.tell(Event::RunResumed {
            tool: "0.1.0".into(),
            credential: CredentialFacts { kind: CredentialKind::UserToken, id: None, owner: None, expires: None },
        });
        told.tell(Event::RunClosed { outcome: RunOutcome::Aborted, reason: "a false alarm".into() });
        told.paper.text()
    }
}

/// An effect whose answer was lost.
pub(super) fn state_in_doubt(secret_answer: bool) -> EffectState {
    let mut effects = five();
    if let quell::model::Call::Http(call) = &mut effects[0].call {
        call.secret_answer = secret_answer;
    }
    let mut told = Told::new(super::PLAIN, &effects[..1]);
    told.send(&effects[0], Some(Outcome::Unknown("the connection was reset before an answer came".into())));
    told.tell(Event::Verified {
        effect: effects[0].key.clone(),
        verdict: Verdict::CannotTell("a roll leaves no trace that can be read".into()),
        evidence: Vec::new(),
    });
    told.effect(0)
}

/// Work by hand that a person says is done and that a look does not bear out.
pub(super) fn attested() -> EffectState {
    let effect = super::by_hand(1, "mallory@example.com");
    let mut told = Told::new(super::PLAIN, std::slice::from_ref(&effect));
    told.tell(Event::Settled {
        effect: effect.key.clone(),
        attempt: 0,
        outcome: Outcome::Applied,
        receipt: serde_json::json!({ "attested_by": "Priya Nair" }),
        by: SettledBy::Person,
    });
    told.tell(Event::Verified {
        effect: effect.key,
        verdict: Verdict::DoesNotHold("the sessions are there".into()),
        evidence: Vec::new(),
    });
    told.effect(0)
}

fn finding(number: usize) -> Finding {
    Finding {
        id: format!("CF-T07:dns_records:{number}"),
        technique: "CF-T07".into(),
        severity: if number == 0 { Severity::Critical } else { Severity::Medium },
        status: FindingStatus::Open,
        family: "dns_records".into(),
        change: Change::Changed,
        resource: Resource {
            id: format!("r{number}"),
            name: format!("www{number}.example.com\u{1b}[2J"),
            zone: Some("example.com".into()),
        },
        actor: Actor::default(),
        attribution: Attribution::Intruder,
        detail: "points to an address that is not yours".into(),
        at: None,
        before: None,
        after: None,
        evidence: Vec::new(),
        sources: vec![Source::Audit],
    }
}

#[test]
fn what_is_left_is_named_with_its_state() {
    let effects = five();
    let mut told = Told::new(super::PLAIN, &effects[..2]);
    told.send(&effects[0], None);
    let left = left_text(told.journal.state().latest_run().unwrap(), &super::PLAIN);
    assert_eq!(left.matches("not begun").count(), 1, "a screen has 24 lines\n{left}");
    insta::assert_snapshot!(left);
}

#[test]
fn where_a_run_stands_fits_a_screen_below_its_header() {
    let effects = five();
    let mut told = Told::new(super::PLAIN, &effects);
    for effect in &effects[1..] {
        told.tell(Event::Consented {
            basis: quell::journal::Basis::Typed,
            effects: vec![Consent { effect: effect.key.clone(), digest: effect.digest() }],
            left: Vec::new(),
            phrase: None,
        });
    }
    told.send(&effects[0], Some(Outcome::Unknown("the connection was reset before an answer came ".repeat(9))));
    let mut run = told.journal.state().latest_run().unwrap().clone();
    let credential = CredentialFacts {
        kind: CredentialKind::AccountToken,
        id: Some("ed17574386854bf78a67040be0a770b0".into()),
        owner: Some("maya.lindqvist@harborlane.example".into()),
        expires: Some(told.at),
    };
    run.credential = credential.clone();
    run.opened.credential = CredentialFacts { id: None, ..credential };
    run.opened.detected_at = Some(told.at);
    run.opened.target_seconds = Some(900);
    run.opened.roles = [(Role::Commander, "Maya Lindqvist".into()), (Role::Scribe, "Sam".into())].into();
    run.opened.source = "/home/maya/incidents/runbooks/cloudflare-token-compromise.toml".into();
    let now = told.at + SignedDuration::from_mins(63);
    let next = "look what became of the effect in doubt at `cut-suspect`";
    for paused in [None, Some("waiting for a person: step `cut-suspect` needs consent ".repeat(9))] {
        run.paused = paused;
        for width in [40, 80] {
            let style = Style { width, rehearsal: true, ..super::PLAIN };
            let driver = Some((4242, "laptop-7"));
            let rested =
                Rested { at: told.at, driver, credential: &run.opened.credential, tool: None, beside: 0, next };
            let text = resumed_text(&run, &rested, now, &style);
            let header = header(&run.opened, &[], &IncidentId::new("20261123-1412-k7qd"), told.at, now, &[], &style);
            let lines = header.lines().chain(text.lines());
            assert!(lines.clone().all(|line| quell::cli::console::width(line) <= width), "{header}{text}");
            assert!(width < 80 || lines.count() <= 24, "{header}{text}");
            if width == 80 && run.paused.is_none() {
                insta::assert_snapshot!(text);
            }
        }
    }
}
