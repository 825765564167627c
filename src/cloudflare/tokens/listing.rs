use super::{Owner, Token, TokenRef, collection};
use crate::action::{Look, StepError};
use crate::cloudflare::api::segment;
use crate::model::{CredentialKind, Effect, Gap};
use crate::provider::{Paging, ReadError, ReadRequest, ReadSide};

/// Every token that the credential can see.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// The tokens.
    pub tokens: Vec<Token>,
    /// Whose lists were read to their end: `account`, the user of the credential.
    whole: Vec<String>,
    /// The lists that were not read to their end, each with why.
    unread: Vec<String>,
}

impl Seen {
    /// The token with this id.
    pub fn get(&self, id: &str) -> Option<&Token> {
        self.tokens.iter().find(|token| token.id == id)
    }

    /// What a token is called by that is done already: its name, or its id where the name is not its own. Whoever makes a
    /// token chooses its name, and must not have it taken for another one.
    pub fn own_name(&self, token: &TokenRef) -> String {
        let name = self.get(&token.id).map_or(&token.name, |listed| &listed.name);
        let is_taken = |other: &Token| (other.id != token.id && other.name == *name) || other.id == *name;
        if name.is_empty() || self.tokens.iter().any(is_taken) { token.id.clone() } else { name.clone() }
    }

    /// Whether every token of this owner was listed.
    pub fn is_whole(&self, owner: &str) -> bool {
        self.whole.iter().any(|whole| whole.eq_ignore_ascii_case(owner))
    }

    /// The lists that were not read to their end, each with why: what was not found may stand in one of them.
    pub fn unread(&self) -> Option<String> {
        (!self.unread.is_empty()).then(|| self.unread.join("; "))
    }

    /// Why `what`, which is in no list, cannot be said to be gone.
    pub fn why_unseen(&self, what: &str) -> String {
        match self.unread() {
            Some(unread) => format!("no list that could be read shows {what}, and not every list could be: {unread}"),
            None => format!(
                "no list shows {what}: it is gone, or it is another user's own token, which this credential cannot see; \
                 that user, or the user's removal from the account, must cut it"
            ),
        }
    }

    /// Whether the token is provably not there any more: the list that it would stand in was read to its end without it.
    ///
    /// The API shows no other user's own tokens, so a token whose owner nobody knows is never taken to be gone.
    pub fn is_gone(&self, id: &str, owner: Option<&str>) -> bool {
        self.get(id).is_none() && owner.is_some_and(|owner| self.is_whole(owner))
    }
}

/// Whose token it is, in the words of [`super::TokenRef::owner`]; `None` for the user's tokens where the credential has
/// no user.
fn name_of(owner: Owner, look: &Look<'_>) -> Option<String> {
    let credential = look.provider().credential();
    match (owner, credential.kind) {
        (Owner::Account, _) => Some(super::ACCOUNT.to_owned()),
        (Owner::User, CredentialKind::AccountToken) => None,
        // Without its e-mail the user is still the same as long as the credential is.
        (Owner::User, _) => {
            credential.owner.clone().or_else(|| credential.id.as_ref().map(|id| format!("user of {id}")))
        }
    }
}

/// Lists the calling user's tokens and the account's. A list that cannot be read is a gap; if neither can, that is an
/// error.
pub async fn list(look: &Look<'_>) -> Result<Seen, StepError> {
    let mut seen = Seen::default();
    let mut refused: Option<ReadError> = None;
    for owner in [Owner::User, Owner::Account] {
        let Some(name) = name_of(owner, look) else { continue };
        let (scope, permission) = match owner {
            Owner::User => ("the user of this credential", "API Tokens Read"),
            Owner::Account => ("the account", "Account API Tokens Read"),
        };
        let request = ReadRequest::new(collection(owner, look.account()));
        match look.list(&request, Paging::Pages { per_page: 50 }, "tokens", scope).await {
            Ok(listing) => {
                let listed = listing.items.len();
                let tokens: Vec<Token> =
                    listing.items.into_iter().filter_map(|item| Token::read(item, owner, &name)).collect();
                if tokens.len() < listed {
                    let reason = format!("{} entries of the list are no tokens", listed - tokens.len());
                    seen.unread.push(format!("{scope}: {reason}"));
                    look.gap(Gap { family: "tokens".to_owned(), scope: scope.to_owned(), reason, permission: None });
                } else if let Some(reason) = listing.shortfall {
                    seen.unread.push(format!("{scope}: {reason}"));
                } else {
                    seen.whole.push(name);
                }
                seen.tokens.extend(tokens);
            }
            Err(error) => {
                seen.unread.push(format!("{scope}: {error}"));
                look.gap(error.gap("tokens", scope, Some(permission)));
                refused.get_or_insert(error);
            }
        }
    }
    match refused {
        Some(error) if seen.tokens.is_empty() => Err(StepError::read("list the tokens", &error)),
        _ => Ok(seen),
    }
}

