//! The fold and the decision over it, under any sequence of events: folded or refused, never a panic, and nothing is
//! sent while an intent is open.

use std::sync::LazyLock;

use jiff::Timestamp;
use proptest::prelude::*;
use proptest::sample::Index;
use quell::engine::{Next, decide};
use quell::journal::{
    Basis, EffectDecision, EffectState, EffectStatus, Entry, Event, Expanded, FailureDecision, IncidentState, Left,
    Payload, PlanSealed, PlannedStep, RunOutcome, RunState, SettledBy, SkipCause, StepStatus, WaitEnd,
};
use quell::model::{
    Chore, Danger, Digest, Disposition, IncidentId, Outcome, Phase, RunId, StepPath, Verdict, Wait, World,
};
use serde_json::{Map, Value};

use crate::format::story;
use crate::journal::{consented, effect, proposed, run_opened};

fn planned(path: StepPath, container: bool, parent: Option<&str>) -> PlannedStep {
    PlannedStep {
        path,
        phase: Phase::Contain,
        title: "t".into(),
        why: None,
        action: "a".into(),
        max_danger: Danger::Reversible,
        container,
        parent: parent.map(StepPath::step),
        round: u32::from(parent.is_some()),
        key: None,
        finally: false,
        skippable: true,
        second_person: false,
        needed_by: Vec::new(),
    }
}

fn group() -> StepPath {
    StepPath::step("group")
}

/// The step of the group in its `round`.
fn inner(round: u32) -> StepPath {
    StepPath::within(&group(), "inner", Some(round), None)
}

fn plan() -> Event {
    let last = PlannedStep { finally: true, ..planned(StepPath::step("last"), false, None) };
    Event::PlanSealed(Box::new(PlanSealed {
        nested: vec![],
        files: [].into(),
        actions: [].into(),
        digest: Digest::of(b"plan"),
        inputs: Map::new(),
        steps: [planned(StepPath::step("cut"), false, None), planned(group(), true, None), last].map(Into::into).into(),
        not_examined: vec![],
    }))
}

fn expanded(round: u32) -> Event {
    let step = PlannedStep { round, ..planned(inner(round), false, Some("group")) };
    Event::Expanded(Box::new(Expanded {
        inputs: None,
        files: [].into(),
        round,
        items: Payload::Inline(Value::Null),
        steps: vec![step.into()],
    }))
}

fn wait() -> Chore {
    Chore::Wait(Wait { message: "m".into(), seconds: 1, every: None })
}

/// A proposal that has the engine do something itself.
fn chore(chore: Chore) -> Event {
    let Event::Proposed(mut proposal) = proposed(vec![]) else { unreachable!() };
    proposal.chore = Some(chore);
    Event::Proposed(proposal)
}

