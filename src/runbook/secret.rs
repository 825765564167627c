//! Secrets in a runbook: where one may stand. Its value in a run is the name of the variable that holds it, as steps take it.

use super::reference::Astray;
use super::schema::{Schema, words};

/// What is wrong where a value is passed that is a secret, or one that should be; with what to do.
pub(super) fn misplaced(
    given: Schema<'_>,
    wanted: Schema<'_>,
    called: &str,
    path: &str,
) -> Option<(String, &'static str)> {
    let wants = || words(&wanted.types());
    match (given.is_secret(), wanted.is_secret()) {
        (true, false) if !wanted.takes_secret() => Some((
            format!("{called} must be {}, and `{path}` is a secret", wants()),
            "a secret goes where `{ secret_env = \"NAME\" }` may stand: headers and body of `http`, `env` and `stdin` of \
             `command`, the target of `notify`",
        )),
        (false, true) if !given.types().is_empty() => Some((
            format!("{called} must be a secret, and `{path}` is {}", words(&given.types())),
            "pass an input of the type `secret`, or `{ secret_env = \"NAME\" }`",
        )),
        _ => None,
    }
}

/// What is wrong with a text or condition that holds a secret.
pub(super) fn in_text(path: &str) -> Astray {
    Astray {
        code: "R032",
        message: format!("`{path}` is a secret, and what stands in a text or a condition is written down"),
        help: Some(format!("pass it with `{{ from = \"{path}\" }}` where `{{ secret_env = … }}` may stand")),
    }
}
