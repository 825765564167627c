//! What is allowed and should be mended all the same.

use super::diagnostic::Diagnostic;
use crate::secret::secret_shaped;

/// Warns of what is shaped like a secret, also in comments.
pub(crate) fn secrets(source: &str, problems: &mut Vec<Diagnostic>) {
    for span in secret_shaped(source) {
        problems.push(
            Diagnostic::warning("R023", &span, "this is shaped like a secret")
                .help("take it out of the file and revoke it: whoever could read the file may have it"),
        );
    }
}
