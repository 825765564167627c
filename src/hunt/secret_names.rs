//! Fields that bear the name of something secret. Who lists them for a kind of resource forgets one, and providers add some;
//! the name tells.

use serde_json::Value;

use super::canonical::{MASK, everywhere};

/// How such names end, without signs between their words.
const ENDINGS: [&str; 20] = [
    "secret",
    "token",
    "password",
    "passphrase",
    "psk",
    "privatekey",
    "apikey",
    "accesskey",
    "secretkey",
    "streamkey",
    "sharedkey",
    "signingkey",
    "authkey",
    "encryptionkey",
    "keybase64",
    "keyjwk",
    "connectionstring",
    "credentials",
    "authorization",
    "ownershipchallenge",
];

/// Whether a field bears the name of something secret.
pub fn is_secret_name(name: &str) -> bool {
    // From the end on, and without a copy: there may be a million items with a dozen names each.
    let letters = || name.bytes().rev().filter(u8::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase());
    let last = letters().next();
    let mut near = ENDINGS.iter().map(|ending| ending.as_bytes()).filter(|ending| ending.last().copied() == last);
    near.any(|ending| letters().take(ending.len()).eq(ending.iter().rev().copied()))
}

/// Masks every text that bears such a name, and each text of a list that does. Switches and tables of that name say what is
/// so, and stay.
pub fn mask_named(value: &mut Value) {
    everywhere(value, &mut |map| {
        for (_, value) in map.iter_mut().filter(|(name, _)| is_secret_name(name)) {
            match value {
                Value::String(_) => hide(value),
                Value::Array(items) if items.iter().all(Value::is_string) => items.iter_mut().for_each(hide),
                _ => {}
            }
        }
    });
}

/// A mask is more than nothing, and what is masked already may be told from others by its mask.
fn hide(value: &mut Value) {
    let is_masked = |text: &str| text.is_empty() || text.contains(MASK.trim_end_matches('»'));
    if !value.as_str().is_some_and(is_masked) {
        *value = MASK.into();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{is_secret_name, mask_named};

    #[test]
    fn names_of_secrets_are_told_by_how_they_end() {
        for name in
            ["token", "apiToken", "CLIENT_SECRET", "x-api-key", "key_base64", "streamKey", "header_Authorization"]
        {
            assert!(is_secret_name(name), "{name}");
        }
        for name in ["", "key", "token_url", "secret_name", "psks", "monkey", "has_rotated_secrets", "ken"] {
            assert!(!is_secret_name(name), "{name}");
        }
    }

    #[test]
    fn texts_of_such_a_name_are_masked_and_what_is_so_stays() {
        let mut told = json!({
            "consumers": [{ "settings": { "token": "hush", "batch": 1 } }], "tokens": ["kept"], "api_keys": "kept",
            "credentials": ["hush", ""], "service_token": { "token_id": "kept" }, "allow_credentials": true,
            "rotated_secret": "«secret 0f877911427f»", "old_secret": "", "no_secret": null,
        });
        mask_named(&mut told);
        let masked = json!({
            "consumers": [{ "settings": { "token": "«secret»", "batch": 1 } }], "tokens": ["kept"], "api_keys": "kept",
            "credentials": ["«secret»", ""], "service_token": { "token_id": "kept" }, "allow_credentials": true,
            "rotated_secret": "«secret 0f877911427f»", "old_secret": "", "no_secret": null,
        });
        assert_eq!(told, masked);
    }
}
