//! Which secrets go where.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use crate::cli::context::Context;
use crate::cli::errors::CliError;
use crate::cli::layout::IncidentDir;
use crate::cli::secrets::sealed::{Later, Sealed, sealed};
use crate::config::{Filling, Sink};
use crate::journal::{DeliveryState, IncidentState, Inspection};
use crate::model::{Delivery, Outcome};
use crate::secret::Redactor;

/// One secret, and its way.
pub(super) struct Parcel<'a> {
    pub(super) sealed: Sealed<'a>,
    pub(super) delivery: Delivery,
}

impl Parcel<'_> {
    /// What it is of, for people.
    pub(super) fn name(&self) -> String {
        let target = &self.sealed.state.effect.target;
        format!("{} {} ({})", target.kind, target.name, target.id)
    }

    /// Its row in the JSON document, with the delivery as it stands.
    pub(super) fn row(&self, delivery: Option<&DeliveryState>) -> Value {
        let target = &self.sealed.state.effect.target;
        let outcome = delivery.and_then(|delivery| delivery.outcome.as_ref());
        json!({
            "run": self.sealed.id.run, "effect": self.sealed.id.effect, "attempt": self.sealed.id.attempt,
            "target": { "kind": target.kind, "id": target.id, "name": target.name },
            "to": delivery.map_or_else(|| self.delivery.way.place(), |delivery| delivery.to.clone()),
            "outcome": outcome.map(Outcome::as_str), "why": outcome.and_then(Outcome::why),
            "seen": delivery.map(|delivery| delivery.seen.as_str()), "at": delivery.map(|delivery| delivery.at),
        })
    }
}

/// The sink of this name.
pub(super) fn sink<'c>(name: &str, cx: &'c Context) -> Result<&'c Sink, CliError> {
    let sinks = &cx.settings.config.sinks;
    sinks.iter().find(|sink| sink.name == name).ok_or_else(|| {
        let names: Vec<String> = sinks.iter().map(|sink| format!("`{}`", sink.name)).collect();
        let error = CliError::usage(format!("there is no sink `{name}` in {}", cx.settings.name()));
        error.hint(match names.is_empty() {
            true => "write a section `[sinks.NAME]` with `command = [\"PROGRAM\", …]` or `file = \"PATH/{name}\"`"
                .to_owned(),
            false => format!("those that there are: {}", names.join(", ")),
        })
    })
}

/// The incident, and the targets: the first word is the incident where it is one.
pub(super) fn incident<'w>(words: &'w [String], cx: &Context) -> Result<(IncidentDir, &'w [String]), CliError> {
    if let Some((first, rest)) = words.split_first() {
        match cx.state.find(Some(first)) {
            Ok(dir) => return Ok((dir, rest)),
            Err(error) if error.code != "no_such_incident" => return Err(error),
            Err(_) => {}
        }
    }
    Ok((cx.incident_to_read(None)?, words))
}

/// The secrets that are meant, each with its way into `sink`. All or none: nothing is done where one of them is wrong.
pub(super) fn choose<'f>(
    found: &'f Inspection,
    dir: &IncidentDir,
    sink: &Sink,
    targets: &[String],
    all: bool,
    cx: &Context,
) -> Result<Vec<Parcel<'f>>, CliError> {
    let sealed = sealed(found);
    let chosen = match (targets, all) {
        ([], true) => newest(sealed),
        ([], false) => return Err(nothing_named(&newest(sealed))),
        (targets, false) => {
            let mut chosen: Vec<Sealed<'f>> = Vec::new();
            for target in targets {
                let it = named(&sealed, target)?;
                if chosen.iter().all(|other| other.id != it.id) {
                    chosen.push(it);
                }
            }
            chosen
        }
        (_, true) => return Err(CliError::usage("`--all` and targets are both given").hint("give one of them")),
    };
    let base = cx.settings.file.as_deref().and_then(Path::parent).unwrap_or(Path::new(""));
    let parcel = |sealed: Sealed<'f>| {
        let target = &sealed.state.effect.target;
        let filling = Filling { name: &target.name, id: &target.id, incident: dir.id.as_str() };
        let way = sink.way(base, filling);
        Parcel { delivery: Delivery { secret: sealed.id.clone(), sink: sink.name.clone(), way }, sealed }
    };
    let parcels: Vec<Parcel<'f>> = chosen.into_iter().map(parcel).collect();
    let mut places: BTreeMap<String, &Parcel<'_>> = BTreeMap::new();
    for parcel in &parcels {
        if let Some(other) = places.insert(parcel.delivery.way.place(), parcel) {
            return Err(one_place(parcel, &other.name()));
        }
    }
    Ok(parcels)
}

/// Refuses what would put a secret in the place of another target's.
pub(super) fn refuse_other_place(
    parcels: &[Parcel<'_>],
    state: &IncidentState,
    redactor: &Redactor,
) -> Result<(), CliError> {
    for parcel in parcels {
        let to = redactor.redact(&parcel.delivery.way.place()).into_owned();
        let target = &parcel.sealed.state.effect.target;
        let lies_there = state.deliveries.iter().filter(|it| it.sink == parcel.delivery.sink && it.to == to);
        let may_lie_there = lies_there.filter(|it| it.is_applied() || it.is_in_doubt());
        for earlier in may_lie_there {
            let other = state.run(&earlier.secret.run).and_then(|run| run.effect(&earlier.secret.effect));
            if let Some(other) = other.filter(|other| other.effect.target.id != target.id) {
                return Err(one_place(parcel, &format!("{} ({})", other.effect.target.name, other.effect.target.id)));
            }
        }
    }
    Ok(())
}

fn one_place(parcel: &Parcel<'_>, other: &str) -> CliError {
    let message = format!("the secrets of {} and of {other} would go to one place", parcel.name());
    CliError::usage(message)
        .because(&Place(parcel.delivery.way.place()))
        .hint("one would replace the other: put `{id}` into the sink; nothing was handed over")
}

/// Of each target the newest that counts.
fn newest(sealed: Vec<Sealed<'_>>) -> Vec<Sealed<'_>> {
    let counts =
        |it: &Sealed<'_>| it.later != Later::Replaced && !matches!(it.attempt.outcome, Some(Outcome::Refused(_)));
    let mut newest: Vec<Sealed<'_>> = Vec::new();
    for it in sealed.into_iter().filter(counts) {
        let target = &it.state.effect.target;
        newest.retain(|older| older.state.effect.target.id != target.id);
        newest.push(it);
    }
    newest
}

fn named<'f>(sealed: &[Sealed<'f>], target: &str) -> Result<Sealed<'f>, CliError> {
    let Some(newest) = sealed.iter().rfind(|it| it.is_called(target)) else {
        return Err(CliError::usage(format!("there is no sealed secret for `{target}`"))
            .hint("`quell secrets list` shows ids; nothing was handed over"));
    };
    if newest.later == Later::Replaced {
        let message =
            format!("the secret for `{target}` was replaced later, and the newer one does not lie in the vault");
        return Err(CliError::usage(message).hint("roll it again, or make a new one; nothing was handed over"));
    }
    Ok(newest.clone())
}

fn nothing_named(able: &[Sealed<'_>]) -> CliError {
    let mut error = CliError::usage("no target is named").hint("name targets by id, or give `--all`");
    for it in able {
        let target = &it.state.effect.target;
        error.causes.push(format!("in the vault: {} {} {}", target.id, target.kind, target.name));
    }
    error
}

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Place(String);
