//! The journal on disk: what is refused, what is repaired, what is noticed.

use std::fs;
use std::path::Path;

use jiff::Timestamp;
use quell::journal::{
    Consent, Event, FORMAT, Journal, JournalError, Payload, PlanSealed, PlannedStep, Proposed, RunOpened, RunOutcome,
    SettledBy, Stamp, inspect,
};
use quell::model::{
    Account, Call, CredentialFacts, CredentialKind, Danger, Digest, Effect, EffectKey, HttpCall, IncidentId, Outcome,
    Phase, RunId, StepPath, Target, World,
};
use serde_json::{Value, json};

fn stamp(path: Option<&str>) -> Stamp {
    Stamp {
        role: None,
        at: Timestamp::UNIX_EPOCH,
        by: "tester".into(),
        run: Some(RunId::new("r1")),
        path: path.map(StepPath::step),
    }
}

pub(crate) fn effect(id: &str) -> Effect {
    Effect {
        key: EffectKey::derive("cut", "a", "token", id),
        action: "a".into(),
        target: Target { kind: "token".into(), id: id.into(), name: id.into(), ambiguous: false },
        summary: format!("disable {id}"),
        danger: Danger::Reversible,
        call: Call::Http(HttpCall { method: "PUT".into(), path: format!("/t/{id}"), body: None, secret_answer: false }),
        before: json!({ "status": "active" }),
        after: json!({ "status": "disabled" }),
        radius: quell::model::Radius::default(),
        consequences: vec![],
        facts: vec![],
        preselected: true,
        undo: None,
        resolves: None,
    }
}

pub(crate) fn run_opened() -> Event {
    Event::RunOpened(Box::new(RunOpened {
        detected_at: None,
        roles: Default::default(),
        update_seconds: None,
        run: RunId::new("r1"),
        runbook: "rb".into(),
        title: "t".into(),
        runbook_sha256: Digest::of(b""),
        source: "embedded".into(),
        target_seconds: None,
        world: World::Live("h".into()),
        api: "h".into(),
        account: Account { id: "acc".into(), name: "Acc".into() },
        credential: CredentialFacts { kind: CredentialKind::UserToken, id: None, owner: None, expires: None },
        crown_jewels: Vec::new(),
        skew_ms: None,
        leaked: None,
    }))
}

fn sealed() -> Event {
    Event::PlanSealed(Box::new(PlanSealed {
        nested: vec![],
        files: [].into(),
        actions: [].into(),
        digest: Digest::of(b"plan"),
        inputs: serde_json::Map::new(),
        steps: vec![std::sync::Arc::new(PlannedStep {
            path: StepPath::step("cut"),
            phase: Phase::Contain,
            title: "cut".into(),
            why: None,
            action: "a".into(),
            max_danger: Danger::Reversible,
            container: false,
            parent: None,
            round: 0,
            key: None,
            finally: false,
            skippable: true,
            second_person: false,
            needed_by: Vec::new(),
        })],
        not_examined: vec![],
    }))
}

pub(crate) fn proposed(effects: Vec<Effect>) -> Event {
    Event::Proposed(Box::new(Proposed {
        chore: None,
        output: Payload::Inline(Value::Null),
        summary: "s".into(),
        effects,
        account_for_rest: false,
        verb: "disable".into(),
        ask: None,
        already: vec![],
        not_proposed: Vec::new(),
    }))
}

/// A journal with an open run whose only step has proposed `effects`.
fn begun(dir: &Path, effects: Vec<Effect>) -> Journal {
    let opened = Event::IncidentOpened {
        id: IncidentId::new("i1"),
        title: "t".into(),
        world: World::Live("h".into()),
        tool: "0".into(),
        machine: "m".into(),
    };
    let (mut journal, _) = Journal::create(dir, &stamp(None), opened).unwrap();
    journal.append(&stamp(None), run_opened()).unwrap();
    journal.append(&stamp(None), sealed()).unwrap();
    journal.append(&stamp(Some("cut")), Event::StepBegan).unwrap();
    journal.append(&stamp(Some("cut")), proposed(effects)).unwrap();
    journal
}

