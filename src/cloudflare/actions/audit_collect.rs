//! `cloudflare.audit.collect`.

mod reach;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::action::{Action, ActionSpec, Estimate, Look, Permission, StepError, StepPlan};
use crate::cloudflare::api::segment;
use crate::cloudflare::audit::{kind, wire};
use crate::hunt::usage::Usual;
use crate::hunt::{AuditEvent, LogReach, SeenBefore};
use crate::model::{CredentialKind, Danger, Gap, count};
use crate::provider::{Paging, ReadError, ReadRequest};

use reach::{Log, reach};

/// `cloudflare.audit.collect`.
#[derive(Debug, Clone, Copy)]
pub struct AuditCollect;

/// Parameters of `cloudflare.audit.collect`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// Start of the window; seven days ago where it is not known.
    #[serde(default)]
    pub since: Option<Timestamp>,
    /// End of the window; now where it is not given.
    #[serde(default)]
    pub before: Option<Timestamp>,
    /// How far before the window to look for honest use of the tokens: `30d` where it is not given.
    #[serde(default)]
    pub lookback: Option<String>,
    /// Begin no further read after so long, e.g. `3m`; what was not read by then is a gap.
    #[serde(default)]
    pub within: Option<String>,
}

/// Output of `cloudflare.audit.collect`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// Start of the window.
    pub since: Timestamp,
    /// End of the window.
    pub before: Timestamp,
    /// What happened in the window, oldest first, each act once. quell's own reads are left out, its other acts marked.
    pub events: Vec<AuditEvent>,
    /// From where and with what each credential was used before the window: honest use.
    pub seen_before: Vec<SeenBefore>,
    /// True where both logs were read to their end, and each reaches back to the start of the window.
    pub complete: bool,
    /// How far the logs reach.
    pub reach: LogReach,
}

const WINDOW: SignedDuration = SignedDuration::from_hours(7 * 24);
const DAY: SignedDuration = SignedDuration::from_hours(24);
/// A log that reaches back so far before the window tells whether an address is new.
const DAYS_TO_TELL: i32 = 3;
const LOOKBACK: SignedDuration = SignedDuration::from_hours(30 * 24);
/// Both logs keep 18 months (documented).
const KEPT: SignedDuration = SignedDuration::from_hours(548 * 24);

impl Action for AuditCollect {
    type Params = Params;
    type Output = Output;

    const SPEC: ActionSpec = ActionSpec {
        id: "cloudflare.audit.collect",
        version: 1,
        summary: "Read both audit logs of a window, and what was usual before it",
        docs: "Reads log v2 (which names tokens and addresses) for the account and for the user, log v1 of both besides, and \
               makes one list of them in which each act stands once. What was done with a credential in the 30 days before \
               the window counts as its honest use, but for what came from an address that was first seen within a day before \
               it.\n\nWhat no log shows: objects read from R2 over S3, values read from KV \
               by Workers, DNS queries, changes of the Origin CA key; values are partly redacted; what happened in the last \
               minutes may not be there yet. quell's own acts are told by the requests that it sent, one by one, and never \
               by its token alone: an intruder may hold the same. Its reads are left out, all else is marked as its own.\n\n\
               A log that has nothing from before the window is asked once whether it has anything older. One that has not \
               may begin too late, or tell nothing at all: that is a gap, and nothing is ruled out by it.",
        verb: "collect",
        max_danger: Danger::Observe,
        permissions: &[Permission { group: "Account Settings Read", write: false }],
        example: "since = \"2020-01-01T00:00:00Z\"\n",
        settling: Duration::ZERO,
        estimate: Estimate { fixed: 13 + Log::LOOKS, per_zone: 0 },
    };

