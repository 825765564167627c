//! The account as a server sees it: who calls, within which budget, and how an answer is written.

use std::io;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::auth::authenticate;
use super::budget::{Allowance, Budgets, Quota};
use super::call::{Actor, Call, Query, Refusal, Reply, ReplyBody};
use super::intruder::Intruder;
use super::world::Account;
use super::{audit, routes, secret, tokens};
use crate::simulator::{Answer, Applied, Failure, Origin, Reaction, Request, World};

/// The account behind a server.
#[derive(Debug)]
pub(super) struct Service {
    account: Account,
    budgets: Budgets,
    rate_limit: bool,
    /// The address from which everything that arrives seems to come.
    ip: String,
    /// Somebody who acts while the responder does.
    intruder: Option<Intruder>,
}

impl Service {
    /// Tells of `quota`, and turns away what is beyond it where it is a `rate_limit`.
    pub(super) fn new(
        account: Account,
        ip: String,
        quota: Quota,
        rate_limit: bool,
        intruder: Option<Intruder>,
    ) -> Self {
        Self { account, budgets: Budgets::new(quota), rate_limit, ip, intruder }
    }

    /// Performs a call of the responder, and what the intruder makes of it.
    fn respond(&mut self, call: &Call) -> Result<Reply, Refusal> {
        let reply = perform(&mut self.account, call)?;
        if reply.change.is_some()
            && let Some(intruder) = &mut self.intruder
            && let Some(answer) = intruder.watch(&self.account, call.at)
        {
            // Whether the intruder succeeds shows in the account.
            let _ = perform(&mut self.account, &answer);
        }
        Ok(reply)
    }
}

/// Performs a call and writes it into the audit log.
pub(super) fn perform(account: &mut Account, call: &Call) -> Result<Reply, Refusal> {
    let made = account.made;
    let done = routes::perform(account, call);
    match &done {
        Ok(reply) => audit::record(account, call, 200, reply.change.as_ref()),
        Err(refusal) => {
            // What is refused is not replayed, so it must not use up identifiers.
            account.made = made;
            audit::record(account, call, refusal.status, None);
        }
    }
    if let Actor::Token(id) = &call.actor {
        tokens::used(account, id, call.at);
    }
    done
}

impl World for Service {
    fn receive(&mut self, request: &Request, origin: Option<&Origin>, at: Timestamp) -> Reaction {
        let told = origin.and_then(|origin| origin.credential.as_ref()).and_then(|told| told.parse().ok());
        let actor = match told.map_or_else(|| authenticate(&self.account, request, at), Ok) {
            Ok(actor) => actor,
            Err(refusal) => {
                // Nobody is known to be charged, so the budget is shown and not enforced.
                let allowance = self.budgets.spend("unknown", at);
                let answer = refused(&refusal, &budget_headers(allowance), at);
                return Reaction { answer, applied: false, credential: "unknown".to_owned() };
            }
        };
        let credential = actor.to_string();
        let call = Call {
            actor,
            ip: origin.map_or_else(|| self.ip.clone(), |origin| origin.ip.clone()),
            agent: request.header("user-agent").unwrap_or_default().to_owned(),
            method: request.method.clone(),
            path: request.path.clone(),
            query: Query::parse(&request.query),
            body: request.body.clone().unwrap_or_default(),
            jurisdiction: request.header("cf-r2-jurisdiction").unwrap_or("default").to_owned(),
            at,
        };
        // Everything that one user does counts together; an account-owned token has a budget of its own.
        let owner = self.account.user_of(&call).unwrap_or_else(|| credential.clone());
        let allowance = self.budgets.spend(&owner, at);
        if allowance.exceeded && self.rate_limit {
            return Reaction { answer: throttled(allowance.reset, allowance.quota, at), applied: false, credential };
        }
        match self.respond(&call) {
            Ok(reply) => {
                let applied = reply.change.is_some();
                Reaction { answer: answered(reply, &budget_headers(allowance), at), applied, credential }
            }
            Err(refusal) => {
                let answer = refused(&refusal, &budget_headers(allowance), at);
                Reaction { answer, applied: false, credential }
            }
        }
    }

