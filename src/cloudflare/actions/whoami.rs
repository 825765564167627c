//! `cloudflare.whoami`.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::action::{Action, ActionSpec, Estimate, Look, Permission, StepError, StepPlan};
use crate::cloudflare::api::segment;
use crate::cloudflare::tokens;
use crate::model::{CredentialKind, Danger};
use crate::provider::{Paging, ReadError, ReadRequest};

/// `cloudflare.whoami`.
#[derive(Debug, Clone, Copy)]
pub struct Whoami;

/// Parameters of `cloudflare.whoami`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// Id or name of the token that is compromised; `unknown` where nobody can say.
    #[serde(default)]
    pub suspect: Option<String>,
}

/// Output of `cloudflare.whoami`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// `user token`, `account-owned token` or `global API key`.
    pub kind: String,
    /// Id of the token.
    pub token_id: Option<String>,
    /// E-mail of the user.
    pub owner: Option<String>,
    /// Whether the user has a second factor. It does not protect API calls.
    pub two_factor: Option<bool>,
    /// When the credential ends.
    pub expires_on: Option<Timestamp>,
    /// Names of the token's permission groups; null where the token may not read itself.
    pub permissions: Option<Vec<String>>,
    /// This machine's clock minus the API's, in seconds.
    pub skew_seconds: Option<i64>,
    /// What the suspect is to this credential.
    pub suspect: Kin,
    /// The credential in words, for texts: its kind, id and user.
    pub called: String,
    /// The team's own addresses, as `quell.toml` has them.
    pub own_ip_ranges: Vec<String>,
    /// What to mend before going on.
    pub warnings: Vec<String>,
}

/// What the suspect is to the credential that quell acts with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kin {
    /// It is that very credential, or one of its name.
    SameCredential,
    /// Another token of the same user, or that user.
    SameUser,
    /// None of its user's tokens.
    Other,
    /// Nobody named one, or it cannot be seen.
    Unknown,
}

const SOON: SignedDuration = SignedDuration::from_hours(2);
const TOLERATED_SKEW: i64 = 30;

impl Action for Whoami {
    type Params = Params;
    type Output = Output;

    const SPEC: ActionSpec = ActionSpec {
        id: "cloudflare.whoami",
        version: 1,
        summary: "Say which credential quell is acting with, and what may go wrong with it",
        docs: "Reads the user behind the credential, the token itself where it may, and the account. Says when it ends, \
               whether its user has a second factor, and how far this machine's clock is off. Rights to write cannot be \
               read for certain: they are unknown until tried. Where it is told of a suspect, it says whether that is this very \
               credential, or a token of the same user.",
        verb: "look",
        max_danger: Danger::Observe,
        permissions: &[
            Permission { group: "User Details Read", write: false },
            Permission { group: "API Tokens Read", write: false },
        ],
        example: "",
        settling: Duration::ZERO,
        estimate: Estimate { fixed: 3, per_zone: 0 },
    };

    async fn plan<'a>(params: Params, look: &'a Look<'a>) -> Result<StepPlan<Output>, StepError> {
        let credential = look.provider().credential();
        let mut output = Output {
            kind: credential.kind.as_str().to_owned(),
            token_id: credential.id.clone(),
            owner: credential.owner.clone(),
            two_factor: None,
            expires_on: credential.expires,
            permissions: None,
            skew_seconds: None,
            suspect: Kin::Unknown,
            called: String::new(),
            own_ip_ranges: look.safeguards().own_ip_ranges.iter().map(ToString::to_string).collect(),
            warnings: Vec::new(),
        };
        let mut seen = Reached::default();
        let account = ReadRequest::new(format!("/accounts/{}", segment(look.account())));
        match look.get(&account).await {
            Ok(reading) => {
                seen.any = true;
                output.skew_seconds = reading.server_time.map(|server| look.now().duration_since(server).as_secs());
            }
            Err(error) => {
                look.gap(error.gap("account", "the account", Some("Account Settings Read")));
                seen.failed(error);
            }
        }
        // A token that the account owns has no user.
        if credential.kind != CredentialKind::AccountToken {
            match look.get(&ReadRequest::new("/user")).await {
                Ok(reading) => {
                    seen.any = true;
                    let email = reading.result["email"].as_str().map(str::to_owned);
                    output.owner = output.owner.or(email);
                    output.two_factor = reading.result["two_factor_authentication_enabled"].as_bool();
                }
                Err(error) => {
                    look.gap(error.gap("user", "the user of this credential", Some("User Details Read")));
                    seen.failed(error);
                }
            }
        }
        let mut own_name = String::new();
        match tokens::own(look).await {
            Some(Ok(own)) => {
                seen.any = true;
                output.permissions = Some(own.permissions().into_iter().map(str::to_owned).collect());
                output.expires_on = output.expires_on.or(own.expires_on);
                own_name = own.name;
            }
            Some(Err(error)) => {
                let permission = match credential.kind {
                    CredentialKind::AccountToken => "Account API Tokens Read",
                    _ => "API Tokens Read",
                };
                look.gap(error.gap("tokens", "the token that quell is acting with", Some(permission)));
                seen.failed(error);
            }
            None => {}
        }
        // What the credential may not read is a gap; that nobody answered at all is no look.
        if let (Some(error), false) = (seen.outage, seen.any) {
            return Err(StepError::read("look at the credential", &error));
        }
        let suspect = params.suspect.as_deref().map(str::trim).filter(|it| !it.is_empty() && *it != "unknown");
        if let Some(suspect) = suspect {
            output.suspect = match output.owner.as_deref() {
                Some(owner) if owner.eq_ignore_ascii_case(suspect) => Kin::SameUser,
                _ => kin(suspect, &own_name, look).await,
            };
        }
        output.called = called(&output);
        output.warnings = warnings(&output, credential.kind, look.now());
        let summary = summary(&output);
        Ok(StepPlan::seen(output, summary))
    }
}

