//! What is not as it was when the run began, in words and line by line.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use similar::{ChangeTag, TextDiff};

use super::sealed::Edit;
use crate::cli::console::{Style, Tone, wrap};
use crate::journal::{PlanSealed, RunState};
use crate::model::{Digest, StepPath};
use crate::runbook::named_file;
use crate::secret;

/// Lines of a difference that are shown: what is longer is read in an editor.
const SHOWN: usize = 60;

/// How long the shortest difference is looked for; then the next best does.
const PATIENCE: Duration = Duration::from_millis(500);

/// That a text was edited, in words.
pub(super) fn edited(edit: &Edit) -> String {
    let short = |text: &str| Digest::of(text.as_bytes()).short().to_owned();
    format!(
        "the runbook {} was edited after the run began: sealed {}, now {}",
        edit.source,
        short(&edit.then),
        short(&edit.now)
    )
}

/// The unified difference from the sealed text to the present one, escaped, and cut where it is long. Ends with a line
/// break.
pub(super) fn unified(edit: &Edit, file: &Path, style: &Style) -> String {
    let mut lines = vec![
        style.paint(Tone::Strong, &format!("--- {} (sealed)", style.show(&edit.source))),
        style.paint(Tone::Strong, &format!("+++ {} (now)", style.show(&edit.source))),
    ];
    let diff = TextDiff::configure().timeout(PATIENCE).diff_lines(edit.then.as_str(), edit.now.as_str());
    for hunk in diff.unified_diff().context_radius(3).iter_hunks() {
        lines.push(style.paint(Tone::Faint, &hunk.header().to_string()));
        for change in hunk.iter_changes() {
            let (sign, tone) = match change.tag() {
                ChangeTag::Equal => (' ', None),
                ChangeTag::Delete => ('-', Some(Tone::Care)),
                ChangeTag::Insert => ('+', Some(Tone::Good)),
            };
            let text = style.show(&secret::conceal(change.value().trim_end_matches('\n')));
            let indent = " ".repeat(text.len() - text.trim_start().len());
            for line in
                wrap(text.trim_start(), style.columns(), &format!("{sign}{indent}"), &format!("{sign}{indent}  "))
            {
                lines.push(tone.map_or_else(|| line.clone(), |tone| style.paint(tone, &line)));
            }
            if change.missing_newline() {
                lines.push("\\ no line break at the end".to_owned());
            }
        }
    }
    let more = lines.len().saturating_sub(SHOWN);
    lines.truncate(SHOWN);
    if more > 0 {
        lines.push(format!(
            "... and {more} more lines; the sealed text is in {}",
            style.show(&file.display().to_string())
        ));
    }
    lines.join("\n") + "\n"
}

/// A file that an input names, and is not as it was.
pub(super) struct ChangedFile {
    /// Its path.
    pub(super) path: String,
    /// The step that was given it when it began; `None` where the run itself was.
    pub(super) step: Option<StepPath>,
    /// In words.
    pub(super) how: String,
}

/// The files that are not as they were sealed.
pub(super) fn changed_files(run: &RunState) -> Vec<ChangedFile> {
    let own = run.plan.iter().flat_map(|plan| &plan.files).map(|file| (None, file));
    let called =
        run.steps.iter().flat_map(|(path, step)| step.files.iter().map(move |file| (Some(path.clone()), file)));
    let changed = own.chain(called).filter_map(|(step, (path, sealed))| {
        let how = match named_file(path) {
            Ok((_, now)) if now == *sealed => return None,
            Ok((_, now)) => format!("was edited after the run began: sealed {}, now {}", sealed.short(), now.short()),
            Err(why) => format!("cannot be taken any more: {why}"),
        };
        Some(ChangedFile { path: path.clone(), step, how: format!("the file {path}, an input of the run, {how}") })
    });
    changed.collect()
}

/// How this version of quell would plan the same runbook with the same inputs, where that is not as it was sealed.
pub(super) fn versions(sealed: &PlanSealed, now: &PlanSealed, tool: &str) -> Vec<String> {
    let this = env!("CARGO_PKG_VERSION");
    let said = |version: Option<&u32>| version.map_or_else(|| "none".to_owned(), ToString::to_string);
    let names: BTreeSet<&String> = sealed.actions.keys().chain(now.actions.keys()).collect();
    let both = |name: &&String| sealed.actions.contains_key(*name) && now.actions.contains_key(*name);
    let mut told: Vec<String> = names
        .into_iter()
        .filter(both)
        .filter(|name| sealed.actions.get(*name) != now.actions.get(*name))
        .map(|name| {
            let (then, now) = (said(sealed.actions.get(name)), said(now.actions.get(name)));
            format!("the action `{name}` has another version in quell {this}: {then} before, {now} now")
        })
        .collect();
    if told.is_empty() {
        told.push(format!("quell {this} would give the run another plan than quell {tool} did"));
    }
    told
}
