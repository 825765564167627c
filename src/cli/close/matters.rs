use std::fmt::Write;

use serde::Serialize;

use crate::cli::console::{Style, count, wrap};
use crate::report::{EffectRow, FindingRow, ReportModel};

/// Rows of one kind that are listed; the report has all.
const LISTED: usize = 12;

/// Something that an incident leaves behind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Matter {
    /// What kind it is: `in doubt`, `open finding`, `not seen`.
    pub(crate) kind: String,
    /// By what it is called when it is accepted: `E4`, a finding's `F3`, `gap 2`.
    pub(crate) name: String,
    /// What it is, in words.
    pub(crate) what: String,
}

/// What an incident leaves behind, as its report tells it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Matters {
    /// How many steps and changes are done.
    done: String,
    /// What somebody must settle or accept.
    pub(crate) open: Vec<Matter>,
    /// What is on record with a reason or an owner, or lies outside of what was looked at.
    pub(crate) listed: Vec<Matter>,
}

impl Matters {
    /// Gathers them.
    pub(crate) fn of(model: &ReportModel) -> Self {
        let done = model.steps.iter().filter(|step| step.status == "done").count();
        let proven =
            model.effects.iter().filter(|effect| matches!(&*effect.fate, "done and proven" | "already so")).count();
        let mut all = Self {
            done: format!(
                "{done} of {} done; {} of {} seen to hold",
                count(model.steps.len(), "step"),
                proven,
                count(model.effects.len(), "change")
            ),
            ..Self::default()
        };
        for row in &model.unsettled {
            let name = row.effect.clone().unwrap_or_else(|| format!("step {}", row.step));
            let decided = row.decided.last().map(|decided| format!("; {decided}")).unwrap_or_default();
            all.open(&row.kind, name, format!("{}: {}{decided}", row.what, row.standing));
        }
        for row in not_contained(model) {
            all.open("not contained", row.label.clone(), format!("{}: {}", row.summary, row.standing));
        }
        for row in model.findings.intruder.iter().chain(&model.findings.unattributed) {
            if row.status == "open" {
                all.open("open finding", row.label.clone(), finding(row));
            }
        }
        for row in &model.credentials.undecided {
            let marks = if row.marks.is_empty() { String::new() } else { format!(" ({})", row.marks.join(", ")) };
            all.open("credential not decided", row.id.clone(), format!("{}{marks}", row.name));
        }
        for (number, row) in (1..).zip(&model.gaps) {
            all.open("not seen", format!("gap {number}"), format!("{} of {}: {}", row.family, row.scope, row.reason));
        }
        for row in &model.credentials.not_rotated {
            let owner = row.owner.as_ref().map(|owner| format!("to {owner}")).unwrap_or_else(|| "kept".to_owned());
            let reason = if row.reason.is_empty() { String::new() } else { format!(": {}", row.reason) };
            all.list("not rotated", &row.name, format!("{owner}{reason}"));
        }
        for row in &model.action_items {
            all.list("to do", &format!("#{}", row.entry), row.what.clone());
        }
        // What its condition left out was not wanted.
        for row in model.skips.iter().filter(|row| row.cause != "its condition") {
            all.list("skipped", &row.step, row.reason.clone());
        }
        for row in &model.not_examined {
            all.list("not examined", row.step.as_deref().unwrap_or("no step"), row.what.clone());
        }
        all
    }

    fn open(&mut self, kind: &str, name: String, what: String) {
        self.open.push(Matter { kind: kind.to_owned(), name, what });
    }

    fn list(&mut self, kind: &str, name: &str, what: String) {
        self.listed.push(Matter { kind: kind.to_owned(), name: name.to_owned(), what });
    }

    /// All of it, kind by kind, fit for a terminal.
    pub(crate) fn text(&self, style: &Style) -> String {
        let mut out = wrap(&self.done, style.columns(), "", "  ").join("\n") + "\n";
        section(&mut out, "to be settled, or accepted by somebody", &self.open, style);
        section(&mut out, "on record", &self.listed, style);
        out
    }
}

fn section(out: &mut String, title: &str, matters: &[Matter], style: &Style) {
    let _ = writeln!(out, "\n{title}:{}", if matters.is_empty() { " nothing" } else { "" });
    for alike in matters.chunk_by(|one, other| one.kind == other.kind) {
        let Some(first) = alike.first() else { continue };
        let _ = writeln!(out, "  {} ({})", first.kind, alike.len());
        for matter in alike.iter().take(LISTED) {
            let line = style.show(&format!("{}: {}", matter.name, matter.what));
            for line in wrap(&line, style.columns(), "    ", "      ") {
                let _ = writeln!(out, "{line}");
            }
        }
        if alike.len() > LISTED {
            let _ = writeln!(out, "    and {} more, in the report", alike.len() - LISTED);
        }
    }
}

/// Work by hand that was to take something out of the intruder's hands, such as the credential that the run began with, and
/// was left: no finding stands for it. What was done later by the same name is done.
fn not_contained(model: &ReportModel) -> impl Iterator<Item = &EffectRow> {
    let is_left = |row: &EffectRow| row.fate == "left";
    let is_of_containment = |row: &EffectRow| {
        let mut steps = model.steps.iter().filter(|step| step.step == row.step);
        steps.any(|step| step.phase == "contain")
    };
    let is_done = move |row: &EffectRow| model.effects.iter().any(|it| it.summary == row.summary && !is_left(it));
    model.effects.iter().filter(move |row| row.by_hand && is_left(row) && is_of_containment(row) && !is_done(row))
}

fn finding(row: &FindingRow) -> String {
    let zone = row.zone.as_ref().map(|zone| format!(" in {zone}")).unwrap_or_default();
    let name = if row.name.is_empty() { &row.id } else { &row.name };
    format!("{} {} {name}{zone}: {}", row.severity, row.technique, row.detail)
}
