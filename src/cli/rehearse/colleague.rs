//! In a rehearsal nobody has a dashboard to click in: whoever says that work by hand is done has it done, by the same
//! request, in the simulated account. The step's own look then proves it, as it would a person's work.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::engine::{
    AskRequest, Chosen, ConsentRequest, DecisionRequest, FailureRequest, GoOnRequest, HandReply, HandRequest, Prepared,
    Prompter, Reply, SecondRequest, UnmetRequest, WaitRequest,
};
use crate::journal::{EffectDecision, FailureDecision, PlannedStep};
use crate::model::{Effect, HttpCall};
use crate::provider::BoxFuture;
use crate::simulator::{Request, Simulator};

/// Passes every prompt on, and does in the simulated account what is said to be done by hand.
pub(crate) struct Colleague {
    inner: Arc<dyn Prompter>,
    simulator: Arc<Simulator>,
    token: String,
}

impl Colleague {
    /// Around `inner`, acting with the simulated `token`.
    pub(crate) fn new(inner: Arc<dyn Prompter>, simulator: Arc<Simulator>, token: String) -> Self {
        Self { inner, simulator, token }
    }

    fn act(&self, call: &HttpCall) {
        let (path, query) = call.path.split_once('?').unwrap_or((&call.path, ""));
        self.simulator.act(&Request {
            method: call.method.clone(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: vec![
                ("authorization".to_owned(), format!("Bearer {}", self.token)),
                ("user-agent".to_owned(), "dashboard".to_owned()),
            ],
            body: call.body.clone(),
        });
    }
}

impl Prompter for Colleague {
    fn prepared(&self, step: &PlannedStep) -> Prepared {
        self.inner.prepared(step)
    }

    fn hand<'a>(&'a self, request: HandRequest<'a>) -> BoxFuture<'a, Reply<HandReply>> {
        Box::pin(async move {
            let call = request.work.request.clone();
            let reply = self.inner.hand(request).await;
            if let (Reply::Go(HandReply::Done { .. }), Some(call)) = (&reply, call) {
                self.act(&call);
            }
            reply
        })
    }

    fn consent<'a>(&'a self, request: ConsentRequest<'a>) -> BoxFuture<'a, Reply<Chosen>> {
        self.inner.consent(request)
    }

    fn ask<'a>(&'a self, request: AskRequest<'a>) -> BoxFuture<'a, Reply<Map<String, Value>>> {
        self.inner.ask(request)
    }

    fn decide<'a>(&'a self, request: DecisionRequest<'a>) -> BoxFuture<'a, Reply<(EffectDecision, String)>> {
        self.inner.decide(request)
    }

    fn failure<'a>(&'a self, request: FailureRequest<'a>) -> BoxFuture<'a, Reply<(FailureDecision, String)>> {
        self.inner.failure(request)
    }

    fn go_on<'a>(&'a self, request: GoOnRequest<'a>) -> BoxFuture<'a, Reply<()>> {
        self.inner.go_on(request)
    }

    fn second<'a>(&'a self, request: SecondRequest<'a>) -> BoxFuture<'a, Reply<String>> {
        self.inner.second(request)
    }

    fn unmet<'a>(&'a self, request: UnmetRequest<'a>) -> BoxFuture<'a, Reply<()>> {
        self.inner.unmet(request)
    }

    fn wait<'a>(&'a self, request: WaitRequest<'a>) -> BoxFuture<'a, Reply<String>> {
        self.inner.wait(request)
    }

    fn unsealed<'a>(&'a self, effect: &'a Effect, error: &'a str) -> BoxFuture<'a, bool> {
        self.inner.unsealed(effect, error)
    }
}
