use super::{Role, Row, View};
use crate::cloudflare::tokens::{Mark, Token, TokenRef};

impl View<'_> {
    /// With no suspect named: what speaks against each active token, the worst first.
    pub(super) fn ranked(&self, rows: &[Row]) -> Vec<TokenRef> {
        let candidates = rows.iter().filter(|row| row.status == "active" && row.role != Role::Own);
        let mut ranked: Vec<(usize, String, &Token)> = candidates
            .filter_map(|row| {
                let (score, why) = self.against(row);
                Some((score, why, self.seen.get(&row.id)?))
            })
            .collect();
        ranked.retain(|(score, ..)| *score > 0);
        ranked.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.2.name.cmp(&b.2.name)));
        let reference =
            |(_, why, token): (usize, String, &Token)| TokenRef { why: Some(why), sure: false, ..token.reference() };
        ranked.into_iter().map(reference).collect()
    }

    /// Use from addresses that were not seen before weighs most; then what the token may do.
    fn against(&self, row: &Row) -> (usize, String) {
        let known = |ip: &str| {
            self.before
                .iter()
                .any(|before| before.token_id.as_ref() == Some(&row.id) && before.ip.as_deref() == Some(ip))
        };
        let used = self.events.iter().filter(|event| event.token_id.as_ref() == Some(&row.id));
        let used = used.filter_map(|event| event.ip.as_deref());
        let strange = used.filter(|ip| !known(ip) && !self.safeguards.is_own_address(ip)).count();
        let mut reasons = Vec::new();
        if strange > 0 {
            reasons.push((strange.min(5) * 2, format!("{strange} acts from new addresses")));
        }
        let weighed = row.marks.iter().map(|mark| match mark {
            Mark::CreatedInWindow => (3, "made in the window"),
            Mark::ChangedInWindow => (3, "changed in the window"),
            Mark::CanMint => (2, "may make tokens"),
            Mark::NeverExpires => (1, "never expires"),
            Mark::AnyAddress => (1, "works from anywhere"),
            Mark::Broad => (1, "reaches all zones"),
            Mark::Unused => (0, "unused"),
        });
        reasons.extend(weighed.map(|(weight, why)| (weight, why.to_owned())));
        let score = reasons.iter().map(|(weight, _)| weight).sum();
        let words: Vec<String> = reasons.into_iter().filter(|(weight, _)| *weight > 0).map(|(_, why)| why).collect();
        (score, words.join(", "))
    }
}