/// What a fresh look at one token shows.
#[derive(Debug)]
pub enum Found {
    /// It is there.
    There(Box<Token>),
    /// It is not there, by a complete list.
    Gone,
    /// It cannot be told, and why.
    Unseen(String),
}

/// Looks at the token of an effect, whose before-image names its owner.
pub async fn find(look: &Look<'_>, effect: &Effect) -> Found {
    let Some(of) = effect.before["owner"].as_str() else {
        return Found::Unseen("nothing tells whose token it is".to_owned());
    };
    find_of(look, &effect.target.id, of).await
}

/// Looks at the token with this id of this owner.
pub async fn find_of(look: &Look<'_>, id: &str, of: &str) -> Found {
    let owner = if of == super::ACCOUNT { Owner::Account } else { Owner::User };
    // The run may go on with another credential than the one that saw the token.
    if !name_of(owner, look).is_some_and(|name| name.eq_ignore_ascii_case(of)) {
        return Found::Unseen(format!("it is a token of {of}, which this credential cannot see"));
    }
    let request = ReadRequest::new(format!("{}/{}", collection(owner, look.account()), segment(id)));
    match look.get(&request).await {
        Ok(reading) => match Token::read(reading.result, owner, of).filter(|token| token.id == id) {
            Some(token) => Found::There(Box::new(token)),
            None => Found::Unseen("the API's answer is not this token".to_owned()),
        },
        // Not proof by itself (documented for code 7003): the list decides.
        Err(ReadError::NotFound(_) | ReadError::Rejected(_)) => in_list(look, id, of).await,
        Err(error) => Found::Unseen(error.to_string()),
    }
}

/// Looks for the token of an effect in a fresh list.
pub async fn find_listed(look: &Look<'_>, effect: &Effect) -> Found {
    match effect.before["owner"].as_str() {
        Some(of) => in_list(look, &effect.target.id, of).await,
        None => Found::Unseen("nothing tells whose token it is".to_owned()),
    }
}

async fn in_list(look: &Look<'_>, id: &str, of: &str) -> Found {
    match list(look).await {
        Ok(seen) => match seen.get(id) {
            Some(token) => Found::There(Box::new(token.clone())),
            None if seen.is_gone(id, Some(of)) => Found::Gone,
            None => Found::Unseen(format!("no list shows it, and not every token of {of} could be listed")),
        },
        Err(error) => Found::Unseen(error.message),
    }
}

/// The same for what keeps nothing of it: a credential that is no token, or whose id is not known, has none.
pub async fn own_unkept(read: &dyn ReadSide) -> Option<Result<Token, ReadError>> {
    let (credential, account) = (read.credential(), read.account());
    let owner = if credential.kind == CredentialKind::AccountToken { Owner::Account } else { Owner::User };
    let whose = credential.owner.as_deref().unwrap_or(super::ACCOUNT);
    let path = format!("{}/{}", collection(owner, &account.id), segment(credential.id.as_deref()?));
    Some(read.get(&ReadRequest::new(path)).await.and_then(|reading| {
        Token::read(reading.result, owner, whose)
            .ok_or_else(|| ReadError::Unreadable("the answer is no token".to_owned()))
    }))
}

/// The token that the calls are made with, where it may read itself.
pub async fn own(look: &Look<'_>) -> Option<Result<Token, ReadError>> {
    let credential = look.provider().credential();
    let owner = if credential.kind == CredentialKind::AccountToken { Owner::Account } else { Owner::User };
    let (id, name) = (credential.id.as_deref()?, name_of(owner, look)?);
    let request = ReadRequest::new(format!("{}/{}", collection(owner, look.account()), segment(id)));
    Some(match look.get(&request).await {
        Ok(reading) => Token::read(reading.result, owner, &name)
            .ok_or_else(|| ReadError::Unreadable("the answer is no token".to_owned())),
        Err(error) => Err(error),
    })
}
