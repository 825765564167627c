use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Client, ClientBuilder, Response, redirect, retry};

use super::{ApiBase, chain};

/// No documented answer comes near this; more is no answer but a fault. Bytes.
const LARGEST_BODY: usize = 256 * 1024 * 1024;

/// Room for a body is made before it comes for so many bytes at most, whatever its header promises.
const LARGEST_AT_ONCE: usize = 4 << 20;

/// How long to wait for the server.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// For a connection, TLS included.
    pub connect: Duration,
    /// For one request from its beginning to the last byte of its answer.
    pub total: Duration,
}

impl Default for Timeouts {
    /// 10 s to connect; 60 s in all, since very large pages are documented to be slow.
    fn default() -> Self {
        Self { connect: Duration::from_secs(10), total: Duration::from_secs(60) }
    }
}

fn builder(base: &ApiBase, credential: HeaderMap, timeouts: Timeouts) -> ClientBuilder {
    let client = Client::builder()
        .user_agent(concat!("quell/", env!("CARGO_PKG_VERSION")))
        .default_headers(credential)
        // A redirect would carry the credential elsewhere.
        .redirect(redirect::Policy::none())
        .connect_timeout(timeouts.connect)
        .timeout(timeouts.total);
    // A proxy would look for the loopback address on its own machine, and see the credential.
    let client = if base.is_loopback() { client.no_proxy() } else { client };
    // Reading the machine's root certificates takes longer than a rehearsal's answers, and there may be none.
    if base.is_plain() { client.tls_certs_only([]) } else { client }
}

/// The client for reads: pools connections and speaks HTTP/2 where the server does.
pub(super) fn reading(base: &ApiBase, credential: HeaderMap, timeouts: Timeouts) -> reqwest::Result<Client> {
    builder(base, credential, timeouts).build()
}

/// The client for writes: every request goes over a connection of its own, so that "the pooled connection was closed
/// under us" cannot be one of its failures, and nothing below sends it again.
pub(super) fn sending(base: &ApiBase, credential: HeaderMap, timeouts: Timeouts) -> reqwest::Result<Client> {
    builder(base, credential, timeouts).retry(retry::never()).pool_max_idle_per_host(0).http1_only().build()
}

/// A body that did not come whole.
pub(super) struct Cut {
    /// What came of it, which may hold a secret.
    pub(super) part: Vec<u8>,
    /// Why the rest is missing.
    pub(super) why: String,
}

/// The whole body, or what came of it. A body shorter than its `Content-Length` is not whole.
pub(super) async fn body(mut response: Response) -> Result<Vec<u8>, Cut> {
    let expected = response.content_length().and_then(|length| usize::try_from(length).ok()).unwrap_or_default();
    let mut bytes = Vec::with_capacity(expected.min(LARGEST_AT_ONCE));
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if bytes.len() + chunk.len() > LARGEST_BODY => {
                return Err(Cut { part: bytes, why: format!("the body is larger than {LARGEST_BODY} bytes") });
            }
            Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
            Ok(None) => return Ok(bytes),
            Err(error) => {
                let why = format!("the body was cut off after {} bytes: {}", bytes.len(), chain(error));
                return Err(Cut { part: bytes, why });
            }
        }
    }
}
