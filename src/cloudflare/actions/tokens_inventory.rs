//! `cloudflare.tokens.inventory`.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::action::{Action, ActionSpec, Estimate, Look, Permission, StepError, StepPlan};
use crate::cloudflare::audit::{AuditEvent, Principal, SeenBefore};
use crate::cloudflare::tokens::{Held, Mark, Owner, Seen, Token, TokenRef, controls, held, list, marks};
use crate::model::{Attribution, Change, Danger, Finding, FindingStatus, Gap, Resource, Severity, Source};

/// `cloudflare.tokens.inventory`.
#[derive(Debug, Clone, Copy)]
pub struct TokensInventory;

/// Parameters of `cloudflare.tokens.inventory`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// The compromised token: its id, its name if no other has it, or `unknown`.
    pub suspect: String,
    /// Start of the window.
    #[serde(default)]
    pub since: Option<Timestamp>,
    /// Events of the audit log: they say who made and changed which token.
    #[serde(default)]
    pub events: Option<Vec<AuditEvent>>,
    /// Use before the window, as `cloudflare.audit.collect` counts it: addresses in it are honest.
    #[serde(default)]
    pub seen_before: Option<Vec<SeenBefore>>,
    /// Tokens that were disabled in this incident: one that is active again is a finding.
    #[serde(default)]
    pub cut: Option<Vec<TokenRef>>,
}

/// Output of `cloudflare.tokens.inventory`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// Every token that can be seen.
    pub tokens: Vec<Row>,
    /// What to cut: the suspect, and what it made to the last grandchild.
    pub suspects: Vec<TokenRef>,
    /// Tokens of others that the intruder changed.
    pub widened: Vec<TokenRef>,
    /// Tokens that were cut in this incident and are active again.
    pub revived: Vec<TokenRef>,
    /// Active tokens that remain, without what the intruder made or changed.
    pub rotatable: Vec<TokenRef>,
    /// What the intruder holds, with honest and hostile addresses.
    pub principals: Vec<Principal>,
    /// True where the log shows the intruder's address with a global API key or in the dashboard.
    pub beyond_tokens: bool,
    /// What to improve, in sentences.
    pub controls: Vec<String>,
}

/// One token.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Row {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Who owns it.
    pub owner: Owner,
    /// `active`, `disabled` or `expired`.
    pub status: String,
    /// When it was last used.
    pub last_used_on: Option<Timestamp>,
    /// When it ends.
    pub expires_on: Option<Timestamp>,
    /// What makes it dangerous or suspicious.
    pub marks: Vec<Mark>,
    /// Who made it, as far as the log says: a token's name or an e-mail.
    pub created_by: Option<String>,
    /// What it is to this incident.
    pub role: Role,
}

/// What a token is to an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The one that leaked.
    Suspect,
    /// Made by the intruder.
    Child,
    /// Changed by the intruder.
    Widened,
    /// The one that quell is acting with.
    Own,
    /// Any other.
    Other,
}

impl Action for TokensInventory {
    type Params = Params;
    type Output = Output;

    const SPEC: ActionSpec = ActionSpec {
        id: "cloudflare.tokens.inventory",
        version: 1,
        summary: "List every token that can be seen, and find what the suspect made",
        docs: "Lists the tokens of the calling user and of the account, marks the dangerous ones, and follows the audit log \
               from the suspect to what it made, what that made, and so on. The API shows no other member's own tokens: \
               each member must look, or be removed. With the suspect `unknown`, tokens are ranked by what speaks against \
               them, and nothing is cut without being chosen.",
        verb: "list",
        max_danger: Danger::Observe,
        permissions: &[
            Permission { group: "API Tokens Read", write: false },
            Permission { group: "Account API Tokens Read", write: false },
        ],
        example: "suspect = \"ci-deploy\"\n",
        settling: Duration::ZERO,
        estimate: Estimate { fixed: 3, per_zone: 0 },
    };

