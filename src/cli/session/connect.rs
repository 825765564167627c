use std::collections::BTreeMap;
use std::sync::Arc;

use super::leaked::LeakedValue;
use crate::cli::context::Context;
use crate::cli::errors::CliError;
use crate::cli::exit::Exit;
use crate::cli::prompt::{self, InputReply, Keyboard};
use crate::cloudflare::api::{ApiBase, ConnectError, Connected, Connector, Credential};
use crate::escape;
use crate::model::{Account, World};
use crate::outside::{Outside, OutsideLook, OutsideSend, Rehearsed};
use crate::secret::{Redactor, Secret};
use serde_json::Value;

/// The API that everybody means who does not say another.
const PUBLIC_API: &str = "https://api.cloudflare.com/client/v4";

/// What to connect to, and as whom.
pub(crate) struct Target {
    /// The API.
    pub(crate) base: ApiBase,
    /// The credential.
    pub(crate) credential: Credential,
    /// The account, where it was named.
    pub(crate) account: Option<String>,
    /// The scenario of a rehearsal.
    pub(crate) scenario: Option<String>,
    /// The secret inputs of the runbook, by the names of their variables.
    pub(crate) secrets: BTreeMap<String, Secret>,
    /// The value of the suspect, where it was given.
    pub(crate) leaked: Option<LeakedValue>,
}

impl Target {
    /// From the environment, with a credential that opens nothing: for a run that brings its own.
    pub(crate) fn unarmed(cx: &Context) -> Result<Self, CliError> {
        let environment = &cx.environment;
        let url = environment.base_url.as_deref().unwrap_or(PUBLIC_API);
        let base = ApiBase::parse(url).map_err(|error| {
            CliError::usage("`CLOUDFLARE_BASE_URL` cannot be used")
                .because(&error)
                .hint("it is https (or http on loopback) and ends in `/client/v4`")
        })?;
        Ok(Self {
            base,
            credential: Credential::Token(Secret::new("")),
            account: environment.account.clone(),
            scenario: None,
            secrets: BTreeMap::new(),
            leaked: None,
        })
    }

    /// From the environment. A credential that is missing is asked for without echo.
    pub(crate) async fn from_environment(cx: &Context) -> Result<Self, CliError> {
        let environment = &cx.environment;
        // Whether it leads anywhere shows before anybody is asked for a secret.
        let unarmed = Self::unarmed(cx)?;
        let credential = match (&environment.token, &environment.key, &environment.email) {
            (Some(_), Some(_), _) => {
                return Err(CliError::usage("both `CLOUDFLARE_API_TOKEN` and `CLOUDFLARE_API_KEY` are set")
                    .hint("unset one of them: quell acts with exactly one credential"));
            }
            (Some(token), None, _) => Credential::Token(token.clone()),
            (None, Some(key), Some(email)) => Credential::GlobalKey { email: email.clone(), key: key.clone() },
            (None, Some(_), None) => {
                return Err(CliError::usage("`CLOUDFLARE_API_KEY` is set without `CLOUDFLARE_EMAIL`")
                    .hint("the global API key is sent with its owner's e-mail"));
            }
            (None, None, _) if cx.can_ask() => {
                match prompt::ask_secret(&cx.screen, "Cloudflare API token (not echoed, not stored)").await {
                    Some(token) if !token.expose().is_empty() => Credential::Token(token),
                    _ => {
                        return Err(CliError::new(
                            Exit::Interrupted,
                            "interrupted",
                            "no credential was given; nothing was sent",
                        ));
                    }
                }
            }
            (None, None, _) => {
                return Err(CliError::new(Exit::Usage, "no_credential", "there is no Cloudflare credential")
                    .hint("set `CLOUDFLARE_API_TOKEN`, or `CLOUDFLARE_API_KEY` and `CLOUDFLARE_EMAIL`"));
            }
        };
        Ok(Self { credential, ..unarmed })
    }

    /// The host and port, for people and for the plan.
    pub(crate) fn api(&self) -> String {
        self.base.host().to_owned()
    }

