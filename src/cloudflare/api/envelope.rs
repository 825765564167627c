use serde_json::Value;

use super::quoted;
use super::refusal::{complaints, words};
use crate::model::Outcome;
use crate::provider::Answer;

/// What an answer to a write says about what became of it.
///
/// Documented: decide by HTTP status *and* `success`. Some deletions answer with `result` or `id` alone, or with 204 and
/// nothing. Whatever cannot be read as a yes or a no is [`Outcome::Unknown`].
pub fn classify(answer: &Answer) -> Outcome {
    let (status, body) = match answer {
        Answer::Received { status, body, .. } => (*status, body.expose()),
        Answer::NotSent(why) => return Outcome::NotSent(why.clone()),
        Answer::Lost(why) | Answer::CutOff { why, .. } => return Outcome::Unknown(why.clone()),
        Answer::Ended(_) | Answer::Simulated(_) => return Outcome::Unknown("the answer is not the API's".to_owned()),
    };
    let json = read_json(body);
    let said = match &json {
        Ok(value) => words(&complaints(value)),
        Err(what) => what.clone(),
    };
    match status {
        204 if body.is_empty() => Outcome::Applied,
        200..=299 => match json.as_ref().map(verdict) {
            Ok(Some(true)) => Outcome::Applied,
            Ok(Some(false)) => Outcome::Refused(said),
            Ok(None) => Outcome::Unknown(format!("HTTP {status} with JSON that is not what is documented")),
            Err(what) => Outcome::Unknown(format!("HTTP {status} with {what}")),
        },
        300..=399 => Outcome::Unknown(format!("a redirect (HTTP {status}), which is not followed")),
        401 | 403 => Outcome::Refused(format!(
            "HTTP {status}: {said}; the credential is not valid any more, or lacks the permission for this"
        )),
        408 => Outcome::Unknown(format!("the server gave up waiting (HTTP 408): {said}")),
        429 => Outcome::NotSent(format!("turned away by the rate limit (HTTP 429): {said}")),
        400..=499 => Outcome::Refused(format!("HTTP {status}: {said}")),
        _ => Outcome::Unknown(format!("the server failed (HTTP {status}): {said}")),
    }
}

/// The `result` of an answer that says yes; its whole JSON where it has no envelope.
pub fn parse_result(answer: &Answer) -> Option<Value> {
    let Answer::Received { status: 200..=299, body, .. } = answer else { return None };
    let json = read_json(body.expose()).ok()?;
    (verdict(&json) == Some(true)).then(|| into_result(json))
}

/// Whether the answer to a deletion says that there is nothing to delete: 404, or the code of a path that leads nowhere
/// (observed for ids that are gone). Not proof by itself: a list has the last word.
pub fn says_absent(answer: &Answer) -> bool {
    let Answer::Received { status, body, .. } = answer else { return false };
    *status == 404
        || (*status == 400
            && read_json(body.expose()).is_ok_and(|json| complaints(&json).iter().any(|it| it.code == Some(7003))))
}

/// Yes, no, or neither: the last for JSON that is no documented answer, such as one that names errors and says neither.
pub(super) fn verdict(json: &Value) -> Option<bool> {
    match json.get("success") {
        Some(success) => success.as_bool(),
        None if names_errors(json) => None,
        None => (json.get("result").is_some() || json.get("id").is_some()).then_some(true),
    }
}

/// Whether the answer to a read is none: it says no, or names errors and does not say yes.
pub(super) fn says_no(json: &Value) -> bool {
    match json.get("success") {
        Some(success) => success.as_bool() == Some(false),
        None => names_errors(json),
    }
}

fn names_errors(json: &Value) -> bool {
    json.get("errors").and_then(Value::as_array).is_some_and(|errors| !errors.is_empty())
}

/// The `result`, or the whole where there is none.
pub(super) fn into_result(mut json: Value) -> Value {
    match json.as_object_mut().and_then(|map| map.remove("result")) {
        Some(result) => result,
        None => json,
    }
}

