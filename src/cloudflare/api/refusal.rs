use reqwest::StatusCode;
use serde_json::Value;

use super::quoted;
use crate::cloudflare::marked;
use crate::provider::{Absence, ReadError};

/// One item of `errors`, or of an `error_chain` in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Complaint {
    /// Scoped to the service that answered (documented); audit log v2 gives none.
    pub(super) code: Option<i64>,
    /// Chosen by the server; as it came.
    pub(super) message: String,
}

/// The items of `errors`, each followed by its chain. `messages` are left out: a successful verification carries there
/// the very code that means a failed one in `errors` (observed).
pub(super) fn complaints(json: &Value) -> Vec<Complaint> {
    let list = |value: Option<&Value>| value.and_then(Value::as_array).cloned().unwrap_or_default();
    let complaint = |item: &Value| Complaint {
        code: item.get("code").and_then(Value::as_i64),
        message: item.get("message").and_then(Value::as_str).unwrap_or_default().to_owned(),
    };
    list(json.get("errors"))
        .iter()
        .flat_map(|item| {
            let causes = list(item.get("error_chain"));
            std::iter::once(complaint(item)).chain(causes.iter().map(complaint).collect::<Vec<_>>())
        })
        .collect()
}

/// The complaints in words, safe to show.
pub(super) fn words(complaints: &[Complaint]) -> String {
    if complaints.is_empty() {
        return String::from("no reason was given");
    }
    let each = complaints.iter().map(|complaint| match complaint.code {
        Some(code) => format!("{code}: {}", complaint.message),
        None => complaint.message.clone(),
    });
    // An error may say back what was asked for.
    quoted(&marked::said(&each.collect::<Vec<_>>().join("; ")))
}

/// Whether it is the refusal that is given for a missing permission and for a credential that is not valid any more.
pub(super) fn may_be_dead(status: StatusCode, complaints: &[Complaint]) -> bool {
    complaints.iter().any(|complaint| complaint.code == Some(10000))
        && (status.is_success() || matches!(status.as_u16(), 400 | 401 | 403))
}

/// Why a read was turned down, from the HTTP status and the codes. Codes are all *observed*; where they do not tell, the
/// status decides. `said` is what the answer says, in words.
pub(super) fn read_error(status: StatusCode, complaints: &[Complaint], said: &str) -> ReadError {
    let has = |code: i64| complaints.iter().any(|complaint| complaint.code == Some(code));
    let mentions = |part: &str| complaints.iter().any(|complaint| complaint.message.to_lowercase().contains(part));
    let text = |hint: &str| {
        let head = if status.is_success() { String::new() } else { format!("HTTP {} ", status.as_u16()) };
        if hint.is_empty() { format!("{head}{said}") } else { format!("{head}{said} ({hint})") }
    };
    if has(6003) {
        return ReadError::Unauthenticated(text(
            "the credential is mangled or of another kind: a global API key sent as a token, or a token sent as a key",
        ));
    }
    // Three cases under one number; only the text tells them apart.
    if has(9109) && mentions("location") {
        return ReadError::Forbidden(text(
            "an IP condition of the token shuts this address out: call from an allowed address, or use another token",
        ));
    }
    if has(9109) && mentions("invalid access token") {
        return ReadError::Unauthenticated(text("the token was revoked or rolled, or never existed"));
    }
    if has(9109) {
        return ReadError::Forbidden(text(
            "the credential lacks the permission, or the endpoint wants a user token or a global API key",
        ));
    }
    if may_be_dead(status, complaints) {
        return ReadError::Forbidden(text(
            "the API says the same of a credential that is not valid any more and of one that lacks the permission: where \
             nothing else can be read either, it is the former",
        ));
    }
    if has(7003) || has(7000) {
        return ReadError::NotFound(text("the id belongs to somebody else or is malformed, or the path is retired"));
    }
    match status.as_u16() {
        401 => ReadError::Unauthenticated(text("")),
        403 => ReadError::Forbidden(text("")),
        404 | 410 => ReadError::NotFound(text("")),
        429 => ReadError::Throttled(text("")),
        408 | 500..=599 => ReadError::Unreachable(text("the server failed")),
        300..=399 => ReadError::Unreadable(text("a redirect, which is not followed")),
        _ => ReadError::Rejected(text("")),
    }
}

/// Whether a refusal means that there is nothing to show, as the request has it.
pub(super) fn says_absent(status: StatusCode, complaints: &[Complaint], absence: Absence) -> bool {
    let has = |code: u32| complaints.iter().any(|complaint| complaint.code == Some(code.into()));
    let leads_nowhere = has(7000) || has(7003);
    absence.codes.iter().any(|code| has(*code))
        || (absence.missing && matches!(status.as_u16(), 404 | 410) && !leads_nowhere)
}

