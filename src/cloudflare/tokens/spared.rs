use super::{Seen, Token, TokenRef};
use crate::action::{Look, StepError};
use crate::model::Gap;

/// What is to be done where the token that quell acts with is among those that a step is about.
const OWN: &str = "make another credential, resume with it, and run the step again: then the old one can be dealt with";

/// Refuses to act on the credential that makes the calls.
pub fn refuse_own(look: &Look<'_>, token: &TokenRef, doing: &str) -> Result<(), StepError> {
    if is_own(look, token) { Err(would_be_own(doing)) } else { Ok(()) }
}

/// Takes out of `tokens` what a step must leave alone: the token that the calls are made with, and the team's break-glass
/// credentials. Each is a gap of the step, since nobody has dealt with it. An intruder may give a token such a name, and may
/// change the very token that quell acts with, so the others are acted on all the same.
///
/// # Errors
/// Nothing else is left to act on.
pub fn spare(
    look: &Look<'_>,
    seen: &Seen,
    tokens: Vec<TokenRef>,
    doing: &str,
) -> Result<(Vec<TokenRef>, Vec<Gap>), StepError> {
    let must_stay = |token: &TokenRef| is_own(look, token) || is_spared(look, seen, token);
    let (spared, tokens): (Vec<_>, Vec<_>) = tokens.into_iter().partition(must_stay);
    match spared.first() {
        Some(token) if tokens.is_empty() && is_own(look, token) => Err(would_be_own(doing)),
        Some(token) if tokens.is_empty() => Err(StepError::new(format!(
            "this would {doing} `{}` ({}), which quell.toml names under `break_glass`: never to be touched",
            token.label(),
            token.id
        ))
        .hint(
            "if it is in the intruder's hands, deal with it by hand; if it only bears the name, put the id of the real \
             one into quell.toml and resume",
        )),
        _ => {
            let listed = spared.iter().map(|token| seen.get(&token.id).map_or_else(|| token.clone(), Token::reference));
            Ok((tokens, listed.map(|token| gap(look, &token, doing)).collect()))
        }
    }
}

fn is_own(look: &Look<'_>, token: &TokenRef) -> bool {
    look.provider().credential().id.as_ref() == Some(&token.id)
}

fn would_be_own(doing: &str) -> StepError {
    StepError::new(format!("this would {doing} the token that quell is acting with")).hint(OWN)
}

/// Whether quell.toml names the token under `break_glass`.
pub fn is_spared(look: &Look<'_>, seen: &Seen, token: &TokenRef) -> bool {
    // The name in a list counts, not the one that a step was given.
    let name = seen.get(&token.id).map_or("", |listed| listed.name.as_str());
    look.safeguards().is_break_glass(&token.id, name)
}

fn gap(look: &Look<'_>, token: &TokenRef, doing: &str) -> Gap {
    let reason = if is_own(look, token) {
        format!("quell did not {doing} the token, for it is acting with it; {OWN}")
    } else {
        format!(
            "quell did not {doing} the token: quell.toml names it under `break_glass`; if it is in the intruder's hands, \
             deal with it by hand; if it only bears the name, put the id of the real one into quell.toml"
        )
    };
    Gap { family: "tokens".to_owned(), scope: format!("{} ({})", token.label(), token.id), reason, permission: None }
}