fn called(output: &Output) -> String {
    let id = output.token_id.as_ref().map(|id| format!(" {id}")).unwrap_or_default();
    let of = output.owner.as_ref().map(|owner| format!(" of {owner}")).unwrap_or_default();
    format!("{}{id}{of}", output.kind)
}

/// What the suspect is to the credential of the calls. A name may be borne by several tokens: one that is this credential's
/// is taken for it, since the other mistake would cut what the run acts with.
async fn kin(suspect: &str, own_name: &str, look: &Look<'_>) -> Kin {
    let credential = look.provider().credential();
    if credential.id.as_deref().is_some_and(|id| id.eq_ignore_ascii_case(suspect)) || own_name == suspect {
        return Kin::SameCredential;
    }
    if credential.kind == CredentialKind::AccountToken {
        return Kin::Unknown;
    }
    let request = ReadRequest::new("/user/tokens");
    let paging = Paging::Pages { per_page: 50 };
    let Ok(listing) = look.list(&request, paging, "tokens", "the user of this credential").await else {
        return Kin::Unknown;
    };
    let is_it = |token: &Value| token["id"].as_str() == Some(suspect) || token["name"].as_str() == Some(suspect);
    match listing.items.iter().any(is_it) {
        true => Kin::SameUser,
        false if listing.shortfall.is_some() => Kin::Unknown,
        false => Kin::Other,
    }
}

/// Whether the provider could be asked.
#[derive(Default)]
struct Reached {
    any: bool,
    outage: Option<ReadError>,
}

impl Reached {
    fn failed(&mut self, error: ReadError) {
        self.outage = self.outage.take().or(Some(error).filter(ReadError::is_outage));
    }
}

fn warnings(output: &Output, kind: CredentialKind, now: Timestamp) -> Vec<String> {
    let mut warnings = Vec::new();
    match output.suspect {
        Kin::SameCredential => warnings.push(
            "THE SUSPECT IS THIS VERY CREDENTIAL: whoever holds it sees and undoes what is done here, and cutting it ends the run"
                .to_owned(),
        ),
        Kin::SameUser => warnings.push(
            "the suspect is a token of the same user, or that user: an intruder with that user's session or key has this credential too"
                .to_owned(),
        ),
        Kin::Other | Kin::Unknown => {}
    }
    if kind == CredentialKind::GlobalKey {
        warnings.push("a global API key may do all that its user may, and cannot be limited: make a token".to_owned());
    }
    match output.expires_on {
        Some(at) if at.duration_since(now) < SOON => {
            warnings.push(format!("the credential ends at {at}: make another before it does"));
        }
        _ => {}
    }
    if output.two_factor == Some(false) {
        warnings.push("its user has no second factor".to_owned());
    }
    if let Some(skew) = output.skew_seconds.filter(|skew| skew.abs() > TOLERATED_SKEW) {
        warnings.push(format!("this machine's clock is {skew} s off: times in the journal are too"));
    }
    warnings
}

fn summary(output: &Output) -> String {
    let owner = output.owner.as_deref().map(|owner| format!(" of {owner}")).unwrap_or_default();
    let ends = output
        .expires_on
        .map_or_else(|| ", never expires".to_owned(), |at| format!(", until {}", at.strftime("%F %H:%MZ")));
    let warned: String = output.warnings.iter().map(|warning| format!("; {warning}")).collect();
    format!("{}{owner}{ends}{warned}", output.kind)
}
