//! What became of each credential.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::book::{Book, Numbered};
use super::facts::TokenRow;
use super::trail::Trail;
use super::words::time;
use crate::journal::{DeliveryState, EffectStatus};
use crate::model::{Call, Disposition, Outcome};

/// The credentials by what became of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credentials {
    /// Taken out of use, or tried to.
    pub cut: Vec<CredentialRow>,
    /// Whether the cuts rest on reading back alone, in a sentence.
    pub tested: String,
    /// Cut, and given back as they were, or tried to.
    pub restored: Vec<CredentialRow>,
    /// Given a new value, or tried to.
    pub rotated: Vec<CredentialRow>,
    /// Proposed to be cut or rotated and left as they are, each with who or why.
    pub not_rotated: Vec<LeftCredential>,
    /// Seen, not known to be out of use, and nothing is recorded of what is to become of them.
    pub undecided: Vec<SeenCredential>,
}

/// A credential that something was done to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialRow {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: String,
    /// The provider's id.
    pub id: String,
    /// What was done: `disable`, `delete`, `rotate`.
    pub verb: String,
    /// Where the change stands.
    pub standing: String,
    /// True where a read saw the change in place.
    pub proven: bool,
    /// When that was.
    pub at: Option<String>,
    /// What the read showed once the leaked value itself was tried too; `None` where it was not.
    pub negative_test: Option<String>,
    /// The effect: `E4`; an output's word has none.
    pub effect: Option<String>,
    /// True where its new value lies in the vault.
    pub sealed: bool,
    /// To which sinks the new value was handed over, oldest first.
    pub delivered: Vec<DeliveryRow>,
}

/// A new secret on its way to where the team keeps its secrets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryRow {
    /// Name of the sink.
    pub sink: String,
    /// Where it went: a command line, or a path.
    pub to: String,
    /// When.
    pub at: String,
    /// By whom.
    pub by: String,
    /// What became of it, and what was seen.
    pub standing: String,
    /// Number of the entry that begins it.
    pub entry: u64,
}

/// A credential that was left as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftCredential {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: String,
    /// The provider's id.
    pub id: String,
    /// What was proposed: `disable`, `rotate`.
    pub verb: String,
    /// Who is to do it later.
    pub owner: Option<String>,
    /// Why it stays, or what became of it.
    pub reason: String,
    /// Who said so.
    pub by: Option<String>,
    /// The effect: `E4`; an output's word has none.
    pub effect: Option<String>,
}

/// A credential that was seen.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenCredential {
    /// Its name.
    pub name: String,
    /// The provider's id.
    pub id: String,
    /// What it is for, where an output says so.
    pub role: Option<String>,
    /// What was noticed about it.
    pub marks: Vec<String>,
}

pub(super) fn credentials(book: &Book<'_>) -> Credentials {
    let mut all = Credentials::default();
    for effect in book.effects() {
        if effect.restores() {
            // One that was not chosen leaves the credential cut.
            all.restored.extend(left(book, &effect).is_none().then(|| done(book, &effect)));
        } else if !effect.cuts() && !effect.rotates() {
            continue;
        } else if let Some(row) = left(book, &effect) {
            all.not_rotated.push(row);
        } else if effect.cuts() && book.undone_by(&effect).is_some() {
            continue;
        } else if effect.cuts() {
            all.cut.push(done(book, &effect));
        } else {
            all.rotated.push(done(book, &effect));
        }
    }
    all.tested = tested(book, &all.cut);
    all.keep_the_last_word();
    let told: BTreeSet<String> = all
        .cut
        .iter()
        .chain(&all.restored)
        .chain(&all.rotated)
        .map(|row| row.id.clone())
        .chain(all.not_rotated.iter().map(|row| row.id.clone()))
        .collect();
    all.add_what_outputs_say(book, told);
    all
}

impl Credentials {
    /// A token may be offered again later: of what was left, the last word on each counts, unless it was dealt with. That
    /// it was not chosen from a list is nobody's word, and counts where there is no other.
    fn keep_the_last_word(&mut self) {
        let dealt_with: BTreeSet<&str> =
            self.cut.iter().chain(&self.restored).chain(&self.rotated).map(|row| row.id.as_str()).collect();
        let is_said = |row: &LeftCredential| !row.reason.starts_with(Disposition::NOT_CHOSEN);
        let (said, unsaid): (Vec<_>, Vec<_>) =
            self.not_rotated.iter().enumerate().rev().partition(|(_, row)| is_said(row));
        let mut told = BTreeSet::new();
        let mut last =
            said.into_iter().chain(unsaid).filter(|(_, row)| told.insert(row.id.as_str())).collect::<Vec<_>>();
        last.retain(|(_, row)| !dealt_with.contains(row.id.as_str()));
        last.sort_by_key(|(at, _)| *at);
        self.not_rotated = last.into_iter().map(|(_, row)| row.clone()).collect();
    }

