use std::collections::BTreeMap;

use serde_json::Value;

use crate::action::Look;
use crate::cloudflare::access_rules::{AccessRule, access_rules_path};
use crate::cloudflare::api::segment;
use crate::cloudflare::certificates::{list_request, read};
use crate::cloudflare::dns::Record;
use crate::cloudflare::review::{Place, ReviewKind};
use crate::cloudflare::rules::{Rule, rulesets_path};
use crate::provider::{Paging, ReadError, ReadRequest};

/// A resource as it is now.
#[derive(Debug, Clone, PartialEq)]
pub struct Present {
    /// Its id; another than before where it was deleted and made again.
    pub id: String,
    /// What it is.
    pub image: Value,
}

/// How a finding stands.
#[derive(Debug, Clone, PartialEq)]
pub enum Standing {
    /// What should be there is, and what should not be is not.
    PutBack,
    /// It is not.
    Open {
        /// What is there and should not be, or not so.
        present: Option<Present>,
        /// True where what should be there is there as well, beside it.
        is_beside: bool,
    },
}

/// Reads resources again, each list once.
pub struct Sight<'a> {
    look: &'a Look<'a>,
    lists: BTreeMap<String, Result<Vec<Value>, ReadError>>,
}

impl<'a> Sight<'a> {
    /// Nothing is read yet.
    pub fn new(look: &'a Look<'a>) -> Self {
        Self { look, lists: BTreeMap::new() }
    }

    /// How things stand at `place`, where `left` was found and `wanted` should be.
    ///
    /// # Errors
    /// It cannot be seen.
    pub async fn standing(
        &mut self,
        place: &Place,
        left: Option<&Value>,
        wanted: Option<&Value>,
    ) -> Result<Standing, ReadError> {
        let request = source(place, self.look.account());
        let key = format!("{} {:?}", request.path, request.query);
        if !self.lists.contains_key(&key) {
            let items = items(place, &request, self.look).await;
            self.lists.insert(key.clone(), items);
        }
        match self.lists.get(&key) {
            Some(Ok(items)) => Ok(assess(place, left, wanted, items)),
            Some(Err(error)) => Err(error.clone()),
            None => Err(ReadError::Unreadable(String::from("nothing was read"))),
        }
    }
}

/// Whole lists are read, for that something is not in a list is proof that it is gone; a 404 for its id is none.
fn source(place: &Place, account: &str) -> ReadRequest {
    let zone = place.zone_id.as_deref();
    match place.kind {
        ReviewKind::DnsRecord => ReadRequest::new(format!("/zones/{}/dns_records", segment(zone.unwrap_or_default()))),
        ReviewKind::Rule => {
            let ruleset = segment(place.ruleset_id.as_deref().unwrap_or_default());
            ReadRequest::new(format!("{}/{ruleset}", rulesets_path(place.level, zone, account)))
        }
        ReviewKind::AccessRule => ReadRequest::new(access_rules_path(place.level, zone, account)),
        kind => list_request(kind, zone.unwrap_or_default()),
    }
}

async fn items(place: &Place, request: &ReadRequest, look: &Look<'_>) -> Result<Vec<Value>, ReadError> {
    let per_page = match place.kind {
        ReviewKind::Rule => {
            return match look.get(request).await {
                Ok(reading) => Ok(reading.result.get("rules").and_then(Value::as_array).cloned().unwrap_or_default()),
                // Code 10003 says that the ruleset is gone; 7003 would only say that the path led nowhere.
                Err(ReadError::NotFound(why)) if why.contains("10003") => Ok(Vec::new()),
                Err(error) => Err(error),
            };
        }
        ReviewKind::DnsRecord => 5000,
        ReviewKind::AccessRule => 100,
        _ => 50,
    };
    let listing = look.list(request, Paging::Pages { per_page }, place.kind.family(), place.scope()).await?;
    match listing.shortfall {
        None => Ok(listing.items),
        Some(why) => Err(ReadError::Unreadable(why)),
    }
}

fn assess(place: &Place, left: Option<&Value>, wanted: Option<&Value>, items: &[Value]) -> Standing {
    let kind = place.kind;
    let images: Vec<Present> = items.iter().filter_map(|item| present(place, item)).collect();
    let is_wanted = |it: &Present| wanted.is_some_and(|wanted| is_same(kind, &it.image, wanted));
    let is_left = |it: &Present| it.id == place.id || left.is_some_and(|left| is_akin(kind, &it.image, left));
    let remaining = images.iter().find(|it| is_left(it) && !is_wanted(it)).cloned();
    let is_beside = wanted.is_some() && images.iter().any(is_wanted);
    match remaining {
        None if is_beside || wanted.is_none() => Standing::PutBack,
        present => Standing::Open { present, is_beside },
    }
}

