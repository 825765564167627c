//! Consent by prepared answers: which rows, by which phrase. Pure.

use super::file::{Select, StepAnswers};
use crate::engine::{Chosen, ConsentMode, ConsentRequest};
use crate::journal;
use crate::model::{Disposition, Effect, EffectKey};

/// What the answers of a step choose, as the engine takes it; or what is missing in them.
pub(super) fn choose(request: &ConsentRequest<'_>, step: &StepAnswers) -> Result<Chosen, String> {
    let chosen = rows(request, step)?;
    let (done, rest): (Vec<&Effect>, Vec<&Effect>) =
        request.effects.iter().copied().partition(|effect| chosen.contains(&effect.key));
    let phrase = if done.is_empty() { String::new() } else { phrase(request, step, &done)? };
    let left = rest.iter().map(|effect| leave(request, step, effect)).collect::<Result<_, _>>()?;
    Ok(Chosen { effects: done.iter().map(|effect| effect.key.clone()).collect(), left, phrase })
}

fn rows(request: &ConsentRequest<'_>, step: &StepAnswers) -> Result<Vec<EffectKey>, String> {
    let keys = |effects: &[&Effect]| effects.iter().map(|effect| effect.key.clone()).collect();
    match &step.select {
        Some(Select::All) => Ok(keys(&request.effects)),
        Some(Select::None) => Ok(Vec::new()),
        Some(Select::Targets(wanted)) => wanted.iter().map(|wanted| named(request, wanted)).collect(),
        None if request.effects.len() == 1 || request.effects.iter().all(|effect| effect.preselected) => {
            Ok(keys(&request.effects))
        }
        None => Err(format!("`select` says which of {} rows", request.effects.len())),
    }
}

/// The row whose target has this id, or as the only one this name. Rows that were decided about already are known too.
fn named(request: &ConsentRequest<'_>, wanted: &str) -> Result<EffectKey, String> {
    let all = &request.proposed.effects;
    if let Some(effect) = all.iter().find(|effect| effect.target.id == wanted) {
        return Ok(effect.key.clone());
    }
    let mut by_name = all.iter().filter(|effect| effect.target.name == wanted);
    match (by_name.next(), by_name.next()) {
        (Some(effect), None) if !effect.target.ambiguous => Ok(effect.key.clone()),
        (Some(_), _) => Err(format!("`select` with the id: several targets are called `{wanted}`")),
        (None, _) => Err(format!("`select` without `{wanted}`: no row has that id or name")),
    }
}

/// The phrase that the engine takes for the one in the file.
fn phrase(request: &ConsentRequest<'_>, step: &StepAnswers, done: &[&Effect]) -> Result<String, String> {
    let wanted = request.mode.phrase(done.len());
    // In a group and in rounds the id is the same, while the path is not.
    let (id, path) = (request.step.path.id(), request.step.path.as_str());
    let given = step.phrase.as_deref();
    let is_group = request.proposed.effects.len() > 1;
    let group = format!("{} {}", request.proposed.verb, done.len());
    let is_wanted = |given: &str| {
        request.mode.accepts(given, done.len())
            || (is_group && (given == id || given == path || given == group))
            || matches!(done, [effect] if is_target(effect, given))
    };
    match (&request.mode, given) {
        (ConsentMode::YesNo | ConsentMode::StepId(_), None) => Ok(wanted),
        (ConsentMode::YesNo | ConsentMode::StepId(_), Some(given))
            if given == id || given == path || is_wanted(given) =>
        {
            Ok(wanted)
        }
        (ConsentMode::Count { .. } | ConsentMode::Target { .. }, Some(given)) if is_wanted(given) => Ok(wanted),
        (ConsentMode::Target { .. }, _) => {
            let target = done.first().map_or("", |effect| &effect.target.id);
            let given = given.map(|given| format!("; `{given}` is not it")).unwrap_or_default();
            Err(format!("`phrase = \"{target}\"`, the target's id, for what cannot be put back{given}"))
        }
        (_, given) => {
            let given = given.map(|given| format!("; `{given}` is not it")).unwrap_or_default();
            Err(format!("`phrase = \"{wanted}\"`, or the step's id{given}"))
        }
    }
}

/// Whether the text names the effect's target, and no other. Exact: a look-alike is another text.
fn is_target(effect: &Effect, text: &str) -> bool {
    effect.target.id == text || (!effect.target.ambiguous && effect.target.name == text)
}

fn leave(request: &ConsentRequest<'_>, step: &StepAnswers, effect: &Effect) -> Result<journal::Left, String> {
    let disposition = match &step.left {
        Some(left) => left.clone().into(),
        None if request.proposed.account_for_rest => {
            return Err(format!(
                "`left = \"later:OWNER\"` or `\"keep:REASON\"` for rows that are not chosen, such as `{}`",
                effect.target.name
            ));
        }
        None => Disposition::Keep { reason: format!("{} in the answers file", Disposition::NOT_CHOSEN) },
    };
    Ok(journal::Left { effect: effect.key.clone(), disposition })
}
