use std::sync::Arc;

use super::process::{self, Command};
use super::variables::{ESSENTIALS, Variables, is_withheld};
use super::{Handed, Hindrance, OutsideLook, OutsideSend, Sight, delivery, web};
use crate::clock::Clock;
use crate::journal::Warrant;
use crate::model::{Call, CommandCall, Delivery, Given, Outcome, OutsideCall, Verdict, Way, WebRead, World};
use crate::provider::{Answer, BoxFuture};
use crate::secret::{Redactor, Secret};

/// This machine and the hosts that it may reach. Every secret that is used is masked from then on.
pub struct Outside {
    world: World,
    pub(super) hosts: Vec<String>,
    variables: Variables,
    redactor: Arc<Redactor>,
    pub(super) clock: Arc<dyn Clock>,
}

/// A call with its secrets filled in.
enum Ready {
    Command(Command),
    Web(reqwest::RequestBuilder),
}

impl Outside {
    /// The outside of a run in `world`. `hosts` are those that a runbook may name, `variables` what it may pass on.
    pub fn new(
        world: World,
        hosts: Vec<String>,
        variables: Variables,
        redactor: Arc<Redactor>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { world, hosts, variables, redactor, clock }
    }

    /// The text that is meant. A secret is masked from now on.
    pub(super) fn value(&self, given: &Given) -> Result<Secret, Hindrance> {
        match given {
            Given::Text(text) => Ok(Secret::new(text.clone())),
            Given::Secret(secret) => self.secret(&secret.secret_env),
        }
    }

    /// The secret in a variable, masked from now on.
    pub(super) fn secret(&self, name: &str) -> Result<Secret, Hindrance> {
        let secret = self.variables.secret(name)?;
        self.learn(&secret);
        Ok(secret)
    }

    pub(super) fn learn(&self, secret: &Secret) {
        self.redactor.learn(secret);
    }

    fn ready(&self, call: &OutsideCall) -> Result<Ready, Hindrance> {
        match call {
            OutsideCall::Command(call) => self.command(call).map(Ready::Command),
            OutsideCall::Web(call) => self.request(call).map(Ready::Web),
        }
    }

    fn command(&self, call: &CommandCall) -> Result<Command, Hindrance> {
        let essentials = ESSENTIALS.into_iter().filter_map(|name| Some((name, self.variables.get(name)?)));
        let mut env: Vec<(String, Secret)> = essentials.map(|(name, value)| (name.to_owned(), value.clone())).collect();
        for name in &call.pass_env {
            env.push((name.clone(), self.variables.needed(name)?.clone()));
        }
        for (name, value) in &call.env {
            if is_withheld(name) {
                let why = format!("`{name}` is the name of a variable of quell's own");
                return Err(Hindrance::new(why, "no command is given one of these: use another name"));
            }
            env.push((name.clone(), self.value(value)?));
        }
        let stdin = call.stdin.as_ref().map(|given| self.value(given)).transpose()?;
        let (argv, cwd) = (call.argv.clone(), call.cwd.clone());
        Ok(Command { argv, env, stdin, cwd, timeout: call.timeout, redactor: self.redactor.clone() })
    }

    fn ready_way(&self, way: &Way) -> Result<delivery::Ready, Hindrance> {
        match way {
            Way::Command(call) => self.command(call).map(delivery::Ready::Command),
            Way::File(path) => delivery::check_file(path).map(|()| delivery::Ready::File(path.clone())),
        }
    }

    fn permitted(&self, warrant: &Warrant, call: OutsideCall) -> Result<Ready, String> {
        let ready = self.ready(&call).map_err(|hindrance| hindrance.why);
        if !warrant.permits(&Call::Outside(call).digest(), &self.world) {
            return Err(format!("the warrant is for another call or another world than {}", self.world));
        }
        ready
    }
}

impl OutsideLook for Outside {
    fn check(&self, call: &OutsideCall) -> Result<(), Hindrance> {
        self.ready(call).map(drop)
    }

    fn get<'a>(&'a self, read: &'a WebRead) -> BoxFuture<'a, Result<Sight, Hindrance>> {
        Box::pin(self.read(read))
    }

    fn check_way(&self, way: &Way) -> Result<(), Hindrance> {
        self.ready_way(way).map(drop)
    }

    fn arrived(&self, way: &Way, secret: &Secret) -> Verdict {
        match way {
            Way::Command(_) => Verdict::CannotTell(delivery::UNSEEN.to_owned()),
            Way::File(path) => delivery::is_there(path, secret),
        }
    }
}

impl OutsideSend for Outside {
    fn send(&self, warrant: Warrant, call: OutsideCall) -> BoxFuture<'static, Answer> {
        let ready = self.permitted(&warrant, call);
        // Spent, whatever comes of it.
        drop(warrant);
        Box::pin(async move {
            let doing = match ready {
                Err(why) => return Answer::NotSent(why),
                // In tasks of their own: once begun, neither is taken back by dropping this future.
                Ok(Ready::Command(command)) => tokio::spawn(process::run(command)),
                Ok(Ready::Web(request)) => tokio::spawn(web::exchange(request)),
            };
            doing.await.unwrap_or_else(|error| Answer::Lost(format!("the task that did it ended early: {error}")))
        })
    }

    fn deliver(&self, warrant: Warrant, delivery: Delivery, secret: Secret) -> BoxFuture<'static, Handed> {
        self.learn(&secret);
        let is_permitted = warrant.permits(&delivery.digest(), &self.world);
        let ready = match self.ready_way(&delivery.way) {
            Ok(ready) if is_permitted => Ok(ready),
            Ok(_) => Err(format!("the warrant is for another delivery or another world than {}", self.world)),
            Err(hindrance) => Err(hindrance.why),
        };
        // Spent, whatever comes of it.
        drop(warrant);
        Box::pin(async move {
            let ready = match ready {
                Ok(ready) => ready,
                Err(why) => return Handed { outcome: Outcome::NotSent(why), seen: String::new() },
            };
            // In a task of its own: once begun, it is not taken back by dropping this future.
            let doing = tokio::spawn(delivery::carry_out(ready, secret));
            let lost = |error| format!("the task that did it ended early: {error}");
            doing.await.unwrap_or_else(|error| Handed { outcome: Outcome::Unknown(lost(error)), seen: String::new() })
        })
    }
}
