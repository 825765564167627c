//! Everybody else in the account that night: the intruder, and colleagues at work.

use quell::cloudflare::simulator::Planted;
use quell::simulator::{Answer, Meanwhile, Origin, Request};
use serde_json::{Value, json};

use super::responder::Asked;
use crate::scene::Scene;

/// Somebody with a credential, at an address.
#[derive(Clone)]
pub(crate) struct Other {
    ip: &'static str,
    /// A session in a browser, as the simulated account names it.
    session: Option<String>,
    /// The value of a token.
    bearer: Option<String>,
    /// The program that it is done with.
    agent: &'static str,
}

impl Other {
    /// In the dashboard, signed in as this user.
    pub(crate) fn in_dashboard(email: &str, ip: &'static str) -> Self {
        Self { ip, session: Some(format!("dashboard:{email}")), bearer: None, agent: "Mozilla/5.0" }
    }

    /// With the Global API key of this user.
    pub(crate) fn with_key_of(email: &str, ip: &'static str) -> Self {
        Self { ip, session: Some(format!("global-key:{email}")), bearer: None, agent: "Mozilla/5.0" }
    }

    /// With a token.
    pub(crate) fn with_token(secret: &str, ip: &'static str) -> Self {
        Self { ip, session: None, bearer: Some(secret.to_owned()), agent: "Mozilla/5.0" }
    }

    /// The same with this program.
    pub(crate) fn using(self, agent: &'static str) -> Self {
        Self { agent, ..self }
    }

    fn request(&self, scene: &Scene, request: &str, body: Value) -> (Request, Origin) {
        let (method, path) = request.split_once(' ').unwrap();
        let path = path.replace("{a}", &scene.scenario.cast.account_id);
        let bearer = self.bearer.iter().map(|secret| ("authorization".to_owned(), format!("Bearer {secret}")));
        let agent = ("user-agent".to_owned(), self.agent.to_owned());
        let request = Request {
            method: method.to_owned(),
            path,
            query: String::new(),
            headers: bearer.chain([agent]).collect(),
            body: Some(body).filter(|body| !body.is_null()),
        };
        (request, Origin { ip: self.ip.to_owned(), credential: self.session.clone() })
    }

    /// Does something now.
    pub(crate) fn does(&self, scene: &Scene, request: &str, body: Value) -> Answer {
        let (request, origin) = self.request(scene, request, body);
        scene.simulator.act_from(&request, &origin)
    }

    /// Does something just before the next request of this shape is taken.
    pub(crate) fn will(&self, scene: &Scene, before: (&str, &str), request: &str, body: Value) {
        let (request, origin) = self.request(scene, request, body);
        let (method, path) = before;
        scene.simulator.meanwhile(Meanwhile {
            method: Some(method.to_owned()),
            path: path.to_owned(),
            skip: 0,
            request,
            origin,
        });
    }
}

/// What no log and no baseline tells, the owner of a DNS record knows: puts back what is asked about.
pub(crate) fn put_back(scene: &Scene, truth: &[Planted], asked: &Asked) {
    let widened = |it: &&Planted| it.family == "tokens" && it.technique == "CF-I04" && asked.says(&it.id);
    if let Some(Planted { id, before, .. }) = truth.iter().find(widened) {
        let body = json!({ "name": before["name"], "policies": before["policies"], "status": "disabled" });
        // Its owner wakes it.
        let account = &scene.scenario.cast.account_id;
        scene.act("PUT", &format!("/accounts/{account}/tokens/{id}"), Some(body));
        return;
    }
    let is_it = |it: &&Planted| it.family == "dns_records" && asked.says(&it.id);
    let Some(Planted { id, before, after, .. }) = truth.iter().find(is_it) else { return };
    let wrong = before.as_object().unwrap().iter().filter(|(name, was)| after[name.as_str()] != **was);
    let body: Value = wrong.map(|(name, was)| (name.clone(), was.clone())).collect();
    scene.act("PATCH", &format!("/zones/{}/dns_records/{id}", zone_of(scene, id)), Some(body));
}

/// The zone that a DNS record is in.
pub(crate) fn zone_of(scene: &Scene, record: &str) -> String {
    let account = scene.account();
    let mut zones = account["zones"].as_array().unwrap().iter();
    let has = |zone: &&Value| zone["dns_records"].as_array().unwrap().iter().any(|it| it["id"] == record);
    zones.find(has).unwrap()["zone"]["id"].as_str().unwrap().to_owned()
}
