//! What is allowed and should be mended all the same.
//!
//! | code | file | warns of |
//! |---|---|---|
//! | `R023` | this one | something shaped like a secret |
//! | `R026`, `R027` | `shell`, `script` | a program that carries out what the network sends, or what a value says |
//! | `R028` | `condition` | a condition that is always the same |
//! | `R029`, `R030` | `pointless` | what changes nothing; looks that are tried again for too long |
//! | `R031` | this one | an input that nothing uses |

mod condition;
mod pointless;
mod script;
mod shell;

use std::collections::BTreeSet;

pub(super) use condition::check as condition;
pub(super) use pointless::{check as pointless, patience};
pub(super) use shell::check as scripts;

use super::diagnostic::Diagnostic;
use super::node::Node;
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

/// Inputs that the post-mortem itself reads, whatever else uses them.
pub const INPUTS_OF_THE_REPORT: [&str; 4] = ["reported_by", "commander", "detected_at", "exposed_since"];

/// Warns of inputs that are asked for and used nowhere.
pub(super) fn unused_inputs(root: &Node, used: &BTreeSet<String>, problems: &mut Vec<Diagnostic>) {
    for (key, _) in root.get("inputs").into_iter().flat_map(Node::entries) {
        let name = key.name.as_str();
        if !used.contains(name) && !INPUTS_OF_THE_REPORT.contains(&name) {
            let known = INPUTS_OF_THE_REPORT.map(|name| format!("`{name}`")).join(", ");
            let help = format!(
                "a question that changes nothing costs time: take it out, or write `{{{{inputs.{name}}}}}` where it matters; \
                 the report reads {known} by itself"
            );
            let message = format!("nothing uses the input `{name}`");
            problems.push(Diagnostic::warning("R031", &key.span, message).help(help));
        }
    }
}
