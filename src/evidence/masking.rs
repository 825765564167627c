use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use crate::secret::Redactor;

/// A string literal, or a bare word: a number, `true`, `false`, `null`.
static TOKEN: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r#""(?:[^"\\]|\\.)*"|[^\s{}\[\],:"]+"#).ok());

/// `bytes` as they are stored. JSON, also one document a line, stays JSON and is masked text by text; anything else is
/// masked as one text.
pub(super) fn masked(redactor: &Redactor, bytes: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(bytes);
    match masked_json(redactor, &text) {
        Some(json) => json.into_bytes(),
        None => redactor.redact_bytes(bytes),
    }
}

/// `None` where `text` is not JSON.
///
/// Masking the document as one text would not do: a match could run from one value into the next and take the
/// quotes between them along, and a secret that is written with escapes would not be recognised. Only the literals
/// that held a secret are written anew; all else stays byte for byte as the provider sent it.
fn masked_json(redactor: &Redactor, text: &str) -> Option<String> {
    let token = TOKEN.as_ref()?;
    let mut documents = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    if !documents.all(|document| document.is_ok()) {
        return None;
    }
    let masked = token.replace_all(text, |found: &regex::Captures<'_>| {
        let raw = &found[0];
        let plain = serde_json::from_str::<String>(raw).map_or(Cow::Borrowed(raw), Cow::Owned);
        let masked = redactor.redact(&plain);
        if masked == plain { raw.to_owned() } else { Value::String(masked.into_owned()).to_string() }
    });
    Some(masked.into_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::masked;
    use crate::secret::{Redactor, Secret};

    fn stored(redactor: &Redactor, text: &str) -> String {
        String::from_utf8(masked(redactor, text.as_bytes())).unwrap()
    }

    #[test]
    fn what_holds_no_secret_stays_byte_for_byte() {
        let redactor = Redactor::new([7; 32]);
        for text in [
            "{ \"a\" : 1.0,\r\n \"a\":\"\\u0041\\/\" , \"n\":12345678901234567890.10 }\n",
            // As one text, this would match from the address of the site to that of the person.
            r#"{"site":"https://shop.example","mail":"bob@shop.example"}"#,
            "{\"line\":1}\n{\"line\":2}\n",
            "no JSON at all: {",
            "",
        ] {
            assert_eq!(stored(&redactor, text), text);
        }
    }

    #[test]
    fn json_stays_json_wherever_the_secret_stands() {
        let redactor = Redactor::new([7; 32]);
        redactor.learn(&Secret::new("can\"ary\\\u{e9}-one"));
        redactor.learn(&Secret::new("1234567890"));
        let text = concat!(
            r#"{"can\"ary\\\u00e9-one":["x can\"ary\\é-one y",1234567890],"#,
            r#""pem":"-----BEGIN PRIVATE KEY-----\nTUlJ","after":true,"twice":"1234567890","twice":0}"#
        );
        let out = stored(&redactor, text);
        let value: Value = serde_json::from_str(&out).unwrap();
        assert_eq!(value["after"], json!(true));
        assert!(!out.contains("ary") && !out.contains("1234567890") && !out.contains("TUlJ"), "{out}");
    }

    #[test]
    fn text_and_half_documents_are_masked_too() {
        let redactor = Redactor::new([7; 32]);
        redactor.learn(&Secret::new("canary-two"));
        for text in ["error: canary-two", r#"{"value":"canary-two","#, "1 canary-two"] {
            assert!(!stored(&redactor, text).contains("canary-two"));
        }
        assert!(!masked(&redactor, b"\xffcanary-two").windows(10).any(|window| window == b"canary-two"));
    }

    proptest! {
        #[test]
        fn a_masked_document_has_the_shape_it_had(before in ".*", secret in ".{8,20}", after in ".*") {
            let redactor = Redactor::new([7; 32]);
            redactor.learn(&Secret::new(secret.clone()));
            let text = json!({"k": [before + &secret + &after, 1, null]}).to_string();
            let value: Value = serde_json::from_str(&stored(&redactor, &text)).unwrap();
            prop_assert_eq!(&value["k"][1], &json!(1));
            prop_assert!(!value["k"][0].as_str().unwrap().contains(&secret));
        }
    }
}
