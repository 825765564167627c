//! The journal's format: journals that were written once fold to what they folded to then, and are written again byte for
//! byte. `fixtures/journal-v<N>` holds some of each version; what is there for a version that is out is never changed.
//!
//! `QUELL_FREEZE=1 cargo test --test it -- format::` writes the one that [`story`] tells, in the version that quell writes
//! now. For version 0, which is not out, it may be written anew; for any other only where there is none yet.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use quell::journal::{
    Basis, EffectDecision, EffectStatus, Entry, Event, FORMAT, FailureDecision, IncidentState, Inspection, Journal,
    NoteKind, Payload, RunOutcome, SettledBy, SkipCause, Stamp, StepState, StepStatus, WaitEnd, inspect,
};
use quell::model::{
    AnswerKind, Attribution, Call, Change, Chore, CredentialKind, Danger, Disposition, FindingStatus, Outcome,
    OutsideCall, Phase, Role, Severity, Source, Verdict, World,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

mod story;

/// The story as it is kept.
const STORY: &str = "story.jsonl";

fn fixtures(version: u32) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/it/fixtures/journal-v{version}"))
}

/// Every journal that is kept: version, name, bytes.
fn kept() -> Vec<(u32, String, Vec<u8>)> {
    let mut all = Vec::new();
    for version in 0..=FORMAT {
        for entry in fs::read_dir(fixtures(version)).into_iter().flatten() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            all.push((version, name, fs::read(&path).unwrap()));
        }
    }
    all.sort();
    all
}

fn read(bytes: &[u8]) -> Inspection {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("journal.jsonl"), bytes).unwrap();
    inspect(dir.path()).unwrap()
}

/// The entries of the story, in which everything happens that can be journaled.
pub(crate) fn story() -> Vec<Entry> {
    read(&story::tell()).entries
}

#[test]
fn what_was_written_once_is_read_and_written_again_byte_for_byte() {
    let all = kept();
    assert!(all.iter().any(|(version, ..)| *version == 0) && all.iter().any(|(version, ..)| *version == FORMAT));
    for (version, name, bytes) in all {
        let found = read(&bytes);
        assert_eq!(found.problems, [], "v{version} {name}");
        let mut again = Vec::new();
        for entry in &found.entries {
            assert_eq!(entry.v, version, "{name}");
            serde_json::to_writer(&mut again, entry).unwrap();
            again.push(b'\n');
        }
        let (again, bytes) = (String::from_utf8(again).unwrap(), String::from_utf8(bytes).unwrap());
        for (again, line) in again.lines().zip(bytes.lines()) {
            assert_eq!(again, line, "v{version} {name}");
        }
        assert_eq!(again.len(), bytes.len(), "v{version} {name}");
        insta::assert_snapshot!(format!("v{version}_{name}"), outline(&found.state));
    }
}

#[test]
fn the_story_is_told_as_it_was() {
    let told = story::tell();
    let path = fixtures(FORMAT).join(STORY);
    if std::env::var_os("QUELL_FREEZE").is_some() {
        let is_free = FORMAT == 0 || !path.exists();
        assert!(is_free, "{} is frozen: make a new version of the format instead", path.display());
        fs::create_dir_all(fixtures(FORMAT)).unwrap();
        fs::write(&path, &told).unwrap();
    }
    let kept = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}; see the head of the file", path.display()));
    let (told, kept) = (String::from_utf8(told).unwrap(), String::from_utf8(kept).unwrap());
    for (told, kept) in told.lines().zip(kept.lines()) {
        assert_eq!(told, kept, "quell writes something else now; see the head of the file");
    }
    assert_eq!(told.len(), kept.len());
}

#[test]
fn a_journal_of_an_older_version_is_gone_on_with() {
    for (version, name, bytes) in kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal.jsonl");
        fs::write(&path, &bytes).unwrap();
        let (mut journal, entries) = Journal::open(dir.path()).unwrap();
        let at = entries.last().unwrap().at;
        let stamp = Stamp { at, by: "bob".into(), role: None, run: None, path: None };
        let noted = Event::Noted { text: "a newer quell goes on".into(), kind: NoteKind::Note };
        journal.append(&stamp, noted).unwrap();
        assert!(fs::read(&path).unwrap().starts_with(&bytes), "v{version} {name}: what was written is left alone");
        let found = inspect(dir.path()).unwrap();
        assert_eq!(found.problems, [], "v{version} {name}");
        assert_eq!((found.entries.len(), found.entries.last().unwrap().v), (entries.len() + 1, FORMAT));
    }
}

