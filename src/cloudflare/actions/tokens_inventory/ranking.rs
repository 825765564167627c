use std::collections::BTreeSet;

use super::{Meant, Role, Row, View};
use crate::cloudflare::tokens::{Held, Suspicion, TokenRef, Traces, behaviour, suspicion};
use crate::hunt::Principal;

/// What counts for a token that somebody cut in this incident beside the run: they had a reason.
const CUT_BESIDE: usize = 6;

/// What counts for a token that a suspect's name speaks of: one of several that bear it, or the nearest to it where none does.
const NAMED: usize = 100;

/// What is said of a candidate where nobody read what it did.
const NO_LOG: &str = "the audit log was not read";

impl View<'_> {
    /// What speaks against each token that nobody has named, the worst first. One that is dead already is listed for what it
    /// did, since whoever held it may have left more behind; one that was shown and not chosen only where more speaks against
    /// it by now. Where several bear the suspect's name, or none and one is called nearly so, these come first.
    pub(super) fn ranked(&self, rows: &[Row], held: &Held<'_>, meant: &Meant) -> Vec<TokenRef> {
        let is_own_address = |ip: &str| self.safeguards.is_own_address(ip);
        let traces = Traces { events: &self.events, before: &self.before, is_own_address: &is_own_address };
        let active = rows.iter().filter(|row| row.status == "active" && row.role != Role::Own);
        let active = active.filter_map(|row| {
            let against = suspicion(&row.id, &row.marks, row.minted_by.as_ref(), &traces);
            Some((against, self.seen.get(&row.id)?.reference()))
        });
        let dead = rows.iter().filter(|row| row.status != "active");
        let dead = dead.filter_map(|row| {
            let reference = self.seen.get(&row.id)?.reference();
            Some((self.of_dead(&row.id, &format!("{} already", row.status), &traces), reference))
        });
        let gone = self.gone().into_iter().map(|token| (self.of_dead(&token.id, "deleted already", &traces), token));
        let mut ranked: Vec<(Suspicion, TokenRef)> = active
            .chain(dead)
            .chain(gone)
            .map(|(suspicion, token)| (self.as_far_as_read(named(meant, &token.id, suspicion)), token))
            .filter(|(suspicion, token)| suspicion.score > 0 && held.get(&token.id).is_none())
            .filter(|(_, token)| !held.tampered.iter().any(|tampering| tampering.id == token.id))
            .filter(|(suspicion, token)| !self.passed_over.contains(&(token.id.clone(), suspicion.why.clone())))
            .collect();
        ranked.sort_by(|(a, one), (b, other)| b.score.cmp(&a.score).then_with(|| one.name.cmp(&other.name)));
        let reference = |(Suspicion { why, .. }, token)| TokenRef { why: Some(why), sure: false, ..token };
        ranked.into_iter().map(reference).collect()
    }

    /// Whether the suspect that is named may be the wrong one: the log was read, back to what was usual, and shows nothing
    /// that is surely the intruder's.
    pub(super) fn is_doubted(&self, meant: &Meant, principals: &[Principal]) -> bool {
        let is_told = principals.iter().any(|held| !held.hostile_ips.is_empty());
        (meant.suspect().is_some() || meant.person().is_some())
            && !is_told
            && !self.events.is_empty()
            && !self.before.is_empty()
    }

    /// Whether the log shows of the token what it never showed before.
    pub(super) fn acted_as_never_before(&self, id: &str) -> bool {
        let is_own_address = |ip: &str| self.safeguards.is_own_address(ip);
        let traces = Traces { events: &self.events, before: &self.before, is_own_address: &is_own_address };
        behaviour(id, &traces).score > 0
    }

    /// The same with a word on what it is drawn from, where nobody read what the tokens did.
    fn as_far_as_read(&self, suspicion: Suspicion) -> Suspicion {
        if !self.events.is_empty() || suspicion.why.is_empty() {
            return suspicion;
        }
        Suspicion { why: format!("{} ({NO_LOG})", suspicion.why), ..suspicion }
    }

    /// What speaks against a token that is dead: what it did, and that somebody cut it.
    fn of_dead(&self, id: &str, how: &str, traces: &Traces<'_>) -> Suspicion {
        let Suspicion { score, why } = behaviour(id, traces);
        let beside = self.beside.contains(id);
        let reasons = [beside.then_some("cut in this incident"), Some(how), Some(&*why).filter(|why| !why.is_empty())];
        let why = reasons.into_iter().flatten().collect::<Vec<_>>().join(", ");
        Suspicion { score: score + if beside { CUT_BESIDE } else { 0 }, why }
    }

    /// Tokens that acted, or were cut beside this run, and are provably not there any more.
    fn gone(&self) -> Vec<TokenRef> {
        let acted = self.events.iter().filter_map(|event| event.token_id.as_ref());
        let ids: BTreeSet<&String> = acted.chain(&self.beside).collect();
        let gone = ids
            .into_iter()
            .filter(|id| self.own.as_ref() != Some(*id) && self.seen.is_gone(id, self.owner(id).as_deref()));
        gone.map(|id| TokenRef { owner: self.owner(id), ..TokenRef::new(id, &self.name(id)) }).collect()
    }
}

/// The same with what the suspect's name says of the token.
fn named(meant: &Meant, id: &str, suspicion: Suspicion) -> Suspicion {
    let Some(said) = meant.says_of(id) else { return suspicion };
    let reasons = [said, &suspicion.why].into_iter().filter(|reason| !reason.is_empty());
    Suspicion { score: suspicion.score + NAMED, why: reasons.collect::<Vec<_>>().join(", ") }
}
