//! Identifiers and secrets of the simulated world: all derived, so that a replay makes the same ones.

use sha2::{Digest, Sha256};

/// Every secret of a simulated world has this in its body, so that a test can search outputs for leaks.
pub const CANARY: &str = "CANARY";

/// 32 hexadecimal digits for a name.
pub(super) fn id(name: &str) -> String {
    let mut digits = hex::encode(Sha256::digest(name));
    digits.truncate(32);
    digits
}

/// A secret of the current shape: prefix, 40 characters, checksum.
pub(super) fn secret(prefix: &str, name: &str) -> String {
    const ALPHABET: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut body = CANARY.to_owned();
    for half in ["a", "b"] {
        let digest = Sha256::digest(format!("{half}/{prefix}/{name}"));
        body.extend(digest.iter().take(17).map(|byte| char::from(ALPHABET[usize::from(*byte) % ALPHABET.len()])));
    }
    let checksum = hex::encode(&Sha256::digest(&body)[..4]);
    format!("{prefix}_{body}{checksum}")
}