/// Where an enum stands: in events of this type, at this place.
type Place = (&'static str, &'static str);

/// Names of an enum's variants as they are written. serde tells them when it is asked for one that there is not.
fn variants<T: DeserializeOwned>(tag: Option<&str>) -> Vec<String> {
    let asked = tag.map_or_else(|| json!("?"), |tag| json!({ tag: "?" }));
    let error = serde_json::from_value::<T>(asked).err().unwrap().to_string();
    assert!(error.starts_with("unknown variant `?`, expected "), "{error}");
    error.split('`').skip(3).step_by(2).map(str::to_owned).collect()
}

/// The names at a place: a text, or the only key of a table.
fn names(entry: &Value, place: &str) -> Vec<String> {
    let mut found = vec![entry];
    for part in place.split('/') {
        found = match part {
            "*" => found.into_iter().filter_map(Value::as_array).flatten().collect(),
            key => found.into_iter().filter_map(|value| value.get(key)).collect(),
        };
    }
    let name = |value: &Value| match value {
        Value::Object(map) => map.keys().next().cloned(),
        other => other.as_str().map(str::to_owned),
    };
    found.into_iter().filter_map(name).collect()
}

#[test]
fn the_page_about_the_journal_names_every_event() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/journal.md")).unwrap();
    for event in variants::<Event>(Some("type")) {
        assert!(page.contains(&format!("\n| `{event}` | ")), "docs/journal.md does not name `{event}`");
    }
}

#[test]
fn the_story_has_every_variant_of_everything_that_can_be_journaled() {
    let told = String::from_utf8(story::tell()).unwrap();
    let entries: Vec<Value> = told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let any = "";
    let all: Vec<(&str, Vec<String>, Place)> = vec![
        ("Event", variants::<Event>(Some("type")), (any, "event/type")),
        ("Role", variants::<Role>(None), (any, "role")),
        ("World", variants::<World>(Some("world")), ("run_opened", "event/world/world")),
        ("CredentialKind", variants::<CredentialKind>(None), (any, "event/credential/kind")),
        ("Phase", variants::<Phase>(None), ("plan_sealed", "event/steps/*/phase")),
        ("Danger", variants::<Danger>(None), ("plan_sealed", "event/steps/*/max_danger")),
        ("SkipCause", variants::<SkipCause>(None), ("step_skipped", "event/cause")),
        ("Payload", variants::<Payload>(None), ("step_done", "event/output")),
        ("Severity", variants::<Severity>(None), ("finding_made", "event/finding/severity")),
        ("FindingStatus", variants::<FindingStatus>(None), ("finding_settled", "event/status")),
        ("Change", variants::<Change>(None), ("finding_made", "event/finding/change")),
        ("Attribution", variants::<Attribution>(None), ("finding_made", "event/finding/attribution")),
        ("Source", variants::<Source>(None), ("finding_made", "event/finding/sources/*")),
        ("Call", variants::<Call>(Some("by")), ("proposed", "event/effects/*/call/by")),
        ("OutsideCall", variants::<OutsideCall>(Some("kind")), ("proposed", "event/effects/*/call/kind")),
        ("AnswerKind", variants::<AnswerKind>(Some("kind")), ("proposed", "event/ask/questions/*/kind/kind")),
        ("Chore", variants::<Chore>(Some("chore")), ("proposed", "event/chore/chore")),
        ("WaitEnd", variants::<WaitEnd>(None), ("waited", "event/end")),
        ("Disposition", variants::<Disposition>(Some("disposition")), (any, "event/left/*/disposition")),
        ("Basis", variants::<Basis>(None), ("consented", "event/basis")),
        ("Outcome", variants::<Outcome>(Some("outcome")), ("settled", "event/outcome/outcome")),
        ("SettledBy", variants::<SettledBy>(None), ("settled", "event/by")),
        ("Verdict", variants::<Verdict>(Some("verdict")), ("verified", "event/verdict/verdict")),
        ("EffectDecision", variants::<EffectDecision>(None), ("effect_decided", "event/decision")),
        ("FailureDecision", variants::<FailureDecision>(None), ("failure_decided", "event/decision")),
        ("NoteKind", variants::<NoteKind>(None), ("noted", "event/kind")),
        ("RunOutcome", variants::<RunOutcome>(None), ("run_closed", "event/outcome")),
    ];
    // What is left out is the first of these.
    let unwritten = ["typed", "note"];
    for (name, variants, (of, place)) in all {
        let of: Vec<&Value> = entries.iter().filter(|entry| of == any || entry["event"]["type"] == of).collect();
        let found: Vec<String> = of.iter().flat_map(|entry| names(entry, place)).collect();
        for variant in &variants {
            let is_left_out =
                unwritten.contains(&variant.as_str()) && of.iter().any(|entry| names(entry, place).is_empty());
            assert!(found.contains(variant) || is_left_out, "no `{variant}` of {name} at {place}: {found:?}");
        }
        assert!(variants.len() > 1, "{name}");
    }
    let envs: Vec<&Value> = entries
        .iter()
        .flat_map(|entry| entry["event"]["effects"].as_array().into_iter().flatten())
        .flat_map(|effect| effect["call"]["env"].as_object().into_iter().flat_map(|env| env.values()))
        .collect();
    assert!(envs.iter().any(|given| given.is_string()) && envs.iter().any(|given| given.is_object()), "Given");
}

