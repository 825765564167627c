use std::error::Error;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use age::secrecy::ExposeSecret;
use age::x25519;
use tempfile::TempDir;

use super::{Key, KeyKind, Lock, Vault, VaultError};
use crate::model::{Digest, EffectKey, RunId, SealedId};
use crate::secret::{Secret, SecretBytes};

const BODY: &[u8] = b"{\"result\":{\"value\":\"canary-8f2e1d\"}}\n\xff\x00";

fn body() -> SecretBytes {
    SecretBytes::new(BODY.to_vec())
}

fn id(attempt: u32) -> SealedId {
    let effect = EffectKey::derive("recover/roll", "cloudflare.token.roll", "token", "1");
    SealedId { run: RunId::new("r1"), effect, attempt }
}

fn made(lock: Lock) -> (TempDir, Vault) {
    let incident = tempfile::tempdir().unwrap();
    let vault = Vault::create(&incident.path().join("vault"), lock).unwrap();
    (incident, vault)
}

/// A vault in which nothing depends on how it is locked.
fn open() -> (TempDir, Vault) {
    made(Lock::Open)
}

fn file_of(identity: &x25519::Identity) -> Key {
    Key::IdentityFile(Secret::new(format!("# created by a test\n{}\n", identity.to_string().expose_secret())))
}

/// Seals, opens as another process would, and looks for secrets in every file.
fn round_trip(incident: &Path, keys: Vec<Key>) {
    let vault = Vault::load(&incident.join("vault")).unwrap().unwrap();
    let digest = vault.seal(&id(1), 200, Some("ray-1"), &body()).unwrap();
    for key in keys {
        let opened = vault.prove(key).unwrap();
        let answer = opened.answer(&id(1)).unwrap();
        assert_eq!((answer.status, answer.request_id.as_deref(), answer.body), (200, Some("ray-1"), body()));
    }
    let sealed = vault.sealed().unwrap();
    assert_eq!(sealed.len(), 1);
    assert_eq!(Digest::of(&fs::read(&sealed[0].path).unwrap()), digest);
    for entry in fs::read_dir(incident.join("vault")).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600, "{}", path.display());
        let bytes = fs::read(&path).unwrap();
        let has = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
        let in_the_clear = path.ends_with("identity.rehearsal");
        assert!(!has(b"canary-8f2e1d") && !has(b"ray-1"), "{}", path.display());
        assert_eq!(has(b"AGE-SECRET-KEY-"), in_the_clear, "{}", path.display());
    }
    assert_eq!(fs::metadata(incident.join("vault")).unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(fs::read_dir(incident).unwrap().count(), 1, "an unfinished vault was left behind");
}

#[test]
fn a_passphrase_opens_and_another_does_not() {
    let (incident, vault) = made(Lock::Passphrase(Secret::new("correct horse battery")));
    assert_eq!(vault.opened_by().unwrap(), KeyKind::Passphrase);
    let error = vault.prove(Key::Passphrase(Secret::new("incorrect horse"))).unwrap_err();
    assert!(matches!(error, VaultError::WrongPassphrase));
    assert_eq!(error.to_string(), "the passphrase does not open this vault");
    assert!(matches!(vault.prove(Key::Rehearsal), Err(VaultError::OtherKey(KeyKind::Passphrase))));
    round_trip(incident.path(), vec![Key::Passphrase(Secret::new("correct horse battery"))]);
}

#[test]
fn each_of_several_recipients_opens_and_nobody_else() {
    let [first, second, stranger] = std::array::from_fn(|_| x25519::Identity::generate());
    let recipients = [&first, &second].map(|identity| identity.to_public().to_string()).to_vec();
    let (incident, vault) = made(Lock::Recipients(recipients));
    assert_eq!(vault.opened_by().unwrap(), KeyKind::IdentityFile);
    assert!(matches!(vault.prove(file_of(&stranger)), Err(VaultError::WrongIdentity)));
    assert!(matches!(vault.prove(Key::Passphrase(Secret::new("x"))), Err(VaultError::OtherKey(_))));
    round_trip(incident.path(), vec![file_of(&first), file_of(&second)]);
}

#[test]
fn a_rehearsal_opens_with_nothing() {
    let (incident, vault) = open();
    assert_eq!(vault.opened_by().unwrap(), KeyKind::Rehearsal);
    round_trip(incident.path(), vec![Key::Rehearsal]);
}

#[test]
fn a_lock_that_would_not_hold_makes_no_vault() {
    let incident = tempfile::tempdir().unwrap();
    let private = x25519::Identity::generate().to_string();
    for lock in [
        Lock::Passphrase(Secret::new("")),
        Lock::Recipients(vec![]),
        Lock::Recipients(vec![x25519::Identity::generate().to_public().to_string(), "ssh-ed25519 AAAA".into()]),
        Lock::Recipients(vec![private.expose_secret().to_owned()]),
    ] {
        let error = Vault::create(&incident.path().join("vault"), lock).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("AGE-SECRET-KEY-"), "{error}");
    }
    assert_eq!(fs::read_dir(incident.path()).unwrap().count(), 0);
    assert!(Vault::load(&incident.path().join("vault")).unwrap().is_none());
}

#[test]
fn an_identity_file_that_is_none_is_not_quoted() {
    let recipient = x25519::Identity::generate().to_public().to_string();
    let (_incident, vault) = made(Lock::Recipients(vec![recipient]));
    let error = vault.prove(Key::IdentityFile(Secret::new("# mine\nhunter2-canary"))).unwrap_err();
    let shown = format!("{error} {error:?} {}", error.source().unwrap());
    assert!(shown.contains("line 2") && !shown.contains("canary"), "{shown}");
}

