//! Requests to other hosts than the provider's.

use std::error::Error;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use reqwest::header::{HeaderName, HeaderValue};
use reqwest::{Client, Method, RequestBuilder, Response, redirect, retry};
use serde_json::{Map, Value};
use url::{Host, Url};

use super::live::Outside;
use super::{Hindrance, Sight};
use crate::model::{Given, WebCall, WebRead, secret_named};
use crate::provider::Answer;
use crate::secret::{Secret, SecretBytes};

/// Bytes of an answer; what is longer is no answer to a runbook's step.
const LARGEST_BODY: usize = 8 << 20;

/// For a connection, TLS included.
const CONNECT: Duration = Duration::from_secs(10);

/// How often a read is tried again after its first failure.
const RETRIES: usize = 3;

impl Outside {
    /// The request that a call means, with its secrets.
    pub(super) fn request(&self, call: &WebCall) -> Result<RequestBuilder, Hindrance> {
        let method = match call.method.as_str() {
            "POST" => Method::POST,
            "PUT" => Method::PUT,
            "PATCH" => Method::PATCH,
            "DELETE" => Method::DELETE,
            other => {
                let why = format!("`{other}` is no method that changes something");
                return Err(Hindrance::new(why, "use `POST`, `PUT`, `PATCH` or `DELETE`"));
            }
        };
        let mut request = self.begin(method, &call.url, call.timeout)?;
        match &call.body {
            Value::Null => {}
            Value::String(text) => request = request.body(text.clone()),
            body => request = request.json(&self.filled(body)?),
        }
        if let Some(check) = &call.verify {
            // What cannot be looked at afterwards is better known before.
            drop(self.reading(&check.read)?);
        }
        self.with_headers(request, &call.headers)
    }

    /// One look, tried again where that can help.
    pub(super) async fn read(&self, read: &WebRead) -> Result<Sight, Hindrance> {
        let mut waits = ExponentialBuilder::default()
            .with_min_delay(Duration::from_millis(500))
            .with_max_delay(Duration::from_secs(8))
            .with_max_times(RETRIES)
            .with_jitter()
            .build();
        loop {
            let answer = exchange(self.reading(read)?).await;
            let passing = match &answer {
                Answer::Received { status, .. } => matches!(status, 429 | 500..=599),
                _ => true,
            };
            match (waits.next().filter(|_| passing), answer) {
                (Some(wait), _) => self.clock.sleep(wait).await,
                (None, Answer::Received { status, body, .. }) => return Ok(Sight::Seen { status, body }),
                (None, Answer::NotSent(why) | Answer::Lost(why) | Answer::CutOff { why, .. }) => {
                    return Err(Hindrance::passing(
                        why,
                        "check the address, the network and the proxy, then run the step again",
                    ));
                }
                (None, Answer::Ended(_) | Answer::Simulated(_)) => {
                    return Err(Hindrance::new("no answer came", "run the step again"));
                }
            }
        }
    }

    fn reading(&self, read: &WebRead) -> Result<RequestBuilder, Hindrance> {
        let request = self.begin(Method::GET, &Given::Text(read.url.clone()), read.timeout)?;
        self.with_headers(request, &read.headers)
    }

    fn begin(&self, method: Method, url: &Given, timeout: u64) -> Result<RequestBuilder, Hindrance> {
        let url = self.address(url)?;
        let client = Client::builder()
            .user_agent(concat!("quell/", env!("CARGO_PKG_VERSION")))
            // A redirect would carry headers, body and consent elsewhere.
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .connect_timeout(CONNECT)
            .timeout(Duration::from_secs(timeout));
        // A proxy would look for the loopback address on its own machine.
        let client = if is_loopback(&url) { client.no_proxy() } else { client };
        // What is not encrypted needs none of the machine's root certificates.
        let client = if url.scheme() == "http" { client.tls_certs_only([]) } else { client };
        let client = client.build().map_err(|error| {
            let why = format!("cannot make an HTTP client: {}", words(error));
            Hindrance::new(why, "this machine cannot make TLS connections: install its root certificates")
        })?;
        Ok(client.request(method, url))
    }

