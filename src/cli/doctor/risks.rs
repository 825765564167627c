use jiff::SignedDuration;

use crate::cli::console::duration;
use crate::cli::context::Context;
use crate::cloudflare::api::Connected;
use crate::cloudflare::members::super_administrators;
use crate::cloudflare::tokens::{Token, own_unkept};
use crate::cloudflare::{Named, named};
use crate::model::CredentialKind;
use crate::provider::{Lane, ReadError};

/// A credential that ends sooner than this may not last the response.
const SOON: SignedDuration = SignedDuration::from_hours(24);

/// Clocks that lie further apart than this make timelines hard to read.
const SKEW: SignedDuration = SignedDuration::from_secs(30);

/// What may go wrong with the credential itself, and what would lock its holder out. `suspect`: the name or id of the
/// token that leaked, where it is known.
pub(super) async fn risks(connected: &Connected, suspect: Option<&str>, cx: &Context) -> Vec<String> {
    let credential = connected.read.credential();
    let own = own_unkept(&*connected.read).await;
    let token = own.as_ref().and_then(|own| own.as_ref().ok());
    let mut risks = Vec::new();
    if let Some(ends) = credential.expires.or_else(|| token?.expires_on) {
        let left = ends.duration_since(cx.now());
        if left < SOON {
            risks.push(format!("the credential ends in {}: make one that lasts", duration(left)));
        }
    }
    if let Some(skew) = connected.skew.filter(|skew| skew.abs() > SKEW) {
        let way = if skew.is_positive() { "ahead of" } else { "behind" };
        risks.push(format!("this machine's clock is {} {way} the API's", duration(skew.abs())));
    }
    risks.extend(addresses(own.as_ref()));
    let id = credential.id.as_deref().unwrap_or_default();
    let name = token.map_or("", |token| &token.name);
    if suspect.is_some_and(|suspect| !suspect.is_empty() && (suspect == id || suspect == name)) {
        risks.push("LOCK-OUT: the suspect is the very token that quell is acting with: make a fresh one".to_owned());
    }
    if let Some(suspect) = suspect.filter(|suspect| !suspect.is_empty() && *suspect != id && *suspect != name)
        && !named(Named::Tokens, &*connected.read).await.iter().any(|(name, id)| suspect == name || suspect == id)
    {
        risks.push(format!(
            "the suspect `{suspect}` is none of the tokens that can be seen: mistyped, a user's own, or in a list that this \
             credential may not read"
        ));
    }
    if cx.settings.safeguards().is_break_glass(id, name) {
        risks.push(
            "LOCK-OUT: quell.toml names this token under `break_glass`: keep it for when all else fails".to_owned(),
        );
    }
    match credential.kind {
        CredentialKind::AccountToken => {}
        CredentialKind::UserToken => risks.push(format!(
            "LOCK-OUT: it is a token of {}: if the suspect is theirs too, it may have leaked with it, and it ends with its \
             user; a token that the account owns does not",
            credential.owner.as_deref().unwrap_or("a user"),
        )),
        CredentialKind::GlobalKey => risks.push(
            "LOCK-OUT: a global API key ends the moment that its user changes it, and cannot be limited: make a token"
                .to_owned(),
        ),
    }
    risks.extend(administrators(connected).await);
    risks.extend(budget(connected));
    risks
}

/// Who would be left to administer the account.
async fn administrators(connected: &Connected) -> Option<String> {
    match super_administrators(&*connected.read).await {
        Ok(all) => match all.as_slice() {
            [] => Some("LOCK-OUT: no Super Administrator is among the members".to_owned()),
            [alone] => Some(format!(
                "LOCK-OUT: {} is the only Super Administrator: without them nobody administers the account; promote \
                 somebody whom you trust first",
                alone.email
            )),
            _ => None,
        },
        Err(why) => Some(format!("whether more than one Super Administrator is left cannot be seen: {why}")),
    }
}

/// Who else spends what the run needs.
fn budget(connected: &Connected) -> Option<String> {
    let budget = connected.read.budget(Lane::Containment)?;
    Some(format!(
        "the budget is shared: {} of {} requests in {} are left, and the dashboard and every other tool of the same user \
         spend them too",
        budget.left,
        budget.per_window,
        duration(budget.window)
    ))
}

/// From where the token works.
fn addresses(own: Option<&Result<Token, ReadError>>) -> Option<String> {
    let token = match own? {
        Ok(token) => token,
        Err(error) => return Some(format!("whether it is limited to addresses cannot be seen: {error}")),
    };
    let (taken, refused) = (token.addresses(), token.refused_addresses());
    match (taken.is_empty(), refused.is_empty()) {
        (true, true) => Some("it works from any address: limit it to the one that you work from".to_owned()),
        (false, _) => Some(format!("it works from {} only: from elsewhere every call is refused", taken.join(", "))),
        (true, false) => Some(format!("it does not work from {}", refused.join(", "))),
    }
}