    async fn plan<'a>(params: Params, look: &'a Look<'a>) -> Result<StepPlan<Output>, StepError> {
        let seen = list(look).await?;
        let evidence = look.evidence();
        let view = View {
            seen: &seen,
            events: params.events.unwrap_or_default(),
            before: params.seen_before.unwrap_or_default(),
            since: params.since,
            now: look.now(),
            own: look.provider().credential().id.clone(),
        };
        let (suspect, gap) = view.suspect(params.suspect.trim())?;
        let held = view.held(suspect.as_ref());
        let cut: Vec<String> = params.cut.unwrap_or_default().into_iter().map(|token| token.id).collect();
        let output = view.output(suspect.as_ref(), &held, &cut);
        let findings = view.findings(&output, &held, &evidence);
        let summary = summary(&output);
        Ok(StepPlan { findings, gaps: gap.into_iter().collect(), ..StepPlan::seen(output, summary) })
    }
}

/// A token's id and name.
type Named = (String, String);

/// Everything that an inventory is made from.
struct View<'a> {
    seen: &'a Seen,
    events: Vec<AuditEvent>,
    before: Vec<SeenBefore>,
    since: Option<Timestamp>,
    now: Timestamp,
    own: Option<String>,
}

impl View<'_> {
    /// The suspect's id and name; `None` where it is not known.
    fn suspect(&self, wanted: &str) -> Result<(Option<Named>, Option<Gap>), StepError> {
        if wanted.is_empty() || wanted.eq_ignore_ascii_case("unknown") {
            return Ok((None, None));
        }
        if let Some(token) = self.seen.get(wanted) {
            return Ok((Some((token.id.clone(), token.name.clone())), None));
        }
        let named: Vec<&Token> = self.seen.tokens.iter().filter(|token| token.name == wanted).collect();
        match named.as_slice() {
            [token] => return Ok((Some((token.id.clone(), token.name.clone())), None)),
            [] => {}
            several => {
                let ids: Vec<&str> = several.iter().map(|token| token.id.as_str()).collect();
                return Err(StepError::new(format!("{} tokens are called `{wanted}`", several.len()))
                    .hint(format!("begin a new run that names one by its id: {}", ids.join(", "))));
            }
        }
        // Not to be seen: gone, or another user's. The log may still know it.
        let logged = self
            .events
            .iter()
            .find(|event| event.token_id.as_deref() == Some(wanted) || event.token_name.as_deref() == Some(wanted));
        let Some((id, name)) =
            logged.and_then(|event| Some((event.token_id.clone()?, event.token_name.clone().unwrap_or_default())))
        else {
            return Err(StepError::new(format!("neither the lists of tokens nor the log has a token `{wanted}`"))
                .hint("check the id; if it is another member's own token, only that member or the member's removal can cut it"));
        };
        let gap = Gap {
            family: "tokens".to_owned(),
            scope: wanted.to_owned(),
            reason: "the suspect is in the log and in no list: it is gone, or it is another user's own token, which this credential \
                     cannot see"
                .to_owned(),
            permission: None,
        };
        Ok((Some((id, name)), (!self.seen.complete).then_some(gap)))
    }

    fn held(&self, suspect: Option<&Named>) -> Held {
        let suspects: Vec<Named> = suspect.cloned().into_iter().collect();
        let honest = |token: &str| {
            let uses = self.before.iter().filter(|before| before.token_id == token);
            let mut ips: Vec<String> = uses.filter_map(|before| before.ip.clone()).collect();
            ips.sort();
            ips.dedup();
            ips
        };
        held(&suspects, &self.events, self.since, honest)
    }

    fn output(&self, suspect: Option<&Named>, held: &Held, cut: &[String]) -> Output {
        let mut rows = Vec::new();
        let mut marked = Vec::new();
        for token in &self.seen.tokens {
            let marks = marks(token, self.now, self.since);
            rows.push(Row {
                id: token.id.clone(),
                name: token.name.clone(),
                owner: token.owner,
                status: token.status.clone(),
                last_used_on: token.last_used_on,
                expires_on: token.expires_on,
                marks: marks.clone(),
                created_by: self.maker(&token.id),
                role: self.role(&token.id, suspect, held),
            });
            marked.push((token, marks));
        }
        let controls = controls(&marked.iter().map(|(token, marks)| (*token, marks.as_slice())).collect::<Vec<_>>());
        let name = |id: &str| self.seen.get(id).map(|token| token.name.clone()).unwrap_or_default();
        let reference =
            |id: &str, finding: Option<String>| TokenRef { id: id.to_owned(), name: name(id), finding, sure: true };
        let mut suspects: Vec<TokenRef> =
            held.tokens.iter().map(|id| reference(id, Some(finding_id(self.technique(id, suspect), id)))).collect();
        if suspect.is_none() {
            suspects = self.ranked(&rows);
        }
        let is_active = |id: &String| self.seen.get(id).is_some_and(|token| token.status == "active");
        let widened = held.tampered.iter().map(|id| reference(id, Some(finding_id("CF-I04", id)))).collect();
        let rotatable = rows.iter().filter(|row| row.status == "active" && matches!(row.role, Role::Other | Role::Own));
        Output {
            suspects,
            widened,
            revived: cut
                .iter()
                .filter(|id| is_active(id))
                .map(|id| reference(id, Some(finding_id("CF-I04", id))))
                .collect(),
            rotatable: rotatable.map(|row| reference(&row.id, None)).collect(),
            beyond_tokens: self.beyond_tokens(&held.principals),
            principals: held.principals.clone(),
            controls,
            tokens: rows,
        }
    }

    fn role(&self, id: &str, suspect: Option<&Named>, held: &Held) -> Role {
        if suspect.is_some_and(|(suspect, _)| suspect == id) {
            Role::Suspect
        } else if held.tokens.iter().any(|token| token == id) {
            Role::Child
        } else if held.tampered.iter().any(|token| token == id) {
            Role::Widened
        } else if self.own.as_deref() == Some(id) {
            Role::Own
        } else {
            Role::Other
        }
    }

    fn technique(&self, id: &str, suspect: Option<&Named>) -> &'static str {
        match self.seen.get(id).map(|token| token.owner) {
            _ if suspect.is_some_and(|(suspect, _)| suspect == id) => "CF-I01",
            Some(Owner::User) => "CF-I02",
            _ => "CF-I03",
        }
    }

    fn maker(&self, id: &str) -> Option<String> {
        let made = self
            .events
            .iter()
            .find(|event| event.success && event.action == "create" && event.resource_id.as_deref() == Some(id));
        made.and_then(|event| event.token_name.clone().or_else(|| event.email.clone()))
    }

    /// With no suspect named: what speaks against each token, the worst first.
    fn ranked(&self, rows: &[Row]) -> Vec<TokenRef> {
        let mut ranked: Vec<(usize, &Row)> = rows
            .iter()
            .filter(|row| row.status == "active" && row.role != Role::Own)
            .map(|row| (self.score(row), row))
            .collect();
        ranked.retain(|(score, _)| *score > 0);
        ranked.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.name.cmp(&b.1.name)));
        let reference = |(_, row): (usize, &Row)| TokenRef {
            id: row.id.clone(),
            name: row.name.clone(),
            finding: None,
            sure: false,
        };
        ranked.into_iter().map(reference).collect()
    }

    /// Use from addresses that were not seen before weighs most; then what the token may do.
    fn score(&self, row: &Row) -> usize {
        let known =
            |ip: &Option<String>| self.before.iter().any(|before| before.token_id == row.id && before.ip == *ip);
        let used = self.events.iter().filter(|event| event.token_id.as_ref() == Some(&row.id) && event.ip.is_some());
        let strange = used.filter(|event| !known(&event.ip)).count().min(5);
        let weight = |mark: &Mark| match mark {
            Mark::CreatedInWindow | Mark::ChangedInWindow => 3,
            Mark::CanMint => 2,
            Mark::NeverExpires | Mark::AnyAddress | Mark::Broad => 1,
            Mark::Unused => 0,
        };
        strange * 2 + row.marks.iter().map(weight).sum::<usize>()
    }

    fn beyond_tokens(&self, principals: &[Principal]) -> bool {
        let hostile = |ip: &String| principals.iter().any(|held| held.hostile_ips.contains(ip));
        self.events.iter().any(|event| {
            matches!(event.context.as_deref(), Some("api_key" | "dash"))
                && event.success
                && event.ip.as_ref().is_some_and(hostile)
        })
    }

    fn findings(&self, output: &Output, held: &Held, evidence: &[crate::model::Digest]) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut add = |technique: &str,
                       id: &str,
                       severity: Severity,
                       change: Change,
                       detail: String,
                       event: Option<&AuditEvent>,
                       known_by: Source| {
            let token = self.seen.get(id);
            findings.push(Finding {
                id: finding_id(technique, id),
                technique: technique.to_owned(),
                severity,
                status: FindingStatus::Open,
                family: "tokens".to_owned(),
                change,
                resource: Resource {
                    id: id.to_owned(),
                    name: token.map(|token| token.name.clone()).unwrap_or_default(),
                    zone: None,
                },
                actor: event.map(AuditEvent::actor).unwrap_or_default(),
                attribution: Attribution::Intruder,
                detail,
                at: event.map(|event| event.at),
                before: None,
                after: token.map(|token| with_status_aside(token.image())),
                evidence: evidence.to_vec(),
                sources: vec![known_by],
            });
        };
        for (position, id) in held.tokens.iter().enumerate() {
            let principal = &held.principals[position];
            let hostile = |event: &&AuditEvent| {
                event.token_id.as_ref() == Some(id)
                    && event.ip.as_ref().is_some_and(|ip| principal.hostile_ips.contains(ip))
            };
            if position == 0 {
                let used: Vec<&AuditEvent> = self.events.iter().filter(hostile).collect();
                let first = used.iter().min_by_key(|event| event.at).copied();
                let detail = match (used.len(), principal.honest_ips.is_empty()) {
                    (0, _) => {
                        "The token is reported as compromised; no use from a strange address was seen in the log."
                            .to_owned()
                    }
                    (count, true) => {
                        format!("The token was used {count} times from {}.", principal.hostile_ips.join(", "))
                    }
                    (count, false) => format!(
                        "The token was used {count} times from {}; it was in honest use from {} as well.",
                        principal.hostile_ips.join(", "),
                        principal.honest_ips.join(", ")
                    ),
                };
                add("CF-I01", id, Severity::Critical, Change::Changed, detail, first, Source::Audit);
            } else {
                let made =
                    self.events.iter().find(|event| event.action == "create" && event.resource_id.as_ref() == Some(id));
                let maker = made.and_then(|event| event.token_name.clone()).unwrap_or_default();
                let technique = self.technique(id, None);
                add(
                    technique,
                    id,
                    Severity::Critical,
                    Change::Added,
                    format!("The token was made by `{maker}`, which the intruder holds."),
                    made,
                    Source::Audit,
                );
            }
        }
        for id in &held.tampered {
            let changed = self
                .events
                .iter()
                .rev()
                .find(|event| event.action == "update" && event.resource_id.as_ref() == Some(id));
            add(
                "CF-I04",
                id,
                Severity::High,
                Change::Changed,
                "The intruder changed the token's rights or secret.".to_owned(),
                changed,
                Source::Audit,
            );
        }
        for token in &output.revived {
            let detail = "The token was disabled in this incident and is active again: somebody who may edit tokens brought it back.";
            add("CF-I04", &token.id, Severity::Critical, Change::Changed, detail.to_owned(), None, Source::Diff);
        }
        findings
    }
}

/// The status changes by what quell itself does, and must not make the same finding a new one.
fn with_status_aside(mut image: serde_json::Value) -> serde_json::Value {
    if let Some(map) = image.as_object_mut() {
        map.remove("status");
    }
    image
}

fn finding_id(technique: &str, id: &str) -> String {
    format!("{technique}:tokens:{id}")
}

fn summary(output: &Output) -> String {
    let mut roles: BTreeMap<&str, usize> = BTreeMap::new();
    for row in &output.tokens {
        let role = match row.role {
            Role::Suspect => "suspect",
            Role::Child => "made by the intruder",
            Role::Widened => "changed by the intruder",
            Role::Own | Role::Other => continue,
        };
        *roles.entry(role).or_default() += 1;
    }
    let mut parts = vec![format!("{} tokens", output.tokens.len())];
    parts.extend(roles.into_iter().map(|(role, count)| format!("{count} {role}")));
    if !output.revived.is_empty() {
        parts.push(format!("{} BROUGHT BACK after being cut", output.revived.len()));
    }
    parts.join(", ")
}
