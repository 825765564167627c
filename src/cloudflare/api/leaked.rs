use super::connect::verify;
use super::{ConnectError, Connector, Inquiry, quoted};
use crate::model::CredentialKind;
use crate::provider::{BoxFuture, Leaked, ReadError, Tested};

/// A leaked value, to be tried by verification alone: it tells only about the token that asks, and needs no permission
/// (documented).
pub struct LeakedValue {
    inquiry: Inquiry,
    account: String,
    token: String,
}

impl Connector {
    /// The value that this would connect with, as that of the token `token`; `account` is the id of the account that may
    /// own it.
    ///
    /// # Errors
    /// The value is no token's, or cannot be sent, as [`Connector::connect`] has it. Nothing was sent.
    pub fn leaked(&self, account: &str, token: &str) -> Result<LeakedValue, ConnectError> {
        Ok(LeakedValue { inquiry: self.inquiry()?, account: account.to_owned(), token: token.to_owned() })
    }
}

impl Leaked for LeakedValue {
    fn token(&self) -> &str {
        &self.token
    }

    fn test(&self) -> BoxFuture<'_, Tested> {
        Box::pin(async move {
            match verify(self.inquiry.transport(), Some(&self.account)).await {
                Ok((kind, verified)) => {
                    let text = |name: &str| verified.result[name].as_str().map(quoted).unwrap_or_default();
                    read(&self.token, kind, &text("id"), &text("status"))
                }
                Err(ConnectError::NotVerified { said, .. }) => refused(&said),
                Err(error) => Tested::Open(error.to_string()),
            }
        })
    }
}

/// Documented: a token that is disabled or has expired still verifies, and is called so.
fn read(token: &str, kind: CredentialKind, id: &str, status: &str) -> Tested {
    match status {
        _ if id != token => Tested::Open(format!("the value verifies as that of another token, {id}")),
        "active" => Tested::Accepted(format!("the API verifies it as an active {}", kind.as_str())),
        "" => Tested::Open("the API verifies it, and does not say how the token stands".to_owned()),
        status => Tested::Refused(format!("the API calls it {status}")),
    }
}

/// Both kinds of token have a place to be verified at, and each refuses the other's. What is refused at both is dead,
/// unless it is only this machine's address that is shut out.
fn refused(said: &[ReadError]) -> Tested {
    let told = said.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    let is_refusal = |error: &ReadError| matches!(error, ReadError::Unauthenticated(_) | ReadError::Forbidden(_));
    // Observed: "Cannot use the access token from location".
    let is_of_place = |error: &ReadError| error.to_string().contains("from location");
    if said.iter().all(is_refusal) && !said.iter().any(is_of_place) {
        Tested::Refused(told)
    } else {
        Tested::Open(told)
    }
}

#[cfg(test)]
mod tests {
    use super::{read, refused};
    use crate::model::CredentialKind;
    use crate::provider::{ReadError, Tested};

    #[test]
    fn only_what_is_refused_or_out_of_use_everywhere_counts_as_refused() {
        let read = |id: &str, status: &str| read("t1", CredentialKind::UserToken, id, status);
        assert!(matches!(read("t1", "active"), Tested::Accepted(_)));
        assert!(matches!(read("t1", "disabled"), Tested::Refused(_)));
        assert!(matches!(read("t1", "expired"), Tested::Refused(_)));
        assert!(matches!(read("t2", "disabled"), Tested::Open(_)));
        assert!(matches!(read("t1", ""), Tested::Open(_)));
        let dead = || ReadError::Unauthenticated("HTTP 401 1000: Invalid API Token".into());
        let other = || ReadError::Forbidden("HTTP 403 10000: Authentication error".into());
        let place =
            || ReadError::Forbidden("HTTP 403 9109: Cannot use the access token from location: 192.0.2.1".into());
        let odd = || ReadError::NotFound("HTTP 404 7003: Could not route".into());
        assert!(matches!(refused(&[dead(), other()]), Tested::Refused(_)));
        for open in [[dead(), place()], [odd(), dead()]] {
            assert!(matches!(refused(&open), Tested::Open(_)), "{open:?}");
        }
    }
}
