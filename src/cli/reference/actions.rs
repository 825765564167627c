//! The chapter on actions, from their facts and schemas.

use super::{code, fields, table};
use crate::action::AnyAction;
use crate::cli::catalogue::CATALOGUE;

/// Every action: what it does and what it needs, takes and gives, with an example.
pub(super) fn pages() -> String {
    CATALOGUE.iter().map(page).collect::<Vec<_>>().join("\n")
}

fn page(action: &dyn AnyAction) -> String {
    let spec = action.spec();
    let mut out = format!("### `{}`\n\n{}.\n\n{}\n\n", spec.id, spec.summary, spec.docs.trim());
    let mut facts = vec![format!("danger: {}", spec.max_danger)];
    for (write, to) in [(false, "to look"), (true, "to act")] {
        let groups = spec.permissions.iter().filter(|permission| permission.write == write);
        let groups: Vec<String> = groups.map(|permission| format!("*{}*", permission.group)).collect();
        if !groups.is_empty() {
            facts.push(format!("permission {to}: {}", groups.join(", ")));
        }
    }
    out.push_str(&format!("{}.\n\n", facts.join("; ")));
    let rows = fields(&action.params_schema()).into_iter().map(|field| {
        let must = if field.is_needed { ", needed" } else { "" };
        [code(&field.name), format!("{}{must}", field.kind), field.about]
    });
    out.push_str(&part("parameter", rows.collect()));
    let rows = fields(&action.output_schema()).into_iter().map(|field| [code(&field.name), field.kind, field.about]);
    out.push_str(&part("output", rows.collect()));
    if !spec.example.trim().is_empty() {
        out.push_str(&format!("```toml\n[steps.with]\n{}\n```\n", spec.example.trim()));
    }
    out
}

fn part(what: &str, rows: Vec<[String; 3]>) -> String {
    if rows.is_empty() { format!("No {what}s.\n\n") } else { format!("{}\n", table([what, "", "what it is"], rows)) }
}
