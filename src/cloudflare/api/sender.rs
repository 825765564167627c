use std::sync::Arc;

use reqwest::{Client, Method, RequestBuilder, StatusCode};

use super::gate::{Gate, Pass};
use super::http::Cut;
use super::meter::Meter;
use super::trace::Trace;
use super::{ApiBase, chain, http, quoted};
use crate::clock::Clock;
use crate::journal::Warrant;
use crate::model::{Call, HttpCall, World};
use crate::provider::{Answer, BoxFuture, Lane, SendSide};
use crate::secret::SecretBytes;

/// The send side.
pub(super) struct Sender {
    pub(super) base: ApiBase,
    pub(super) world: World,
    pub(super) client: Client,
    pub(super) gate: Arc<Gate>,
    pub(super) meter: Arc<Meter>,
    pub(super) clock: Arc<dyn Clock>,
}

impl SendSide for Sender {
    fn send(&self, warrant: Warrant, call: HttpCall) -> BoxFuture<'static, Answer> {
        let (method, path, attempt) = (call.method.clone(), call.path.clone(), warrant.attempt());
        let request = self.prepare(&warrant, call);
        // Spent, whatever comes of it.
        drop(warrant);
        let (gate, meter, clock) = (Arc::clone(&self.gate), Arc::clone(&self.meter), Arc::clone(&self.clock));
        Box::pin(async move {
            let request = match request {
                Ok(request) => request,
                Err(why) => return Answer::NotSent(why),
            };
            // Dropping the future here sends nothing; from the spawn on it no longer takes the request back.
            let pass = match gate.pass(Lane::Containment).await {
                Ok(pass) => pass,
                Err(why) => return Answer::NotSent(why),
            };
            let sending = tokio::spawn(async move {
                let trace = Trace::begin(&method, &path, attempt, &*clock);
                let (status, answer) = exchange(request, pass, &meter).await;
                trace.end(status, &*clock);
                answer
            });
            sending.await.unwrap_or_else(|error| Answer::Lost(format!("the task that sent it ended early: {error}")))
        })
    }
}

impl Sender {
    /// The request that the warrant names, or why nothing is sent.
    fn prepare(&self, warrant: &Warrant, call: HttpCall) -> Result<RequestBuilder, String> {
        let call = Call::Http(call);
        if !warrant.permits(&call.digest(), &self.world) {
            return Err(format!("the warrant is for another call or another world than {}", self.world));
        }
        let Call::Http(HttpCall { method, path, body, .. }) = call else {
            return Err(String::from("the call is no request"));
        };
        let method = match method.as_str() {
            "POST" => Method::POST,
            "PUT" => Method::PUT,
            "PATCH" => Method::PATCH,
            "DELETE" => Method::DELETE,
            other => return Err(format!("`{}` is no method that writes", quoted(other))),
        };
        let url = self.base.url(&path).ok_or_else(|| format!("`{}` is no well-formed path", quoted(&path)))?;
        let request = self.client.request(method, url);
        Ok(match body {
            Some(body) => request.json(&body),
            None => request,
        })
    }
}

/// Sends once; the status, where an answer came, and the answer. Only an error of the connection proves that nothing was
/// sent; every other may have come after.
async fn exchange(request: RequestBuilder, pass: Pass, meter: &Meter) -> (Option<u16>, Answer) {
    meter.count_write();
    let response = match request.send().await {
        Ok(response) => response,
        Err(error) if error.is_connect() || error.is_builder() => {
            return (None, Answer::NotSent(format!("no connection: {}", chain(error))));
        }
        Err(error) if error.is_timeout() => {
            return (None, Answer::Lost(format!("no answer in time: {}", chain(error))));
        }
        Err(error) => {
            return (None, Answer::Lost(format!("the connection broke before an answer: {}", chain(error))));
        }
    };
    pass.answered(response.status(), response.headers());
    let status = response.status().as_u16();
    // The id by which Cloudflare's support finds a request.
    let request_id = response.headers().get("cf-ray").and_then(|ray| ray.to_str().ok()).map(quoted);
    let answer = match http::body(response).await {
        Ok(body) => Answer::Received { status, body: SecretBytes::new(body), request_id },
        // The status alone says that it was turned away.
        Err(_) if status == StatusCode::TOO_MANY_REQUESTS.as_u16() => {
            Answer::Received { status, body: SecretBytes::new(Vec::new()), request_id }
        }
        Err(Cut { part, why }) => {
            let why = format!("the server answered with HTTP {status}, but {why}");
            Answer::CutOff { status, part: SecretBytes::new(part), request_id, why }
        }
    };
    (Some(status), answer)
}
