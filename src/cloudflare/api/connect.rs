use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::gate::Gate;
use super::meter::Meter;
use super::reader::{Reader, pages};
use super::sender::Sender;
use super::spendings::Spendings;
use super::transport::Transport;
use super::{ApiBase, Credential, Timeouts, chain, http, quoted, segment};
use crate::clock::Clock;
use crate::model::{Account, CredentialFacts, CredentialKind, World, plain_email};
use crate::provider::{Lane, Listing, Paging, ReadError, ReadRequest, ReadSide, Reading, SendSide};

/// What a connection is made from.
pub struct Connector {
    base: ApiBase,
    credential: Credential,
    world: World,
    clock: Arc<dyn Clock>,
    timeouts: Timeouts,
    meter: Option<Arc<Meter>>,
    spendings: Option<PathBuf>,
}

/// Both sides of the API, bound to one account, with what was learned on the way.
pub struct Connected {
    /// The side that reads.
    pub read: Arc<dyn ReadSide>,
    /// The side that writes, for the price of a warrant.
    pub send: Arc<dyn SendSide>,
    /// The account.
    pub account: Account,
    /// The credential.
    pub credential: CredentialFacts,
    /// This machine's clock minus the server's, network delay included; the server tells whole seconds. `None` where it
    /// does not tell the time.
    pub skew: Option<SignedDuration>,
    /// Counts the requests of both sides.
    pub meter: Arc<Meter>,
}

impl fmt::Debug for Connected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connected")
            .field("account", &self.account)
            .field("credential", &self.credential)
            .field("skew", &self.skew)
            .finish_non_exhaustive()
    }
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The credential cannot be what it is given as; nothing was sent.
    #[error("{0}")]
    WrongKind(&'static str),
    /// The credential holds characters that no header can carry; nothing was sent.
    #[error("the credential holds a line break or another character that cannot be sent: was it copied whole?")]
    Malformed,
    /// The run's world and the API's address do not belong together; nothing was sent.
    #[error("the world of this run is {world}, and the API is at `{host}`")]
    WrongWorld {
        /// The world.
        world: World,
        /// Host of the API.
        host: String,
    },
    /// The HTTP client cannot be made, e.g. because the machine has no root certificates.
    #[error("cannot make an HTTP client: {0}")]
    Client(String),
    /// The API does not know the credential, or not from here.
    #[error("{}{}", join(.said), if *.account_missing {
        ": if an account owns the token, set `CLOUDFLARE_ACCOUNT_ID`, since it is verified there"
    } else { "" })]
    NotVerified {
        /// What each endpoint that was asked said: one of them is always the wrong one for a token.
        said: Vec<ReadError>,
        /// True where it may be a token of an account, which can only be verified with the account's id.
        account_missing: bool,
    },
    /// The token is disabled or expired.
    #[error("the token `{id}` is {status}{}", expires.map(|at| format!(" (since {at})")).unwrap_or_default())]
    NotActive {
        /// Its id.
        id: String,
        /// `disabled` or `expired` (documented).
        status: String,
        /// When it expired, for an expired one.
        expires: Option<Timestamp>,
    },
    /// A token of an account cannot say which account it belongs to.
    #[error("a token that an account owns cannot list accounts: set `CLOUDFLARE_ACCOUNT_ID`")]
    AccountUnnamed,
    /// The credential reaches several accounts, and none was named.
    #[error("the credential reaches {} accounts: name one with `CLOUDFLARE_ACCOUNT_ID`", .0.len())]
    SeveralAccounts(Vec<Account>),
    /// The credential reaches no account.
    #[error("the credential reaches no account that it may list: set `CLOUDFLARE_ACCOUNT_ID`")]
    NoAccount,
    /// The list of accounts could not be read to its end.
    #[error("not every account could be listed ({0}): set `CLOUDFLARE_ACCOUNT_ID`")]
    AccountsShort(String),
    /// The API failed otherwise.
    #[error("cannot {doing}: {cause}")]
    Api {
        /// What was being done.
        doing: &'static str,
        /// What came of it.
        cause: ReadError,
    },
}

impl Connector {
    /// What a connection to `base` in `world` is made from.
    pub fn new(base: ApiBase, credential: Credential, world: World, clock: Arc<dyn Clock>) -> Self {
        Self { base, credential, world, clock, timeouts: Timeouts::default(), meter: None, spendings: None }
    }

    /// Waits for the server as long as this instead.
    #[must_use]
    pub fn with_timeouts(self, timeouts: Timeouts) -> Self {
        Self { timeouts, ..self }
    }

    /// Counts with this meter, beside the requests of another connection.
    #[must_use]
    pub fn counting(self, meter: Arc<Meter>) -> Self {
        Self { meter: Some(meter), ..self }
    }

