use super::{Hindrance, OutsideLook, OutsideSend, Sight};
use crate::journal::Warrant;
use crate::model::{OutsideCall, WebRead};
use crate::provider::{Answer, BoxFuture};

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
}
