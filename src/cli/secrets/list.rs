use serde_json::{Value, json};

use super::sealed::{Later, Sealed, sealed};
use crate::cli::context::Context;
use crate::cli::errors::CliError;
use crate::cli::exit::Exit;
use crate::cli::output;
use crate::escape;
use crate::journal::{DeliveryState, Inspection};
use crate::model::Outcome;

/// Runs `quell secrets list`.
pub(super) fn run(found: &Inspection, cx: &Context) -> Result<Exit, CliError> {
    let all = sealed(found);
    if cx.json {
        let rows: Vec<Value> = all.iter().map(|it| row(it, found)).collect();
        output::document(&json!({ "schema": "quell.secrets/1", "secrets": rows }))?;
        return Ok(Exit::Done);
    }
    if all.is_empty() {
        cx.screen.tell("nothing lies in the vault");
    }
    for it in &all {
        output::write(&text(it, found))?;
    }
    Ok(Exit::Done)
}

fn row(it: &Sealed<'_>, found: &Inspection) -> Value {
    let target = &it.state.effect.target;
    let delivery = |it: &DeliveryState| {
        json!({
            "sink": it.sink, "to": it.to, "at": it.at, "by": it.by, "outcome": it.outcome.as_ref().map(Outcome::as_str),
            "why": it.outcome.as_ref().and_then(Outcome::why), "seen": it.seen, "in_doubt": it.is_in_doubt(),
        })
    };
    let deliveries = found.state.deliveries_of(&it.id);
    json!({
        "run": it.id.run, "effect": it.id.effect, "attempt": it.id.attempt, "kind": target.kind,
        "target": { "id": target.id, "name": target.name },
        "replaced": match it.later { Later::Nothing => "no", Later::MayBeReplaced => "perhaps", Later::Replaced => "yes" },
        "delivered": found.state.deliveries_of(&it.id).any(DeliveryState::is_applied),
        "deliveries": deliveries.map(delivery).collect::<Vec<_>>(),
    })
}

fn text(it: &Sealed<'_>, found: &Inspection) -> String {
    let target = &it.state.effect.target;
    let mut out = format!(
        "{}  {}  {} {} (run {}, attempt {})\n",
        it.id.effect,
        target.id,
        target.kind,
        escape::terminal(&target.name),
        it.id.run,
        it.id.attempt
    );
    match it.later {
        Later::Nothing => {}
        Later::MayBeReplaced => out.push_str("  a later attempt to roll it is in doubt: this value may be dead\n"),
        Later::Replaced => out.push_str("  replaced later: this value is dead\n"),
    }
    let mut is_delivered = false;
    for delivery in found.state.deliveries_of(&it.id) {
        is_delivered |= delivery.is_applied();
        out.push_str(&format!("  {}\n", escape::terminal(&delivery_in_words(delivery))));
    }
    if !is_delivered {
        out.push_str("  not delivered\n");
    }
    out
}

fn delivery_in_words(delivery: &DeliveryState) -> String {
    let what = match &delivery.outcome {
        None => "in doubt whether it was delivered".to_owned(),
        Some(Outcome::Applied) => "delivered".to_owned(),
        Some(Outcome::Unknown(why)) => format!("in doubt whether it was delivered ({why})"),
        Some(Outcome::Refused(why) | Outcome::NotSent(why)) => format!("delivery failed ({why})"),
    };
    let seen = if delivery.seen.is_empty() { String::new() } else { format!("; {}", delivery.seen) };
    let at = delivery.at.strftime("%F %T UTC");
    format!("{what}: {} ({}), {at} by {}{seen}", delivery.sink, delivery.to, delivery.by)
}
