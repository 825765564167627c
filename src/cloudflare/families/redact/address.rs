//! Addresses that carry a credential: where something goes stays, what opens it is masked.

use serde_json::Value;
use url::Url;

use crate::cloudflare::marked;
use crate::hunt::MASK;

/// Parameters of a log destination that say where it is, and open nothing.
const PLAIN: [&str; 10] = [
    "region",
    "endpoint",
    "account-id",
    "provider",
    "sse",
    "channel",
    "sourcetype",
    "ddsource",
    "service",
    "insecure-skip-verify",
];

/// Schemes whose path is a place in a bucket, and opens nothing.
const BUCKETS: [&str; 4] = ["s3", "gs", "r2", "azure"];

/// A job or a destination of logs. Its address holds the credential as a parameter, or, where it is no bucket, somewhere in
/// its path.
pub(in crate::cloudflare::families) fn log_destination(value: &mut Value) {
    super::headers(value);
    for pointer in ["/destination_conf", "/configuration/url"] {
        if let Some(Value::String(address)) = value.pointer_mut(pointer) {
            *address = masked(address, |url| !BUCKETS.contains(&url.scheme()));
        }
    }
}

/// A webhook. Chat services put its credential into its path, each elsewhere.
pub(in crate::cloudflare::families) fn webhook(value: &mut Value) {
    if let Some(Value::String(address)) = value.pointer_mut("/url") {
        *address = masked(address, |_| true);
    }
}

fn masked(address: &str, is_secret_in_its_path: impl Fn(&Url) -> bool) -> String {
    if marked::is_in(address) {
        return address.to_owned();
    }
    let Ok(url) = Url::parse(address) else { return if address.is_empty() { String::new() } else { MASK.to_owned() } };
    let mut path = url.path().to_owned();
    if is_secret_in_its_path(&url) && !matches!(&*path, "" | "/") {
        path = format!("/{}", marked::mark(&path));
    }
    let host = url.host_str().unwrap_or_default();
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    let mut parameters: Vec<String> = url
        .query_pairs()
        .map(|(name, value)| format!("{name}={}", if PLAIN.contains(&&*name) { &value } else { MASK }))
        .collect();
    parameters.sort();
    let query = if parameters.is_empty() { String::new() } else { format!("?{}", parameters.join("&")) };
    format!("{}://{host}{port}{path}{query}", url.scheme())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{log_destination, webhook};

    #[test]
    fn where_logs_go_stays_and_what_opens_it_does_not() {
        let cases = [
            (
                "s3://bucket/logs/{DATE}?region=eu-west-1&access-key-id=AKIA&secret-access-key=hunter2",
                "s3://bucket/logs/%7BDATE%7D?access-key-id=«secret»&region=eu-west-1&secret-access-key=«secret»",
            ),
            (
                "https://user:hunter2@logs.example:8443/in/hunter2?header_Authorization=Basic+hunter2",
                "https://logs.example:8443/«secret 0f877911427f»?header_Authorization=«secret»",
            ),
            ("sumo://logs.example/receiver/v1/http/hunter2", "sumo://logs.example/«secret 8cfa78607463»"),
            ("https://logs.example/hunter2/", "https://logs.example/«secret 9542f1b25d57»"),
            ("gs://bucket/logs", "gs://bucket/logs"),
            ("no address, hunter2", "«secret»"),
        ];
        for (raw, canonical) in cases {
            let mut job = json!({ "destination_conf": raw });
            log_destination(&mut job);
            assert_eq!(job["destination_conf"], canonical);
            log_destination(&mut job);
            assert_eq!(job["destination_conf"], canonical, "read again");
        }
    }

    #[test]
    fn a_webhook_keeps_its_host_alone() {
        for (url, masked) in [
            ("https://hooks.slack.example/services/T1/B2/hunter2", "https://hooks.slack.example/«secret 304c13ad04a5»"),
            ("https://discord.example/api/webhooks/1/hunter2/slack", "https://discord.example/«secret 155dc8fcfaf3»"),
            ("https://ops.example", "https://ops.example/"),
        ] {
            let mut hook = json!({ "url": url });
            webhook(&mut hook);
            assert_eq!(hook["url"], masked);
        }
    }
}
