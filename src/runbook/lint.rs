//! What is allowed and should be mended all the same.

use super::diagnostic::Diagnostic;
use super::parse::Parsed;
use crate::secret::secret_shaped;

/// Warns of what the text as a whole lacks, or should not hold.
pub(super) fn lint(parsed: &Parsed, source: &str, problems: &mut Vec<Diagnostic>) {
    secrets(source, problems);
    if parsed.runbook.summary.trim().is_empty() {
        // An empty summary is pointed at; for a missing one the title is the nearest that there is.
        let near = ["summary", "title", "name"].iter().find_map(|key| parsed.root.get(key));
        let span = near.map_or(0..0, |node| node.span.clone());
        problems.push(
            Diagnostic::warning("R021", &span, "the runbook has no `summary`")
                .help("say in a sentence or two what it does, and when to reach for it"),
        );
    }
}

/// Warns of what is shaped like a secret, also in comments.
pub(crate) fn secrets(source: &str, problems: &mut Vec<Diagnostic>) {
    for span in secret_shaped(source) {
        problems.push(
            Diagnostic::warning("R020", &span, "this is shaped like a secret")
                .help("take it out of the file and revoke it: whoever could read the file may have it"),
        );
    }
}
