//! The negative test: that a token is cut is proven best by its own value, which must be refused.

use serde_json::json;

use crate::action::Look;
use crate::model::{Effect, Gap, Verdict};
use crate::provider::{TESTED, Tested};

/// What a token that is read back as cut comes to once its leaked value was tried too, where that is at hand. `proof` is
/// what the read showed.
pub async fn proven(look: &Look<'_>, effect: &Effect, proof: String) -> Verdict {
    let id = &effect.target.id;
    let since = look.sent_at(&effect.key).map(|at| look.now().duration_since(at).as_secs().max(0));
    let after = since.map_or_else(|| "after the cut".to_owned(), |seconds| format!("{seconds} s after the cut"));
    match tried(look, id).await {
        Some(Tested::Refused(said)) => Verdict::Holds(format!("{proof}; the leaked value is refused {after}: {said}")),
        Some(Tested::Accepted(said)) => {
            Verdict::DoesNotHold(format!("NOT PROVEN: {proof}, and the leaked value is still accepted {after}: {said}"))
        }
        Some(Tested::Open(why)) => {
            look.gap(gap(effect, &format!("whether the leaked value is refused could not be learnt: {why}")));
            Verdict::Holds(format!("{proof}; by reading back alone, since the leaked value could not be tried: {why}"))
        }
        None if look.was_told_by_value(id) => {
            look.gap(gap(effect, "the leaked value was not tried after the cut: this process does not have it"));
            Verdict::Holds(format!("{proof}; by reading back alone: the leaked value is not at hand any more"))
        }
        None => Verdict::Holds(proof),
    }
}

/// The same of a token that was cut before anything was done: the proof, or why it is none.
///
/// # Errors
/// The leaked value is still accepted, in words.
pub async fn proven_already(look: &Look<'_>, id: &str, proof: String) -> Result<String, String> {
    match tried(look, id).await {
        Some(Tested::Refused(said)) => Ok(format!("{proof}; the leaked value is refused: {said}")),
        Some(Tested::Accepted(said)) => Err(format!("{proof}, and the leaked value is STILL ACCEPTED: {said}")),
        Some(Tested::Open(why)) => Ok(format!("{proof}; the leaked value could not be tried: {why}")),
        None => Ok(proof),
    }
}

/// What the leaked value alone tells of a token that no list shows: that it is refused, or (the error) still accepted; in
/// words. `None` where it is not at hand, or the answer leaves it open.
pub async fn refused_unseen(look: &Look<'_>, id: &str) -> Option<Result<String, String>> {
    match tried(look, id).await? {
        Tested::Refused(said) => Some(Ok(format!("no list shows it, and its leaked value is refused: {said}"))),
        Tested::Accepted(said) => Some(Err(format!("its leaked value is STILL ACCEPTED: {said}"))),
        Tested::Open(_) => None,
    }
}

/// Tries the leaked value once, and keeps what came of it; `None` where it is not at hand.
async fn tried(look: &Look<'_>, id: &str) -> Option<Tested> {
    let tested = look.leaked(id)?.test().await;
    let answer = match &tested {
        Tested::Refused(_) => "refused",
        Tested::Accepted(_) => "accepted",
        Tested::Open(_) => "open",
    };
    let kept = json!({ "token": id, "answer": answer, "said": tested.said(), "at": look.now() });
    look.note(&format!("{TESTED} of token {id}"), kept.to_string().as_bytes());
    Some(tested)
}

fn gap(effect: &Effect, reason: &str) -> Gap {
    Gap {
        family: "tokens".to_owned(),
        scope: format!("{} ({})", effect.target.name, effect.target.id),
        reason: reason.to_owned(),
        permission: None,
    }
}
