//! Another plan for what is left of a run, as a decision that is written down.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::begun::{Begun, differing, frame, meaning};
use super::difference::{changed_files, edited, versions};
use super::sealed::Edit;
use crate::cli::context::Context;
use crate::cli::errors::CliError;
use crate::cli::exit::Exit;
use crate::cli::layout::IncidentDir;
use crate::cli::plan_file;
use crate::cli::session::load::Loaded;
use crate::durable;
use crate::journal::{Event, FORMAT, Journal, PlanAmended, PlanSealed, RunState, Stamp};
use crate::runbook::{Runbook, StepSpec};

/// What a run would go on with.
pub(super) struct Proposal<'a> {
    /// The run.
    pub(super) run: &'a RunState,
    /// The plan that it is bound to.
    pub(super) sealed: &'a PlanSealed,
    /// The runbook that it is bound to.
    pub(super) before: &'a Loaded,
    /// The one that it would go on with.
    pub(super) now: &'a Loaded,
    /// The plan that it would be bound to.
    pub(super) plan: PlanSealed,
    /// The texts that were edited.
    pub(super) edits: &'a [Edit],
    /// The version of quell that drove it last.
    pub(super) tool: &'a str,
}

impl Proposal<'_> {
    /// Whether the run would be bound to something else than it is.
    pub(super) fn changes_something(&self) -> bool {
        self.plan.digest != self.sealed.digest
    }

    /// Refuses what would change something that has begun.
    pub(super) fn require_possible(&self, id: &str) -> Result<(), CliError> {
        let refused = |mut why: Vec<String>| {
            let mut error = CliError::new(Exit::Runbook, "begun_changed", why.remove(0));
            error.causes = why;
            error
        };
        let begun = Begun { run: self.run, sealed: self.sealed, runbook: &self.before.runbook };
        let against = begun.refuses(&self.now.runbook, &self.plan);
        if !against.is_empty() {
            return Err(refused(against).hint(format!(
                "only what has not begun may differ: put these back, or go on with the plan as it is: `quell resume \
                 {id} --as-sealed`; nothing was sent"
            )));
        }
        let open = self.run.steps.values().flat_map(|step| &step.effects).find(|state| state.is_open());
        open.map_or(Ok(()), |open| {
            Err(refused(vec![format!("`{}` is in doubt: nobody knows whether it took place", open.effect.summary)]).hint(
                format!("settle it first with the plan that it was begun by: `quell resume {id} --as-sealed`, then `pause`; nothing was sent"),
            ))
        })
    }

    /// Binds the run to the new plan. The texts are on disk before the entry that names them.
    pub(super) fn accept(
        self,
        cx: &Context,
        dir: &IncidentDir,
        journal: &mut Journal,
        stamp: &Stamp,
        words: &str,
    ) -> Result<(), CliError> {
        let file = dir.plan(&self.run.opened.run, self.run.amended.len() + 1);
        let text = plan_file::text(FORMAT, &self.run.opened, &self.plan, &self.now.texts());
        // A file of that name is what a process left that was killed before it had written the entry.
        durable::replace(&file, text.as_bytes(), 0o600).map_err(|error| {
            CliError::new(Exit::Journal, "plan_file", format!("cannot write {}", file.display())).because(&error)
        })?;
        let changes = self.changes();
        for change in &changes {
            cx.screen.tell(&format!("accepted: {}", crate::escape::terminal(change)));
        }
        let event = PlanAmended {
            changes,
            runbook_sha256: self.now.runbook.source.digest.clone(),
            words: words.to_owned(),
            plan: self.plan,
        };
        journal.append(stamp, Event::PlanAmended(Box::new(event)))?;
        Ok(())
    }

    /// Every difference, in words.
    fn changes(&self) -> Vec<String> {
        let (old, new) = (&self.before.runbook, &self.now.runbook);
        let mut changes: Vec<String> = self.edits.iter().map(edited).collect();
        let fields = differing(&frame(old), &frame(new));
        if !fields.is_empty() {
            changes.push(format!("it has another {}; what was said when the run was opened stays", fields.join(", ")));
        }
        steps(&old.steps, &new.steps, &mut changes);
        steps(&old.finally, &new.finally, &mut changes);
        inputs((old, &self.sealed.inputs), (new, &self.plan.inputs), &mut changes);
        changes.extend(changed_files(self.run).into_iter().map(|file| file.how));
        let is_same_text = self.edits.is_empty() && self.sealed.inputs == self.plan.inputs;
        if self.sealed.actions != self.plan.actions && !self.sealed.actions.is_empty()
            || changes.is_empty() && is_same_text
        {
            changes.extend(versions(self.sealed, &self.plan, self.tool));
        }
        if self.run.approval().is_some() {
            changes.push("what the approved plan consented to and is not done is asked for".to_owned());
        }
        changes
    }
}

fn steps(old: &[StepSpec], new: &[StepSpec], changes: &mut Vec<String>) {
    let find = |steps: &[StepSpec], id: &str| steps.iter().find(|step| step.id == id).map(meaning);
    for step in old {
        match find(new, &step.id) {
            None => changes.push(format!("the step `{}` is gone", step.id)),
            Some(is) => {
                let fields = differing(&meaning(step), &is);
                if !fields.is_empty() {
                    changes.push(format!("the step `{}` has another {}", step.id, fields.join(", ")));
                }
            }
        }
    }
    let added = new.iter().filter(|step| find(old, &step.id).is_none());
    changes.extend(added.map(|step| format!("the step `{}` is new", step.id)));
    let order = |steps: &[StepSpec], other: &[StepSpec]| {
        let kept = steps.iter().map(|step| step.id.clone());
        kept.filter(|id| other.iter().any(|step| step.id == *id)).collect::<Vec<_>>()
    };
    if order(old, new) != order(new, old) {
        changes.push(format!("the steps stand in another order: {}", order(new, old).join(", ")));
    }
}

fn inputs(old: (&Runbook, &Map<String, Value>), new: (&Runbook, &Map<String, Value>), changes: &mut Vec<String>) {
    let names: BTreeSet<&String> = old.1.keys().chain(new.1.keys()).collect();
    for name in names {
        match (old.1.get(name), new.1.get(name)) {
            (Some(was), Some(is)) if was != is => {
                changes.push(format!("the input `{name}`: {was} before, {is} now"));
            }
            (None, Some(is)) => changes.push(format!("the input `{name}` is new: {is}")),
            (Some(was), None) => changes.push(format!("the input `{name}` is gone; it was {was}")),
            _ => {
                let declared = |runbook: &Runbook| json!(runbook.inputs.iter().find(|spec| spec.name == *name));
                let fields = differing(&declared(old.0), &declared(new.0));
                if !fields.is_empty() {
                    changes.push(format!("the input `{name}` has another {}", fields.join(", ")));
                }
            }
        }
    }
}
