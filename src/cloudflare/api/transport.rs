use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use jiff::{SignedDuration, Timestamp};
use reqwest::header::{DATE, HeaderMap};
use reqwest::{Client, StatusCode};
use serde_json::Value;

use super::envelope::{into_result, keys_of, read_json, says_no, verdict};
use super::gate::Gate;
use super::meter::Meter;
use super::ratelimit::http_date;
use super::refusal::{Complaint, complaints, may_be_chance, may_be_dead, read_error, says_absent, words};
use super::trace::Trace;
use super::{ApiBase, Credential, chain, http};
use crate::clock::Clock;
use crate::provider::{ReadError, ReadRequest, Reading, Sent};
use crate::secret::SecretBytes;

/// A credential that was just seen to be valid is not verified again for so long.
const STAYS_VALID: SignedDuration = SignedDuration::from_secs(60);

/// How often a read is tried again after its first failure.
const RETRIES: usize = 3;

/// Makes reads: through the gate, counted, checked, and tried again where that can help.
pub(super) struct Transport {
    pub(super) base: ApiBase,
    pub(super) credential: Credential,
    pub(super) client: Client,
    pub(super) gate: Arc<Gate>,
    pub(super) meter: Arc<Meter>,
    pub(super) clock: Arc<dyn Clock>,
    /// Where the credential is verified; known once it has been.
    pub(super) verify: OnceLock<String>,
    /// When the credential was last seen to be valid after a refusal that left it open.
    pub(super) seen_valid: Mutex<Option<Timestamp>>,
}

/// An answer, with the part of its envelope that tells of other pages.
pub(super) struct Exchange {
    pub(super) reading: Reading,
    /// `result_info`, or `Null`.
    pub(super) info: Value,
    /// What `errors` says besides the yes, in words; empty where it says nothing, as documented.
    pub(super) complaint: String,
    /// The answer says of itself that it is not all.
    pub(super) is_part: bool,
}

/// One try that failed.
struct Failure {
    error: ReadError,
    hope: Hope,
    /// Whether it may be the credential that is not valid any more.
    credential: bool,
}

/// Whether the same request may do better later.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Hope {
    /// It may.
    Some,
    /// If it fails once more, it will not.
    Once,
    /// It will not.
    None,
}

impl Transport {
    /// One read, with its retries. The waits between them are short: long ones are the gate's.
    pub(super) async fn read(&self, request: &ReadRequest) -> Result<Exchange, ReadError> {
        let mut waits = ExponentialBuilder::default()
            .with_min_delay(Duration::from_millis(500))
            .with_max_delay(Duration::from_secs(8))
            .with_max_times(RETRIES)
            .with_jitter()
            .build();
        let mut attempt = 0;
        let mut doubted = false;
        loop {
            attempt += 1;
            let failure = match self.attempt(request, attempt).await {
                Ok(exchange) => return Ok(exchange),
                Err(failure) => failure,
            };
            let again = match failure.hope {
                Hope::Some => true,
                Hope::Once => !std::mem::replace(&mut doubted, true),
                Hope::None => false,
            };
            match waits.next().filter(|_| again) {
                Some(wait) => {
                    tracing::info!(error = %failure.error, ?wait, "reading again");
                    self.clock.sleep(wait).await;
                }
                None if failure.credential => return Err(self.or_dead(failure.error).await),
                None => return Err(failure.error),
            }
        }
    }

    /// Observed: the API refuses what the credential may not do by the very code by which it refuses one that was revoked
    /// or has expired. Only verifying it tells which; a run must not go on blind with a dead one.
    async fn or_dead(&self, refused: ReadError) -> ReadError {
        let now = self.clock.now();
        let is_fresh = |at: &Timestamp| now.duration_since(*at) < STAYS_VALID;
        let Some(path) = self.verify.get().filter(|_| !self.seen_valid().as_ref().is_some_and(is_fresh)) else {
            return refused;
        };
        match self.attempt(&ReadRequest::new(path), 1).await.map_err(|failure| failure.error) {
            Ok(verified) => match verified.reading.result.get("status").and_then(Value::as_str) {
                None | Some("active") => {
                    *self.seen_valid() = Some(now);
                    refused
                }
                Some(status) => ReadError::Unauthenticated(format!("it is {} by now", super::quoted(status))),
            },
            Err(dead @ ReadError::Unauthenticated(_)) => dead,
            Err(_) => refused,
        }
    }

