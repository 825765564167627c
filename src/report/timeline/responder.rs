use std::collections::BTreeMap;

use super::super::actions::beforehand;
use super::super::book::{Book, left_in_words, person};
use super::super::trail::Attested;
use super::super::unsettled::decision_in_words;
use super::super::words::{count, time};
use super::{Dated, row};
use crate::journal::{Entry, Event, FailureDecision, Left, SettledBy, SkipCause, WaitEnd};
use crate::model::{EffectKey, Outcome, RunId, Verdict};

/// The entries that tell what people and quell did. Reads, proposals and intents are left to the tables.
pub(super) fn rows(book: &Book<'_>) -> Vec<Dated> {
    let names: BTreeMap<(RunId, EffectKey), String> = book
        .effects()
        .map(|effect| {
            let name = format!("{} ({})", effect.state.effect.summary, effect.label());
            ((effect.run.opened.run.clone(), effect.state.effect.key.clone()), name)
        })
        .collect();
    let told = |entry: &Entry| {
        let name = |key: &EffectKey| {
            let run = entry.run.as_ref()?;
            names.get(&(run.clone(), key.clone())).cloned()
        };
        let (what, evidence) = what(entry, &|key| name(key).unwrap_or_else(|| format!("effect {key}")))?;
        let at_step = entry.path.as_ref().map(|path| format!("{path}: ")).unwrap_or_default();
        let by_file = book.trails.file(entry.seq).map(|file| format!(" (by answers file {file})"));
        let what = format!("{at_step}{what}{}", by_file.unwrap_or_default());
        let mut dated = row(entry.at, "responder", who(entry), what, format!("#{}", entry.seq));
        dated.row.evidence = evidence;
        Some(dated)
    };
    book.source.entries.iter().filter_map(told).collect()
}

/// What people say they did elsewhere, at the time that they say.
pub(super) fn elsewhere(book: &Book<'_>) -> impl Iterator<Item = Dated> {
    book.source.entries.iter().filter_map(|entry| {
        let Event::Attested { text, done_at, file } = &entry.event else { return None };
        let what = format!("{text} (done elsewhere; written down {})", time(entry.at));
        let mut dated = row(*done_at, "responder", person(entry), what, format!("#{}", entry.seq));
        dated.row.evidence = file.iter().map(|file| file.sha256.to_string()).collect();
        Some(dated)
    })
}

/// Who did it: for work by hand the person who attests it, with whoever wrote that down.
fn who(entry: &Entry) -> String {
    match attested(&entry.event) {
        Some(attested) if attested.by != entry.by => format!("{}, entered by {}", attested.by, person(entry)),
        _ => person(entry),
    }
}

fn attested(event: &Event) -> Option<Attested> {
    match event {
        Event::Settled { receipt, by: SettledBy::Person, .. } => Attested::read(receipt),
        _ => None,
    }
}