fn path() -> impl Strategy<Value = Option<StepPath>> {
    prop_oneof![
        4 => Just(Some(StepPath::step("cut"))),
        3 => Just(Some(group())),
        3 => (1..3u32).prop_map(|round| Some(inner(round))),
        1 => Just(Some(StepPath::step("last"))),
        1 => Just(Some(StepPath::step("nowhere"))),
        1 => Just(None),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    let id = || prop_oneof![Just("t1"), Just("t2")];
    let outcome = prop_oneof![
        Just(Outcome::Applied),
        Just(Outcome::Refused("no".into())),
        Just(Outcome::NotSent("no".into())),
        Just(Outcome::Unknown("?".into())),
    ];
    let delivered = prop_oneof![Just(Outcome::Applied), Just(Outcome::Unknown("?".into()))];
    let by = prop_oneof![Just(SettledBy::Answer), Just(SettledBy::Probe), Just(SettledBy::Person)];
    let verdict = prop_oneof![
        Just(Verdict::Holds("yes".into())),
        Just(Verdict::DoesNotHold("no".into())),
        Just(Verdict::CannotTell("?".into())),
    ];
    let decision =
        prop_oneof![Just(EffectDecision::Retry), Just(EffectDecision::Applied), Just(EffectDecision::Abandon)];
    let failure = prop_oneof![
        Just(FailureDecision::Retry),
        Just(FailureDecision::Continue),
        Just(FailureDecision::Jump("last".into())),
    ];
    let key = |id: &str| effect(id).key;
    prop_oneof![
        6 => Just(Event::StepBegan),
        1 => Just(Event::StepSkipped { reason: "x".into(), cause: SkipCause::Person, output: None }),
        4 => Just(proposed(vec![effect("t1"), effect("t2")])),
        1 => Just(proposed(vec![])),
        2 => prop_oneof![Just(Chore::Report), Just(wait())].prop_map(chore),
        2 => Just(Event::Waited { end: WaitEnd::Elapsed, words: None }),
        2 => Just(Event::ReportWritten { sha256: Digest::of(b"report"), file: "report.md".into() }),
        6 => id().prop_map(|id| consented(&effect(id))),
        6 => (id(), 0..3u32).prop_map(move |(id, attempt)| {
            Event::Intended { effect: key(id), attempt, call: effect(id).call.digest() }
        }),
        6 => (id(), 0..3u32, outcome, by).prop_map(move |(id, attempt, outcome, by)| {
            Event::Settled { effect: key(id), attempt, outcome, receipt: Value::Null, by }
        }),
        3 => (id(), 0..3u32).prop_map(move |(id, attempt)| {
            Event::AnswerSealed { effect: key(id), attempt, sha256: Digest::of(b"sealed") }
        }),
        3 => (id(), 0..3u32).prop_map(move |(id, attempt)| {
            let (sink, to, call) = ("s".into(), "p".into(), Digest::of(b"call"));
            Event::DeliveryIntended { effect: key(id), attempt, sink, to, call }
        }),
        3 => (id(), 0..3u32, delivered).prop_map(move |(id, attempt, outcome)| {
            let (sink, seen) = ("s".into(), String::new());
            Event::DeliverySettled { effect: key(id), attempt, sink, outcome, seen, by: SettledBy::Answer }
        }),
        4 => (id(), verdict).prop_map(move |(id, verdict)| {
            Event::Verified { effect: key(id), verdict, evidence: vec![] }
        }),
        2 => (id(), decision).prop_map(move |(id, decision)| {
            Event::EffectDecided { effect: key(id), decision, words: "x".into() }
        }),
        1 => id().prop_map(move |id| {
            let disposition = Disposition::Keep { reason: "x".into() };
            Event::RowsLeft { left: vec![Left { effect: key(id), disposition }] }
        }),
        1 => Just(Event::WentOn { basis: Basis::Typed }),
        1 => Just(Event::Rechecked),
        4 => Just(Event::StepDone { output: Payload::Inline(Value::Null), summary: "s".into() }),
        2 => Just(Event::StepFailed { error: "e".into(), hint: None }),
        2 => failure.prop_map(|decision| Event::FailureDecided { decision, words: "x".into() }),
        4 => (1..4u32).prop_map(expanded),
        1 => Just(Event::Paused { reason: "x".into() }),
        1 => Just(Event::RunEnding { reason: "x".into() }),
        1 => Just(Event::RunClosed { outcome: RunOutcome::Done, reason: "x".into() }),
        1 => Just(plan()),
    ]
}

/// The first step that has not ended and whether one that failed leads over it, found by going through the whole plan.
fn first_left(plan: &PlanSealed, run: &RunState) -> Option<(StepPath, bool)> {
    let mut jump: Option<(&PlannedStep, &str)> = None;
    for step in plan.steps.iter().filter(|step| run.ending.is_none() || step.finally) {
        if jump.is_some_and(|(from, target)| !step.is_beside(from) || target == step.path.id()) {
            jump = None;
        }
        match run.status(&step.path) {
            StepStatus::Failed { decision: Some(FailureDecision::Jump(target)), .. } => jump = Some((step, target)),
            status if status.is_final() => {}
            _ => return Some((step.path.clone(), jump.is_some())),
        }
    }
    None
}

fn entry(state: &IncidentState, path: Option<StepPath>, event: Event) -> Entry {
    Entry {
        role: None,
        v: 0,
        seq: state.seq + 1,
        at: Timestamp::UNIX_EPOCH,
        by: "tester".into(),
        run: Some(RunId::new("r1")),
        path,
        prev: Digest::of(b""),
        event,
    }
}

/// A journal with every kind of event, and the state at each point of it.
static STORY: LazyLock<(Vec<Entry>, Vec<IncidentState>)> = LazyLock::new(|| {
    let entries = story();
    let mut states = vec![IncidentState::default()];
    for entry in &entries {
        let mut state = states[states.len() - 1].clone();
        state.apply(entry).unwrap();
        states.push(state);
    }
    (entries, states)
});

/// An event of the story, and where it is said to belong: to its own step, or to that of another.
fn displaced() -> impl Strategy<Value = (Index, Option<Index>)> {
    (any::<Index>(), proptest::option::of(any::<Index>()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_can_be_journaled_folds_or_is_refused_in_any_order(
        begun in any::<Index>(),
        rest in proptest::collection::vec(displaced(), 1..60),
    ) {
        let (story, states) = &*STORY;
        let mut state = begun.get(states).clone();
        for (event, place) in rest {
            let before = state.seq;
            let Entry { run, path, .. } = place.as_ref().unwrap_or(&event).get(story);
            let entry = Entry {
                seq: before + 1, run: run.clone(), path: path.clone(), ..event.get(story).clone()
            };
            let taken = state.apply(&entry).is_ok();
            prop_assert_eq!(state.seq, before + u64::from(taken), "refused and yet counted");
            for run in state.runs.iter().filter(|run| run.closed.is_none()) {
                let Some(Next::Perform(path, key)) = decide(run) else { continue };
                let is_open = run.steps.values().flat_map(|step| &step.effects).any(EffectState::is_open);
                prop_assert!(!is_open, "sent beside an open intent, after {entry:?}");
                let next = run.step(&path).and_then(|step| step.effects.iter().find(|it| it.effect.key == key));
                let is_consented = next.is_some_and(|it| matches!(it.status, EffectStatus::Consented(_)));
                prop_assert!(is_consented, "{path} {key} is sent without consent, after {entry:?}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_sequence_folds_or_is_refused_and_nothing_is_sent_beside_an_open_intent(
        events in proptest::collection::vec((path(), event()), 1..120),
    ) {
        let mut state = IncidentState::default();
        let opened = Event::IncidentOpened {
            id: IncidentId::new("i1"), title: "t".into(), world: World::Live("h".into()), tool: "0".into(), machine: "m".into(),
        };
        for event in [opened, run_opened(), plan()] {
            let entry = entry(&state, None, event);
            state.apply(&entry).unwrap();
        }
        let mut folded = 0;
        for (path, event) in events {
            let before = state.seq;
            let entry = entry(&state, path, event);
            let taken = state.apply(&entry).is_ok();
            folded += u32::from(taken);
            prop_assert_eq!(state.seq, before + u64::from(taken), "refused and yet counted");
            let run = state.latest_run().unwrap();
            let (Some(plan), Some(next), None) = (&run.plan, decide(run), run.closed) else { continue };
            let front = run.front().map(|(step, over)| (step.path.clone(), over));
            prop_assert_eq!(front, first_left(plan, run));
            let open = run.steps.values().flat_map(|step| &step.effects).any(EffectState::is_open);
            prop_assert!(!(open && matches!(next, Next::Perform(..) | Next::Finish)), "{next:?} beside an open intent");
            let in_doubt = |path: &StepPath| run.step(path).is_some_and(|step| step.effects.iter().any(EffectState::is_in_doubt));
            if let Next::Perform(path, _) = &next {
                prop_assert!(!in_doubt(path), "{next:?} while an effect is in doubt");
            }
            if let Next::Chore(path) = &next {
                let step = run.step(path).unwrap();
                prop_assert!(step.chore_left().is_some(), "{next:?} twice");
            }
            // What is named is in the plan, so that the next entry has somewhere to go.
            let steps: Vec<&StepPath> = plan.steps.iter().map(|step| &step.path).collect();
            let mut unique = steps.clone();
            unique.sort();
            unique.dedup();
            prop_assert_eq!(unique.len(), steps.len(), "a step stands twice in the plan");
            if let Next::Begin(path) | Next::Plan(path) | Next::Expand(path) | Next::EndRound(path) = &next {
                prop_assert!(steps.contains(&path));
            }
        }
        prop_assert!(folded <= 120);
    }
}

#[test]
fn a_chore_is_done_once_and_ends_only_as_its_kind_does() {
    let mut state = IncidentState::default();
    let opened = Event::IncidentOpened {
        id: IncidentId::new("i1"),
        title: "t".into(),
        world: World::Live("h".into()),
        tool: "0".into(),
        machine: "m".into(),
    };
    let mut fold = |path: Option<StepPath>, event: Event| {
        let entry = entry(&state, path, event);
        let taken = state.apply(&entry).map_err(|error| error.what);
        let run = state.latest_run();
        (taken, run.and_then(decide))
    };
    let cut = StepPath::step("cut");
    let waited = || Event::Waited { end: WaitEnd::CutShort, words: Some("enough".into()) };
    let written = || Event::ReportWritten { sha256: Digest::of(b"report"), file: "report.md".into() };
    for event in [opened, run_opened(), plan()] {
        fold(None, event).0.unwrap();
    }
    fold(Some(cut.clone()), Event::StepBegan).0.unwrap();
    for (kind, end, wrong) in [(wait(), waited(), written()), (Chore::Report, written(), waited())] {
        let at = || Some(cut.clone());
        assert_eq!(fold(at(), chore(kind)).1, Some(Next::Chore(cut.clone())));
        assert!(fold(at(), wrong).0.is_err());
        assert_eq!(fold(at(), end.clone()), (Ok(()), Some(Next::Conclude(cut.clone()))));
        assert!(fold(at(), end).0.is_err(), "it ended twice");
    }
}
