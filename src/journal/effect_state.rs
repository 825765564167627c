use jiff::Timestamp;
use serde_json::Value;

use super::event::{Basis, EffectDecision, SettledBy};
use crate::model::{Call, Digest, Disposition, Effect, Outcome, Verdict};

/// How often a call that provably did not leave may be tried under one consent.
pub const MOST_ATTEMPTS_UNSENT: u32 = 3;

/// One effect, as the journal tells it.
#[derive(Debug, Clone)]
pub struct EffectState {
    /// The effect as it was proposed last.
    pub effect: Effect,
    /// Where it stands.
    pub status: EffectStatus,
    /// Every attempt, in order.
    pub attempts: Vec<Attempt>,
    /// The latest verdict of a read.
    pub verdict: Option<Verdict>,
    /// What a person decided about it, in words.
    pub words: Option<String>,
    /// What its latest consent rests on.
    pub basis: Basis,
    /// True where it was consented to after another row of its step was done: whoever consented knew how that went.
    pub after_first: bool,
    /// Who agreed to its present consent as a second person, or why nobody did.
    pub second: Option<Second>,
    consented: bool,
    /// Who gave the present consent.
    consented_by: String,
    /// Attempts made under the present consent.
    under_consent: u32,
    /// The effect's digest.
    digest: Digest,
}

/// The word of a second person on what was consented to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Second {
    /// Somebody else agreed; who.
    Agreed(String),
    /// It goes on without a second person; why.
    Alone(String),
}

/// One attempt at an effect.
#[derive(Debug, Clone, Default)]
pub struct Attempt {
    /// When it was intended; `None` for work by hand.
    pub began: Option<Timestamp>,
    /// When it was settled last.
    pub ended: Option<Timestamp>,
    /// What became of it; `None` while its intent is open.
    pub outcome: Option<Outcome>,
    /// What the answer said, without secrets.
    pub receipt: Value,
    /// What settled it.
    pub by: Option<SettledBy>,
    /// True where the answer lies in the vault.
    pub sealed: bool,
}

/// Where an effect stands.
#[derive(Debug, Clone, PartialEq)]
pub enum EffectStatus {
    /// Shown, not yet decided.
    Proposed,
    /// May be sent; the digest is of what was shown.
    Consented(Digest),
    /// Intended, and no outcome is known.
    Open,
    /// The answer is lost or unreadable.
    Unknown,
    /// The provider said no.
    Refused,
    /// Said to be done; not yet looked at.
    Applied,
    /// Said to be done, and a look does not bear it out.
    VerifyFailed,
    /// Done. The verdict says whether it was seen.
    Finished,
    /// Not chosen.
    Left(Disposition),
    /// Given up by a person.
    Abandoned,
}

impl EffectState {
    pub(crate) fn new(effect: Effect) -> Self {
        Self {
            digest: effect.digest(),
            effect,
            status: EffectStatus::Proposed,
            attempts: Vec::new(),
            verdict: None,
            words: None,
            basis: Basis::Typed,
            after_first: false,
            second: None,
            consented: false,
            consented_by: String::new(),
            under_consent: 0,
        }
    }

    /// The latest attempt has no outcome.
    pub fn is_open(&self) -> bool {
        self.status == EffectStatus::Open
    }

    /// The latest attempt has no outcome, or an unknown one.
    pub fn is_in_doubt(&self) -> bool {
        matches!(self.status, EffectStatus::Open | EffectStatus::Unknown)
    }

    /// It was given up without anybody knowing whether it took place.
    pub fn was_given_up_in_doubt(&self) -> bool {
        self.status == EffectStatus::Abandoned
            && !self.attempts.is_empty()
            && matches!(self.outcome(), None | Some(Outcome::Unknown(_)))
    }

    /// Nothing more happens to it.
    pub fn is_final(&self) -> bool {
        matches!(self.status, EffectStatus::Finished | EffectStatus::Left(_) | EffectStatus::Abandoned)
    }

    /// It failed, and a person must say what becomes of it.
    pub fn needs_decision(&self) -> bool {
        matches!(self.status, EffectStatus::Refused | EffectStatus::VerifyFailed)
    }

    /// A message that did not get through, or may not have: it stops nothing and is not sent again.
    pub fn is_missed(&self) -> bool {
        self.is_best_effort() && (self.is_in_doubt() || self.needs_decision())
    }

    /// A message: that it did not get through is a gap, and stops nothing.
    pub fn is_best_effort(&self) -> bool {
        matches!(&self.effect.call, Call::Outside(call) if call.is_best_effort())
    }

    /// At least one attempt may have reached the provider.
    pub fn was_sent(&self) -> bool {
        self.attempts.iter().any(|attempt| !matches!(attempt.outcome, Some(Outcome::NotSent(_))))
    }

    /// True where a fresh proposal must not drop it.
    pub(super) fn has_history(&self) -> bool {
        !self.attempts.is_empty() || self.is_final() || matches!(self.status, EffectStatus::Consented(_))
    }

