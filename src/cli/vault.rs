//! The vault as the engine meets it: settled and proven to open before the first secret comes.

use std::fs;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use std::sync::Arc;

use super::console::Screen;
use super::context::Context;
use super::layout::IncidentDir;
use super::prompt;
use crate::engine::Vaulting;
use crate::model::{Digest, EffectKey, RunId, SealedId};
use crate::provider::{Answer, BoxFuture};
use crate::secret::{Secret, SecretBytes};
use crate::vault::{Key, Lock, Opened, SealedAnswer, Vault, VaultError};

/// Fewer characters than this are no passphrase.
const SHORTEST: usize = 8;

/// How often a passphrase may be mistyped before the run rests.
const TRIES: u32 = 3;

/// How an incident's vault is locked and opened, as flags and environment say.
#[derive(Debug, Clone, Default)]
pub(crate) struct VaultChoice {
    /// `--vault-recipient`: age public keys, any of which opens it.
    pub(crate) recipients: Vec<String>,
    /// Those of `quell.toml`, where no flag names any. The vault of a rehearsal needs none.
    pub(crate) configured: Vec<String>,
    /// `--vault-identity`: the file with a private key, to prove that it opens.
    pub(crate) identity: Option<PathBuf>,
}

/// The door to one incident's vault.
pub(crate) struct VaultDoor {
    dir: PathBuf,
    screen: Arc<Screen>,
    can_ask: bool,
    rehearsal: bool,
    passphrase: Option<Secret>,
    choice: VaultChoice,
    opened: Mutex<Option<Opened>>,
}

impl VaultDoor {
    /// The door to the vault of `dir`.
    pub(crate) fn new(dir: &IncidentDir, cx: &Context, rehearsal: bool) -> Self {
        Self {
            dir: dir.vault(),
            screen: cx.screen.clone(),
            can_ask: cx.can_ask(),
            rehearsal,
            passphrase: cx.environment.vault_passphrase.clone(),
            choice: cx.vault.clone(),
            opened: Mutex::new(None),
        }
    }

    /// Makes the vault where there is none, and proves that it opens.
    async fn settle(&self) -> Result<(), String> {
        if self.is_open() {
            return Ok(());
        }
        match Vault::load(&self.dir).map_err(|error| error.to_string())? {
            Some(vault) => self.unlock(&vault).await,
            None if !self.recipients().is_empty() => {
                let key = self.identity()?.ok_or(
                    "the vault is for recipients (`--vault-recipient` or quell.toml): name `--vault-identity FILE` too, to \
                     prove that it opens",
                )?;
                let vault = Vault::create(&self.dir, Lock::Recipients(self.recipients().to_owned()))
                    .map_err(|error| error.to_string())?;
                self.prove(&vault, key)
            }
            None if self.rehearsal => {
                let vault = Vault::create(&self.dir, Lock::Open).map_err(|error| error.to_string())?;
                self.prove(&vault, Key::Rehearsal)
            }
            None => {
                let key = self.key(true).await?;
                let Key::Passphrase(passphrase) = &key else { return Err("a new vault needs a passphrase".to_owned()) };
                let vault = Vault::create(&self.dir, Lock::Passphrase(passphrase.clone()))
                    .map_err(|error| error.to_string())?;
                self.prove(&vault, key)
            }
        }
    }

    /// Whom a new vault is for: the flag's word goes before the file's.
    fn recipients(&self) -> &[String] {
        match (self.choice.recipients.as_slice(), self.rehearsal) {
            ([], false) => &self.choice.configured,
            (named, _) => named,
        }
    }

    /// Opens a vault that there is. A passphrase that a person mistyped is asked for again.
    async fn unlock(&self, vault: &Vault) -> Result<(), String> {
        let mut slips = 0;
        loop {
            let key = self.key(false).await?;
            let typed = matches!(key, Key::Passphrase(_)) && self.passphrase.is_none();
            match vault.prove(key) {
                Ok(opened) => {
                    self.keep(opened);
                    return Ok(());
                }
                Err(error @ VaultError::WrongPassphrase) if typed => self.again(&error.to_string(), &mut slips)?,
                Err(error) => return Err(error.to_string()),
            }
        }
    }

