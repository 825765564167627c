//! Beside a wait, for a time or for a person: whoever types is heard.

use super::Terminal;
use super::dialogue::{Heard, Judged, Prompted, answer};
use crate::cli::prompt::{TypedLines, second_text, wait_text};
use crate::engine::{Reply, SecondRequest, WaitRequest};

/// What is half typed when a wait is over, be it for a time or for a person, was meant for the wait, and is no answer to the
/// prompt that comes next.
struct ForTheWaitOnly<'k>(&'k dyn TypedLines);

impl Drop for ForTheWaitOnly<'_> {
    fn drop(&mut self) {
        self.0.discard();
    }
}

impl Terminal {
    /// Listens until somebody ends the wait, or says something that the engine has to know of.
    pub(super) async fn wait_beside(&self, request: &WaitRequest<'_>) -> Reply<String> {
        self.screen.say(&wait_text(request, &self.screen.style()));
        self.tell_time();
        let _guard = ForTheWaitOnly(&*self.keys);
        let prompted = Prompted::plain(request.step.path.as_str(), Vec::new()).of(request.step);
        loop {
            let heard = tokio::select! {
                biased;
                () = self.interrupt.raised() => Heard::Stop,
                heard = self.line(None, false) => heard,
            };
            let Heard::Line(line) = heard else { return Reply::Pause };
            // A bare return key only opens the prompt.
            let first = Some(line).filter(|line| !line.trim().is_empty());
            match answer(self.talk_from(first, &prompted, |line| judge(request, line)).await) {
                Ok(Some(reason)) => return Reply::Go(reason),
                Ok(None) => {}
                Err(other) => return other,
            }
        }
    }
}

impl Terminal {
    /// Listens until somebody goes on alone, or says something that the engine has to know of.
    pub(super) async fn second_beside(&self, request: &SecondRequest<'_>) -> Reply<String> {
        self.screen.say(&second_text(request, &self.screen.style()));
        let _guard = ForTheWaitOnly(&*self.keys);
        let prompted = Prompted::consent(request.step.path.as_str(), request.effects.clone()).of(request.step);
        let judge = |line: &str| match line.trim().strip_prefix("alone").map(str::trim) {
            Some("") => Judged::Again("say why nobody else can agree: `alone REASON`".to_owned()),
            Some(reason) => Judged::Take(reason.to_owned()),
            None => Judged::Again(format!(
                "nothing is sent before somebody else agrees with `quell approve` and the code {}; `alone REASON`, \
                 `skip REASON` or `pause`",
                request.code
            )),
        };
        self.talk(&prompted, judge).await
    }
}

/// The reason to go on, or `None` for going on to wait.
fn judge(request: &WaitRequest<'_>, line: &str) -> Judged<Option<String>> {
    let line = line.trim();
    if line == "wait" {
        return Judged::Take(None);
    }
    let expected = "the wait goes on; `go on REASON` ends it now, `wait` shows the clock again";
    match line.strip_prefix("go on").map(str::trim) {
        Some(_) if !request.step.skippable => {
            Judged::Again("this wait may not be cut short: `wait`, or `pause`, or `abort REASON`".to_owned())
        }
        Some("") => Judged::Again("say why: `go on REASON`".to_owned()),
        Some(reason) => Judged::Take(Some(reason.to_owned())),
        None => Judged::Again(expected.to_owned()),
    }
}