pub(crate) fn consented(effect: &Effect) -> Event {
    let consent = Consent { effect: effect.key.clone(), digest: effect.digest() };
    Event::Consented {
        effects: vec![consent],
        left: vec![],
        phrase: Some("y".into()),
        basis: quell::journal::Basis::Typed,
    }
}

#[test]
fn no_warrant_without_consent_to_what_was_shown() {
    let dir = tempfile::tempdir().unwrap();
    let shown = effect("t1");
    let mut journal = begun(dir.path(), vec![shown.clone()]);
    let world = World::Live("h".into());
    assert!(matches!(journal.intend(&stamp(Some("cut")), &shown, 1, &world), Err(JournalError::Illegal(_))));
    journal.append(&stamp(Some("cut")), consented(&shown)).unwrap();
    let mut other = shown.clone();
    other.call =
        Call::Http(HttpCall { method: "DELETE".into(), path: "/t/t1".into(), body: None, secret_answer: false });
    assert!(matches!(journal.intend(&stamp(Some("cut")), &other, 1, &world), Err(JournalError::Illegal(_))));
    let (_, warrant) = journal.intend(&stamp(Some("cut")), &shown, 1, &world).unwrap();
    assert!(warrant.permits(&shown.call.digest(), &world));
    assert!(!warrant.permits(&other.call.digest(), &world));
    assert!(!warrant.permits(&shown.call.digest(), &World::Rehearsal("h".into())));
    assert!(
        matches!(journal.intend(&stamp(Some("cut")), &shown, 2, &world), Err(JournalError::Illegal(_))),
        "one intent at a time"
    );
}

#[test]
fn nothing_else_is_sent_while_an_effect_is_in_doubt() {
    let dir = tempfile::tempdir().unwrap();
    let (one, two) = (effect("t1"), effect("t2"));
    let mut journal = begun(dir.path(), vec![one.clone(), two.clone()]);
    let world = World::Live("h".into());
    journal.append(&stamp(Some("cut")), consented(&one)).unwrap();
    journal.append(&stamp(Some("cut")), consented(&two)).unwrap();
    drop(journal.intend(&stamp(Some("cut")), &one, 1, &world).unwrap());
    assert!(journal.intend(&stamp(Some("cut")), &two, 1, &world).is_err());
    let lost = Event::Settled {
        effect: one.key.clone(),
        attempt: 1,
        outcome: Outcome::Unknown("lost".into()),
        receipt: Value::Null,
        by: SettledBy::Answer,
    };
    journal.append(&stamp(Some("cut")), lost).unwrap();
    assert!(journal.intend(&stamp(Some("cut")), &two, 1, &world).is_err(), "unknown is in doubt as well");
    assert!(
        journal.append(&stamp(None), Event::RunClosed { outcome: RunOutcome::Done, reason: String::new() }).is_ok()
    );
}

#[test]
fn a_run_with_an_open_intent_cannot_be_closed() {
    let dir = tempfile::tempdir().unwrap();
    let one = effect("t1");
    let mut journal = begun(dir.path(), vec![one.clone()]);
    journal.append(&stamp(Some("cut")), consented(&one)).unwrap();
    drop(journal.intend(&stamp(Some("cut")), &one, 1, &World::Live("h".into())).unwrap());
    assert!(
        journal.append(&stamp(None), Event::RunClosed { outcome: RunOutcome::Aborted, reason: String::new() }).is_err()
    );
}

