//! The client for Cloudflare's API v4: a side that reads, and a side that must be armed to write.
//!
//! | file | what it holds |
//! |---|---|
//! | `base` | where the API is, and the URL of a path below it |
//! | `credential` | what the calls are made with, and how it is sent |
//! | `http` | the two HTTP clients: one that reads, one that sends once over a fresh connection |
//! | `ratelimit` | what the head of an answer tells of rate limits |
//! | `limit` | one rate limit and the window that it is in |
//! | `budget` | all of them: who may go, and what that leaves |
//! | `gate` | where every request waits for its turn |
//! | `spendings` | what a process has spent, for the others, where the API does not tell |
//! | `meter` | the counts |
//! | `envelope` | what an answer says: applied, refused, unreadable |
//! | `refusal` | what the API complains of, in words, with what to do |
//! | `transport` | one read with its retries |
//! | `paging` | when a list is at its end, and when it only seems so |
//! | `trace` | what the log is told of a request |
//! | `reader`, `sender` | the two sides |
//! | `connect` | settles credential and account before anything else |
//! | `identity` | whose a token is of which only the value is known |
//! | `leaked` | whether the value of a token that was cut is still taken |
//!
//! Facts about the API are marked *documented* (published schema or pages) or *observed* (seen by third parties in
//! real answers). Nothing here installs a TLS provider, reads the environment (the HTTP library itself looks up the
//! proxy) or asks the time other than through [`crate::clock::Clock`].

mod base;
mod budget;
mod connect;
mod credential;
mod envelope;
mod gate;
mod http;
mod identity;
mod leaked;
mod limit;
mod meter;
mod paging;
mod ratelimit;
mod reader;
mod refusal;
mod sender;
mod spendings;
mod trace;
mod transport;

pub use base::{ApiBase, BaseError, segment};
pub use connect::{ConnectError, Connected, Connector};
pub use credential::Credential;
pub use envelope::{classify, parse_result, says_absent};
pub use http::Timeouts;
pub use identity::{Identity, Inquiry};
pub use leaked::LeakedValue;
pub use meter::{Meter, RequestCounts};

use std::error::Error;

/// Text that another machine chose, for one line: nothing in it acts on a terminal, and it is at most 300 characters.
fn quoted(text: &str) -> String {
    const MOST: usize = 300;
    let shown = crate::escape::terminal(text.trim());
    match shown.char_indices().nth(MOST) {
        Some((cut, _)) => format!("{}…", &shown[..cut]),
        None => shown,
    }
}

/// An error of the HTTP library with its causes, which its own text leaves out, and without its URL.
fn chain(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    quoted(&text)
}