/// The body as JSON, or what it is instead.
pub(super) fn read_json(body: &[u8]) -> Result<Value, String> {
    serde_json::from_slice(body).map_err(|error| {
        let start = String::from_utf8_lossy(&body[..body.len().min(64)]).trim_start().to_owned();
        if start.is_empty() {
            String::from("an empty body")
        } else if start.starts_with('<') {
            String::from("a page of HTML instead of JSON: a proxy, a portal or an outage page answered")
        } else if error.is_eof() {
            format!("JSON that is cut off after {} bytes", body.len())
        } else {
            // The position only: the text could be a secret.
            format!("no JSON (line {}, column {})", error.line(), error.column())
        }
    })
}

/// What a server's 2xx answer that is no documented one looks like, for an error.
pub(super) fn keys_of(json: &Value) -> String {
    match json {
        Value::Object(map) => {
            let keys: Vec<&str> = map.keys().take(8).map(String::as_str).collect();
            quoted(&format!("an object with {}", keys.join(", ")))
        }
        Value::Array(_) => String::from("a bare list"),
        _ => String::from("a bare value"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{classify, parse_result, says_absent};
    use crate::provider::Answer;
    use crate::secret::SecretBytes;

    fn received(status: u16, body: &str) -> Answer {
        Answer::Received { status, body: SecretBytes::new(body.as_bytes().to_vec()), request_id: None }
    }

    #[test]
    fn every_answer_has_its_outcome() {
        let yes = r#"{"success":true,"errors":[],"messages":[{"code":10000,"message":"fine"}],"result":{"id":"1"}}"#;
        let no = r#"{"success":false,"errors":[{"code":1001,"message":"no\u001b[2J"}],"result":null}"#;
        for (status, body, outcome, part) in [
            (200, yes, "applied", ""),
            (200, r#"{"result":{"id":"1"}}"#, "applied", ""),
            (200, r#"{"id":"1"}"#, "applied", ""),
            (204, "", "applied", ""),
            (200, no, "refused", "1001: no\\u{1b}[2J"),
            (400, no, "refused", "1001"),
            (403, no, "refused", "lacks the permission"),
            (401, "<html>", "refused", "HTML"),
            (404, "", "refused", "404"),
            (429, no, "not_sent", "rate limit"),
            (408, "", "unknown", "408"),
            (200, "<html>", "unknown", "HTML"),
            (200, &yes[..40], "unknown", "cut off"),
            (200, "", "unknown", "empty"),
            (200, "[]", "unknown", "documented"),
            (200, r#"{"success":"yes"}"#, "unknown", "documented"),
            (200, r#"{"errors":[{"code":1001,"message":"no"}],"result":{"id":"1"}}"#, "unknown", "documented"),
            (200, r#"{"errors":[],"result":{"id":"1"}}"#, "applied", ""),
            (302, "", "unknown", "redirect"),
            (500, no, "unknown", "1001"),
            (503, "<html>", "unknown", "503"),
        ] {
            let is = classify(&received(status, body));
            assert_eq!(is.as_str(), outcome, "{status} {body}");
            assert!(is.why().unwrap_or_default().contains(part), "{status} {body}: {is:?}");
        }
        assert_eq!(classify(&Answer::Lost("cut".into())).as_str(), "unknown");
        assert_eq!(classify(&Answer::NotSent("refused".into())).as_str(), "not_sent");
    }

    #[test]
    fn an_absence_is_told_from_a_refusal() {
        assert!(says_absent(&received(404, "<html>")));
        assert!(says_absent(&received(400, r#"{"success":false,"errors":[{"code":7003,"message":"no route"}]}"#)));
        assert!(!says_absent(&received(400, r#"{"success":false,"errors":[{"code":1001,"message":"7003"}]}"#)));
        assert!(!says_absent(&received(500, r#"{"success":false,"errors":[{"code":7003}]}"#)));
        assert!(!says_absent(&Answer::Lost("cut".into())));
    }

    #[test]
    fn the_result_is_there_only_for_a_yes() {
        assert_eq!(parse_result(&received(200, r#"{"success":true,"result":"bare"}"#)), Some(json!("bare")));
        assert_eq!(parse_result(&received(200, r#"{"id":"1"}"#)), Some(json!({"id": "1"})));
        assert_eq!(parse_result(&received(200, r#"{"success":false,"result":"x"}"#)), None);
        assert_eq!(parse_result(&received(500, r#"{"success":true,"result":"x"}"#)), None);
    }
}
