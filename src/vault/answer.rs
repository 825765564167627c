use serde::{Deserialize, Serialize};

use crate::model::{EffectKey, RunId, SealedId};
use crate::secret::SecretBytes;

/// Version of the sealed format.
const VERSION: u32 = 1;

/// What came back for one attempt, as it was before anybody read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedAnswer {
    /// HTTP status.
    pub status: u16,
    /// The provider's id of the request.
    pub request_id: Option<String>,
    /// The body.
    pub body: SecretBytes,
}

/// The first line of a sealed answer. It names the answer, so that a file under another's name is noticed.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Head {
    v: u32,
    run: RunId,
    effect: EffectKey,
    attempt: u32,
    status: u16,
    request_id: Option<String>,
}

impl Head {
    pub(super) fn new(id: &SealedId, status: u16, request_id: Option<&str>) -> Self {
        let SealedId { run, effect, attempt } = id.clone();
        Self { v: VERSION, run, effect, attempt, status, request_id: request_id.map(str::to_owned) }
    }

    pub(super) fn line(&self) -> Vec<u8> {
        format!("{}\n", serde_json::json!(self)).into_bytes()
    }
}

/// Reads a sealed answer that should be the one called `id`; the error says what is wrong with it.
///
/// The body follows the head as it came, rather than inside the JSON: so it is the same bytes for `age -d`, whatever
/// they are, and no parser makes copies of it that are not wiped.
pub(super) fn read(plain: &[u8], id: &SealedId) -> Result<SealedAnswer, &'static str> {
    let end = plain.iter().position(|byte| *byte == b'\n').ok_or("holds no answer")?;
    let (head, body) = (&plain[..end], &plain[end + 1..]);
    let head: serde_json::Value = serde_json::from_slice(head).map_err(|_| "holds no answer")?;
    if head["v"].as_u64().is_some_and(|v| v > u64::from(VERSION)) {
        return Err("was sealed by a newer quell");
    }
    let head: Head = serde_json::from_value(head).map_err(|_| "holds no answer")?;
    if (&head.run, &head.effect, head.attempt) != (&id.run, &id.effect, id.attempt) {
        return Err("holds the answer to another call");
    }
    Ok(SealedAnswer { status: head.status, request_id: head.request_id, body: SecretBytes::new(body.to_vec()) })
}

#[cfg(test)]
mod tests {
    use super::{EffectKey, Head, RunId, SealedId, read};

    #[test]
    fn what_is_no_answer_of_ours_is_told_apart() {
        let id = SealedId { run: RunId::new("r1"), effect: EffectKey::new("k"), attempt: 1 };
        let plain = Head::new(&id, 200, None).line();
        assert!(read(&plain, &id).unwrap().body.expose().is_empty());
        for other in [SealedId { attempt: 2, ..id.clone() }, SealedId { run: RunId::new("r2"), ..id.clone() }] {
            assert_eq!(read(&plain, &other), Err("holds the answer to another call"));
        }
        assert_eq!(read(b"{\"v\":2}\nbody", &id), Err("was sealed by a newer quell"));
        for plain in ["", "{}", "{}\n", "\n"] {
            assert_eq!(read(plain.as_bytes(), &id), Err("holds no answer"), "{plain:?}");
        }
    }
}
