use super::sealed::Sealed;
use crate::cli::errors::CliError;
use crate::cli::exit::Exit;
use crate::cli::vault::VaultDoor;
use crate::cloudflare::api::parse_result;
use crate::model::Outcome;
use crate::provider::Answer;
use crate::secret::Secret;

/// The secret in a sealed answer. Whoever asks for it writes into the journal first what becomes of it.
pub(super) async fn open(door: &VaultDoor, sealed: &Sealed<'_>) -> Result<Secret, CliError> {
    let refused = |why: String| CliError::new(Exit::Usage, "vault", "the vault cannot be opened").because(&Words(why));
    let answer = door.open_answer(&sealed.id).await.map_err(refused)?;
    answer.as_ref().and_then(value).ok_or_else(|| no_secret(sealed))
}

/// The new value in an answer: a roll answers with it alone, a new token with the value inside it.
pub(crate) fn value(answer: &Answer) -> Option<Secret> {
    let result = parse_result(answer)?;
    result.as_str().or_else(|| result["value"].as_str()).map(Secret::new)
}

/// Why there is nothing to show; what arrived of an answer that was cut off is for a person to look at.
fn no_secret(sealed: &Sealed<'_>) -> CliError {
    if matches!(sealed.attempt.outcome, Some(Outcome::Refused(_))) {
        let message = "the sealed answer holds no secret: the provider had refused";
        return CliError::new(Exit::Failed, "no_secret", message);
    }
    let file = format!("vault/{}-{}-{}.age", sealed.id.run, sealed.id.effect, sealed.id.attempt);
    CliError::new(Exit::Failed, "no_secret", "the sealed answer is not whole, so no secret can be read from it")
        .hint(format!("what arrived of it, perhaps with the secret: `age -d -i vault/identity.age {file}`"))
}

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Words(String);