    /// The number that the next attempt gets.
    pub fn next_attempt(&self) -> u32 {
        u32::try_from(self.attempts.len()).unwrap_or(u32::MAX).saturating_add(1)
    }

    /// What the last answer said.
    pub fn receipt(&self) -> Option<&Value> {
        self.attempts.last().filter(|attempt| attempt.outcome.is_some()).map(|attempt| &attempt.receipt)
    }

    /// The outcome of the last attempt.
    pub fn outcome(&self) -> Option<&Outcome> {
        self.attempts.last().and_then(|attempt| attempt.outcome.as_ref())
    }

    /// Done, as the provider says and no look contradicts.
    pub fn is_applied(&self) -> bool {
        matches!(self.status, EffectStatus::Applied | EffectStatus::Finished)
            && self.outcome() == Some(&Outcome::Applied)
    }

    /// Not sent, because a read proved that it was so already.
    pub const fn is_met(&self) -> bool {
        matches!(self.status, EffectStatus::Left(Disposition::AlreadyMet { .. }))
    }

    /// Somebody consented to it, in whatever way, at least once.
    pub const fn was_consented(&self) -> bool {
        self.consented
    }

    /// Done, and nothing more happens to it.
    pub fn is_done(&self) -> bool {
        self.status == EffectStatus::Finished && self.outcome() == Some(&Outcome::Applied)
    }

    /// Done, and a read shows it.
    pub fn is_proven(&self) -> bool {
        self.is_done() && matches!(self.verdict, Some(Verdict::Holds(_)))
    }

    /// Work by hand that is not settled, and of which a read shows whether it is done.
    pub fn can_be_checked(&self) -> bool {
        self.effect.is_read_back() && self.is_open_work()
    }

    /// Work by hand that nobody has said is done, and that a read shows to be.
    pub fn is_seen_done(&self) -> bool {
        self.is_open_work() && matches!(self.verdict, Some(Verdict::Holds(_)))
    }

    /// Work by hand that is still to be done: now, by somebody later, or for it did not show.
    const fn is_open_work(&self) -> bool {
        matches!(self.effect.call, Call::Hand(_))
            && matches!(
                self.status,
                EffectStatus::Proposed | EffectStatus::VerifyFailed | EffectStatus::Left(Disposition::Later { .. })
            )
    }

    pub(super) fn repropose(&mut self, effect: &Effect) {
        if self.is_final() || matches!(self.status, EffectStatus::Applied) {
            return;
        }
        self.effect = effect.clone();
        self.digest = effect.digest();
        if matches!(&self.status, EffectStatus::Consented(shown) if *shown != self.digest) {
            self.status = EffectStatus::Proposed;
            self.second = None;
        }
    }

    pub(super) fn consent(&mut self, digest: &Digest, by: &str, basis: Basis, after_first: bool) -> Result<(), String> {
        self.expect(self.status == EffectStatus::Proposed, "be consented to")?;
        if *digest != self.digest {
            return Err(format!("consent to effect {} is for something else than was proposed", self.effect.key));
        }
        self.status = EffectStatus::Consented(digest.clone());
        self.consented = true;
        by.clone_into(&mut self.consented_by);
        self.second = None;
        self.basis = basis;
        self.after_first = after_first;
        self.under_consent = 0;
        Ok(())
    }

    /// Takes the word of a second person, who is somebody else than who consented, or the reason to go on without one.
    pub(super) fn second(&mut self, digest: &Digest, by: &str, alone: Option<&str>) -> Result<(), String> {
        let is_the_same = matches!(&self.status, EffectStatus::Consented(shown) if shown == digest);
        // Said once: that nobody agreed must not stand where somebody did.
        self.expect(is_the_same && self.second.is_none(), "be agreed to")?;
        self.second = Some(match alone {
            Some(reason) => Second::Alone(reason.to_owned()),
            None if self.is_consented_by(by) => {
                return Err(format!("{by} consented to effect {} and is no second person", self.effect.key));
            }
            None => Second::Agreed(by.to_owned()),
        });
        Ok(())
    }

    /// Whether the present consent is of the person called so.
    pub fn is_consented_by(&self, name: &str) -> bool {
        self.consented_by.trim().to_lowercase() == name.trim().to_lowercase()
    }

    /// Who gave the present consent.
    pub fn consented_by(&self) -> &str {
        &self.consented_by
    }

    pub(super) fn leave(&mut self, disposition: &Disposition) -> Result<(), String> {
        let unsent = matches!(self.status, EffectStatus::Proposed | EffectStatus::Consented(_));
        self.expect(unsent, "be left")?;
        self.status = EffectStatus::Left(disposition.clone());
        Ok(())
    }