    /// Outputs count only for what no effect tells: an effect has consent and proof.
    fn add_what_outputs_say(&mut self, book: &Book<'_>, mut told: BTreeSet<String>) {
        for row in &book.facts.rotated {
            if told.insert(row.id.clone()) {
                self.rotated.push(CredentialRow {
                    name: row.name.clone(),
                    id: row.id.clone(),
                    verb: "rotate".to_owned(),
                    standing: "by a step's output, not verified".to_owned(),
                    ..CredentialRow::default()
                });
            }
        }
        for row in &book.facts.left {
            if told.insert(row.id.clone()) {
                self.not_rotated.push(LeftCredential {
                    name: row.name.clone(),
                    id: row.id.clone(),
                    owner: row.owner.clone(),
                    reason: row.reason.clone().unwrap_or_else(|| "no reason is recorded".to_owned()),
                    ..LeftCredential::default()
                });
            }
        }
        let is_dead = |row: &&TokenRow| row.status.as_ref().is_some_and(|status| status != "active");
        for row in book.facts.tokens.iter().filter(|row| !is_dead(row)) {
            if told.insert(row.id.clone()) {
                self.undecided.push(SeenCredential {
                    name: row.name.clone(),
                    id: row.id.clone(),
                    role: row.role.clone(),
                    marks: row.marks.clone(),
                });
            }
        }
    }
}

fn done(book: &Book<'_>, effect: &Numbered<'_>) -> CredentialRow {
    let target = &effect.state.effect.target;
    let trail = book.trail(effect);
    let by_hand = matches!(effect.state.effect.call, Call::Hand(_)) && !effect.state.attempts.is_empty();
    CredentialRow {
        name: target.name.clone(),
        kind: target.kind.clone(),
        id: target.id.clone(),
        verb: effect.verb().to_owned(),
        standing: if by_hand { format!("by hand: {}", effect.standing()) } else { effect.standing() },
        proven: effect.is_proven(),
        at: trail.and_then(|trail| trail.proven).map(time),
        negative_test: negative_test(effect, trail),
        effect: Some(effect.label()),
        sealed: effect.state.attempts.iter().any(|attempt| attempt.sealed),
        delivered: delivered(book, effect),
    }
}

fn negative_test(effect: &Numbered<'_>, trail: Option<&Trail>) -> Option<String> {
    let verdict = effect.state.verdict.as_ref().filter(|_| trail.is_some_and(|trail| trail.tried))?;
    Some(verdict.detail().to_owned())
}

/// That no leaked value was tried is said: a token that is read back as cut may be taken for a while.
fn tested(book: &Book<'_>, cut: &[CredentialRow]) -> String {
    let was_known = book.source.state.runs.iter().any(|run| run.opened.leaked.is_some());
    let told = if cut.iter().any(|row| row.negative_test.is_some()) {
        "The leaked value itself was tried after the cut; what is not told of it here rests on reading back."
    } else if was_known {
        "The leaked value was known when the run began, and was not tried after the cut: what is proven rests on reading back \
         alone."
    } else {
        "No leaked value was at hand to be tried after the cut: what is proven rests on reading back alone."
    };
    told.to_owned()
}

fn delivered(book: &Book<'_>, effect: &Numbered<'_>) -> Vec<DeliveryRow> {
    let (run, key) = (&effect.run.opened.run, &effect.state.effect.key);
    let of = book.source.state.deliveries.iter().filter(|it| it.secret.run == *run && it.secret.effect == *key);
    let row = |it: &DeliveryState| DeliveryRow {
        sink: it.sink.clone(),
        to: it.to.clone(),
        at: time(it.at),
        by: it.by.clone(),
        standing: match &it.outcome {
            None => "in doubt: no outcome is recorded".to_owned(),
            Some(Outcome::Applied) => format!("done; {}", it.seen),
            Some(Outcome::Unknown(why)) => format!("in doubt: {why}"),
            Some(Outcome::Refused(why) | Outcome::NotSent(why)) => format!("not done: {why}"),
        },
        entry: it.seq,
    };
    of.map(row).collect()
}

fn left(book: &Book<'_>, effect: &Numbered<'_>) -> Option<LeftCredential> {
    let (owner, reason) = match &effect.state.status {
        EffectStatus::Left(Disposition::Later { owner }) => (Some(owner.clone()), "to be done later".to_owned()),
        EffectStatus::Left(Disposition::Keep { reason }) => (None, reason.clone()),
        EffectStatus::Left(Disposition::Unseen { .. }) => (None, effect.standing()),
        EffectStatus::Abandoned => {
            (None, format!("given up: {}", effect.state.words.as_deref().unwrap_or("no reason is recorded")))
        }
        _ => (None, format!("the step was skipped: {}", effect.skipped()?)),
    };
    let target = &effect.state.effect.target;
    let trail = book.trail(effect);
    let by = trail.and_then(|trail| trail.left.as_ref().or(trail.decisions.last().map(|(_, act)| act)));
    let by = by.map(|act| &act.by).or(effect.skipped().map(|_| &effect.step.by));
    Some(LeftCredential {
        name: target.name.clone(),
        kind: target.kind.clone(),
        id: target.id.clone(),
        verb: effect.verb().to_owned(),
        owner,
        reason,
        by: by.cloned(),
        effect: Some(effect.label()),
    })
}
