//! A finding that is not gone, as work for a person; and whether it was done.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Value, json};

use super::Recheck;
use super::standing::{Present, Standing, TOKENS};
use crate::action::{Action, Look};
use crate::cloudflare::api::segment;
use crate::cloudflare::present::chosen;
use crate::cloudflare::repair::{curl, way};
use crate::cloudflare::techniques::technique;
use crate::cloudflare::zones::zones;
use crate::hunt::{Seat, Sight};
use crate::model::{
    Attribution, ByHand, Call, Change, Danger, Effect, EffectKey, Finding, FindingStatus, HttpCall, Radius, Resolves,
    Target,
};

/// What is to be done about a finding, and how it was seen to stand. `seat` is where it lies, as far as that is known.
pub(super) fn effect(finding: &Finding, why: &str, seat: Option<&Seat>, look: &Look<'_>) -> Effect {
    let technique = technique(&finding.technique);
    // What was not there before is not restored.
    let withdraw = technique.map(|technique| technique.withdraw).filter(|_| finding.change == Change::Added);
    let withdraw = withdraw.filter(|text| !text.is_empty());
    let lever = withdraw.or_else(|| technique.map(|technique| technique.revert.text)).filter(|text| !text.is_empty());
    let resource = &finding.resource;
    let zone = resource.zone.clone().unwrap_or_else(|| "the account".to_owned());
    let what = technique.map_or("something is not as it was", |technique| technique.title);
    let way = way(finding, seat, look.account());
    let back = way.as_ref().and_then(|way| way.back.as_ref());
    let is_intruders = finding.attribution == Attribution::Intruder;
    let verb = match back.filter(|_| is_intruders && withdraw.is_none()).map(|request| request.method) {
        Some("DELETE") => "Delete it. ",
        Some("POST") => "Make it again. ",
        Some(_) => "Set it back. ",
        None => "",
    };
    let lever = lever.unwrap_or("Find out what it should be, and put it right.");
    // It may well be a colleague's: what is honest must not be taken back by whoever does what the screen says.
    let work = match is_intruders {
        true => format!("{verb}{lever} Where it is right, keep it with the reason."),
        false => format!(
            "{} Ask whoever works with it first: where it is theirs, keep it with the reason. Only where it is not: {lever}",
            finding.detail
        ),
    };
    let instruction =
        format!("{} `{}` ({}) in {zone}: {what}. Now: {why}. {work}", finding.family, resource.name, resource.id);
    let actor = &finding.actor;
    let by = [&actor.token_name, &actor.token_id, &actor.email, &actor.ip].into_iter().flatten().next();
    let (world, own) = (look.provider().world(), look.own_token());
    let work = ByHand {
        curl: back.map(|request| curl(request, world, own)),
        read: way.as_ref().and_then(|way| way.read.as_ref()).map(|request| curl(request, world, own)),
        request: back.cloned().map(HttpCall::from),
        dashboard: way.map(|way| way.dashboard),
        place: Some(json!(finding)),
        blind: finding.change != Change::Added && finding.before.is_none(),
        ..ByHand::new(instruction)
    };
    Effect {
        key: EffectKey::derive(look.path.as_str(), Recheck::SPEC.id, &finding.family, &finding.id),
        action: Recheck::SPEC.id.to_owned(),
        target: Target {
            kind: finding.family.clone(),
            id: resource.id.clone(),
            name: resource.name.clone(),
            ambiguous: false,
        },
        summary: format!("take back {} {}", finding.family, resource.name),
        danger: Danger::Observe,
        call: Call::Hand(work),
        before: shown(finding, finding.after.as_ref()),
        after: shown(finding, finding.before.as_ref()),
        radius: Radius { reach: Some(zone.clone()), ..Radius::default() },
        consequences: Vec::new(),
        facts: vec![
            ("where".to_owned(), zone),
            ("technique".to_owned(), finding.technique.clone()),
            ("now".to_owned(), why.to_owned()),
            ("by".to_owned(), by.cloned().unwrap_or_else(|| "unknown".to_owned())),
        ],
        preselected: true,
        undo: None,
        resolves: Some(Resolves { finding: look.known_as(finding).to_owned(), status: FindingStatus::Reverted }),
    }
}

/// A form of the resource as a person reads it: of a DNS record what the API lists, and not what it is compared by; of a
/// token all but whether it is active, since one that somebody disabled is not to be as it was.
fn shown(finding: &Finding, form: Option<&Value>) -> Value {
    let image = form.filter(|_| finding.family == "dns_records").and_then(|form| form.get("image"));
    let mut shown = json!(image.or(form));
    if TOKENS.contains(&finding.family.as_str())
        && let Some(fields) = shown.as_object_mut()
    {
        fields.remove("status");
    }
    shown
}

/// The finding that an effect is about.
pub(super) fn finding_of(effect: &Effect) -> Option<Finding> {
    let Call::Hand(ByHand { place: Some(place), .. }) = &effect.call else { return None };
    Finding::deserialize(place).ok()
}

/// Reads the family of one finding again, where it was found.
pub(super) async fn look_again(finding: &Finding, look: &Look<'_>) -> Standing {
    let mut names = vec![finding.family.clone()];
    if finding.family == "account_tokens" {
        names.push("user_tokens".to_owned());
    }
    let families = match chosen(&names) {
        Ok(families) => families,
        Err(_) => return Standing::Unknown("what only the log shows is not seen by a read".to_owned()),
    };
    let wanted: Vec<String> = finding.resource.zone.iter().cloned().collect();
    let mut seats = Vec::new();
    if !wanted.is_empty() {
        match zones(look, &wanted).await {
            Ok(zones) => seats.extend(zones.iter().map(|zone| Seat::zone(&zone.id, &zone.name))),
            Err(error) => return Standing::Unknown(error.message),
        }
    }
    let all = [finding.clone()];
    let mut present = Present::of(&all);
    let swept = look
        .sweep(&families, &seats, segment, &mut |page| {
            page.items.iter().for_each(|item| present.take(page.family, item));
        })
        .await;
    let mut gaps = swept.gaps.clone();
    gaps.extend(swept.unread_gaps());
    let read = families.iter().map(|family| family.name.to_owned()).collect();
    // Whether an act went on is no matter of this read.
    let sight = Sight { read, gaps, ..Sight::default() };
    let zones: BTreeSet<String> = seats.into_iter().map(|seat: Seat| seat.name).collect();
    present.standing(finding, &sight, &zones, None, None)
}