/// What a journal says, in words that do not hang on how the fold keeps it.
fn outline(state: &IncidentState) -> String {
    let mut out = String::new();
    let world = state.world.as_ref().map(ToString::to_string).unwrap_or_default();
    let _ = writeln!(out, "{} entries, {world}: {:?}", state.seq, state.title);
    for run in &state.runs {
        let opened = &run.opened;
        let _ = writeln!(
            out,
            "run {} of {}: {:?}, ending {:?}, paused {:?}, {} drivers, approved {}, credential {}",
            opened.run,
            opened.runbook,
            run.closed,
            run.ending,
            run.paused,
            run.drivers,
            run.approved.is_some(),
            run.credential.kind.as_str(),
        );
        for planned in run.plan.iter().flat_map(|plan| &plan.steps) {
            let step = run.step(&planned.path).cloned().unwrap_or_default();
            let _ = writeln!(out, "  {} {}: {}", planned.phase, planned.path, told(&step));
            for state in &step.effects {
                let attempts: Vec<&str> = state
                    .attempts
                    .iter()
                    .map(|attempt| attempt.outcome.as_ref().map_or("open", Outcome::as_str))
                    .collect();
                let status = match &state.status {
                    EffectStatus::Consented(_) => "Consented".to_owned(),
                    status => format!("{status:?}"),
                };
                let verdict = state.verdict.as_ref().map_or("-", Verdict::as_str);
                let _ = writeln!(out, "    {}: {status}, {attempts:?}, {verdict}", state.effect.summary);
            }
        }
    }
    for (id, finding) in &state.findings {
        let _ = writeln!(out, "finding {id}: {:?} {:?}", finding.severity, finding.status);
    }
    for gap in &state.gaps {
        let _ = writeln!(out, "gap {} {}: {}", gap.family, gap.scope, gap.reason);
    }
    for note in &state.notes {
        let _ = writeln!(out, "{} by {}: {}", note.kind.as_str(), note.by, note.text);
    }
    for delivery in &state.deliveries {
        let _ = writeln!(out, "delivery to {}: {:?}, {}", delivery.sink, delivery.outcome, delivery.seen);
    }
    let _ = writeln!(out, "{} pieces of evidence", state.evidence.len());
    if let Some(closing) = &state.closing {
        let accepted: Vec<_> = closing.accepted.iter().map(|it| (&*it.matter, &*it.by, &*it.reason)).collect();
        let _ = writeln!(out, "closed by {} at {}: {accepted:?}", closing.by, closing.at);
    }
    out
}

fn told(step: &StepState) -> String {
    let detail = match &step.status {
        StepStatus::Done { summary, .. } => summary.clone(),
        StepStatus::Skipped { cause, .. } => format!("{cause:?}"),
        StepStatus::Failed { decision, .. } => format!("{decision:?}"),
        StepStatus::Pending | StepStatus::Began | StepStatus::Proposed => return step.status.as_str().to_owned(),
    };
    format!("{}: {}", step.status.as_str(), detail.lines().next().unwrap_or_default())
}