    /// Keeps in this directory what is spent of the rate limit where the API does not tell it, and counts what other
    /// processes have spent by their files there; not in a rehearsal, whose API begins anew with each process.
    #[must_use]
    pub fn remembering(self, dir: PathBuf) -> Self {
        Self { spendings: Some(dir), ..self }
    }

    /// Settles the credential, then the account: `wanted_account` is its id, where one is named.
    ///
    /// # Errors
    /// Each [`ConnectError`] says what to do. Nothing is written.
    ///
    /// # Panics
    /// If the process has installed no TLS provider.
    pub async fn connect(self, wanted_account: Option<&str>) -> Result<Connected, ConnectError> {
        let transport = Arc::new(self.transport()?);
        let meter = Arc::clone(&transport.meter);
        let Self { base, credential, world, clock, timeouts, spendings, .. } = self;
        let headers = credential.headers().map_err(|_| ConnectError::Malformed)?;
        let sender = Sender {
            client: http::sending(&base, headers, timeouts).map_err(|error| ConnectError::Client(chain(error)))?,
            base,
            world: world.clone(),
            gate: Arc::clone(&transport.gate),
            meter: Arc::clone(&meter),
            clock,
        };
        if wanted_account.is_none() && transport.credential.is_marked_account_token() {
            return Err(ConnectError::AccountUnnamed);
        }
        // None needs what the others tell; what is wrong with the credential is told first.
        let (settled, owner, account) = tokio::join!(
            settle_credential(&transport, wanted_account),
            owner(&transport),
            settle_account(&transport, wanted_account)
        );
        let (mut facts, skew) = settled?;
        let account = account?;
        if facts.kind == CredentialKind::UserToken {
            facts.owner = owner;
        }
        if let (Some(dir), World::Live(host)) = (spendings, &world) {
            transport.gate.remember(Spendings::of(&dir, host, &facts));
        }
        transport.verify.get_or_init(|| verified_at(facts.kind, &account.id));
        let read = Reader { transport, world, account: account.clone(), credential: facts.clone() };
        Ok(Connected { read: Arc::new(read), send: Arc::new(sender), account, credential: facts, skew, meter })
    }

    /// The way to read, before anything is settled.
    pub(super) fn transport(&self) -> Result<Transport, ConnectError> {
        let belongs = match &self.world {
            World::Live(host) => host == self.base.host(),
            // What is rehearsed must never reach a real API.
            World::Rehearsal(_) => self.base.is_loopback(),
        };
        if !belongs {
            return Err(ConnectError::WrongWorld { world: self.world.clone(), host: self.base.host().to_owned() });
        }
        if let Some(misfit) = self.credential.misfit() {
            return Err(ConnectError::WrongKind(misfit));
        }
        let headers = self.credential.headers().map_err(|_| ConnectError::Malformed)?;
        let client = http::reading(&self.base, headers, self.timeouts);
        let meter = self.meter.clone().unwrap_or_else(|| Arc::new(Meter::new()));
        Ok(Transport {
            base: self.base.clone(),
            credential: self.credential.clone(),
            client: client.map_err(|error| ConnectError::Client(chain(error)))?,
            gate: Arc::new(Gate::new(Arc::clone(&self.clock), Arc::clone(&meter))),
            meter,
            clock: Arc::clone(&self.clock),
            verify: OnceLock::new(),
            seen_valid: Mutex::default(),
        })
    }
}

async fn settle_credential(
    transport: &Transport,
    wanted_account: Option<&str>,
) -> Result<(CredentialFacts, Option<SignedDuration>), ConnectError> {
    if let Credential::GlobalKey { email, .. } = &transport.credential {
        let user = get(transport, "/user").await.map_err(|cause| unverified(cause, false))?;
        let owner = user.result.get("email").and_then(Value::as_str).unwrap_or(email);
        let facts = CredentialFacts {
            kind: CredentialKind::GlobalKey,
            id: None,
            owner: Some(plain_email(owner)),
            expires: None,
        };
        return Ok((facts, skew(transport, &user)));
    }
    let (kind, verified) = verify(transport, wanted_account).await?;
    let text = |name: &str| verified.result.get(name).and_then(Value::as_str);
    let id = text("id").map(str::to_owned);
    let expires = text("expires_on").and_then(|at| at.parse().ok());
    match text("status") {
        Some("active") => {}
        status => {
            let status = quoted(status.unwrap_or("of unknown status"));
            let expires = expires.filter(|_| status == "expired");
            return Err(ConnectError::NotActive { id: quoted(&id.unwrap_or_default()), status, expires });
        }
    }
    let skew = skew(transport, &verified);
    Ok((CredentialFacts { kind, id, owner: None, expires }, skew))
}

/// The user whose token it is, where it may be a user's. Asking needs a permission of its own, so that it may well be
/// refused; so it is where the token turns out to be an account's.
async fn owner(transport: &Transport) -> Option<String> {
    if matches!(transport.credential, Credential::GlobalKey { .. }) || transport.credential.is_marked_account_token() {
        return None;
    }
    let user = get(transport, "/user").await.ok()?;
    user.result.get("email").and_then(Value::as_str).map(plain_email)
}