    async fn plan<'a>(params: Params, look: &'a Look<'a>) -> Result<StepPlan<Output>, StepError> {
        let started = look.now();
        let before = params.before.unwrap_or(started);
        let since = params.since.unwrap_or_else(|| earlier(before, WINDOW));
        let from = earlier(since, length(params.lookback.as_deref(), LOOKBACK)?);
        let within = params.within.as_deref().map(|text| length(Some(text), WINDOW)).transpose()?;
        let mut reading =
            Collecting { look, deadline: within.and_then(|within| started.checked_add(within).ok()), complete: true };
        let mut gaps = Vec::new();
        if started.duration_since(since) > KEPT {
            reading.complete = false;
            gaps.push(gap("audit_v2", "the window begins before what the logs keep (18 months)"));
        }
        // The account first: it tells of tokens and zones. What only the user's scope tells comes after.
        let account = reading.second(from, before, None).await;
        let user = reading.second(from, before, Some("user")).await;
        let path = format!("/accounts/{}/audit_logs", segment(look.account()));
        let first = reading.first(&path, "the account", from, before).await;
        if let (None, None, Some(error)) = (&account.events, &first.events, &account.error) {
            return Err(StepError::read("read either audit log", error));
        }
        reading.reaches(Log::Second, account.events.as_deref(), since).await;
        reading.reaches(Log::First, first.events.as_deref(), since).await;
        let mut all = account.events.unwrap_or_default();
        all.extend(user.events.unwrap_or_default());
        let mut older = first.events.unwrap_or_default();
        // A token that an account owns has no user whose log there could be.
        if look.provider().credential().kind != CredentialKind::AccountToken {
            let own = reading.first("/user/audit_logs", "the user", from, before).await;
            older.extend(own.events.unwrap_or_default());
        }
        let mut merged = wire::merge(all, older);
        merged.retain(|event| event.at <= before);
        look.own_acts().label(&mut merged);
        // Whoever acts from where quell acts is the responder, or beside them.
        let of_run = merged.iter().filter(|event| event.own).filter_map(|event| event.ip.clone());
        let of_run: BTreeSet<String> = of_run.collect();
        // Its own reads show as well how far the logs reach.
        let (whole, mut reach) = (merged.len(), reach(&merged, from));
        merged.retain(|event| event.is_write() || !event.own);
        reach.own_reads = (whole - merged.len()) as u64;
        let (earlier, mut events): (Vec<_>, Vec<_>) = merged.into_iter().partition(|event| event.at < since);
        reach.unnamed = events.iter().filter(|event| event.log == "v1").count() as u64;
        let is_own_address = |ip: &str| look.safeguards().is_own_address(ip);
        let came_up = came_up(&earlier, since, &is_own_address);
        let is_settled = |event: &&AuditEvent| event.ip.as_ref().is_none_or(|ip| !came_up.contains_key(ip));
        let seen_before = seen_before(earlier.iter().filter(is_settled));
        let is_there_still = |ip: &String| events.iter().any(|event| event.ip.as_ref() == Some(ip));
        reach.came_up = came_up.into_iter().filter(|(ip, _)| is_there_still(ip)).collect();
        let usual = Usual::new(&seen_before);
        for event in &mut events {
            let is_of_run = event.ip.as_ref().is_some_and(|ip| of_run.contains(ip));
            let is_teams = is_of_run || event.ip.as_ref().is_some_and(|ip| is_own_address(ip));
            let is_explained = is_teams || usual.explains(event);
            // Who sits where the team does may have its machine as well: the place does not explain what was never done.
            event.new_kind = is_explained && !is_of_run && usual.is_new_kind(event, &kind(event));
            event.unexplained = !is_explained || event.new_kind;
        }
        let complete = reading.complete;
        let output = Output { since, before, events, complete, reach, seen_before };
        let writes = output.events.iter().filter(|event| event.is_write()).count();
        let whole = if output.complete { "" } else { ", NOT complete" };
        let summary = format!(
            "{} since {}, {} among them{whole}",
            count(output.events.len(), "event"),
            since.strftime("%F %H:%MZ"),
            count(writes, "write"),
        );
        Ok(StepPlan { gaps, ..StepPlan::seen(output, summary) })
    }
}

/// One list of the log.
#[derive(Default)]
struct Part {
    events: Option<Vec<AuditEvent>>,
    error: Option<ReadError>,
}

struct Collecting<'a> {
    look: &'a Look<'a>,
    deadline: Option<Timestamp>,
    complete: bool,
}