/// One item of the list, if it is there at all in the sense of the finding.
fn present(place: &Place, item: &Value) -> Option<Present> {
    match place.kind {
        ReviewKind::DnsRecord => Record::read(item).map(|read| Present { image: read.image(), id: read.id }),
        ReviewKind::Rule => Rule::read(item).map(|read| Present { image: read.image, id: read.id }),
        ReviewKind::AccessRule => AccessRule::read(item, place.level)
            .filter(|read| read.level == place.level)
            .map(|read| Present { image: read.image, id: read.id }),
        kind => {
            let is_going = matches!(item.get("status").and_then(Value::as_str), Some("deleted" | "pending_deletion"));
            read(kind, item).filter(|_| !is_going).map(|read| Present { image: read.image, id: read.id })
        }
    }
}

/// Whether two images do the same.
pub(super) fn is_same(kind: ReviewKind, one: &Value, other: &Value) -> bool {
    match kind {
        ReviewKind::DnsRecord => match (Record::read(one), Record::read(other)) {
            (Some(one), Some(other)) => one.differing(&other).is_empty(),
            _ => false,
        },
        // A rule that is made again has a new id, which stands as its reference.
        ReviewKind::Rule => ["action", "action_parameters", "expression", "enabled", "logging", "ratelimit"]
            .iter()
            .all(|field| one.get(*field) == other.get(*field)),
        _ => is_akin(kind, one, other),
    }
}

/// Whether one is the other made again under another id, as somebody does who wants to keep it.
fn is_akin(kind: ReviewKind, one: &Value, other: &Value) -> bool {
    match kind {
        ReviewKind::DnsRecord => match (Record::read(one), Record::read(other)) {
            (Some(one), Some(other)) => one.key == other.key,
            _ => false,
        },
        ReviewKind::AccessRule => ["mode", "configuration"].iter().all(|field| one.get(*field) == other.get(*field)),
        ReviewKind::Rule => false,
        _ => one.get("id") == other.get("id"),
    }
}

impl Standing {
    /// True where nothing was done since `left` was found.
    pub fn is_as_left(&self, kind: ReviewKind, left: Option<&Value>) -> bool {
        match (self, left) {
            (Self::Open { present: Some(present), .. }, Some(left)) => is_same(kind, &present.image, left),
            (Self::Open { present: None, .. }, None) => true,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Place, ReviewKind, Standing, assess};
    use crate::cloudflare::zones::Zone;

    fn place(kind: ReviewKind) -> Place {
        Place::in_zone(kind, "1", &Zone { id: "z".into(), name: "one.example".into() })
    }

    fn a(id: &str, content: &str) -> Value {
        json!({ "id": id, "type": "A", "name": "x.one.example", "content": content, "ttl": 1 })
    }

    fn dns(left: Option<&Value>, wanted: Option<&Value>, items: &[Value]) -> (bool, Option<String>, bool) {
        match assess(&place(ReviewKind::DnsRecord), left, wanted, items) {
            Standing::PutBack => (true, None, false),
            Standing::Open { present, is_beside } => (false, present.map(|it| it.id), is_beside),
        }
    }

    #[test]
    fn a_changed_record_is_put_back_under_any_id_but_not_beside_the_bad_one() {
        let (bad, good) = (a("1", "203.0.113.1"), a("1", "192.0.2.1"));
        let (bad, good) = (Some(&bad), Some(&good));
        assert!(dns(bad, good, &[a("1", "192.0.2.1")]).0);
        assert!(dns(bad, good, &[a("2", "192.0.2.1")]).0);
        let beside = dns(bad, good, &[a("2", "192.0.2.1"), a("1", "203.0.113.1")]);
        assert_eq!(beside, (false, Some("1".into()), true));
        assert_eq!(dns(bad, good, &[]), (false, None, false));
    }

    #[test]
    fn an_added_record_that_was_made_again_is_not_gone() {
        let bad = a("1", "203.0.113.1");
        let bad = Some(&bad);
        assert!(dns(bad, None, &[a("3", "192.0.2.1")]).0);
        assert_eq!(dns(bad, None, &[a("9", "203.0.113.1")]), (false, Some("9".into()), false));
    }

    #[test]
    fn a_certificate_on_its_way_out_counts_as_gone() {
        let left = json!({ "id": "1" });
        let going = json!({ "id": "1", "status": "pending_deletion" });
        let place = place(ReviewKind::CertificatePack);
        assert_eq!(assess(&place, Some(&left), None, &[going]), Standing::PutBack);
    }
}
