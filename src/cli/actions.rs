use clap::Args;
use serde_json::{Value, json};

use super::catalogue::CATALOGUE;
use super::context::Context;
use super::errors::CliError;
use super::exit::Exit;
use super::output;
use super::reference::fields;
use crate::action::AnyAction;

/// The actions that a runbook may name: parameters, outputs, dangers, permissions.
#[derive(Debug, Args)]
pub(crate) struct ActionsArgs {
    /// Id of one action.
    id: Option<String>,
}

/// Runs `quell actions`.
pub(crate) fn run(args: &ActionsArgs, cx: &Context) -> Result<Exit, CliError> {
    match &args.id {
        None if cx.json => {
            output::document(
                &json!({ "schema": "quell.actions/1", "actions": CATALOGUE.iter().map(describe).collect::<Vec<_>>() }),
            )?;
        }
        None => {
            for action in CATALOGUE.iter() {
                let spec = action.spec();
                output::write(&format!("{:<30} {:<12} {}\n", spec.id, spec.max_danger, spec.summary))?;
            }
        }
        Some(id) => {
            let action = CATALOGUE.get(id).ok_or_else(|| {
                let nearest = CATALOGUE
                    .iter()
                    .map(|action| action.spec().id)
                    .max_by(|a, b| strsim::jaro(a, id).total_cmp(&strsim::jaro(b, id)));
                CliError::new(Exit::Usage, "no_such_action", format!("there is no action `{id}`"))
                    .hint(format!("did you mean `{}`? `quell actions` lists all", nearest.unwrap_or_default()))
            })?;
            if cx.json {
                let mut document = describe(action);
                document["schema"] = json!("quell.action/1");
                output::document(&document)?;
            } else {
                output::write(&page(action))?;
            }
        }
    }
    Ok(Exit::Done)
}

fn describe(action: &dyn AnyAction) -> Value {
    let spec = action.spec();
    json!({
        "id": spec.id, "version": spec.version, "summary": spec.summary, "docs": spec.docs, "max_danger": spec.max_danger,
        "permissions": spec.permissions.iter().map(|permission| json!({ "group": permission.group, "write": permission.write })).collect::<Vec<_>>(),
        "settling_seconds": spec.settling.as_secs(), "example": spec.example,
        "requests": { "fixed": spec.estimate.fixed, "per_zone": spec.estimate.per_zone },
        "params": action.params_schema(), "output": action.output_schema(),
    })
}

fn page(action: &dyn AnyAction) -> String {
    let spec = action.spec();
    let mut text =
        format!("{}\n{}\n\n{}\n\ndanger: at most {}\n", spec.id, spec.summary, spec.docs.trim(), spec.max_danger);
    for permission in spec.permissions {
        let needed = if permission.write { "to act" } else { "to look" };
        text.push_str(&format!("permission {needed}: {}\n", permission.group));
    }
    for (title, schema) in [("parameters (`with`)", action.params_schema()), ("outputs", action.output_schema())] {
        text.push_str(&format!("\n{title}:\n"));
        let fields = fields(&schema);
        if fields.is_empty() {
            text.push_str("  none\n");
        }
        for field in fields {
            let must = if title.starts_with("param") && field.is_needed { ", needed" } else { "" };
            text.push_str(&format!("  {} ({}{must}): {}\n", field.name, field.kind, field.about));
        }
    }
    text.push_str(&format!("\nexample:\n{}\n", spec.example.trim()));
    text
}
