//! A person approves a plan at the terminal, and is asked for what is not as it forecast.

use super::{Bound, put};
use crate::terminal::typist::Typist;
use expectrl::ControlCode;

#[tokio::test(flavor = "multi_thread")]
async fn only_the_digits_approve_and_drift_is_shown_with_before_and_now() {
    let bound = Bound::new().await;
    bound.plan();
    let code = bound.code();
    bound.change(1);
    let mut typist = Typist::at(bound.scene.command(&["run", "--plan", "plan.json"]));
    for wrong in ["", "y", "yes", &code[..7], "approve"] {
        typist.answers("plan", wrong);
        typist.sees("nothing was approved; type `");
    }
    typist.answers("plan", &format!("{code}\n{code}"));
    typist.sees("several lines came at once, so none of them was taken");
    typist.answers("plan", "inspect");
    typist.sees("permissions that the run needs:");
    typist.answers("plan", "help");
    typist.sees("another plan has others");
    assert!(!bound.scene.state_dir().exists(), "an incident was begun before the plan was approved");
    typist.answers("plan", &code);

    let asked = typist.answers("cut", "cut");
    for told in [
        "consented  by the approved plan",
        "not as the approved plan forecast it; what follows is as it is now",
        "changed   expires_on: none -> \"2099-03-01T00:00:00Z\"",
        "asked for it is not what the approved plan forecast",
    ] {
        assert!(asked.contains(told), "{told}\n{asked}");
    }
    assert_eq!(bound.sent()[..2], [put(0), put(2)]);
    typist.answers("roll", "pause");
    assert_eq!(typist.leaves(), 11, "{}", typist.screen);
    typist.has_no_wide_line(80);
    assert_eq!(bound.sent(), [put(0), put(2), put(1)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn leaving_at_the_plan_begins_nothing() {
    let bound = Bound::new().await;
    bound.plan();
    let mut typist = Typist::at(bound.scene.command(&["run", "--plan", "plan.json"]));
    typist.answers("plan", "pause");
    assert_eq!(typist.leaves(), 11, "{}", typist.screen);
    let mut typist = Typist::at(bound.scene.command(&["run", "--plan", "plan.json"]));
    typist.sees("\nplan> ");
    typist.presses(ControlCode::EndOfText);
    assert_eq!(typist.leaves(), 130, "{}", typist.screen);
    assert!(!bound.scene.state_dir().exists() && bound.sent().is_empty());
}