    async fn key(&self, new: bool) -> Result<Key, String> {
        if self.rehearsal {
            return Ok(Key::Rehearsal);
        }
        if let Some(key) = self.identity()? {
            return Ok(key);
        }
        if let Some(passphrase) = &self.passphrase {
            return Ok(Key::Passphrase(passphrase.clone()));
        }
        if !self.can_ask {
            return Err("set `QUELL_VAULT_PASSPHRASE`, or name `--vault-recipient` and `--vault-identity`".to_owned());
        }
        if new {
            self.screen.tell("New secrets are sealed in this incident's vault before anything else is done with them.");
            self.screen.tell("Choose a passphrase for it (not echoed). Without it they cannot be read again.");
        }
        let typed = if new { self.choose().await? } else { self.ask("passphrase of the vault").await? };
        Ok(Key::Passphrase(typed))
    }

    /// A new passphrase, typed twice alike. A slip is no reason to hold a containment up, so it asks again.
    async fn choose(&self) -> Result<Secret, String> {
        let mut slips = 0;
        loop {
            let first = self.ask("passphrase for the new vault").await?;
            let slip = if first.expose().chars().count() < SHORTEST {
                format!("a passphrase has {SHORTEST} characters or more")
            } else if self.ask("the same once more").await?.expose() != first.expose() {
                "the two passphrases differ".to_owned()
            } else {
                return Ok(first);
            };
            self.again(&slip, &mut slips)?;
        }
    }

    /// Counts a slip and says so; the error where there were too many.
    fn again(&self, slip: &str, slips: &mut u32) -> Result<(), String> {
        *slips += 1;
        if *slips >= TRIES {
            return Err(format!("{slip} ({TRIES} times in a row)"));
        }
        self.screen.tell(&format!("{slip}; once more"));
        Ok(())
    }

    async fn ask(&self, words: &str) -> Result<Secret, String> {
        prompt::ask_secret(&self.screen, words).await.ok_or_else(|| "no passphrase was given".to_owned())
    }

    fn identity(&self) -> Result<Option<Key>, String> {
        let Some(path) = &self.choice.identity else { return Ok(None) };
        let text = fs::read_to_string(path)
            .map_err(|error| format!("cannot read the identity {}: {error}", path.display()))?;
        Ok(Some(Key::IdentityFile(Secret::new(text))))
    }

    fn prove(&self, vault: &Vault, key: Key) -> Result<(), String> {
        self.keep(vault.prove(key).map_err(|error| error.to_string())?);
        Ok(())
    }

    fn keep(&self, opened: Opened) {
        *self.opened.lock().unwrap_or_else(PoisonError::into_inner) = Some(opened);
    }

    fn is_open(&self) -> bool {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    fn vault(&self) -> Result<Vault, String> {
        Vault::load(&self.dir).map_err(|error| error.to_string())?.ok_or_else(|| "there is no vault".to_owned())
    }

    /// The sealed answer called `id`.
    pub(crate) async fn open_answer(&self, id: &SealedId) -> Result<Option<Answer>, String> {
        let Some(vault) = Vault::load(&self.dir).map_err(|error| error.to_string())? else { return Ok(None) };
        if !vault.holds(id) {
            return Ok(None);
        }
        self.settle().await?;
        let opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        let opened = opened.as_ref().ok_or("the vault is not open")?;
        let SealedAnswer { status, request_id, body } = opened.answer(id).map_err(|error| error.to_string())?;
        Ok(Some(Answer::Received { status, body, request_id }))
    }
}

/// The vault as one run meets it.
pub(crate) struct RunVault {
    door: VaultDoor,
    run: RunId,
}

impl RunVault {
    /// The vault behind `door`, for the answers of `run`.
    pub(crate) const fn new(door: VaultDoor, run: RunId) -> Self {
        Self { door, run }
    }

    fn id(&self, effect: &EffectKey, attempt: u32) -> SealedId {
        SealedId { run: self.run.clone(), effect: effect.clone(), attempt }
    }
}

impl Vaulting for RunVault {
    fn ready(&self) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(self.door.settle())
    }

    fn seal(
        &self,
        effect: &EffectKey,
        attempt: u32,
        status: u16,
        request_id: Option<&str>,
        body: &SecretBytes,
    ) -> Result<Digest, String> {
        let id = self.id(effect, attempt);
        self.door.vault()?.seal(&id, status, request_id, body).map_err(|error| error.to_string())
    }

    fn answer(&self, effect: &EffectKey, attempt: u32) -> BoxFuture<'_, Result<Option<Answer>, String>> {
        let id = self.id(effect, attempt);
        Box::pin(async move { self.door.open_answer(&id).await })
    }
}
