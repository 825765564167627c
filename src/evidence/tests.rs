use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use tempfile::TempDir;

use super::{Archive, Audit, EvidenceSink, EvidenceStore, MAX_PROOF_FILE, Unkept};
use crate::model::Digest;
use crate::secret::{Redactor, Secret};

const AT: Timestamp = Timestamp::UNIX_EPOCH;
const CANARY: &str = "canary-8f2e1d";

fn redactor() -> Arc<Redactor> {
    let redactor = Redactor::new([7; 32]);
    redactor.learn(&Secret::new(CANARY));
    Arc::new(redactor)
}

fn store() -> (TempDir, EvidenceStore) {
    let incident = tempfile::tempdir().unwrap();
    let store = EvidenceStore::new(incident.path().join("evidence"), redactor());
    (incident, store)
}

/// Kept evidence is read-only; this is what somebody with a mind to it would do.
fn tamper(path: &Path, bytes: &[u8]) {
    fs::remove_file(path).unwrap();
    fs::write(path, bytes).unwrap();
}

#[test]
fn an_answer_is_masked_named_by_its_digest_and_private() {
    let (incident, store) = store();
    let body = format!(r#"{{"result":{{"value":"{CANARY}"}}}}"#);
    let kept = store.keep(&format!("GET /verify?t={CANARY}"), body.as_bytes(), AT).unwrap();

    let path = incident.path().join("evidence").join(kept.sha256.as_str());
    let bytes = fs::read(&path).unwrap();
    assert_eq!(Digest::of(&bytes), kept.sha256);
    assert_eq!(kept.bytes, bytes.len() as u64);
    assert_eq!(store.read(&kept.sha256).unwrap(), bytes);
    assert!(!String::from_utf8(bytes.clone()).unwrap().contains(CANARY) && !kept.source.contains(CANARY));
    assert!(serde_json::from_slice::<serde_json::Value>(&bytes).unwrap()["result"]["value"].is_string());

    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!([mode(&path), mode(path.parent().unwrap())], [0o400, 0o700]);
}

#[test]
fn the_same_content_twice_is_one_file() {
    let (incident, store) = store();
    let first = store.keep("GET /a", b"{}", AT).unwrap();
    let second = store.keep("GET /b", b"{}", AT).unwrap();
    assert_eq!((first.sha256, second.source.as_str()), (second.sha256, "GET /b"));
    assert_eq!(fs::read_dir(incident.path().join("evidence")).unwrap().count(), 1);
}

#[test]
fn other_bytes_under_the_same_name_are_refused() {
    let (incident, store) = store();
    let kept = store.keep("GET /a", b"{}", AT).unwrap();
    let path = incident.path().join("evidence").join(kept.sha256.as_str());
    tamper(&path, b"[]");

    for error in [store.keep("GET /a", b"{}", AT).unwrap_err(), store.read(&kept.sha256).unwrap_err()] {
        assert_eq!(error.kind(), ErrorKind::InvalidData);
        assert!(error.to_string().contains(kept.sha256.as_str()), "{error}");
    }
    assert_eq!(fs::read(&path).unwrap(), b"[]");
}

#[test]
fn the_check_tells_missing_from_altered() {
    let (incident, store) = store();
    let [whole, altered, missing] =
        ["1", "2", "3"].map(|text| store.keep("GET /a", text.as_bytes(), AT).unwrap().sha256);
    let dir = incident.path().join("evidence");
    tamper(&dir.join(altered.as_str()), b"20");
    fs::remove_file(dir.join(missing.as_str())).unwrap();

    let audit = Archive::new(dir).check(&[whole.clone(), altered.clone(), missing.clone(), whole]);
    assert_eq!(audit, Audit { checked: 3, missing: vec![missing], altered: vec![altered] });
}

#[test]
fn a_name_from_a_tampered_journal_leads_nowhere() {
    let (incident, store) = store();
    fs::write(incident.path().join("outside"), "x").unwrap();
    let outside: Digest = serde_json::from_str(r#""../outside""#).unwrap();
    assert_eq!(store.read(&outside).unwrap_err().kind(), ErrorKind::InvalidInput);
    assert_eq!(store.archive.check(std::slice::from_ref(&outside)).missing, [outside]);
}

#[test]
fn a_proof_file_is_kept_byte_for_byte() {
    let (incident, store) = store();
    let proof = incident.path().join(format!("{CANARY}.png"));
    let bytes = [b"\x89PNG\xff\x00", CANARY.as_bytes()].concat();
    fs::write(&proof, &bytes).unwrap();
    let kept = store.keep_file(&proof, AT).unwrap();
    assert_eq!(store.read(&kept.sha256).unwrap(), bytes);
    assert!(kept.source.ends_with(".png") && !kept.source.contains(CANARY));
}

#[test]
fn what_is_no_proof_file_is_refused() {
    let (incident, store) = store();
    let large = incident.path().join("large");
    fs::File::create(&large).unwrap().set_len(MAX_PROOF_FILE + 1).unwrap();
    let kind = |path: &Path| store.keep_file(path, AT).unwrap_err().kind();
    assert_eq!(kind(&large), ErrorKind::FileTooLarge);
    assert_eq!(kind(incident.path()), ErrorKind::InvalidInput);
    assert_eq!(kind(Path::new("/dev/zero")), ErrorKind::InvalidInput);
    assert_eq!(kind(&incident.path().join("absent")), ErrorKind::NotFound);
    assert!(!incident.path().join("evidence").exists());
}

#[test]
fn a_dry_run_names_the_same_evidence_and_writes_nothing() {
    let (incident, store) = store();
    let body = format!("value={CANARY}");
    let forecast = Unkept::new(redactor()).keep("GET /a", body.as_bytes(), AT).unwrap();
    assert_eq!(fs::read_dir(incident.path()).unwrap().count(), 0);
    assert_eq!(store.keep("GET /a", body.as_bytes(), AT).unwrap(), forecast);
}

#[test]
fn evidence_that_cannot_be_written_is_an_error() {
    let temp = tempfile::tempdir().unwrap();
    let file = temp.path().join("file");
    fs::write(&file, "x").unwrap();
    assert!(EvidenceStore::new(file.join("evidence"), redactor()).keep("GET /a", b"{}", AT).is_err());
    fs::write(temp.path().join("evidence"), "x").unwrap();
    assert!(EvidenceStore::new(temp.path().join("evidence"), redactor()).keep("GET /a", b"{}", AT).is_err());
}
