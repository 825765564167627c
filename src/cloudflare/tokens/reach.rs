//! Where a token's policies let it act: what is cut off with it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::Token;
use crate::action::{Look, Safeguards};
use crate::cloudflare::{Named, named};

/// Zones that are named; of more only the number is told.
const SHOWN: usize = 5;

const ZONE: &str = "com.cloudflare.api.account.zone.";
const ACCOUNT: &str = "com.cloudflare.api.account.";
const USER: &str = "com.cloudflare.api.user.";

/// Where the policies of a token that allow something apply.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Reach {
    /// Every zone, of this account or of all.
    all_zones: bool,
    /// Single zones, by id.
    zones: BTreeSet<String>,
    /// The account itself.
    account: bool,
    /// The user who owns it.
    user: bool,
    /// Resources of another kind, as they are called.
    others: BTreeSet<String>,
}

impl Token {
    /// Where it may act. What is denied is not taken off: this errs on the side of too much.
    fn reach(&self) -> Reach {
        let mut reach = Reach::default();
        for policy in self.policies().filter(|policy| policy["effect"] != "deny") {
            reach.take(&policy["resources"]);
        }
        reach
    }

    /// The same for people: `all zones; the account`, `zones a.example, b.example`. `None` where its policies are not
    /// in what was read.
    pub fn reach_in_words(&self, names: &ZoneNames, safeguards: &Safeguards) -> Option<String> {
        let is_seen = self.raw.get("policies").is_some_and(Value::is_array);
        is_seen.then(|| self.reach().in_words(names, safeguards))
    }
}

impl Reach {
    fn take(&mut self, resources: &Value) {
        for (name, within) in resources.as_object().into_iter().flatten() {
            if within.is_object() {
                self.take(within);
            } else if let Some(id) = name.strip_prefix(ZONE) {
                match id {
                    "*" => self.all_zones = true,
                    id => _ = self.zones.insert(id.to_owned()),
                }
            } else if name.starts_with(ACCOUNT) {
                self.account = true;
            } else if name.starts_with(USER) {
                self.user = true;
            } else {
                self.others.insert(name.clone());
            }
        }
    }

    /// For people. `names` tells zones by their id.
    fn in_words(&self, names: &ZoneNames, safeguards: &Safeguards) -> String {
        let mut parts = Vec::new();
        if self.all_zones {
            let jewels = &safeguards.crown_jewels;
            let of = if jewels.is_empty() { "" } else { ", crown jewels as well" };
            parts.push(format!("all zones{of}"));
        } else if !self.zones.is_empty() {
            parts.push(names.told(&self.zones, safeguards));
        }
        parts.extend(self.account.then(|| "the account".to_owned()));
        parts.extend(self.user.then(|| "its user".to_owned()));
        parts.extend(self.others.iter().cloned());
        if parts.is_empty() { "nowhere: no policy allows anything".to_owned() } else { parts.join("; ") }
    }
}

/// Names of zones by id, as far as they can be seen.
#[derive(Debug, Clone, Default)]
pub struct ZoneNames(BTreeMap<String, String>);

impl ZoneNames {
    /// Reads them where one of `tokens` is for single zones. A list that is refused is no gap here: the ids are shown in
    /// place of the names.
    pub async fn of(look: &Look<'_>, tokens: impl Iterator<Item = &Token>) -> Self {
        let mut zones = tokens.map(Token::reach).filter(|reach| !reach.all_zones).flat_map(|reach| reach.zones);
        if zones.next().is_none() {
            return Self::default();
        }
        Self(named(Named::Zones, look.provider()).await.into_iter().map(|(name, id)| (id, name)).collect())
    }

    /// The crown jewels first, then by name; of many only how many more there are.
    fn told(&self, zones: &BTreeSet<String>, safeguards: &Safeguards) -> String {
        let mut names: Vec<&str> = zones.iter().map(|id| self.0.get(id).map_or(id.as_str(), String::as_str)).collect();
        names.sort_by_key(|name| (safeguards.turn(name), *name));
        let shown: Vec<String> = names
            .iter()
            .take(SHOWN)
            .map(
                |name| {
                    if safeguards.is_crown_jewel(name) { format!("{name} (crown jewel)") } else { (*name).to_owned() }
                },
            )
            .collect();
        let more = names.len() - shown.len();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        format!("{} {}{more}", if names.len() == 1 { "zone" } else { "zones" }, shown.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Reach, ZoneNames};
    use crate::action::Safeguards;

    fn reach(policies: &serde_json::Value) -> Reach {
        let mut reach = Reach::default();
        policies.as_array().unwrap().iter().for_each(|resources| reach.take(resources));
        reach
    }

    fn words(policies: &serde_json::Value, jewels: &[&str]) -> String {
        let names = [("z1", "b.example"), ("z2", "a.example"), ("z3", "c.example")];
        let names = ZoneNames(names.into_iter().map(|(id, name)| (id.to_owned(), name.to_owned())).collect());
        let crown_jewels = jewels.iter().map(|jewel| (*jewel).to_owned()).collect();
        let safeguards = Safeguards { crown_jewels, ..Safeguards::default() };
        reach(policies).in_words(&names, &safeguards)
    }

    #[test]
    fn a_reach_is_told_by_names_and_by_no_more_than_can_be_read() {
        let zone = |id: &str| json!({ format!("com.cloudflare.api.account.zone.{id}"): "*" });
        let account = "com.cloudflare.api.account.a1";
        for (policies, jewels, wanted) in [
            (json!([]), &[][..], "nowhere: no policy allows anything"),
            (json!([{ account: "*" }, { "com.cloudflare.api.user.u1": "*" }]), &[], "the account; its user"),
            (json!([{ account: { "com.cloudflare.api.account.zone.*": "*" } }]), &[], "all zones"),
            (json!([zone("*"), zone("z1")]), &["a.example"], "all zones, crown jewels as well"),
            (json!([zone("z1")]), &[], "zone b.example"),
            (
                json!([zone("z1"), zone("z3"), zone("z2")]),
                &["c.example"],
                "zones c.example (crown jewel), a.example, b.example",
            ),
            (json!([zone("z9")]), &[], "zone z9"),
            (json!([{ "com.cloudflare.edge.r2.bucket.x": "*" }]), &[], "com.cloudflare.edge.r2.bucket.x"),
        ] {
            assert_eq!(words(&policies, jewels), wanted);
        }
        let many: Vec<_> = (10..20).map(|number| zone(&format!("y{number}"))).collect();
        assert_eq!(words(&json!(many), &[]), "zones y10, y11, y12, y13, y14 and 5 more");
    }
}
