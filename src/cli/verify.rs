use clap::Args;
use serde_json::{Value, json};

use super::context::Context;
use super::errors::CliError;
use super::exit::Exit;
use super::layout::IncidentDir;
use super::{output, plan_document, plan_file};
use crate::evidence::Archive;
use crate::journal::{Inspection, Problem, SealedEntry};
use crate::model::Digest;
use crate::vault::{Kept, Vault};

/// Check that a journal, its evidence, its sealed answers and its plans are as they were written.
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// Beginning of the incident's id, or its directory; without one, the newest that is open, else the newest.
    incident: Option<String>,

    /// The head that was noted elsewhere, as printed at pause and close. Proves that no line was removed from the end.
    #[arg(long, value_name = "HASH")]
    head: Option<String>,
}

/// Runs `quell verify`.
pub(crate) fn run(args: &VerifyArgs, cx: &Context) -> Result<Exit, CliError> {
    let wanted = match &args.head {
        None => None,
        Some(text) => {
            Some(Digest::parse(text.trim()).ok_or_else(|| CliError::usage("a head is 64 hexadecimal digits"))?)
        }
    };
    let dir = cx.incident_to_read(args.incident.as_deref())?;
    let found = dir.inspect()?;
    let mut problems: Vec<Problem> = found.problems.clone();
    let tail_proven = wanted.as_ref().is_some_and(|wanted| found.entry_heads.contains(wanted));
    if let Some(wanted) = &wanted
        && !tail_proven
    {
        let detail = format!("no line has the digest {wanted}: lines were removed from the end, or changed");
        problems.push(Problem { seq: None, kind: "head", detail });
    }
    let named: Vec<Digest> = found.evidence();
    let audit = Archive::new(dir.evidence()).check(&named);
    problems.extend(audit.missing.iter().map(|digest| Problem {
        seq: None,
        kind: "evidence_missing",
        detail: format!("evidence {digest} is missing"),
    }));
    problems.extend(audit.altered.iter().map(|digest| Problem {
        seq: None,
        kind: "evidence_altered",
        detail: format!("evidence {digest} was altered"),
    }));
    let (sealed, plans) = (sealed(&dir, &found), plans(&dir, &found));
    problems.extend(sealed.problems.iter().chain(&plans.problems).cloned());
    let ok = problems.iter().all(|problem| problem.kind == "torn_tail");
    if cx.json {
        output::document(&json!({
            "schema": "quell.verify/1", "ok": ok, "incident": dir.id, "entries": found.entries.len(), "head": found.head,
            "tail_proven": tail_proven,
            "evidence": { "checked": audit.checked, "missing": audit.missing.len(), "altered": audit.altered.len() },
            "sealed": sealed.json(), "plans": plans.json(),
            "problems": problems,
        }))?;
    } else {
        let mut text = String::new();
        for problem in &problems {
            text.push_str(&format!("{}: {}\n", problem.kind, crate::escape::terminal(&problem.detail)));
        }
        text.push_str(&format!(
            "{} entries; checked: {}, {}, {}; head {}\n",
            found.entries.len(),
            count(audit.checked, "piece of evidence", "pieces of evidence"),
            count(sealed.checked, "sealed answer", "sealed answers"),
            count(plans.checked, "plan", "plans"),
            found.head
        ));
        text.push_str(match (ok, tail_proven) {
            (false, _) => "NOT as it was written\n",
            (true, true) => "as it was written, to the line with that head\n",
            (true, false) => {
                "every line follows the one before. Not proven without `--head HASH`: that the last line is as it was \
                 written, and that no line was removed from the end\n"
            }
        });
        output::write(&text)?;
    }
    Ok(if ok { Exit::Done } else { Exit::Journal })
}

/// Files of one kind, held against what the journal says of them.
struct Checked {
    checked: usize,
    missing: usize,
    altered: usize,
    problems: Vec<Problem>,
}

impl Checked {
    /// Each file with its name for people; `kinds` are those of what is missing and of what is altered.
    fn of(files: impl Iterator<Item = (String, Kept)>, kinds: [&'static str; 2]) -> Self {
        let mut all = Self { checked: 0, missing: 0, altered: 0, problems: Vec::new() };
        for (name, kept) in files {
            all.checked += 1;
            let (kind, detail) = match kept {
                Kept::Whole => continue,
                Kept::Missing => {
                    all.missing += 1;
                    (kinds[0], format!("{name} is missing"))
                }
                Kept::Altered => {
                    all.altered += 1;
                    (kinds[1], format!("{name} was altered"))
                }
            };
            all.problems.push(Problem { seq: None, kind, detail });
        }
        all
    }

    fn json(&self) -> Value {
        json!({ "checked": self.checked, "missing": self.missing, "altered": self.altered })
    }
}

fn sealed(dir: &IncidentDir, found: &Inspection) -> Checked {
    let files = found.sealed().into_iter().map(|entry| {
        let SealedEntry { id, sha256 } = entry;
        (format!("the sealed answer to {id}"), Vault::check(&dir.vault(), &id, &sha256))
    });
    Checked::of(files, ["sealed_missing", "sealed_altered"])
}

fn plans(dir: &IncidentDir, found: &Inspection) -> Checked {
    let files = found.plans().into_iter().map(|plan| {
        let run = &plan.opened.run;
        let which = if plan.amendments == 0 { "plan" } else { "amended plan" };
        (format!("the {which} of run {run}"), plan_file::check(&dir.plan(run, plan.amendments), &plan))
    });
    let approved = found.state.runs.iter().filter_map(|run| {
        let (run, approval) = (&run.opened.run, run.approved.as_ref()?);
        let kept = plan_document::check(&dir.approved(run), &approval.plan.file);
        Some((format!("the approved plan of run {run}"), kept))
    });
    let files = files.chain(approved);
    Checked::of(files, ["plan_missing", "plan_altered"])
}

fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}