/// Whether a refusal may be one that good credentials meet by chance: under load, a single 403 or a single code 10000 in
/// the middle of many answers was observed by others. Said twice, it counts.
pub(super) fn may_be_chance(status: StatusCode, complaints: &[Complaint]) -> bool {
    let has = |code: i64| complaints.iter().any(|complaint| complaint.code == Some(code));
    let speaks_of_the_credential = has(6003) || has(9109);
    (status == StatusCode::FORBIDDEN || has(10000)) && !speaks_of_the_credential
}

#[cfg(test)]
mod tests {
    use reqwest::StatusCode;
    use serde_json::json;

    use super::{complaints, may_be_chance, read_error, says_absent, words};
    use crate::provider::{Absence, ReadError};

    fn error_of(status: u16, code: i64, message: &str) -> ReadError {
        let list = complaints(&json!({"errors": [{"code": code, "message": message}]}));
        read_error(StatusCode::from_u16(status).unwrap(), &list, &words(&list))
    }

    #[test]
    fn status_and_code_together_tell_the_kind() {
        use ReadError::{Forbidden, NotFound, Rejected, Throttled, Unauthenticated, Unreachable, Unreadable};
        let location = error_of(403, 9109, "Cannot use the access token from location: 192.0.2.1");
        assert!(matches!(&location, Forbidden(text) if text.contains("IP condition")), "{location}");
        assert!(matches!(error_of(403, 9109, "Invalid access token"), Unauthenticated(_)));
        assert!(matches!(error_of(403, 9109, "Unauthorized to access requested resource"), Forbidden(_)));
        assert!(matches!(error_of(400, 6003, "Invalid request headers"), Unauthenticated(_)));
        assert!(matches!(error_of(401, 1000, "Invalid API Token"), Unauthenticated(_)));
        assert!(matches!(error_of(401, 10000, "Authentication error"), Forbidden(_)));
        assert!(matches!(error_of(400, 7003, "Could not route"), NotFound(_)));
        assert!(matches!(error_of(410, 1, "gone"), NotFound(_)));
        assert!(matches!(error_of(405, 10405, "Method not allowed"), Rejected(_)));
        assert!(matches!(error_of(429, 971, "Please wait"), Throttled(_)));
        assert!(matches!(error_of(500, 10001, "internal"), Unreachable(_)));
        assert!(matches!(error_of(302, 0, ""), Unreadable(_)));
        let rejected = error_of(200, 1001, "not today");
        assert_eq!(rejected, Rejected("1001: not today".into()));
    }

    #[test]
    fn what_may_be_chance_is_told_from_what_speaks_of_the_credential() {
        let chance = |status: u16, code: i64| {
            let list = complaints(&json!({"errors": [{"code": code, "message": ""}]}));
            may_be_chance(StatusCode::from_u16(status).unwrap(), &list)
        };
        assert!(chance(403, 10000) && chance(401, 10000) && chance(200, 10000) && chance(403, 1));
        assert!(!chance(403, 9109) && !chance(400, 6003) && !chance(401, 1000) && !chance(404, 7003));
        assert!(may_be_chance(StatusCode::FORBIDDEN, &[]), "a page of HTML");
    }

    #[test]
    fn only_what_the_request_names_means_that_there_is_none() {
        let absent = |status: u16, code: i64, absence: Absence| {
            let list = complaints(&json!({"errors": [{"code": code, "message": ""}]}));
            says_absent(StatusCode::from_u16(status).unwrap(), &list, absence)
        };
        let codes = Absence { codes: &[10003], missing: false };
        assert!(absent(404, 10003, codes) && absent(400, 10003, codes) && !absent(404, 1, codes));
        let missing = Absence { codes: &[], missing: true };
        assert!(absent(404, 1, missing) && !absent(404, 7003, missing) && !absent(403, 1, missing));
        assert!(!absent(404, 10003, Absence::default()));
    }

    #[test]
    fn chains_are_read_and_long_texts_cut() {
        let list =
            complaints(&json!({"errors": [{"code": 6003, "message": "a", "error_chain": [{"code": 6111, "message":
            "b".repeat(1000)}]}], "messages": [{"code": 10000, "message": "fine"}]}));
        assert_eq!(list.len(), 2);
        let echoed = json!({"errors": [
            {"code": 1, "message": "bad destination s3://b/p?region=eu&secret-access-key=hush-hush"},
            {"code": 2, "message": "cannot read {\"api_token\": \"hush-hush\", \"name\": \"kept\"}; token: expired"},
            {"code": 3, "message": "cfut_0123456789012345678901234567890123456789abcd is no id"},
        ]});
        let shown = words(&complaints(&echoed));
        assert!(
            !shown.contains("hush") && !shown.contains("cfut_") && shown.matches("«secret").count() == 3,
            "{shown}"
        );
        assert!(shown.contains("region=eu&") && shown.contains("\"name\": \"kept\"}; token: expired"), "{shown}");
        let shown = words(&list);
        assert!(shown.starts_with("6003: a; 6111: bbb") && shown.chars().count() == 301, "{shown}");
    }
}