    pub(super) fn intend(&mut self, attempt: u32, call: &Digest, at: Timestamp) -> Result<(), String> {
        self.expect(matches!(&self.status, EffectStatus::Consented(shown) if *shown == self.digest), "be sent")?;
        if matches!(self.effect.call, Call::Hand(_)) || *call != self.effect.call.digest() {
            return Err(format!("the intent for effect {} names another call than was shown", self.effect.key));
        }
        if attempt != self.next_attempt() || self.under_consent >= MOST_ATTEMPTS_UNSENT {
            return Err(format!("attempt {attempt} of effect {} is out of turn", self.effect.key));
        }
        self.attempts.push(Attempt { began: Some(at), ..Attempt::default() });
        self.under_consent += 1;
        self.verdict = None;
        self.status = EffectStatus::Open;
        Ok(())
    }

    pub(super) fn seal(&mut self, attempt: u32) -> Result<(), String> {
        self.expect(self.is_in_doubt() && self.is_last(attempt), "have its answer sealed")?;
        if let Some(last) = self.attempts.last_mut() {
            last.sealed = true;
        }
        Ok(())
    }

    pub(super) fn settle(
        &mut self,
        attempt: u32,
        outcome: &Outcome,
        receipt: &Value,
        by: SettledBy,
        at: Timestamp,
    ) -> Result<(), String> {
        let settled = Attempt {
            began: None,
            ended: Some(at),
            outcome: Some(outcome.clone()),
            receipt: receipt.clone(),
            by: Some(by),
            sealed: false,
        };
        if matches!(self.effect.call, Call::Hand(_)) {
            let is_probed = by == SettledBy::Probe;
            let is_due = if is_probed { self.is_seen_done() } else { self.status == EffectStatus::Proposed };
            self.expect(attempt == 0 && is_due && *outcome == Outcome::Applied, "be settled")?;
            self.attempts.push(settled);
            if is_probed {
                self.status = EffectStatus::Finished;
            } else {
                // What was seen before somebody did it says nothing of it now.
                (self.status, self.verdict) = (EffectStatus::Applied, None);
            }
            return Ok(());
        }
        self.expect(self.is_in_doubt() && self.is_last(attempt), "be settled")?;
        if let Some(last) = self.attempts.last_mut() {
            // After a crash between sealing and its entry, the vault itself tells that the answer lies there.
            let sealed = last.sealed || by == SettledBy::Vault;
            *last = Attempt { sealed, began: last.began, ..settled };
        }
        self.status = match outcome {
            // A probe has looked already.
            Outcome::Applied if by == SettledBy::Probe => EffectStatus::Finished,
            Outcome::Applied => EffectStatus::Applied,
            Outcome::Refused(_) => EffectStatus::Refused,
            Outcome::Unknown(_) => EffectStatus::Unknown,
            Outcome::NotSent(_) if self.under_consent < MOST_ATTEMPTS_UNSENT && !self.is_best_effort() => {
                EffectStatus::Consented(self.digest.clone())
            }
            Outcome::NotSent(_) => EffectStatus::Refused,
        };
        Ok(())
    }

    pub(super) fn verify(&mut self, verdict: &Verdict) -> Result<(), String> {
        // Read-backs settle what was applied; for an effect in doubt the verdict is noted, and a settlement follows.
        match (&self.status, verdict) {
            (EffectStatus::Applied, Verdict::DoesNotHold(_)) => self.status = EffectStatus::VerifyFailed,
            (EffectStatus::Applied, _) => self.status = EffectStatus::Finished,
            (EffectStatus::Open | EffectStatus::Unknown | EffectStatus::VerifyFailed, _) => {}
            // Work by hand may be looked at before anybody says that it is done.
            _ if self.is_open_work() => {}
            _ => return Err(format!("effect {} is not at a point where it is verified", self.effect.key)),
        }
        self.verdict = Some(verdict.clone());
        Ok(())
    }

    pub(super) fn decide(&mut self, decision: EffectDecision, words: &str) -> Result<(), String> {
        self.expect(self.needs_decision() || self.is_in_doubt(), "be decided about")?;
        if self.is_in_doubt() {
            // The attempt stays unknown in its record; the person's word is what goes on from here.
            if let Some(last) = self.attempts.last_mut() {
                last.outcome.get_or_insert_with(|| Outcome::Unknown("no answer was recorded".into()));
                if decision == EffectDecision::Applied {
                    last.outcome = Some(Outcome::Applied);
                    last.by = Some(SettledBy::Person);
                }
            }
        }
        self.status = match decision {
            EffectDecision::Retry => EffectStatus::Proposed,
            EffectDecision::Applied => EffectStatus::Finished,
            EffectDecision::Abandon => EffectStatus::Abandoned,
        };
        self.words = Some(words.to_owned());
        Ok(())
    }

    fn is_last(&self, attempt: u32) -> bool {
        u32::try_from(self.attempts.len()) == Ok(attempt)
    }

    fn expect(&self, legal: bool, what: &str) -> Result<(), String> {
        if legal {
            Ok(())
        } else {
            Err(format!("effect {} cannot {what} now: it is {:?}", self.effect.key, self.status))
        }
    }
}