#[test]
fn a_torn_last_line_is_cut_off_and_recorded() {
    let dir = tempfile::tempdir().unwrap();
    drop(begun(dir.path(), vec![effect("t1")]));
    let path = dir.path().join("journal.jsonl");
    let whole = fs::read(&path).unwrap();
    let last = whole[..whole.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
    for cut in last..whole.len() {
        fs::write(&path, &whole[..cut]).unwrap();
        let (mut journal, _) = Journal::open(dir.path()).unwrap();
        journal
            .append(&stamp(None), Event::Noted { text: "after".into(), kind: quell::journal::NoteKind::Note })
            .unwrap();
        let found = inspect(dir.path()).unwrap();
        assert!(found.problems.is_empty(), "{cut}: {:?}", found.problems);
        let torn = found
            .entries
            .iter()
            .any(|entry| matches!(entry.event, Event::TornTail { bytes, .. } if bytes == (cut - last) as u64));
        assert_eq!(torn, cut > last, "{cut}");
    }
}

#[test]
fn every_flipped_byte_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = begun(dir.path(), vec![effect("t1")]);
    journal.append(&stamp(None), Event::Noted { text: "last".into(), kind: quell::journal::NoteKind::Note }).unwrap();
    let head = journal.head().clone();
    drop(journal);
    let path = dir.path().join("journal.jsonl");
    let whole = fs::read(&path).unwrap();
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x01;
        fs::write(&path, &bytes).unwrap();
        let found = inspect(dir.path()).unwrap();
        assert!(!found.problems.is_empty() || !found.entry_heads.contains(&head), "byte {at}");
    }
    fs::write(&path, &whole).unwrap();
    assert!(inspect(dir.path()).unwrap().problems.is_empty());
}

#[test]
fn removed_swapped_and_added_lines_are_noticed() {
    let dir = tempfile::tempdir().unwrap();
    let journal = begun(dir.path(), vec![effect("t1")]);
    let head = journal.head().clone();
    let path = dir.path().join("journal.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let put = |lines: &[&str]| {
        fs::write(&path, lines.iter().map(|line| format!("{line}\n")).collect::<String>()).unwrap();
        inspect(dir.path()).unwrap()
    };
    for at in 0..lines.len() - 1 {
        let mut removed = lines.clone();
        removed.remove(at);
        assert!(!put(&removed).is_sound(), "removed {at}");
        let mut swapped = lines.clone();
        swapped.swap(at, at + 1);
        assert!(!put(&swapped).is_sound(), "swapped {at}");
        let mut doubled = lines.clone();
        doubled.insert(at, lines[at]);
        assert!(!put(&doubled).is_sound(), "doubled {at}");
    }
    let shortened = put(&lines[..lines.len() - 1]);
    assert!(shortened.is_sound(), "a chain cannot tell that its end is missing");
    assert!(!shortened.entry_heads.contains(&head), "the head that was noted elsewhere can");
}

#[test]
fn two_terminals_write_one_chain() {
    let dir = tempfile::tempdir().unwrap();
    let mut mine = begun(dir.path(), vec![effect("t1")]);
    let (mut theirs, _) = Journal::open(dir.path()).unwrap();
    for number in 0..20 {
        let note = |who: &str| Event::Noted { kind: quell::journal::NoteKind::Note, text: format!("{who} {number}") };
        theirs.append(&stamp(None), note("theirs")).unwrap();
        let news = mine.append(&stamp(None), note("mine")).unwrap();
        assert_eq!(news.len(), 2, "what others wrote is told first");
    }
    let found = inspect(dir.path()).unwrap();
    assert!(found.problems.is_empty());
    assert_eq!(found.state.notes.len(), 40);
}

#[test]
fn a_newer_format_is_not_written_to() {
    let dir = tempfile::tempdir().unwrap();
    drop(begun(dir.path(), vec![]));
    let path = dir.path().join("journal.jsonl");
    let text = fs::read_to_string(&path).unwrap().replacen(&format!("\"v\":{FORMAT}"), "\"v\":9", 1);
    fs::write(&path, text).unwrap();
    assert!(matches!(Journal::open(dir.path()), Err(JournalError::Newer { found: 9, .. })));
}
