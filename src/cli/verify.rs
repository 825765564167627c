use clap::Args;
use serde_json::json;

use super::context::Context;
use super::errors::CliError;
use super::exit::Exit;
use super::output;
use crate::evidence::Archive;
use crate::journal::Problem;
use crate::model::Digest;

/// Check that a journal and its evidence are as they were written.
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// Beginning of the incident's id, or its directory; without one, the newest that is open.
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
    let dir = cx.state.find(args.incident.as_deref())?;
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
    let ok = problems.iter().all(|problem| problem.kind == "torn_tail");
    if cx.json {
        output::document(&json!({
            "schema": "quell.verify/1", "ok": ok, "incident": dir.id, "entries": found.entries.len(), "head": found.head,
            "tail_proven": tail_proven,
            "evidence": { "checked": audit.checked, "missing": audit.missing.len(), "altered": audit.altered.len() },
            "problems": problems,
        }))?;
    } else {
        let mut text = String::new();
        for problem in &problems {
            text.push_str(&format!("{}: {}\n", problem.kind, crate::escape::terminal(&problem.detail)));
        }
        text.push_str(&format!(
            "{} entries, {} pieces of evidence checked, head {}\n",
            found.entries.len(),
            audit.checked,
            found.head
        ));
        text.push_str(match (ok, tail_proven) {
            (false, _) => "NOT as it was written\n",
            (true, true) => "as it was written, to the line with that head\n",
            (true, false) => "every line follows the one before; whether lines were removed from the end is only proven with `--head`\n",
        });
        output::write(&text)?;
    }
    Ok(if ok { Exit::Done } else { Exit::Journal })
}
