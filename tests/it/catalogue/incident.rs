//! A journal in a folder of its own, for the only way there is to a warrant: consent, then intent, on disk.

use quell::action::StepPlan;
use quell::journal::{
    Consent, Event, Journal, Payload, PlanSealed, PlannedStep, Proposed, RunOpened, SettledBy, Stamp,
};
use quell::model::{Call, Danger, Digest, Effect, EffectKey, IncidentId, Outcome, Phase, RunId};
use quell::provider::Answer;
use serde_json::{Map, Value};

use crate::stage::{Stage, action};

/// What came of sending one effect.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) outcome: Outcome,
    pub(crate) receipt: Value,
}

pub(crate) struct Incident {
    journal: Journal,
    run: RunId,
    dir: tempfile::TempDir,
}

impl Incident {
    /// An incident in which a person consented to everything that `plan` proposes.
    pub(crate) fn of(stage: &Stage, id: &str, plan: &StepPlan<Value>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let run = RunId::new("r1");
        let world = stage.connected.read.world().clone();
        let opened = Event::IncidentOpened {
            id: IncidentId::new("i1"),
            title: "battery".into(),
            world: world.clone(),
            tool: "test".into(),
            machine: "test".into(),
        };
        let stamp = Stamp { at: stage.now, by: "tester".into(), role: None, run: None, path: None };
        let (journal, _) = Journal::create(dir.path(), &stamp, opened).unwrap();
        let mut incident = Self { journal, run, dir };
        let digest = Digest::of(b"battery");
        incident.append(
            stage,
            false,
            Event::RunOpened(Box::new(RunOpened {
                detected_at: None,
                roles: Default::default(),
                update_seconds: None,
                run: incident.run.clone(),
                runbook: "battery".into(),
                title: "battery".into(),
                runbook_sha256: digest.clone(),
                source: "embedded".into(),
                target_seconds: None,
                world,
                api: "loopback".into(),
                account: stage.connected.account.clone(),
                credential: stage.connected.credential.clone(),
                crown_jewels: Vec::new(),
                skew_ms: None,
                leaked: None,
            })),
        );
        let step = PlannedStep {
            path: stage.path.clone(),
            phase: Phase::Contain,
            title: "battery".into(),
            why: None,
            action: id.into(),
            max_danger: Danger::Irreversible,
            container: false,
            parent: None,
            round: 0,
            key: None,
            finally: false,
            skippable: true,
            second_person: false,
            needed_by: Vec::new(),
        };
        let sealed = PlanSealed {
            digest,
            inputs: Map::new(),
            steps: vec![step.into()],
            not_examined: vec![],
            nested: vec![],
            files: [].into(),
            actions: [].into(),
        };
        incident.append(stage, false, Event::PlanSealed(Box::new(sealed)));
        incident.append(stage, true, Event::StepBegan);
        let proposed = Proposed {
            chore: None,
            output: Payload::Inline(plan.output.clone()),
            summary: plan.summary.clone(),
            effects: plan.effects.clone(),
            account_for_rest: plan.account_for_rest,
            verb: action(id).spec().verb.into(),
            ask: None,
            already: plan.already.clone(),
            not_proposed: Vec::new(),
        };
        incident.append(stage, true, Event::Proposed(Box::new(proposed)));
        let consent = |effect: &Effect| Consent { effect: effect.key.clone(), digest: effect.digest() };
        let effects = plan.effects.iter().map(consent).collect();
        incident.append(
            stage,
            true,
            Event::Consented { effects, left: vec![], phrase: None, basis: quell::journal::Basis::Typed },
        );
        incident
    }

    /// Sends one effect for the warrant of its intent, and settles it.
    pub(crate) async fn send(&mut self, stage: &Stage, effect: &Effect) -> Sent {
        let Call::Http(call) = &effect.call else { panic!("not quell's to send: {effect:#?}") };
        let world = stage.connected.read.world().clone();
        let stamp = self.stamp(stage, true);
        let (_, warrant) = self.journal.intend(&stamp, effect, 1, &world).unwrap();
        let answer: Answer = stage.connected.send.send(warrant, call.clone()).await;
        let receipt = action(&effect.action).settle(effect, &answer);
        let settled = Event::Settled {
            effect: effect.key.clone(),
            attempt: 1,
            outcome: receipt.outcome.clone(),
            receipt: receipt.detail.clone(),
            by: SettledBy::Answer,
        };
        self.append(stage, true, settled);
        Sent { outcome: receipt.outcome, receipt: receipt.detail }
    }

    /// The effect as another process reads it from the disk.
    pub(crate) fn reread(&self, key: &EffectKey) -> Effect {
        let (journal, _) = Journal::open(self.dir.path()).unwrap();
        journal.state().run(&self.run).unwrap().effect(key).unwrap().effect.clone()
    }

    /// Every byte of the journal.
    pub(crate) fn text(&self) -> String {
        std::fs::read_to_string(self.dir.path().join(quell::journal::FILE_NAME)).unwrap()
    }

    fn append(&mut self, stage: &Stage, at_step: bool, event: Event) {
        let stamp = self.stamp(stage, at_step);
        self.journal.append(&stamp, event).unwrap();
    }

    fn stamp(&self, stage: &Stage, at_step: bool) -> Stamp {
        let path = at_step.then(|| stage.path.clone());
        Stamp { role: None, at: stage.now, by: "tester".into(), run: Some(self.run.clone()), path }
    }
}