    fn replay(&mut self, applied: &Applied) -> io::Result<()> {
        let Ok(actor) = applied.credential.parse();
        let call = Call {
            actor,
            ip: applied.ip.clone().unwrap_or_else(|| self.ip.clone()),
            agent: applied.agent.clone(),
            method: applied.method.clone(),
            path: applied.path.clone(),
            query: Query::parse(&applied.query),
            body: applied.body.clone().unwrap_or_default(),
            jurisdiction: "default".to_owned(),
            at: applied.at,
        };
        self.respond(&call).map(|_| ()).map_err(|refusal| {
            let text = format!("{} {} does not replay: {}", applied.method, applied.path, refusal.errors);
            io::Error::new(io::ErrorKind::InvalidData, text)
        })
    }

    fn failure(&self, failure: Failure, at: Timestamp) -> Answer {
        match failure {
            Failure::Refused => refused(&Refusal::new(400, 1004, "Validation failed"), &[], at),
            Failure::Forbidden => refused(&Refusal::authentication(403), &[], at),
            Failure::Throttled { retry_after } => throttled(retry_after, self.budgets.quota(), at),
            Failure::Internal => refused(&Refusal::new(500, 10001, "Internal server error"), &[], at),
            Failure::Unsuccessful => refused(&Refusal::new(200, 1000, "The request was not completed"), &[], at),
        }
    }

    fn snapshot(&self) -> Value {
        self.account.snapshot()
    }
}

type Header = (String, String);

fn header(name: &str, value: &str) -> Header {
    (name.to_owned(), value.to_owned())
}

fn budget_headers(allowance: Allowance) -> Vec<Header> {
    vec![
        header("ratelimit", &format!("\"default\";r={};t={}", allowance.remaining, allowance.reset)),
        header(
            "ratelimit-policy",
            &format!("\"default\";q={};w={}", allowance.quota.requests, allowance.quota.seconds),
        ),
    ]
}

fn throttled(retry_after: u64, quota: Quota, at: Timestamp) -> Answer {
    let mut headers = budget_headers(Allowance { quota, remaining: 0, reset: retry_after, exceeded: true });
    headers.push(header("retry-after", &retry_after.to_string()));
    let text = "Please wait and consider throttling your request speed";
    refused(&Refusal::new(429, 971, text), &headers, at)
}

fn refused(refusal: &Refusal, headers: &[Header], at: Timestamp) -> Answer {
    let body = json!({ "success": false, "errors": refusal.errors, "messages": [], "result": null });
    answer(refusal.status, "application/json", headers, body.to_string(), at)
}

fn answered(reply: Reply, headers: &[Header], at: Timestamp) -> Answer {
    match reply.body {
        ReplyBody::Envelope { result, result_info, messages } => {
            let mut body = json!({ "result": result, "success": true, "errors": [], "messages": messages });
            if let Some(info) = result_info {
                body["result_info"] = info;
            }
            answer(200, "application/json", headers, body.to_string(), at)
        }
        ReplyBody::Bare(body) => answer(200, "application/json", headers, body.to_string(), at),
        ReplyBody::Text(body) => answer(200, "text/plain; charset=utf-8", headers, body, at),
    }
}

fn answer(status: u16, content_type: &str, headers: &[Header], body: String, at: Timestamp) -> Answer {
    let ray = secret::id(&format!("ray/{}/{body}", at.as_nanosecond()));
    let mut all = vec![
        header("date", &at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()),
        header("content-type", content_type),
        header("cf-ray", &format!("{}-AMS", &ray[..16])),
    ];
    all.extend_from_slice(headers);
    Answer { status, headers: all, body: body.into_bytes() }
}
