use jiff::{SignedDuration, Timestamp};
use reqwest::header::{HeaderMap, RETRY_AFTER};
use sfv::{BareItem, Item, List, ListEntry, Parser};

/// More limits than this are not told by anybody who means it.
const MOST_LIMITS: usize = 8;

/// A window that is told to be longer than this is taken to be as long as this.
const LONGEST_WINDOW: u32 = 3600;

/// What the head of an answer tells of rate limits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Word {
    /// The limits that there are.
    pub(super) policies: Vec<Policy>,
    /// Where they stand.
    pub(super) standings: Vec<Standing>,
    /// How long to wait before the next request.
    pub(super) retry_after: Option<SignedDuration>,
}

/// So many requests in a window of that length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Policy {
    pub(super) name: String,
    pub(super) quota: u32,
    pub(super) length: SignedDuration,
}

/// What is left of the window that a limit is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) name: String,
    pub(super) remaining: u32,
    /// In whole seconds; whether they are rounded up or down is not told.
    pub(super) reset: SignedDuration,
}

impl Word {
    /// Reads the head of an answer. What cannot be read is as if it were not there.
    ///
    /// Documented (2025-09-03): `Ratelimit: "default";r=50;t=30`, `r` requests left, `t` seconds to the reset;
    /// `Ratelimit-Policy: "burst";q=100;w=60`, `q` requests in `w` seconds.
    pub(super) fn read(headers: &HeaderMap, now: Timestamp) -> Self {
        let standings = entries(headers, "ratelimit")
            .iter()
            .filter_map(|item| {
                let reset = seconds(whole(item, "t")?);
                Some(Standing { name: name(item)?, remaining: whole(item, "r")?, reset })
            })
            .collect::<Vec<_>>();
        let mut policies = entries(headers, "ratelimit-policy")
            .iter()
            .filter_map(|item| {
                let (quota, length) = (whole(item, "q")?, whole(item, "w")?);
                (quota > 0 && length > 0).then_some(Policy { name: name(item)?, quota, length: seconds(length) })
            })
            .collect::<Vec<_>>();
        // The documentation's own example names the one limit differently in the two headers.
        if let ([standing], [policy]) = (&standings[..], &mut policies[..]) {
            policy.name.clone_from(&standing.name);
        }
        Self { policies, standings, retry_after: retry_after(headers, now) }
    }
}

fn seconds(whole: u32) -> SignedDuration {
    SignedDuration::from_secs(whole.min(LONGEST_WINDOW).into())
}

fn entries(headers: &HeaderMap, header: &str) -> Vec<Item> {
    let lines: Vec<&str> = headers.get_all(header).iter().filter_map(|value| value.to_str().ok()).collect();
    let list: List = Parser::new(&lines.join(", ")).parse().unwrap_or_default();
    let items = list.into_iter().filter_map(|entry| match entry {
        ListEntry::Item(item) => Some(item),
        ListEntry::InnerList(_) => None,
    });
    items.take(MOST_LIMITS).collect()
}

fn name(item: &Item) -> Option<String> {
    match &item.bare_item {
        BareItem::String(name) => Some(name.as_str().to_owned()),
        BareItem::Token(name) => Some(name.as_str().to_owned()),
        _ => None,
    }
}

fn whole(item: &Item, parameter: &str) -> Option<u32> {
    item.params.get(parameter)?.as_integer().and_then(|number| u32::try_from(i64::from(number)).ok())
}

/// Documented as whole seconds; an HTTP date is what a proxy in between may send.
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<SignedDuration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    match text.parse::<u32>() {
        Ok(seconds) => Some(SignedDuration::from_secs(i64::from(seconds))),
        Err(_) => Some(http_date(text)?.duration_since(now).max(SignedDuration::ZERO)),
    }
}

/// A time as HTTP writes it.
pub(super) fn http_date(text: &str) -> Option<Timestamp> {
    Timestamp::try_from(httpdate::parse_http_date(text).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};
    use reqwest::header::HeaderMap;

    use super::{Policy, Standing, Word};

    fn word(lines: &[(&'static str, &str)]) -> Word {
        let headers = lines.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        Word::read(&HeaderMap::from_iter(headers), "2026-11-23T12:00:00Z".parse().unwrap())
    }

    fn standing(name: &str, remaining: u32, reset: i64) -> Standing {
        Standing { name: name.into(), remaining, reset: SignedDuration::from_secs(reset) }
    }

    #[test]
    fn every_limit_is_read_and_garbage_is_not() {
        let two = word(&[
            ("ratelimit", r#""default";r=50;t=200, "burst";r=0;t=30"#),
            ("ratelimit-policy", r#""default";q=1200;w=300, burst;q=100;w=60, "none";q=0;w=5"#),
        ]);
        assert_eq!(two.standings, [standing("default", 50, 200), standing("burst", 0, 30)]);
        let names: Vec<_> = two.policies.iter().map(|policy| (policy.name.as_str(), policy.quota)).collect();
        assert_eq!(names, [("default", 1200), ("burst", 100)]);
        for garbage in ["r=5", r#""default""#, r#""default";r=-1;t=3"#, r#""default";r=x"#, ";;;", "3;r=1;t=1"] {
            assert_eq!(word(&[("ratelimit", garbage), ("ratelimit-policy", garbage)]), Word::default(), "{garbage}");
        }
    }

    #[test]
    fn one_standing_and_one_policy_are_one_limit_whatever_their_names() {
        let one = word(&[("ratelimit", r#""default";r=50;t=30"#), ("ratelimit-policy", r#""burst";q=100;w=60"#)]);
        let length = SignedDuration::from_secs(60);
        assert_eq!(one.policies, [Policy { name: "default".into(), quota: 100, length }]);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let of = |value| word(&[("retry-after", value)]).retry_after.map(|wait| wait.as_secs());
        assert_eq!(of("17"), Some(17));
        assert_eq!(of("Mon, 23 Nov 2026 12:01:00 GMT"), Some(60));
        assert_eq!(of("Mon, 23 Nov 2026 11:00:00 GMT"), Some(0));
        assert_eq!(of("soon"), None);
    }

    #[test]
    fn a_time_is_read_as_http_writes_it() {
        let date = super::http_date("Mon, 23 Nov 2026 12:00:07 GMT");
        assert_eq!(date, Some("2026-11-23T12:00:07Z".parse::<Timestamp>().unwrap()));
    }
}
