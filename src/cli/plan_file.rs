//! The file beside the journal that keeps a run's plan with the runbook's text: `plan-<run>.json`.

use std::fs;
use std::io;
use std::path::Path;

use serde_json::{Value, json};

use crate::journal::{PlanSealed, RunOpened};
use crate::model::Digest;
use crate::vault::Kept;

/// The whole file. All of it but the runbook's text stands in the journal as well, and the text's digest does.
pub(crate) fn text(format: u32, opened: &RunOpened, sealed: &PlanSealed, runbook: &str) -> String {
    let kept = json!({
        "schema": "quell.sealed-plan/1", "format": format, "digest": sealed.digest, "inputs": sealed.inputs,
        "runbook": { "name": opened.runbook, "source": opened.source, "text": runbook },
    });
    format!("{kept:#}\n")
}

/// Holds the file at `path` against the journal.
pub(crate) fn check(path: &Path, format: u32, opened: &RunOpened, sealed: &PlanSealed) -> Kept {
    let found = match fs::read_to_string(path) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::InvalidData => return Kept::Altered,
        Err(_) => return Kept::Missing,
    };
    let kept: Option<Value> = serde_json::from_str(&found).ok();
    let runbook = kept.as_ref().and_then(|kept| kept["runbook"]["text"].as_str());
    match runbook {
        Some(runbook)
            if Digest::of(runbook.as_bytes()) == opened.runbook_sha256
                && text(format, opened, sealed, runbook) == found =>
        {
            Kept::Whole
        }
        _ => Kept::Altered,
    }
}
