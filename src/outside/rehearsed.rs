use super::{Handed, Hindrance, OutsideLook, OutsideSend, Sight};
use crate::journal::Warrant;
use crate::model::{Delivery, Outcome, OutsideCall, Verdict, Way, WebRead};
use crate::provider::{Answer, BoxFuture};
use crate::secret::Secret;

/// Outside the simulated account a rehearsal does nothing: it runs no command, opens no connection, reads no secret.
/// Every call is said to be simulated, and taken as done.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rehearsed;

impl OutsideLook for Rehearsed {
    fn check(&self, _call: &OutsideCall) -> Result<(), Hindrance> {
        Ok(())
    }

    fn get<'a>(&'a self, _read: &'a WebRead) -> BoxFuture<'a, Result<Sight, Hindrance>> {
        Box::pin(std::future::ready(Ok(Sight::Simulated)))
    }

    fn check_way(&self, _way: &Way) -> Result<(), Hindrance> {
        Ok(())
    }

    fn arrived(&self, _way: &Way, _secret: &Secret) -> Verdict {
        Verdict::CannotTell("in a rehearsal nothing is handed over".to_owned())
    }
}

impl OutsideSend for Rehearsed {
    fn send(&self, warrant: Warrant, call: OutsideCall) -> BoxFuture<'static, Answer> {
        drop(warrant);
        let what = match &call {
            OutsideCall::Command(_) => "run",
            OutsideCall::Web(_) => "sent",
        };
        Box::pin(std::future::ready(Answer::Simulated(format!("simulated: would have {what} `{call}`"))))
    }

    fn deliver(&self, warrant: Warrant, delivery: Delivery, secret: Secret) -> BoxFuture<'static, Handed> {
        drop((warrant, secret));
        let what = match &delivery.way {
            Way::Command(_) => "run",
            Way::File(_) => "written",
        };
        let seen = format!("simulated: would have {what} `{}`", delivery.way.place());
        Box::pin(std::future::ready(Handed { outcome: Outcome::Applied, seen }))
    }
}