fn what(entry: &Entry, name: &dyn Fn(&EffectKey) -> String) -> Option<(String, Vec<String>)> {
    let plain = |what: String| Some((what, Vec::new()));
    match &entry.event {
        Event::IncidentOpened { machine, .. } => plain(format!("incident opened on {machine}")),
        Event::RunOpened(run) => plain(format!("run {} of runbook {} opened", run.run, run.runbook)),
        Event::RunResumed { credential, .. } => {
            let id = credential.id.as_ref().map(|id| format!(" {id}")).unwrap_or_default();
            plain(format!("run resumed with {}{id}", credential.kind.as_str()))
        }
        Event::CredentialSwitched { credential, .. } => {
            let id = credential.id.as_ref().map(|id| format!(" {id}")).unwrap_or_default();
            plain(format!("run went on with a credential that it made itself, {}{id}", credential.kind.as_str()))
        }
        Event::StepSkipped { reason, cause: SkipCause::Person | SkipCause::Jump, .. } => {
            plain(format!("skipped: {reason}"))
        }
        Event::Consented { effects, left, .. } if effects.is_empty() => {
            plain(format!("none chosen; {}", rows_left(left, name)))
        }
        Event::Consented { effects, left, phrase, basis } => {
            let phrase = phrase.as_ref().map(|phrase| format!(" with “{phrase}”")).unwrap_or_default();
            let rest = if left.is_empty() { String::new() } else { format!("; {}", rows_left(left, name)) };
            let basis = beforehand(*basis).map(|words| format!(", {words}")).unwrap_or_default();
            plain(format!("consent to {}{phrase}{basis}{rest}", count(effects.len(), "change")))
        }
        Event::Seconded { effects, alone: None } => {
            plain(format!("agreed, as the second person, to {}", count(effects.len(), "change")))
        }
        Event::Seconded { alone: Some(reason), .. } => plain(format!("went on without a second person: {reason}")),
        Event::RowsLeft { left } => plain(rows_left(left, name)),
        Event::WentOn { basis } => {
            let basis = beforehand(*basis).map(|words| format!(", {words}: the first row is proven"));
            plain(format!("went on with the rest of the list{}", basis.unwrap_or_default()))
        }
        Event::Settled { effect, attempt: 0, outcome: Outcome::Applied, by: SettledBy::Person, .. } => {
            let attested = attested(&entry.event);
            let proof = attested.iter().filter_map(|attested| attested.proof.as_ref()).map(ToString::to_string);
            let word = attested.as_ref().map(|it| format!(", as {} attests", it.by)).unwrap_or_default();
            let note = attested.as_ref().and_then(|it| it.note.as_ref()).map(|note| format!(": {note}"));
            let what = format!("{}: done by hand{word}{}", name(effect), note.unwrap_or_default());
            Some((what, proof.collect()))
        }
        // Its row is that of the look.
        Event::Settled { attempt: 0, by: SettledBy::Probe, .. } => None,
        Event::Settled { effect, attempt, outcome, by, .. } => settled(&name(effect), *attempt, outcome, *by),
        Event::Verified { effect, verdict, evidence } => {
            let word = match verdict {
                Verdict::Holds(_) => "proven",
                Verdict::DoesNotHold(_) => "a read does not show it",
                Verdict::CannotTell(_) => "could not be verified",
            };
            let digests = evidence.iter().map(|kept| kept.sha256.to_string()).collect();
            Some((format!("{}: {word}: {}", name(effect), verdict.detail()), digests))
        }
        Event::EffectDecided { effect, decision, words } => {
            plain(format!("{}: decided to {}", name(effect), decision_in_words(*decision, Some(words))))
        }
        Event::Answered { .. } => plain("questions answered".to_owned()),
        Event::StepDone { summary, .. } => plain(format!("done: {summary}")),
        Event::StepFailed { error, .. } => plain(format!("failed: {error}")),
        Event::FailureDecided { decision, words } => {
            let decided = if words == FailureDecision::BY_RUNBOOK { "" } else { "decided to " };
            plain(match decision {
                FailureDecision::Retry => format!("{decided}begin the step again: {words}"),
                FailureDecision::Continue => format!("{decided}go on without the step: {words}"),
                FailureDecision::Jump(to) => format!("{decided}go on at {to}: {words}"),
            })
        }
        Event::Paused { reason } => plain(format!("paused: {reason}")),
        Event::Noted { text, kind } => plain(format!("{}: {text}", kind.as_str())),
        Event::PlanApproved(approved) => plain(format!(
            "plan {}, made {}, approved with “{}”: {} consented to beforehand, {} asked for all the same",
            approved.file.short(),
            time(approved.made_at),
            approved.phrase,
            count(approved.covered(), "change"),
            approved.effects.len() - approved.covered()
        )),
        Event::PlanAmended(amended) => {
            plain(format!("went on although {}: {}", amended.changes.join("; "), amended.words))
        }
        Event::Waited { end, words } => {
            let why = words.as_ref().map(|words| format!(": {words}")).unwrap_or_default();
            plain(match end {
                WaitEnd::Elapsed => "the time to wait is over".to_owned(),
                WaitEnd::Held => "what was waited for holds".to_owned(),
                WaitEnd::CutShort => format!("the wait was cut short{why}"),
            })
        }
        Event::IncidentClosed { accepted } if accepted.is_empty() => {
            plain("incident closed: nothing was left".to_owned())
        }
        Event::IncidentClosed { accepted } => {
            plain(format!("incident closed, with {} accepted", count(accepted.len(), "open matter")))
        }
        Event::TornTail { bytes, .. } => plain(format!("a half-written last line of {bytes} bytes was cut off")),
        Event::SecretRevealed { effect, to, .. } => plain(format!("{}: the new secret was shown ({to})", name(effect))),
        Event::DeliverySettled { effect, sink, outcome, seen, by, .. } => {
            plain(format!("{}: {}", name(effect), delivered_in_words(sink, outcome, seen, *by)))
        }
        Event::RunEnding { reason } => plain(format!("run ended early: {reason}")),
        Event::RunClosed { reason, .. } => plain(format!("run closed: {reason}")),
        Event::Expanded(expanded) if expanded.round > 1 => plain(format!("round {} begun", expanded.round)),
        Event::DriverTaken { answers, up_to, .. } if answers.is_some() || up_to.is_some() => {
            let file = answers.as_ref();
            let file =
                file.map(|it| format!("prompts are answered by file {}, SHA-256 {}", it.name, it.sha256.short()));
            let order = up_to.map(|danger| format!("the run goes by itself up to {danger}"));
            let told: Vec<String> = file.into_iter().chain(order).collect();
            plain(format!("from here on {}", told.join(", and ")))
        }
        Event::DriverTaken { .. }
        | Event::Attested { .. }
        | Event::PlanSealed(_)
        | Event::Expanded(_)
        | Event::StepBegan
        | Event::StepSkipped { cause: SkipCause::When, .. }
        | Event::EvidenceTaken { .. }
        | Event::FindingMade { .. }
        | Event::FindingSettled { .. }
        | Event::GapSeen { .. }
        | Event::Proposed(_)
        | Event::Rechecked
        | Event::Intended { .. }
        | Event::AnswerSealed { .. }
        | Event::DeliveryIntended { .. }
        | Event::ReportWritten { .. } => None,
    }
}

