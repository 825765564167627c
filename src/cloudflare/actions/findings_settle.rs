//! `cloudflare.findings.settle`.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::action::{Action, ActionSpec, Done, Estimate, Look, Permission, StepError, StepPlan};
use crate::cloudflare::repair::{
    Present, Sight, Standing, consequences, curl, cut_off, dashboard, fields, instruction, reach, reading, request,
    wanted,
};
use crate::cloudflare::review::{Place, ReviewItem, ReviewKind};
use crate::model::{
    Attribution, ByHand, Call, Change, Danger, Effect, EffectKey, FindingStatus, HttpCall, Radius, Resolves, Target,
    Verdict, count,
};
use crate::provider::ReadError;

/// `cloudflare.findings.settle`.
#[derive(Debug, Clone, Copy)]
pub struct FindingsSettle;

/// Parameters of `cloudflare.findings.settle`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// What a review found: the `items` of its output.
    pub findings: Vec<ReviewItem>,
    /// Also propose what is not clearly the intruder's: changes by others, by a stolen token from its own address, and
    /// those that no log explains.
    #[serde(default)]
    pub include_unattributed: bool,
}

/// Output of `cloudflare.findings.settle`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// How many repairs were proposed.
    pub proposed: u64,
    /// Ids of findings that had been put back before.
    pub already: Vec<String>,
    /// What was left out, and why.
    pub not_proposed: Vec<NotProposed>,
    /// Ids of findings that were put back, and seen to be.
    pub reverted: Vec<String>,
    /// What was proposed and is not seen to be put back.
    pub open: Vec<Open>,
}

/// A finding for which no repair was proposed.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct NotProposed {
    /// Id of the finding.
    pub finding: String,
    /// Name of the resource; may be chosen by an attacker.
    pub resource_name: String,
    /// Whose doing it is taken to be.
    pub attribution: Attribution,
    /// Why.
    pub reason: String,
}

/// A finding that is not seen to be put back.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Open {
    /// Id of the finding.
    pub finding: String,
    /// Name of the resource; may be chosen by an attacker.
    pub resource_name: String,
    /// What was seen, or what becomes of it.
    pub why: String,
}

impl Action for FindingsSettle {
    type Params = Params;
    type Output = Output;

    const SPEC: ActionSpec = ActionSpec {
        id: "cloudflare.findings.settle",
        version: 1,
        summary: "Put back by hand what a review found, and look whether it took",
        docs: "Looks at every finding again. What was put back meanwhile is settled; for each of the others a person gets \
               an instruction, the place in the dashboard and a command line, and says when it is done. Then it is read \
               again. quell itself sends nothing.\n\nChanged records are patched in the changed fields only, added ones \
               deleted, removed ones made again. Rules go back to their last version from before the window. \
               Certificates are deleted, which revokes nothing at a public certificate authority; deleting one of the \
               Origin CA revokes it. Changes by others and those that no log explains are proposed only with \
               `include_unattributed`. The command line expects `CLOUDFLARE_API_TOKEN` to hold a token that may write; \
               where the run acts with a token of its own, `QUELL_RUN_TOKEN` that one, as `quell secrets reveal` shows it.",
        verb: "settle",
        max_danger: Danger::Irreversible,
        permissions: &[
            Permission { group: "DNS Read", write: false },
            Permission { group: "SSL and Certificates Read", write: false },
            Permission { group: "Zone WAF Read", write: false },
            Permission { group: "Account WAF Read", write: false },
            Permission { group: "Firewall Services Read", write: false },
            Permission { group: "Account Firewall Access Rules Read", write: false },
        ],
        example: "findings = []\n",
        settling: Duration::from_secs(60),
        estimate: Estimate { fixed: 3, per_zone: 4 },
    };