    /// The address, if it may be used. Never quotes one that is a secret.
    fn address(&self, given: &Given) -> Result<Url, Hindrance> {
        let hint = "it must be a whole `https://` address (`http://` on loopback only)";
        let text = self.value(given)?;
        let url = Url::parse(text.expose())
            .map_err(|error| Hindrance::new(format!("`{given}` is no address: {error}"), hint))?;
        let host = url.host_str().ok_or_else(|| Hindrance::new(format!("`{given}` names no host"), hint))?;
        if !(url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&url))) {
            return Err(Hindrance::new(format!("`{given}` is not encrypted"), hint));
        }
        if !url.username().is_empty() || url.password().is_some() {
            let why = "the address holds a user name or a password";
            return Err(Hindrance::new(why, "send it as a header with `{ secret_env = \"NAME\" }`"));
        }
        match given {
            // The operator's own environment says that this host is meant. Errors of the host may quote the path.
            Given::Secret(_) => self.learn(&Secret::new(url.path())),
            Given::Text(_) if self.hosts.iter().any(|allowed| allowed.eq_ignore_ascii_case(host)) => {}
            Given::Text(_) => {
                let why = format!("the host `{host}` is not one that this machine's operator allows");
                return Err(Hindrance::new(
                    why,
                    format!("to allow it: `export QUELL_HTTP_HOSTS={host}` (comma-separated)"),
                ));
            }
        }
        Ok(url)
    }

    fn with_headers<'h>(
        &self,
        mut request: RequestBuilder,
        headers: impl IntoIterator<Item = (&'h String, &'h Given)>,
    ) -> Result<RequestBuilder, Hindrance> {
        for (name, given) in headers {
            let unusable = || Hindrance::new(format!("the header `{name}` cannot be sent"), "check its name and value");
            let header = HeaderName::try_from(name).map_err(|_| unusable())?;
            let mut value = HeaderValue::from_str(self.value(given)?.expose()).map_err(|_| unusable())?;
            value.set_sensitive(given.variable().is_some());
            request = request.header(header, value);
        }
        Ok(request)
    }

    /// A body with its secrets.
    fn filled(&self, body: &Value) -> Result<Value, Hindrance> {
        Ok(match body {
            Value::Object(map) => match secret_named(map) {
                Some(name) => Value::String(self.secret(name)?.expose().to_owned()),
                None => {
                    let fill = |(key, value): (&String, &Value)| Ok((key.clone(), self.filled(value)?));
                    Value::Object(map.iter().map(fill).collect::<Result<Map<_, _>, Hindrance>>()?)
                }
            },
            Value::Array(items) => items.iter().map(|item| self.filled(item)).collect::<Result<_, _>>()?,
            other => other.clone(),
        })
    }
}

/// Sends once. Only an error of the connection proves that nothing was sent; every other may have come after.
pub(super) async fn exchange(request: RequestBuilder) -> Answer {
    let response = match request.send().await {
        Ok(response) => response,
        Err(error) if error.is_connect() || error.is_builder() => {
            return Answer::NotSent(format!("no connection: {}", words(error)));
        }
        Err(error) if error.is_timeout() => return Answer::Lost(format!("no answer in time: {}", words(error))),
        Err(error) => return Answer::Lost(format!("the connection broke before an answer: {}", words(error))),
    };
    let status = response.status().as_u16();
    match body(response).await {
        Ok(body) => Answer::Received { status, body: SecretBytes::new(body), request_id: None },
        Err(why) => Answer::Lost(format!("the host answered with HTTP {status}, but {why}")),
    }
}

async fn body(mut response: Response) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if bytes.len() + chunk.len() > LARGEST_BODY => {
                return Err(format!("the body is larger than {LARGEST_BODY} bytes"));
            }
            Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
            Ok(None) => return Ok(bytes),
            Err(error) => return Err(format!("the body was cut off after {} bytes: {}", bytes.len(), words(error))),
        }
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// An error with its causes, and without the address, which may be a secret.
fn words(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}
