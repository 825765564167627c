use super::{Role, Row, View};
use crate::cloudflare::tokens::{Suspicion, Token, TokenRef, Traces, suspicion};

impl View<'_> {
    /// With no suspect named: what speaks against each active token, the worst first.
    pub(super) fn ranked(&self, rows: &[Row]) -> Vec<TokenRef> {
        let is_own_address = |ip: &str| self.safeguards.is_own_address(ip);
        let traces = Traces { events: &self.events, before: &self.before, is_own_address: &is_own_address };
        let candidates = rows.iter().filter(|row| row.status == "active" && row.role != Role::Own);
        let mut ranked: Vec<(Suspicion, &Token)> = candidates
            .filter_map(|row| Some((suspicion(&row.id, &row.marks, &traces), self.seen.get(&row.id)?)))
            .filter(|(suspicion, _)| suspicion.score > 0)
            .collect();
        ranked.sort_by(|(a, one), (b, other)| b.score.cmp(&a.score).then_with(|| one.name.cmp(&other.name)));
        let reference = |(Suspicion { why, .. }, token): (Suspicion, &Token)| TokenRef {
            why: Some(why),
            sure: false,
            ..token.reference()
        };
        ranked.into_iter().map(reference).collect()
    }
}
