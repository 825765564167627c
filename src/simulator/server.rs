//! The life of one request: arrive, be struck by a fault or applied, be kept, be answered.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, State};
use axum::http::StatusCode;
use axum::response::Response;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::message::{Answer, Origin, Reaction, Request};
use super::wire::{Cut, Wires};
use super::{Applied, Failure, FaultKind, LoggedRequest, Stage, lock};

/// Far above any request of the client.
const BODY_LIMIT: usize = 4 << 20;

#[derive(Clone)]
struct Served {
    stage: Arc<Mutex<Stage>>,
    prefix: &'static str,
}

/// Serves until the other end of `stopped` is dropped.
pub(super) async fn run(
    listener: TcpListener,
    prefix: &'static str,
    stage: Arc<Mutex<Stage>>,
    stopped: oneshot::Receiver<()>,
) {
    let service = Router::new()
        .fallback(handle)
        .with_state(Served { stage, prefix })
        .into_make_service_with_connect_info::<Cut>();
    tokio::select! {
        _ = axum::serve(Wires(listener), service) => {}
        _ = stopped => {}
    }
}

async fn handle(
    State(served): State<Served>,
    ConnectInfo(cut): ConnectInfo<Cut>,
    request: axum::extract::Request,
) -> Response {
    let request = read(request, served.prefix).await;
    let delivery = lock(&served.stage).take(&request);
    match delivery {
        Delivery::Whole(answer) => response(answer),
        Delivery::Late(answer, delay) => {
            tokio::time::sleep(delay).await;
            response(answer)
        }
        Delivery::Cut(answer) => {
            cut.in_body(answer.body.len() / 2);
            response(answer)
        }
        Delivery::Dropped => {
            cut.now();
            Response::default()
        }
        Delivery::Never => std::future::pending().await,
    }
}

/// How much of the answer reaches the client.
enum Delivery {
    Whole(Answer),
    Late(Answer, Duration),
    Cut(Answer),
    Dropped,
    Never,
}

impl Stage {
    /// Decides, applies, keeps and logs one request.
    fn take(&mut self, request: &Request) -> Delivery {
        for act in self.cues.due(request) {
            let answer = self.act(&act.request, Some(&act.origin));
            self.deeds.push(answer);
        }
        let at = self.clock.now();
        let fault = self.faults.strike(&request.method, &request.path, &request.target());
        let failed = |answer| Reaction { answer, applied: false, credential: "unknown".to_owned() };
        let reaction = match fault {
            None
            | Some(FaultKind::Slow(_) | FaultKind::Truncated | FaultKind::DropAfter | FaultKind::DropAfterPartial) => {
                self.apply(request, None, at)
            }
            Some(FaultKind::Refuse) => failed(self.world.failure(Failure::Refused, at)),
            Some(FaultKind::Forbidden) => failed(self.world.failure(Failure::Forbidden, at)),
            Some(FaultKind::Throttle { retry_after }) => {
                failed(self.world.failure(Failure::Throttled { retry_after }, at))
            }
            Some(FaultKind::ServerError) => failed(self.world.failure(Failure::Internal, at)),
            Some(FaultKind::SuccessFalse) => failed(self.world.failure(Failure::Unsuccessful, at)),
            Some(FaultKind::BadGatewayHtml) => failed(Answer::html(502, "502 Bad Gateway")),
            Some(FaultKind::Html) => failed(Answer::html(200, "Sign in to continue")),
            Some(FaultKind::DropBefore | FaultKind::Hang) => {
                failed(Answer { status: 0, headers: Vec::new(), body: Vec::new() })
            }
        };
        self.log.push(LoggedRequest {
            seq: self.log.next_seq(),
            at,
            method: request.method.clone(),
            path: request.target(),
            query: request.query.clone(),
            body: request.body.clone(),
            status: reaction.answer.status,
            applied: reaction.applied,
            credential: reaction.credential,
        });
        let mut answer = reaction.answer;
        match fault {
            Some(FaultKind::Slow(delay)) => Delivery::Late(answer, delay),
            Some(FaultKind::Truncated) => {
                answer.body.truncate(answer.body.len() / 2);
                Delivery::Whole(answer)
            }
            Some(FaultKind::DropAfterPartial) => Delivery::Cut(answer),
            Some(FaultKind::DropBefore | FaultKind::DropAfter) => Delivery::Dropped,
            Some(FaultKind::Hang) => Delivery::Never,
            _ => Delivery::Whole(answer),
        }
    }

    /// Done by somebody who does not come through the server: applied and kept, and not in the log of what arrived.
    pub(super) fn act(&mut self, request: &Request, origin: Option<&Origin>) -> Answer {
        let at = self.clock.now();
        self.apply(request, origin, at).answer
    }

    /// What is applied is on disk before anybody is told.
    fn apply(&mut self, request: &Request, origin: Option<&Origin>, at: jiff::Timestamp) -> Reaction {
        let mut reaction = self.world.receive(request, origin, at);
        if reaction.applied {
            let kept = self.store.append(&Applied {
                at,
                credential: reaction.credential.clone(),
                ip: origin.map(|origin| origin.ip.clone()),
                agent: request.header("user-agent").unwrap_or_default().to_owned(),
                method: request.method.clone(),
                path: request.path.clone(),
                query: request.query.clone(),
                body: request.body.clone(),
            });
            if kept.is_err() {
                reaction.answer = self.world.failure(Failure::Internal, at);
            }
        }
        reaction
    }
}

async fn read(request: axum::extract::Request, prefix: &str) -> Request {
    let (head, body) = request.into_parts();
    let path = head.uri.path();
    let headers = head
        .headers
        .iter()
        .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
        .collect();
    let bytes = to_bytes(body, BODY_LIMIT).await.unwrap_or_default();
    Request {
        method: head.method.as_str().to_owned(),
        path: path.strip_prefix(prefix).unwrap_or(path).to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers,
        body: serde_json::from_slice(&bytes).ok(),
    }
}

fn response(answer: Answer) -> Response {
    let mut builder = Response::builder().status(answer.status);
    for (name, value) in answer.headers {
        builder = builder.header(name, value);
    }
    builder.body(Body::from(answer.body)).unwrap_or_else(|_| {
        let mut broken = Response::default();
        *broken.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        broken
    })
}