/// What became of handing a new secret over.
fn delivered_in_words(sink: &str, outcome: &Outcome, seen: &str, by: SettledBy) -> String {
    let why = outcome.why().unwrap_or_default();
    match (outcome, by) {
        (Outcome::Applied, SettledBy::Probe) => {
            format!("the new secret had been handed to sink {sink}, as a look shows")
        }
        (Outcome::Applied, _) => format!("the new secret was handed to sink {sink}: {seen}"),
        (Outcome::Refused(_), _) => format!("sink {sink} did not take the new secret: {why}"),
        (Outcome::NotSent(_), _) => format!("the new secret was not handed to sink {sink}: {why}"),
        (Outcome::Unknown(_), _) => format!("in doubt whether sink {sink} has the new secret: {why}"),
    }
}

/// An applied request has its row once it is looked at; what went otherwise has one of its own.
fn settled(name: &str, attempt: u32, outcome: &Outcome, by: SettledBy) -> Option<(String, Vec<String>)> {
    let why = outcome.why().unwrap_or_default();
    let what = match (outcome, by) {
        (Outcome::Applied, SettledBy::Answer) => return None,
        (Outcome::Applied, SettledBy::Person) => format!("attempt {attempt} taken as applied on a person's word"),
        (Outcome::Applied, SettledBy::Probe) => format!("attempt {attempt} was applied, as a read shows"),
        (Outcome::Applied, SettledBy::Vault) => format!("attempt {attempt} was applied, as the sealed answer shows"),
        (Outcome::Refused(_), _) => format!("attempt {attempt} refused: {why}"),
        (Outcome::NotSent(_), _) => format!("attempt {attempt} not sent: {why}"),
        (Outcome::Unknown(_), _) => format!("attempt {attempt} in doubt: {why}"),
    };
    Some((format!("{name}: {what}"), Vec::new()))
}

fn rows_left(left: &[Left], name: &dyn Fn(&EffectKey) -> String) -> String {
    let each = left.iter().map(|row| format!("{}: {}", name(&row.effect), left_in_words(&row.disposition)));
    format!("not done: {}", each.collect::<Vec<_>>().join("; "))
}
