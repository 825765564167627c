//! Scripted faults: which requests they strike, and what goes wrong.

use std::time::Duration;

/// A fault that strikes requests of one shape.
#[derive(Debug, Clone)]
pub struct Fault {
    /// In capitals; `None` strikes every method.
    pub method: Option<String>,
    /// Part of the path with query; or, if it holds a `*`, a pattern for the whole path, with or without the query.
    pub path: String,
    /// So many matching requests pass first.
    pub skip: u32,
    /// So many are struck then.
    pub times: u32,
    /// What goes wrong.
    pub kind: FaultKind,
}

/// What goes wrong. Unless the description says otherwise, nothing is applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultKind {
    /// The provider says that the request is wrong.
    Refuse,
    /// The provider says that the credential may not.
    Forbidden,
    /// Too many requests.
    Throttle {
        /// Seconds to wait.
        retry_after: u64,
    },
    /// An error inside the provider.
    ServerError,
    /// A proxy on the way cannot reach the provider, and says so in HTML.
    BadGatewayHtml,
    /// Applied at once, answered late.
    Slow(Duration),
    /// Status 200 with a page instead of an answer.
    Html,
    /// Applied; status 200, but the JSON ends in the middle.
    Truncated,
    /// Status 200, but the body says that it failed.
    SuccessFalse,
    /// The connection is closed without a word.
    DropBefore,
    /// Applied; then the connection is closed without a word.
    DropAfter,
    /// Applied; the connection is closed after the head and half of the body.
    DropAfterPartial,
    /// No answer, and the connection stays open.
    Hang,
}

/// A failure that each provider words in its own way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// The request is wrong.
    Refused,
    /// The credential may not.
    Forbidden,
    /// Too many requests.
    Throttled {
        /// Seconds to wait.
        retry_after: u64,
    },
    /// An error inside the provider.
    Internal,
    /// Status 200, but the body says that it failed.
    Unsuccessful,
}

/// The faults still to strike.
#[derive(Debug, Default)]
pub(super) struct Faults(Vec<Fault>);

impl Faults {
    pub(super) fn add(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    /// The fault that strikes this request, counting the request against every fault that it matches.
    pub(super) fn strike(&mut self, method: &str, path: &str, target: &str) -> Option<FaultKind> {
        for fault in &mut self.0 {
            let same_method = fault.method.as_deref().is_none_or(|wanted| wanted == method);
            if !same_method || !(matches(&fault.path, path) || matches(&fault.path, target)) {
                continue;
            }
            if fault.skip > 0 {
                fault.skip -= 1;
            } else if fault.times > 0 {
                fault.times -= 1;
                return Some(fault.kind.clone());
            }
        }
        None
    }
}

/// Substring match, or a match of the whole text where `*` stands for anything.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    let Some((head, tail)) = pattern.split_once('*') else { return text.contains(pattern) };
    let Some(mut rest) = text.strip_prefix(head) else { return false };
    let mut parts: Vec<&str> = tail.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        let Some(found) = rest.find(part) else { return false };
        rest = &rest[found + part.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_pattern_is_a_substring_or_a_glob_for_the_whole() {
        assert!(matches("/keys/", "/people/keys/1"));
        assert!(matches("/boxes/*/items", "/boxes/1/items"));
        assert!(!matches("/boxes/*/items", "/boxes/1/items/2"));
        assert!(matches("*/value", "/people/keys/1/value"));
    }
}
