use super::{Seen, Token, TokenRef};
use crate::action::{Look, StepError};
use crate::model::Gap;

/// Refuses to act on the credential that makes the calls.
pub fn refuse_own(look: &Look<'_>, tokens: &[TokenRef], doing: &str) -> Result<(), StepError> {
    let own = look.provider().credential().id.as_deref();
    if tokens.iter().any(|token| Some(token.id.as_str()) == own) {
        return Err(StepError::new(format!("this would {doing} the token that quell is acting with")).hint(
            "make another credential, resume with it, and run the step again: then the old one can be dealt with",
        ));
    }
    Ok(())
}

/// Takes the team's break-glass credentials out of `tokens`: they are never touched. Each is a gap of the step, since
/// nobody has dealt with it. An intruder may give a token such a name, so the others are acted on all the same.
///
/// # Errors
/// Nothing else is left to act on.
pub fn spare(
    look: &Look<'_>,
    seen: &Seen,
    tokens: Vec<TokenRef>,
    doing: &str,
) -> Result<(Vec<TokenRef>, Vec<Gap>), StepError> {
    let (spared, tokens): (Vec<_>, Vec<_>) = tokens.into_iter().partition(|token| is_spared(look, seen, token));
    match spared.first() {
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
            Ok((tokens, listed.map(|token| gap(&token, doing)).collect()))
        }
    }
}

/// Whether quell.toml names the token under `break_glass`.
pub fn is_spared(look: &Look<'_>, seen: &Seen, token: &TokenRef) -> bool {
    // The name in a list counts, not the one that a step was given.
    let name = seen.get(&token.id).map_or("", |listed| listed.name.as_str());
    look.safeguards().is_break_glass(&token.id, name)
}

fn gap(token: &TokenRef, doing: &str) -> Gap {
    Gap {
        family: "tokens".to_owned(),
        scope: format!("{} ({})", token.label(), token.id),
        reason: format!(
            "quell did not {doing} the token: quell.toml names it under `break_glass`; if it is in the intruder's hands, \
             deal with it by hand; if it only bears the name, put the id of the real one into quell.toml"
        ),
        permission: None,
    }
}