/// Documented: each kind of token is verified at its own path, and the other refuses a good token.
pub(super) async fn verify(
    transport: &Transport,
    wanted_account: Option<&str>,
) -> Result<(CredentialKind, Reading), ConnectError> {
    let of_user = (CredentialKind::UserToken, String::from("/user/tokens/verify"));
    let of_account =
        wanted_account.map(|id| (CredentialKind::AccountToken, format!("/accounts/{}/tokens/verify", segment(id))));
    let marked = transport.credential.is_marked_account_token();
    let (first, second) = match of_account {
        None => (of_user, None),
        Some(of_account) if marked => (of_account, Some(of_user)),
        Some(of_account) => (of_user, Some(of_account)),
    };
    let refused = match get(transport, &first.1).await {
        Ok(reading) => return Ok((first.0, reading)),
        Err(error) => unverified(error, wanted_account.is_none()),
    };
    let Some((kind, path)) = second else { return Err(refused) };
    let ConnectError::NotVerified { mut said, account_missing } = refused else { return Err(refused) };
    match get(transport, &path).await.map_err(|error| unverified(error, false)) {
        Ok(reading) => Ok((kind, reading)),
        Err(ConnectError::NotVerified { said: more, .. }) => {
            said.extend(more);
            Err(ConnectError::NotVerified { said, account_missing })
        }
        Err(failed) => Err(failed),
    }
}

/// Where a credential of this kind says whether it is valid.
fn verified_at(kind: CredentialKind, account: &str) -> String {
    match kind {
        CredentialKind::UserToken => String::from("/user/tokens/verify"),
        CredentialKind::AccountToken => format!("/accounts/{}/tokens/verify", segment(account)),
        CredentialKind::GlobalKey => String::from("/user"),
    }
}

fn join(said: &[ReadError]) -> String {
    said.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// A refusal is about the credential; anything else is about the way to the API.
fn unverified(cause: ReadError, account_missing: bool) -> ConnectError {
    match cause {
        ReadError::Throttled(_) | ReadError::Unreachable(_) | ReadError::Unreadable(_) => {
            ConnectError::Api { doing: "verify the credential", cause }
        }
        cause => ConnectError::NotVerified { said: vec![cause], account_missing },
    }
}

async fn settle_account(transport: &Transport, wanted: Option<&str>) -> Result<Account, ConnectError> {
    let api = |cause| ConnectError::Api { doing: "settle the account", cause };
    if let Some(id) = wanted {
        let named = |name: &str| Account { id: id.to_owned(), name: name.to_owned() };
        return match get(transport, &format!("/accounts/{}", segment(id))).await {
            Ok(reading) => match account(&reading.result) {
                Some(account) if account.id == id => Ok(account),
                _ => Err(api(ReadError::Unreadable(format!("{} does not tell of that account", reading.source)))),
            },
            // Many narrow tokens may not read the account itself; what they may do there is found out later.
            Err(ReadError::Forbidden(why)) => {
                tracing::info!(why, "the account's name may not be read");
                Ok(named(id))
            }
            Err(cause) => Err(api(cause)),
        };
    }
    let request = ReadRequest::new("/accounts").lane(Lane::Containment);
    let paging = Paging::Pages { per_page: 50 };
    let listing = match Listing::gather(&mut pages(transport, &request, paging.into())).await {
        Ok(listing) => listing,
        // Observed: 400 with code 1001, "List accounts endpoint does not support account owned tokens".
        Err(ReadError::Rejected(why)) if why.contains("1001: ") => return Err(ConnectError::AccountUnnamed),
        Err(cause) => return Err(api(cause)),
    };
    let mut accounts: Vec<Account> = listing.items.iter().filter_map(account).collect();
    match (accounts.len(), listing.shortfall) {
        (0 | 1, Some(why)) => Err(ConnectError::AccountsShort(why)),
        (1, None) => Ok(accounts.remove(0)),
        (0, None) => Err(ConnectError::NoAccount),
        _ => Err(ConnectError::SeveralAccounts(accounts)),
    }
}

pub(super) async fn get(transport: &Transport, path: &str) -> Result<Reading, ReadError> {
    // Without these nothing else can begin.
    Ok(transport.read(&ReadRequest::new(path).lane(Lane::Containment)).await?.reading)
}

pub(super) fn account(json: &Value) -> Option<Account> {
    let text = |name: &str| json.get(name).and_then(Value::as_str).map(str::to_owned);
    let id = text("id")?;
    Some(Account { name: text("name").unwrap_or_else(|| id.clone()), id })
}

fn skew(transport: &Transport, reading: &Reading) -> Option<SignedDuration> {
    reading.server_time.map(|server| transport.clock.now().duration_since(server))
}
