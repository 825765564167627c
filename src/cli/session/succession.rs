//! Credentials that a run has made itself: to go on with one, now or after a crash.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::connect::{Target, connect, refused};
use super::load::Loaded;
use crate::action::StepError;
use crate::cli::console::credential;
use crate::cli::context::Context;
use crate::cli::doctor::Needs;
use crate::cli::errors::CliError;
use crate::cli::exit::Exit;
use crate::cli::layout::IncidentDir;
use crate::cli::secrets::value;
use crate::cli::vault::VaultDoor;
use crate::clock::Clock;
use crate::cloudflare::api::{ApiBase, ConnectError, Connected, Connector, Credential, Meter, segment};
use crate::cloudflare::{Named, named};
use crate::engine::{self, Successor};
use crate::escape;
use crate::hunt::probe::{Probed, probe};
use crate::hunt::sweep::IN_FLIGHT;
use crate::hunt::{Family, Seat};
use crate::journal::{RunState, Switched};
use crate::model::{CredentialFacts, SealedId, World};
use crate::provider::{Answer, BoxFuture, ReadSide};
use crate::secret::Redactor;

/// A new token is not known everywhere at once: it is tried after so many seconds each.
const TRIES: [u64; 4] = [1, 2, 4, 8];

/// Connects a run to its account with what one of its own sealed answers holds.
pub(crate) struct Succession {
    base: ApiBase,
    world: World,
    account: String,
    clock: Arc<dyn Clock>,
    meter: Arc<Meter>,
    spendings: PathBuf,
    redactor: Arc<Redactor>,
    families: Vec<&'static Family>,
}

impl Succession {
    /// For a run of `loaded` that is connected so. The requests of both credentials are counted together.
    pub(crate) fn new(
        loaded: &Loaded,
        target: &Target,
        connected: &Connected,
        redactor: &Arc<Redactor>,
        cx: &Context,
    ) -> Self {
        Self {
            base: target.base.clone(),
            world: target.world(),
            account: connected.read.account().id.clone(),
            clock: cx.clock.clone(),
            meter: connected.meter.clone(),
            spendings: cx.state.spendings(),
            redactor: redactor.clone(),
            families: Needs::of(loaded).families(),
        }
    }

    async fn try_connect(&self, credential: &Credential) -> Result<Connected, ConnectError> {
        let connector = Connector::new(self.base.clone(), credential.clone(), self.world.clone(), self.clock.clone());
        let connector = connector.counting(self.meter.clone()).remembering(self.spendings.clone());
        connector.connect(Some(&self.account)).await
    }
}

impl engine::Succession for Succession {
    fn connect<'a>(&'a self, answer: &'a Answer) -> BoxFuture<'a, Result<Successor, StepError>> {
        Box::pin(async move {
            let value = value(answer).ok_or_else(|| {
                StepError::new("the sealed answer is not whole, so no credential can be read from it")
                    .hint("make another one, or go on by hand")
            })?;
            self.redactor.learn(&value);
            let credential = Credential::Token(value);
            let mut waits = TRIES.iter();
            let connected = loop {
                match (self.try_connect(&credential).await, waits.next()) {
                    (Ok(connected), _) => break connected,
                    (Err(ConnectError::NotVerified { .. }), Some(wait)) => {
                        self.clock.sleep(Duration::from_secs(*wait)).await;
                    }
                    (Err(error), _) => {
                        return Err(StepError::new(format!("the new credential cannot act on the account: {error}"))
                            .hint(
                                "the run stays with the credential that it has; retry in a moment, or go on by hand",
                            ));
                    }
                }
            };
            let proof = proof(&*connected.read, &self.families).await;
            Ok(Successor { read: connected.read, send: connected.send, proof })
        })
    }
}

/// What was seen of a new credential, in words: rights to write are unknown until tried.
async fn proof(read: &dyn ReadSide, families: &[&'static Family]) -> String {
    let mut zones = named(Named::Zones, read).await;
    zones.sort();
    let zone = zones.first().map(|(name, id)| Seat::zone(id, name));
    let probes = probe(read, families, zone.as_ref(), segment, IN_FLIGHT).await;
    let readable = probes.iter().filter(|probe| probe.probed == Probed::Readable).count();
    let refused: Vec<&str> = probes
        .iter()
        .filter(|probe| matches!(probe.probed, Probed::Refused { .. }))
        .map(|probe| probe.family.name)
        .collect();
    let refused = if refused.is_empty() { String::new() } else { format!("; REFUSED to read {}", refused.join(", ")) };
    format!(
        "verified as {}; it reaches the account {}; reads {readable} of {} kinds of resource{refused}; what it may write is \
         unknown until tried",
        credential(read.credential()),
        read.account().id,
        probes.len(),
    )
}

/// Connects for a run that went on with a credential that it made itself: with what the environment brings, unless that is
/// the one that was left; else with the one that lies in the vault.
pub(crate) async fn again(
    cx: &Context,
    dir: &IncidentDir,
    run: &RunState,
    switched: &Switched,
    target: &mut Target,
) -> Result<Connected, CliError> {
    if target.scenario.is_none() && cx.environment.has_credential() {
        match connect(cx, target).await {
            Ok(connected) if !is_same(connected.read.credential(), &switched.left) => return Ok(connected),
            Ok(_) => cx.screen.tell(&format!(
                "note: the environment has the credential that this run has left; it goes on with its own, {}",
                credential(&switched.credential)
            )),
            Err(error) => cx.screen.tell(&format!(
                "note: the credential of the environment does not work ({}); the run goes on with its own, {}",
                escape::terminal(&error.message),
                credential(&switched.credential)
            )),
        }
    }
    let id = SealedId { run: run.opened.run.clone(), effect: switched.effect.clone(), attempt: switched.attempt };
    let door = VaultDoor::new(dir, cx, target.scenario.is_some());
    let opened = match door.open_answer(&id).await {
        Ok(answer) => answer.as_ref().and_then(value).ok_or_else(|| "the vault does not hold it any more".to_owned()),
        Err(why) => Err(why),
    };
    let value = opened.map_err(|why| unopened(switched, why))?;
    target.credential = Credential::Token(value);
    let connector = Connector::new(target.base.clone(), target.credential.clone(), target.world(), cx.clock.clone());
    connector.remembering(cx.state.spendings()).connect(target.account.as_deref()).await.map_err(|error| {
        let mut error = refused(error);
        error.hint = Some(OTHERWISE.to_owned());
        error
    })
}

/// The way on without the vault.
const OTHERWISE: &str = "set `CLOUDFLARE_API_TOKEN` to another credential of the same account, not to the one that the run has \
                         left; nothing was sent";

fn unopened(switched: &Switched, why: String) -> CliError {
    let message = format!(
        "the run went on with a credential that it made itself, {}, and the vault with it cannot be opened",
        credential(&switched.credential)
    );
    let mut error = CliError::new(Exit::Waiting, "own_credential", message)
        .hint(format!("set `QUELL_VAULT_PASSPHRASE`, or name `--vault-identity FILE`; or {OTHERWISE}"));
    error.causes.push(why);
    error
}

/// The same credential, whatever was learnt of it meanwhile.
pub(crate) fn is_same(one: &CredentialFacts, other: &CredentialFacts) -> bool {
    one.kind == other.kind
        && match (&one.id, &other.id) {
            (None, None) => one.owner == other.owner,
            (one, other) => one == other,
        }
}
