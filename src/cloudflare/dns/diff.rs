use std::io;

use super::Record;
use crate::cloudflare::families::family;
use crate::hunt::{self, Item, Seat};
use crate::model::Change;

/// One record that differs between two lists.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// As it was; `None` for one that is new.
    pub before: Option<Record>,
    /// As it is; `None` for one that is gone.
    pub after: Option<Record>,
}

impl Difference {
    /// What happened to it.
    pub fn change(&self) -> Change {
        match (&self.before, &self.after) {
            (Some(_), Some(_)) => Change::Changed,
            (Some(_), None) => Change::Removed,
            (None, _) => Change::Added,
        }
    }

    /// The fields that differ, for one that was changed.
    pub fn fields(&self) -> Vec<&'static str> {
        match (&self.before, &self.after) {
            (Some(before), Some(after)) => before.differing(after),
            _ => Vec::new(),
        }
    }

    /// The record, preferably as it is.
    pub fn record(&self) -> Option<&Record> {
        self.after.as_ref().or(self.before.as_ref())
    }
}

/// What differs between a baseline and the present of one zone, in order of type, name and content: what [`hunt::diff`]
/// finds in the family of DNS records.
///
/// # Errors
/// Never, as far as is known; see [`hunt::diff::items`].
pub fn diff(baseline: &[Record], present: &[Record]) -> io::Result<Vec<Difference>> {
    let Some(family) = family("dns_records") else { return Err(io::ErrorKind::Unsupported.into()) };
    let zone = Seat::zone("", "");
    let items = |records: &[Record]| records.iter().map(|record| family.item(&zone, record.raw.clone())).collect();
    let found = hunt::diff::items(family, items(baseline), items(present))?;
    let record = |item: Option<Item>| item.as_ref().and_then(Record::of);
    Ok(found.into_iter().map(|it| Difference { before: record(it.before), after: record(it.after) }).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::Difference;
    use crate::cloudflare::dns::Record;
    use crate::model::Change;

    fn records(items: &[Value]) -> Vec<Record> {
        items.iter().filter_map(Record::read).collect()
    }

    fn diff(before: &[Record], after: &[Record]) -> Vec<Difference> {
        super::diff(before, after).unwrap()
    }

    fn changes(before: &[Value], after: &[Value]) -> Vec<(Change, Vec<&'static str>)> {
        diff(&records(before), &records(after)).iter().map(|found| (found.change(), found.fields())).collect()
    }

    fn a(id: &str, name: &str, content: &str) -> Value {
        json!({ "id": id, "type": "A", "name": name, "content": content, "ttl": 1, "proxied": true })
    }

    #[test]
    fn a_record_made_again_under_another_id_is_the_same() {
        assert!(changes(&[a("1", "x", "192.0.2.1")], &[a("2", "x", "192.0.2.1")]).is_empty());
    }

    #[test]
    fn changed_content_is_one_change_with_and_without_the_id() {
        let expected = [(Change::Changed, vec!["content"])];
        assert_eq!(changes(&[a("1", "x", "192.0.2.1")], &[a("1", "x", "203.0.113.1")]), expected);
        assert_eq!(changes(&[a("1", "x", "192.0.2.1")], &[a("2", "x", "203.0.113.1")]), expected);
    }

    #[test]
    fn the_original_made_again_beside_a_changed_record_shows_the_changed_one_as_added() {
        let after = [a("1", "x", "203.0.113.1"), a("2", "x", "192.0.2.1")];
        let found = diff(&records(&[a("1", "x", "192.0.2.1")]), &records(&after));
        let ids: Vec<_> = found.iter().map(|it| (it.change(), it.record().map(|it| it.id.as_str()))).collect();
        assert_eq!(ids, [(Change::Added, Some("1"))]);
    }

    #[test]
    fn an_added_mail_host_changes_no_other() {
        let mx = |id: &str, host: &str, priority: u64| json!({ "id": id, "type": "MX", "name": "x", "content": host, "priority": priority });
        let before = [mx("1", "mx1", 10), mx("2", "mx2", 20)];
        let after = [mx("3", "evil", 5), mx("2", "mx2", 20), mx("1", "mx1", 10)];
        assert_eq!(changes(&before, &after), [(Change::Added, vec![])]);
        assert_eq!(changes(&after, &before), [(Change::Removed, vec![])]);
    }

    #[test]
    fn attributes_count_but_not_the_time_to_live_of_a_proxied_record() {
        let mut other = a("1", "x", "192.0.2.1");
        other["ttl"] = 300.into();
        other["settings"] = json!({ "ipv4_only": false, "flatten_cname": null });
        assert!(changes(&[a("1", "x", "192.0.2.1")], &[other.clone()]).is_empty());
        other["proxied"] = false.into();
        other["settings"] = json!({ "ipv4_only": true });
        assert_eq!(changes(&[a("1", "x", "192.0.2.1")], &[other]), [(Change::Changed, vec!["proxied", "settings"])]);
    }

    /// A record, and the same record as another tool might have written it.
    fn twins() -> impl Strategy<Value = (Value, Value)> {
        let host = "[a-z_][a-z0-9-]{0,8}\\.[a-z]{1,8}\\.example";
        let written = (host, any::<[u16; 8]>()).prop_map(|(name, groups)| {
            let address = std::net::Ipv6Addr::from(groups);
            let long = groups.map(|group| format!("{group:04X}")).join(":");
            (
                json!({ "type": "AAAA", "name": name, "content": address.to_string() }),
                json!({ "type": "aaaa", "name": name, "content": long }),
            )
        });
        let text = (host, "[ -!#-\\[\\]-~]{1,600}").prop_map(|(name, text)| {
            let cut: Vec<String> =
                text.as_bytes().chunks(255).map(|it| format!("\"{}\"", String::from_utf8_lossy(it))).collect();
            (
                json!({ "type": "TXT", "name": name, "content": format!("\"{text}\"") }),
                json!({ "type": "TXT", "name": name, "content": cut.join(" ") }),
            )
        });
        let mail = (host, host, any::<u16>()).prop_map(|(name, target, priority)| {
            (
                json!({ "type": "MX", "name": name, "content": target, "priority": priority }),
                json!({ "type": "MX", "name": name, "data": { "priority": priority, "target": target.to_uppercase() } }),
            )
        });
        let service = (host, host, any::<[u16; 3]>()).prop_map(|(name, target, [priority, weight, port])| {
            (
                json!({ "type": "SRV", "name": name, "content": format!("{weight} {port} {target}"), "priority": priority }),
                json!({ "type": "SRV", "name": name, "data": { "priority": priority, "weight": weight, "port": port, "target": format!("{target}.") } }),
            )
        });
        let alias = (host, host).prop_map(|(name, target)| {
            (
                json!({ "type": "CNAME", "name": name, "content": target, "proxied": true, "ttl": 1 }),
                json!({ "type": "CNAME", "name": name, "content": format!("{}.", target.to_uppercase()), "proxied": true, "ttl": 300 }),
            )
        });
        prop_oneof![written, text, mail, service, alias].prop_map(|(one, mut other)| {
            let name = format!("{}.", other["name"].as_str().unwrap_or_default().to_uppercase());
            other["name"] = name.into();
            (one, other)
        })
    }

    proptest! {
        #[test]
        fn spelling_ids_and_order_never_make_a_difference(
            pairs in prop::collection::vec(twins(), 0..20).prop_flat_map(|pairs| (Just(pairs.clone()), Just(pairs).prop_shuffle()))
        ) {
            let (pairs, shuffled) = pairs;
            let one: Vec<Value> = pairs.into_iter().map(|(one, _)| one).collect();
            let mut other: Vec<Value> = shuffled.into_iter().map(|(_, other)| other).collect();
            for (at, record) in other.iter_mut().enumerate() {
                record["id"] = format!("new-{at}").into();
            }
            prop_assert_eq!(records(&one).len(), one.len());
            prop_assert_eq!(records(&other).len(), other.len());
            prop_assert_eq!(diff(&records(&one), &records(&other)), vec![]);
        }

        #[test]
        fn every_lost_record_is_told(pairs in prop::collection::vec(twins(), 1..20), at in any::<prop::sample::Index>()) {
            let all: Vec<Value> = pairs.into_iter().map(|(one, _)| one).collect();
            let mut fewer = all.clone();
            fewer.remove(at.index(all.len()));
            prop_assert_eq!(changes(&all, &fewer), vec![(Change::Removed, vec![])]);
            prop_assert_eq!(changes(&fewer, &all), vec![(Change::Added, vec![])]);
        }
    }
}
