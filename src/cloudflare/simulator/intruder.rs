//! An intruder who is awake: it looks at the account from time to time and undoes the containment.

use jiff::Timestamp;
use serde_json::json;

use super::call::{Actor, Call};
use super::world::Account;

/// Brings one token back, as long as it has another one to do it with.
#[derive(Debug)]
pub(super) struct Intruder {
    /// The update, but for its time and body.
    call: Call,
    /// The token that it wants alive.
    revives: String,
    every: u32,
    /// Writes of the responder so far.
    seen: u32,
}

impl Intruder {
    pub(super) fn new(call: Call, revives: String, every: u32) -> Self {
        Self { call, revives, every, seen: 0 }
    }

    /// Called after each write of the responder: what the intruder does about it.
    pub(super) fn watch(&mut self, account: &Account, at: Timestamp) -> Option<Call> {
        self.seen += 1;
        let alive = |id: &str| account.token(id).is_some_and(|token| token.status(at) == "active");
        let armed = matches!(&self.call.actor, Actor::Token(id) if alive(id));
        if !self.seen.is_multiple_of(self.every) || !armed || alive(&self.revives) {
            return None;
        }
        let token = &account.token(&self.revives)?.object;
        let body = json!({ "name": token["name"], "policies": token["policies"], "status": "active" });
        Some(Call { body, at, ..self.call.clone() })
    }
}