    async fn plan<'a>(params: Params, look: &'a Look<'a>) -> Result<StepPlan<Output>, StepError> {
        let mut items = params.findings;
        // What was removed comes last in its zone: it may not fit beside what was added in its place.
        items.sort_by_key(|item| {
            let turn = crown_jewel(item, look).is_none();
            (turn, item.change == Change::Removed, Reverse(item.severity), item.finding.clone())
        });
        let output = Output {
            proposed: 0,
            already: Vec::new(),
            not_proposed: Vec::new(),
            reverted: Vec::new(),
            open: Vec::new(),
        };
        let mut plan = StepPlan::seen(output, "");
        plan.account_for_rest = true;
        let mut sight = Sight::new(look);
        let (mut gaps, mut outage, mut seen_any) = (BTreeSet::new(), None, false);
        let total = items.len() as u64;
        for (done, item) in items.iter().enumerate() {
            look.tick("findings", done as u64, total);
            let mut leave_out = |reason: String| {
                plan.not_proposed.push((item.resource_name.clone(), reason.clone()));
                plan.output.not_proposed.push(NotProposed {
                    finding: item.finding.clone(),
                    resource_name: item.resource_name.clone(),
                    attribution: item.attribution,
                    reason,
                });
            };
            if let (Some(reason), false) = (doubt(item.attribution), params.include_unattributed) {
                leave_out(reason.to_owned());
                continue;
            }
            let wanted = match wanted(item) {
                Ok(wanted) => wanted,
                Err(reason) => {
                    plan.effects.push(to_decide(item, reason, look));
                    continue;
                }
            };
            let standing = sight.standing(&item.place, item.after.as_ref(), wanted.as_ref()).await;
            seen_any |= standing.is_ok();
            match standing {
                Err(error) => {
                    let permission = item.place.kind.permission(item.place.level);
                    gaps.insert(error.gap(&item.family, item.place.scope(), Some(permission)));
                    leave_out(format!("it cannot be looked at again: {error}"));
                    outage = outage.or(Some(error).filter(ReadError::is_outage));
                }
                Ok(Standing::PutBack) => {
                    let proof = proof(wanted.is_some());
                    plan.output.already.push(item.finding.clone());
                    plan.already.push((item.resource_name.clone(), proof.clone()));
                    plan.settled_findings.push((item.finding.clone(), FindingStatus::Reverted, proof));
                }
                Ok(Standing::Open { present, is_beside }) => {
                    plan.effects.push(effect(item, present, wanted.as_ref(), is_beside, look));
                }
            }
        }
        // A look that saw nothing because nobody answered is no look: the step must be run again.
        if let (Some(error), false) = (outage, seen_any) {
            return Err(StepError::read("look at any of the findings again", &error));
        }
        plan.gaps.extend(gaps);
        plan.output.proposed = plan.effects.len() as u64;
        plan.summary = format!(
            "{}: {} for a person, {} already put back, {} not proposed",
            count(items.len(), "finding"),
            plan.effects.len(),
            plan.already.len(),
            plan.output.not_proposed.len(),
        );
        Ok(plan)
    }

    async fn verify<'a>(effect: &'a Effect, _receipt: Option<&'a Value>, look: &'a Look<'a>) -> Verdict {
        const UNKNOWN: &str = "what it was before is not known, so no read can tell whether it is right";
        let (Some(place), Call::Hand(work)) = (place_of(effect), &effect.call) else {
            return Verdict::CannotTell(UNKNOWN.to_owned());
        };
        let (left, wanted) = (some(&effect.before), some(&effect.after));
        match Sight::new(look).standing(&place, left, wanted).await {
            Err(error) => Verdict::CannotTell(format!("it cannot be looked at: {error}")),
            Ok(standing) if work.blind => {
                let now = match &standing {
                    Standing::PutBack => "gone",
                    standing if standing.is_as_left(place.kind, left) => "still as it was found",
                    Standing::Open { .. } => "another than it was found",
                };
                Verdict::CannotTell(format!("it is {now}; {UNKNOWN}"))
            }
            Ok(Standing::PutBack) => Verdict::Holds(proof(wanted.is_some())),
            Ok(standing) if standing.is_as_left(place.kind, left) => {
                Verdict::DoesNotHold("it is still as it was found".into())
            }
            Ok(Standing::Open { present, .. }) => Verdict::CannotTell(match present {
                Some(now) => format!("it was changed, and differs from what it should be: now {}", now.image),
                None => "it is gone, and what should be there is missing".into(),
            }),
        }
    }

    fn conclude(mut output: Output, done: &Done) -> Output {
        for done in &done.effects {
            let finding = match &done.effect.resolves {
                Some(resolves) => resolves.finding.clone(),
                None => continue,
            };
            match &done.verdict {
                Some(Verdict::Holds(_)) => output.reverted.push(finding),
                verdict => {
                    let seen = verdict.as_ref().map(|verdict| verdict.detail().to_owned());
                    let why = done.left.clone().or(seen).unwrap_or_else(|| "nobody looked".into());
                    output.open.push(Open { finding, resource_name: done.effect.target.name.clone(), why });
                }
            }
        }
        output
    }
}

/// The item's zone, where it is one of those that matter most.
fn crown_jewel<'i>(item: &'i ReviewItem, look: &Look<'_>) -> Option<&'i str> {
    item.place.zone.as_deref().filter(|zone| look.safeguards().is_crown_jewel(zone))
}

/// Why an item is not proposed unless that is asked for.
fn doubt(attribution: Attribution) -> Option<&'static str> {
    match attribution {
        Attribution::Intruder => None,
        Attribution::Shared => Some("a stolen token did it from the address of its honest user"),
        Attribution::Other => Some("somebody else did it"),
        Attribution::Unattributed => Some("nobody can say yet who did it"),
    }
}

/// Where the effect lives: its images hold only what is and what should be there.
fn place_of(effect: &Effect) -> Option<Place> {
    let Call::Hand(ByHand { place: Some(place), .. }) = &effect.call else { return None };
    Place::deserialize(place).ok()
}