    fn seen_valid(&self) -> MutexGuard<'_, Option<Timestamp>> {
        self.seen_valid.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn attempt(&self, request: &ReadRequest, attempt: u32) -> Result<Exchange, Failure> {
        let last = |error| Failure { error, hope: Hope::None, credential: false };
        let passing = |error| Failure { error, hope: Hope::Some, credential: false };
        let Some(mut url) = self.base.url(&request.path) else {
            let why = format!("`{}` is no well-formed path, so nothing was sent", super::quoted(&request.path));
            return Err(last(ReadError::Rejected(why)));
        };
        if !request.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&request.query);
        }
        let source = format!("GET {}", self.base.below(&url));
        let pass = self.gate.pass(request.lane).await.map_err(|why| last(ReadError::Throttled(why)))?;
        let path = request.path.split('?').next().unwrap_or_default().to_owned();
        self.meter.count_read(Sent { path, at: self.clock.now() });
        let trace = Trace::begin("GET", &request.path, attempt, &*self.clock);
        let mut get = self.client.get(url);
        for (name, value) in &request.headers {
            get = get.header(name, value);
        }
        let response = get.send().await.map_err(|error| {
            trace.end(None, &*self.clock);
            passing(ReadError::Unreachable(chain(error)))
        })?;
        let (status, headers) = (response.status(), response.headers().clone());
        pass.answered(status, &headers);
        let body = http::body(response).await;
        trace.end(Some(status.as_u16()), &*self.clock);
        let body =
            body.map_err(|cut| passing(ReadError::Unreadable(format!("HTTP {}, but {}", status.as_u16(), cut.why))))?;
        if status == StatusCode::PARTIAL_CONTENT {
            let why = "HTTP 206, so it is only a part, which nobody had asked for";
            return Err(passing(ReadError::Unreadable(why.to_owned())));
        }
        let mut json = match read_json(&body) {
            Ok(json) => json,
            Err(_) if status.is_success() && is_text(&request.path) && !body.trim_ascii_start().starts_with(b"<") => {
                let result = Value::String(String::from_utf8_lossy(&body).into_owned());
                return Ok(exchange(result, body, source, &headers));
            }
            Err(what) if status.is_success() => {
                return Err(passing(ReadError::Unreadable(format!("HTTP {} with {what}", status.as_u16()))));
            }
            Err(what) => return Err(failure(status, &[], &format!("with {what}"))),
        };
        let says_yes = verdict(&json).or_else(|| is_without_envelope(&request.path).then_some(true));
        match says_yes {
            Some(true) if status.is_success() => {
                let is_part = is_part(&json);
                let info = json.get_mut("result_info").map(Value::take).unwrap_or_default();
                let list = self.masked(complaints(&json));
                let complaint = if list.is_empty() { String::new() } else { words(&list) };
                Ok(Exchange { info, complaint, is_part, ..exchange(into_result(json), body, source, &headers) })
            }
            None if status.is_success() && !says_no(&json) => {
                let what = keys_of(&json);
                Err(last(ReadError::Unreadable(format!("{what} is not the documented answer of {source}"))))
            }
            _ => {
                let list = self.masked(complaints(&json));
                if says_absent(status, &list, request.absence) {
                    return Ok(exchange(Value::Null, body, source, &headers));
                }
                Err(failure(status, &list, &words(&list)))
            }
        }
    }

    /// Without the credential, should the server have sent it back.
    fn masked(&self, mut complaints: Vec<Complaint>) -> Vec<Complaint> {
        for complaint in &mut complaints {
            complaint.message = self.credential.mask(&complaint.message).into_owned();
        }
        complaints
    }
}

fn failure(status: StatusCode, list: &[Complaint], said: &str) -> Failure {
    let hope = if status.is_server_error() || matches!(status.as_u16(), 408 | 429) {
        Hope::Some
    } else if may_be_chance(status, list) {
        Hope::Once
    } else {
        Hope::None
    };
    Failure { error: read_error(status, list, said), hope, credential: may_be_dead(status, list) }
}

fn exchange(result: Value, body: Vec<u8>, source: String, headers: &HeaderMap) -> Exchange {
    let server_time = headers.get(DATE).and_then(|date| http_date(date.to_str().ok()?));
    let reading = Reading { result, body: SecretBytes::new(body), source, server_time };
    Exchange { reading, info: Value::Null, complaint: String::new(), is_part: false }
}

/// Documented to answer with text: the DNS export, and the download of a Worker.
fn is_text(path: &str) -> bool {
    let is_worker = path.split_once("/workers/scripts/").is_some_and(|(_, rest)| !rest.contains('/'));
    path.ends_with("/dns_records/export") || is_worker
}

/// Whether an answer, or the object around a list, says that it was cut short.
pub(super) fn is_part(json: &Value) -> bool {
    let says = |at: &Value| ["is_truncated", "truncated"].iter().any(|name| at.get(*name) == Some(&Value::Bool(true)));
    says(json) || json.get("result_info").is_some_and(says)
}

/// Documented to answer with JSON of its own shape.
fn is_without_envelope(path: &str) -> bool {
    path.contains("/scim/v2/")
}

#[cfg(test)]
mod tests {
    use super::{is_text, is_without_envelope};

    #[test]
    fn only_the_documented_paths_may_answer_otherwise() {
        assert!(is_text("/zones/z/dns_records/export") && is_text("/accounts/a/workers/scripts/s"));
        assert!(!is_text("/accounts/a/workers/scripts") && !is_text("/accounts/a/workers/scripts/s/settings"));
        assert!(is_without_envelope("/accounts/a/scim/v2/Users") && !is_without_envelope("/accounts/a/tokens"));
    }
}
