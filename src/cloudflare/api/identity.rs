use serde_json::Value;

use super::connect::{account, get, verify};
use super::transport::Transport;
use super::{ConnectError, Connector, quoted};
use crate::model::{Account, CredentialKind};
use crate::provider::ReadError;

/// Asks the API about a token with nothing but its value. It reads, and settles no account.
pub struct Inquiry(Transport);

/// What the API says of a token whose value it was shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity {
    /// It is a token, also where it is not active any more.
    Token {
        /// Its id.
        id: String,
        /// `active`, `disabled` or `expired` (documented).
        status: String,
        /// Whether a user or the account owns it.
        kind: CredentialKind,
    },
    /// No token has this value (any more); with what was said.
    Dead(String),
    /// It is refused here, and may all the same be alive: another account's, or limited to other addresses.
    Refused(String),
}

impl Connector {
    /// An inquiry about the token that this would connect with.
    ///
    /// # Errors
    /// The value is no token's, or cannot be sent, as [`Connector::connect`] has it. Nothing was sent.
    pub fn inquiry(&self) -> Result<Inquiry, ConnectError> {
        Ok(Inquiry(self.transport()?))
    }
}

impl Inquiry {
    /// What it asks by.
    pub(super) const fn transport(&self) -> &Transport {
        &self.0
    }

    /// Which token it is: one of any user, or one that the account with the id `account` owns.
    ///
    /// # Errors
    /// The API could not be asked.
    pub async fn identity(&self, account: &str) -> Result<Identity, ConnectError> {
        match verify(&self.0, Some(account)).await {
            Ok((kind, reading)) => {
                let text = |name: &str| reading.result.get(name).and_then(Value::as_str).map(quoted);
                let id = text("id").filter(|id| !id.is_empty()).ok_or_else(|| ConnectError::Api {
                    doing: "verify the credential",
                    cause: ReadError::Unreadable(format!("{} names no token", reading.source)),
                })?;
                Ok(Identity::Token {
                    id,
                    status: text("status").unwrap_or_else(|| "of unknown status".to_owned()),
                    kind,
                })
            }
            // Each kind of token is refused at the place of the other; only what both call invalid is no token.
            Err(refused @ ConnectError::NotVerified { .. }) => {
                let told = refused.to_string();
                let ConnectError::NotVerified { said, .. } = refused else { return Err(refused) };
                let is_dead = said.iter().all(|error| matches!(error, ReadError::Unauthenticated(_)));
                Ok(if is_dead { Identity::Dead(told) } else { Identity::Refused(told) })
            }
            Err(error) => Err(error),
        }
    }

    /// The accounts that the token itself says that it reaches; empty where it does not tell. The first 20 are enough to
    /// name them.
    pub async fn accounts(&self) -> Vec<Account> {
        let listed = get(&self.0, "/accounts").await.ok();
        let listed = listed.and_then(|reading| reading.result.as_array().cloned()).unwrap_or_default();
        listed.iter().filter_map(account).collect()
    }
}