#[test]
fn a_second_vault_is_refused() {
    let (incident, vault) = open();
    let before = fs::read(incident.path().join("vault/recipient")).unwrap();
    assert!(matches!(Vault::create(&incident.path().join("vault"), Lock::Open), Err(VaultError::Exists(_))));
    assert_eq!(fs::read(incident.path().join("vault/recipient")).unwrap(), before);
    assert!(vault.prove(Key::Rehearsal).is_ok());
}

#[test]
fn a_sealed_answer_is_never_overwritten() {
    let (_incident, vault) = open();
    vault.seal(&id(1), 200, None, &body()).unwrap();
    let again = vault.seal(&id(1), 200, None, &SecretBytes::new(b"other".to_vec()));
    assert!(matches!(again, Err(VaultError::AlreadySealed(it)) if it == id(1)));
    assert_eq!(vault.prove(Key::Rehearsal).unwrap().answer(&id(1)).unwrap().body, body());
}

#[test]
fn what_is_sealed_is_found_again() {
    let (_incident, vault) = open();
    vault.seal(&id(2), 201, None, &SecretBytes::new(vec![b'x'; 200_000])).unwrap();
    assert!(vault.holds(&id(2)) && !vault.holds(&id(1)));
    let opened = vault.prove(Key::Rehearsal).unwrap();
    let names = vault.sealed().unwrap();
    assert_eq!((names.len(), &names[0].id), (1, &id(2)));
    assert_eq!(opened.open(&names[0]).unwrap().body.expose().len(), 200_000);
    assert!(matches!(opened.answer(&id(1)), Err(VaultError::NotSealed(missing)) if missing == id(1)));
}

#[test]
fn an_altered_exchanged_or_foreign_answer_is_noticed() {
    let (_incident, vault) = open();
    vault.seal(&id(1), 200, None, &body()).unwrap();
    let opened = vault.prove(Key::Rehearsal).unwrap();
    let path = vault.sealed().unwrap().remove(0).path;
    let sealed = fs::read(&path).unwrap();
    for at in [0, 40, sealed.len() / 2, sealed.len() - 1] {
        let mut altered = sealed.clone();
        altered[at] ^= 1;
        fs::write(&path, altered).unwrap();
        assert!(matches!(opened.answer(&id(1)), Err(VaultError::Damaged { .. })), "byte {at}");
    }
    fs::write(&path, &sealed[..sealed.len() - 1]).unwrap();
    assert!(matches!(opened.answer(&id(1)), Err(VaultError::Damaged { .. })));

    fs::write(vault.path(&id(2)).unwrap(), &sealed).unwrap();
    assert!(matches!(opened.answer(&id(2)), Err(VaultError::Unreadable { .. })));

    let (_other, elsewhere) = open();
    fs::write(elsewhere.path(&id(1)).unwrap(), &sealed).unwrap();
    let answer = elsewhere.prove(Key::Rehearsal).unwrap().answer(&id(1));
    assert!(matches!(answer, Err(VaultError::Damaged { .. })));
}

#[test]
fn a_replaced_public_half_does_not_pass_the_proof() {
    let (incident, _) = open();
    let path = incident.path().join("vault/recipient");
    fs::write(&path, x25519::Identity::generate().to_public().to_string()).unwrap();
    let vault = Vault::load(&incident.path().join("vault")).unwrap().unwrap();
    assert!(matches!(vault.prove(Key::Rehearsal), Err(VaultError::Halves(_))));
    fs::write(&path, "age1nonsense").unwrap();
    assert!(matches!(Vault::load(&incident.path().join("vault")), Err(VaultError::Unreadable { .. })));
    fs::remove_file(&path).unwrap();
    assert!(matches!(Vault::load(&incident.path().join("vault")), Err(VaultError::Io { .. })), "taken for no vault");
}

#[test]
fn a_planted_private_half_cannot_ask_for_absurd_work() {
    let (incident, vault) = open();
    let mut planted = b"age-encryption.org/v1\n-> scrypt AAAAAAAAAAAAAAAAAAAAAA 63\n".to_vec();
    planted.extend([b"A".repeat(43), b"\n--- ".to_vec(), b"A".repeat(43), b"\n".to_vec(), b"0".repeat(48)].concat());
    fs::write(incident.path().join("vault/identity.age"), planted).unwrap();
    let error = vault.prove(Key::Passphrase(Secret::new("x"))).unwrap_err();
    assert!(error.to_string().ends_with("asks for absurd work"), "{error:?}");
}

#[test]
fn what_cannot_be_written_is_an_error_and_seals_nothing() {
    let temp = tempfile::tempdir().unwrap();
    let file = temp.path().join("file");
    fs::write(&file, "x").unwrap();
    assert!(matches!(Vault::create(&file.join("vault"), Lock::Open), Err(VaultError::Io { .. })));

    let (incident, vault) = open();
    let dir = incident.path().join("vault");
    fs::rename(&dir, incident.path().join("away")).unwrap();
    fs::write(&dir, "x").unwrap();
    assert!(matches!(vault.seal(&id(1), 200, None, &body()), Err(VaultError::Io { .. })));
    assert!(vault.sealed().is_err());
    assert!(vault.holds(&id(1)), "a vault that cannot be read was taken for one that holds nothing");
}

#[test]
fn a_key_from_a_tampered_journal_leads_nowhere() {
    let (_incident, vault) = open();
    let outside = SealedId { effect: EffectKey::new("../../outside"), ..id(1) };
    assert!(matches!(vault.seal(&outside, 200, None, &body()), Err(VaultError::Name(_))));
    assert!(!vault.holds(&outside));
}