impl Collecting<'_> {
    /// Log v2, closed at both ends: entries that arrive while paging must not shift the pages.
    async fn second(&mut self, since: Timestamp, before: Timestamp, scope: Option<&str>) -> Part {
        let mut request = self.second_of(since, before).with("direction", "asc");
        if let Some(scope) = scope {
            request = request.with("resource_scope", scope);
        }
        let name = if scope.is_some() { "the user's own scope" } else { "the account" };
        self.part("audit_v2", name, &request, Paging::Cursor { size: ("limit", 1000) }, wire::second).await
    }

    fn second_of(&self, since: Timestamp, before: Timestamp) -> ReadRequest {
        ReadRequest::new(format!("/accounts/{}/logs/audit", segment(self.look.account())))
            .with("since", whole_seconds(since))
            .with("before", whole_seconds(before))
    }

    /// Log v1 takes whole days only: one more is asked for, and what lies outside is left out.
    async fn first(&mut self, path: &str, scope: &str, since: Timestamp, before: Timestamp) -> Part {
        let before_day = before.checked_add(DAY).unwrap_or(before);
        let request = ReadRequest::new(path)
            .with("since", whole_day(since))
            .with("before", whole_day(before_day))
            .with("direction", "asc");
        let mut part = self.part("audit_v1", scope, &request, Paging::Pages { per_page: 1000 }, wire::first).await;
        if let Some(events) = &mut part.events {
            events.retain(|event| event.at >= since && event.at <= before);
        }
        part
    }

    fn is_over(&self) -> bool {
        self.deadline.is_some_and(|deadline| self.look.now() >= deadline)
    }

    /// Notes what the logs do not tell.
    fn miss(&mut self, family: &str, scope: &str, reason: &str) {
        self.look.gap(Gap { scope: scope.to_owned(), ..gap(family, reason) });
        self.complete = false;
    }

    async fn part(
        &mut self,
        family: &str,
        scope: &str,
        request: &ReadRequest,
        paging: Paging,
        read: fn(&serde_json::Value) -> Option<AuditEvent>,
    ) -> Part {
        if self.is_over() {
            self.miss(family, scope, "the time for this step was over before it was read");
            return Part::default();
        }
        self.look.tick("audit logs", 0, 0);
        match self.look.list(request, paging, family, scope).await {
            Ok(listing) => {
                self.complete &= listing.shortfall.is_none();
                let events: Vec<AuditEvent> = listing.items.iter().filter_map(read).collect();
                let unread = listing.items.len() - events.len();
                if unread > 0 {
                    self.miss(family, scope, &format!("{unread} entries could not be read"));
                }
                Part { events: Some(events), error: None }
            }
            Err(error) => {
                self.look.gap(error.gap(family, scope, Some("Account Settings Read")));
                self.complete = false;
                Part { events: None, error: Some(error) }
            }
        }
    }
}

/// Addresses that first came up within a day before the window, and when. Whoever names its beginning may name it too late:
/// such an address is known for nothing, where the log reaches back long enough to say that it is new.
fn came_up(
    before: &[AuditEvent],
    since: Timestamp,
    is_own_address: &dyn Fn(&str) -> bool,
) -> BTreeMap<String, Timestamp> {
    let mut first: BTreeMap<String, Timestamp> = BTreeMap::new();
    for event in before {
        if let Some(ip) = &event.ip {
            first.entry(ip.clone()).and_modify(|at| *at = event.at.min(*at)).or_insert(event.at);
        }
    }
    let is_told = first.values().any(|at| *at <= earlier(since, DAY * DAYS_TO_TELL));
    let fresh = earlier(since, DAY);
    first.retain(|ip, at| is_told && *at >= fresh && !is_own_address(ip));
    first
}

fn seen_before<'e>(events: impl Iterator<Item = &'e AuditEvent>) -> Vec<SeenBefore> {
    let mut uses: BTreeMap<SeenBefore, (u64, BTreeSet<String>)> = BTreeMap::new();
    // An attempt that failed is no use: an intruder who tried in vain must not make the address an honest one.
    for event in events.filter(|event| event.success) {
        let seen = SeenBefore {
            token_id: event.token_id.clone(),
            email: event.email.clone(),
            context: event.context.clone(),
            ip: event.ip.clone(),
            user_agent: event.user_agent.clone(),
            count: 0,
            kinds: BTreeSet::new(),
        };
        let (count, kinds) = uses.entry(seen).or_default();
        *count += 1;
        if kinds.len() < SeenBefore::MOST_KINDS {
            let is_told = event.log != "v1" || !event.is_write();
            kinds.insert(if is_told { kind(event) } else { String::new() });
        }
    }
    uses.into_iter().map(|(seen, (count, kinds))| SeenBefore { count, kinds, ..seen }).collect()
}

fn gap(family: &str, reason: &str) -> Gap {
    Gap { family: family.to_owned(), scope: "the account".to_owned(), reason: reason.to_owned(), permission: None }
}

fn earlier(at: Timestamp, length: SignedDuration) -> Timestamp {
    at.checked_sub(length).unwrap_or(Timestamp::UNIX_EPOCH)
}

fn whole_day(at: Timestamp) -> String {
    at.strftime("%F").to_string()
}

fn whole_seconds(at: Timestamp) -> String {
    at.strftime("%FT%TZ").to_string()
}

/// `3m`, `30d`: days count as 24 hours.
pub(super) fn length(text: Option<&str>, otherwise: SignedDuration) -> Result<SignedDuration, StepError> {
    let Some(text) = text else { return Ok(otherwise) };
    let days = text.trim().strip_suffix('d').and_then(|days| days.trim().parse::<i64>().ok());
    match days {
        Some(days) => Ok(SignedDuration::from_hours(24 * days)),
        None => {
            text.parse().map_err(|_| StepError::new(format!("`{text}` is no length of time such as `3m` or `30d`")))
        }
    }
}