/// An image is `null` where nothing is or should be there.
fn some(image: &Value) -> Option<&Value> {
    Some(image).filter(|image| !image.is_null())
}

/// How much harm it would do if the finding were wrong. A record or rule can be made again from its image, though what
/// relied on it stops until then; of a certificate the key, the order or the validity is gone.
fn danger(kind: ReviewKind, method: Option<&str>) -> Danger {
    let is_certificate =
        matches!(kind, ReviewKind::CertificatePack | ReviewKind::CustomCertificate | ReviewKind::OriginCertificate);
    match method {
        Some("DELETE") if is_certificate => Danger::Irreversible,
        Some("DELETE") => Danger::Disruptive,
        Some(_) => Danger::Reversible,
        None => Danger::Observe,
    }
}

fn proof(is_wanted: bool) -> String {
    String::from(if is_wanted { "read: it is as it was before" } else { "read: it is gone" })
}

/// A change of which nobody knows what was there before: a person finds out, and decides.
fn to_decide(item: &ReviewItem, reason: &str, look: &Look<'_>) -> Effect {
    let mut effect = effect(item, None, None, false, look);
    let now = item.after.as_ref().map(|image| format!(" It was found as: {}.", fields(image))).unwrap_or_default();
    effect.summary = format!("decide about {} {}", item.place.kind.words(), item.resource_name);
    effect.danger = Danger::Observe;
    effect.radius = Radius { reach: effect.radius.reach, ..Radius::default() };
    effect.before = json!(item.after);
    let found = Present { id: item.place.id.clone(), image: json!(item.after) };
    let read = reading(&item.place, Some(&found), look.account());
    let instruction = format!(
        "The {} `{}` ({}) was changed in the window, and {reason}.{now} Ask its owner what it should be, put it right where it \
         is wrong, and say so; where it is right, keep it with the reason.",
        item.place.kind.words(),
        item.resource_name,
        item.place.scope()
    );
    effect.call = Call::Hand(ByHand {
        dashboard: Some(dashboard(&item.place)),
        read: Some(curl(&read, look.provider().world(), look.own_token())),
        place: Some(json!(item.place)),
        blind: true,
        ..ByHand::new(instruction)
    });
    effect
}

fn effect(
    item: &ReviewItem,
    present: Option<Present>,
    wanted: Option<&Value>,
    is_beside: bool,
    look: &Look<'_>,
) -> Effect {
    let place = &item.place;
    let request = request(place, present.as_ref(), wanted, is_beside, look.account());
    let read = reading(place, present.as_ref(), look.account());
    let (world, own) = (look.provider().world(), look.own_token());
    let state = present.map(|present| present.image);
    let method = request.as_ref().map(|request| request.method);
    let verb = match method {
        Some("DELETE") => "delete",
        Some("POST") => "make again",
        _ => "put back",
    };
    let kind = place.kind.as_str();
    let danger = danger(place.kind, method);
    let actor = &item.actor;
    let jewel = crown_jewel(item, look);
    let known = jewel.map(|zone| format!("{zone} is a crown jewel: one of the zones that the team says matter most."));
    let by = [&actor.token_name, &actor.token_id, &actor.email, &actor.ip].into_iter().flatten().next();
    Effect {
        key: EffectKey::derive(look.path.as_str(), FindingsSettle::SPEC.id, kind, &item.finding),
        action: FindingsSettle::SPEC.id.into(),
        target: Target { kind: kind.into(), id: place.id.clone(), name: item.resource_name.clone(), ambiguous: false },
        summary: format!("{verb} {} {}", place.kind.words(), item.resource_name),
        danger,
        radius: Radius {
            reach: Some(format!("{}{}", reach(place), if jewel.is_some() { " (crown jewel)" } else { "" })),
            cut_off: Some(cut_off(place).to_owned()),
            put_back: (danger != Danger::Irreversible).then(|| "by hand, as it is done".to_owned()),
        },
        call: Call::Hand(ByHand {
            instruction: instruction(item, request.as_ref(), state.as_ref()),
            dashboard: Some(dashboard(place)),
            curl: request.as_ref().map(|request| curl(request, world, own)),
            read: Some(curl(&read, world, own)),
            request: request.map(HttpCall::from),
            place: Some(json!(place)),
            blind: false,
        }),
        consequences: known.into_iter().chain(consequences(place, wanted, state.as_ref())).collect(),
        before: json!(state),
        after: json!(wanted),
        facts: vec![
            ("where".into(), format!("{}{}", place.scope(), if jewel.is_some() { " (crown jewel)" } else { "" })),
            ("technique".into(), item.technique.clone()),
            ("by".into(), by.cloned().unwrap_or_else(|| "unknown".into())),
        ],
        preselected: true,
        undo: None,
        resolves: Some(Resolves { finding: item.finding.clone(), status: FindingStatus::Reverted }),
    }
}