    /// What lies outside the provider: to look at, and to act on. In a rehearsal nothing real is.
    pub(crate) fn outside(
        &self,
        cx: &Context,
        redactor: &Arc<Redactor>,
    ) -> (Arc<dyn OutsideLook>, Arc<dyn OutsideSend>) {
        // Masked from here on, used or not.
        let leaked = self.leaked.as_ref().map(LeakedValue::secret);
        self.secrets.values().chain(leaked).for_each(|secret| redactor.learn(secret));
        if self.scenario.is_some() {
            return (Arc::new(Rehearsed), Arc::new(Rehearsed));
        }
        let environment = &cx.environment;
        let outside = Arc::new(Outside::new(
            self.world(),
            environment.http_hosts.iter().chain(&cx.settings.config.allow_hosts).cloned().collect(),
            environment.variables.clone().with_inputs(self.secrets.clone()),
            redactor.clone(),
            cx.clock.clone(),
        ));
        (outside.clone(), outside)
    }

    /// The world that it is in.
    pub(crate) fn world(&self) -> World {
        match &self.scenario {
            Some(scenario) => World::Rehearsal(scenario.clone()),
            None => World::Live(self.api()),
        }
    }
}

/// Settles credential and account. With several accounts and none named, a person on a terminal chooses.
pub(crate) async fn connect(cx: &Context, target: &mut Target) -> Result<Connected, CliError> {
    match try_connect(cx, target).await {
        Err(ConnectError::SeveralAccounts(accounts)) if let Some(keys) = &cx.keys => {
            target.account = Some(choose(cx, keys, &accounts).await?);
            try_connect(cx, target).await.map_err(refused)
        }
        connected => connected.map_err(refused),
    }
}

async fn choose(cx: &Context, keys: &Keyboard, accounts: &[Account]) -> Result<String, CliError> {
    cx.screen.tell("this credential sees several accounts:");
    for (number, account) in (1..).zip(accounts) {
        cx.screen.tell(&format!("  {number}  {}  {}", account.id, escape::terminal(&account.name)));
    }
    let pick = |text: &str| {
        let by_number = text.parse::<usize>().ok().and_then(|number| accounts.get(number.checked_sub(1)?));
        let account = by_number.or_else(|| accounts.iter().find(|account| account.id == text));
        account
            .map(|account| Value::String(account.id.clone()))
            .ok_or_else(|| "type a number from the list, or an id".to_owned())
    };
    match prompt::ask_input(&cx.screen, keys, &cx.interrupt, "account", "which one is it about?", true, &pick).await {
        InputReply::Given(Value::String(id)) => Ok(id),
        _ => Err(CliError::new(Exit::Interrupted, "interrupted", "no account was chosen; nothing was sent")),
    }
}

async fn try_connect(cx: &Context, target: &Target) -> Result<Connected, ConnectError> {
    let connector = Connector::new(target.base.clone(), target.credential.clone(), target.world(), cx.clock.clone());
    connector.remembering(cx.state.spendings()).connect(target.account.as_deref()).await
}

#[expect(clippy::needless_pass_by_value, reason = "it is the last anybody sees of the error")]
pub(super) fn refused(error: ConnectError) -> CliError {
    let (code, hint) = match &error {
        ConnectError::WrongKind(_) | ConnectError::Malformed => {
            ("wrong_credential", "check what the variable holds; the value is never shown")
        }
        ConnectError::WrongWorld { .. } => ("wrong_world", "check `CLOUDFLARE_BASE_URL`"),
        ConnectError::Client(_) => {
            ("no_client", "this machine cannot make TLS connections: install its root certificates")
        }
        ConnectError::NotVerified { .. } => (
            "not_verified",
            "the credential is wrong, revoked, or limited to other addresses; make a fresh one in the dashboard",
        ),
        ConnectError::NotActive { .. } => {
            ("not_active", "make a fresh credential; a run goes on with it by `quell resume`")
        }
        ConnectError::AccountUnnamed | ConnectError::NoAccount | ConnectError::AccountsShort(_) => {
            ("no_account", "the account's id stands in the dashboard's address bar")
        }
        ConnectError::SeveralAccounts(_) => {
            ("several_accounts", "the account's id stands in the dashboard's address bar")
        }
        ConnectError::Api { .. } => ("unreachable", "check the network, the proxy and `CLOUDFLARE_BASE_URL`"),
    };
    CliError::new(Exit::Usage, code, format!("cannot act on the account: {error}"))
        .hint(format!("{hint}; nothing was sent"))
}
