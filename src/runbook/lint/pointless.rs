//! What stands in a step and changes nothing, or goes on for too long.

use jiff::SignedDuration;

use crate::runbook::diagnostic::Diagnostic;
use crate::runbook::language::{OnFailure, StepSpec};
use crate::runbook::node::{Kind, Node};

/// Nobody watches a step fail for longer.
const PATIENCE: SignedDuration = SignedDuration::from_hours(1);

/// Warns of a step's parts that change nothing. `later` are the steps behind it in its list.
pub(in crate::runbook) fn check(step: &StepSpec, table: &Node, later: &[StepSpec], problems: &mut Vec<Diagnostic>) {
    let mut warn = |node: &Node, message: String, help: &str| {
        problems.push(Diagnostic::warning("R029", &node.span, message).help(help));
    };
    if let Some(list) = table.get("foreach").filter(|list| matches!(&list.kind, Kind::Array(items) if items.is_empty()))
    {
        warn(
            list,
            format!("step `{}` is never done: its list is empty", step.id),
            "fill the list, or take the step out",
        );
    }
    if let (Some(repeat), Some(node)) = (&step.repeat, table.get("repeat"))
        && repeat.max == 1
    {
        let message = format!("group `{}` is gone through once, and then its `until` must hold", step.id);
        warn(node, message, "raise `max`, or say by an `assert` step what must hold");
    }
    if let (OnFailure::Goto(target), Some(node)) = (&step.on_failure, table.get("on_failure"))
        && step.foreach.is_none()
        && later.first().is_some_and(|next| next.id == *target)
    {
        let message = format!("`{target}` is the next step, and nothing is jumped over");
        warn(node, message, "write `on_failure = \"continue\"`");
    }
}

/// Warns of reads that are tried again for longer than anybody watches.
pub(in crate::runbook) fn patience(step: &StepSpec, table: &Node, problems: &mut Vec<Diagnostic>) {
    let (Some(retry), Some(node)) = (step.retry, table.get("retry")) else { return };
    let total = retry.every.checked_mul(i32::try_from(retry.times).unwrap_or(i32::MAX)).unwrap_or(SignedDuration::MAX);
    if total > PATIENCE {
        let message =
            format!("the looks of step `{}` are tried again for {total:#}, and nobody is asked meanwhile", step.id);
        let help = "try for a few minutes, then let a person decide; to wait for something, take the action `wait`";
        problems.push(Diagnostic::warning("R030", &node.span, message).help(help));
    }
}
