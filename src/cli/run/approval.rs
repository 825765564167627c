//! The approval of a plan, before its run begins.

use crate::cli::context::Context;
use crate::cli::errors::CliError;
use crate::cli::exit::Exit;
use crate::cli::plan;
use crate::cli::plan_document::PlanDocument;
use crate::cli::prompt::{AnswersFile, Approved, approve_text, ask_approval};
use crate::engine::to_approve;
use crate::journal::PlanApproved;
use crate::runbook::Runbook;

/// Without a word in the file and without a terminal nobody can approve a plan: said before anything is read.
pub(super) fn refuse_unapproved(cx: &Context, answers: Option<&AnswersFile>) -> Result<(), CliError> {
    if cx.can_ask() || answers.is_some_and(|answers| answers.approve.is_some()) {
        return Ok(());
    }
    Err(not_approved("there is nobody to approve the plan")
        .hint("run it on a terminal, or put `[plan] approve = \"…\"` into the answers file; nothing was sent"))
}

/// Shows the plan, and takes its approval: from the answers file, else from the person.
pub(super) async fn approve(
    cx: &Context,
    document: &PlanDocument,
    runbook: &Runbook,
    answers: Option<&AnswersFile>,
) -> Result<PlanApproved, CliError> {
    let (looked_at, effects) = to_approve(&document.steps, runbook);
    cx.screen.say(&approve_text(document, &effects, cx.now(), &cx.screen.style()));
    let prepared = answers.and_then(|answers| answers.approve.as_deref());
    let phrase = match (prepared, &cx.keys) {
        (Some(code), _) if code == document.code() => code.to_owned(),
        (Some(code), _) => {
            let why = format!("`{code}` in the answers file is not the beginning of the plan's forecast");
            return Err(not_approved(&why).hint(format!(
                "this plan is approved with `{}`, once somebody has read it; nothing was sent",
                document.code()
            )));
        }
        (None, Some(keys)) => {
            let whole = |style: &_| plan::text(document, style);
            match ask_approval(&cx.screen, &**keys, &cx.interrupt, document.code(), whole).await {
                Approved::Yes(phrase) => phrase,
                Approved::No => {
                    return Err(not_approved("nobody approved it").hint("nothing has begun, and nothing was sent"));
                }
                Approved::Stopped => {
                    let what = "left before the run began; nothing was sent";
                    return Err(CliError::new(Exit::Interrupted, "interrupted", what));
                }
            }
        }
        (None, None) => return Err(not_approved("there is nobody to approve it")),
    };
    Ok(PlanApproved {
        file: document.forecast.clone(),
        made_at: document.made_at,
        looked_at,
        effects: effects.into_iter().map(|(effect, _)| effect).collect(),
        phrase,
        by_file: prepared.is_some(),
    })
}

fn not_approved(why: &str) -> CliError {
    CliError::new(Exit::Waiting, "plan_not_approved", format!("the plan is not approved: {why}"))
}
