use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::context::Context;
use super::errors::CliError;
use super::exit::Exit;
use super::output;
use crate::model::Profile;
use crate::runbook::EMBEDDED;
use crate::{escape, runbook};

/// The configuration: whether `quell.toml` is sound, and what holds.
#[derive(Debug, Args)]
pub(crate) struct ConfigArgs {
    #[command(subcommand)]
    command: ConfigCommand,
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Every problem of `quell.toml`, at once; exit code 2 where there are errors.
    Check,
    /// The values that hold, and where each comes from.
    Show,
}

/// Runs `quell config`.
pub(crate) fn run(args: &ConfigArgs, cx: &Context) -> Result<Exit, CliError> {
    match args.command {
        ConfigCommand::Check => check(cx),
        ConfigCommand::Show => show(cx),
    }
}

fn check(cx: &Context) -> Result<Exit, CliError> {
    let settings = &cx.settings;
    if cx.json {
        output::document(&runbook::render_json(&settings.problems, &settings.name(), &settings.text))?;
    } else if settings.file.is_none() {
        cx.screen.say("there is no quell.toml; everything is at its default");
    } else {
        settings.show_problems(&cx.screen);
        let (errors, name) = (settings.errors(), escape::terminal(&settings.name()));
        cx.screen.say(&format!("{name}: {errors} errors, {} warnings", settings.problems.len() - errors));
        // Where a file system comes and goes, a directory may be missing now and there tomorrow: said, and no error.
        for dir in settings.runbook_dirs().iter().filter(|dir| !dir.is_dir()) {
            cx.screen.tell(&format!("note: `[runbooks] dirs` names {}, which is no directory now", dir.display()));
        }
    }
    if settings.errors() > 0 {
        return Ok(Exit::Usage);
    }
    cx.shelves.check()?;
    Ok(Exit::Done)
}

/// One value that holds.
struct Setting {
    key: &'static str,
    value: Value,
    /// `default`, a flag, or the path of the file.
    from: String,
}

fn show(cx: &Context) -> Result<Exit, CliError> {
    cx.settings.require_sound(&cx.screen)?;
    let settings = effective(cx);
    if cx.json {
        let rows = settings.iter().map(|it| json!({ "key": it.key, "value": it.value, "from": it.from }));
        let file = cx.settings.file.as_ref().map(|path| path.display().to_string());
        output::document(&json!({ "schema": "quell.config/1", "file": file, "settings": rows.collect::<Vec<_>>() }))?;
        return Ok(Exit::Done);
    }
    for Setting { key, value, from } in settings {
        output::write(&format!("{key}  ({})\n", escape::terminal(&from)))?;
        match &value {
            Value::Array(items) if !items.is_empty() => {
                for item in items {
                    output::write(&format!("  {}\n", line(item)))?;
                }
            }
            Value::Array(_) => output::write("  none\n")?,
            other => output::write(&format!("  {}\n", line(other)))?,
        }
    }
    Ok(Exit::Done)
}

/// The values that hold. None of them is a secret: the file has no place for one.
fn effective(cx: &Context) -> Vec<Setting> {
    let now = &cx.settings.config;
    let from = |is_default: bool| if is_default { "default".to_owned() } else { cx.settings.name() };
    let setting = |key, value, is_default| Setting { key, value, from: from(is_default) };
    let recipients = if cx.vault.recipients.is_empty() {
        setting("vault.recipients", json!(now.vault_recipients), now.vault_recipients.is_empty())
    } else {
        Setting { key: "vault.recipients", value: json!(cx.vault.recipients), from: "--vault-recipient".to_owned() }
    };
    let shelves = cx.shelves.iter().map(|shelf| format!("{} ({})", shelf.dir.display(), shelf.origin));
    let shelves: Vec<String> = shelves.chain([EMBEDDED.to_owned()]).collect();
    let accepted = now.accept_only.as_ref().map_or_else(|| json!("any"), |digests| json!(digests));
    vec![
        recipients,
        setting("runbooks.dirs", json!(now.runbook_dirs), now.runbook_dirs.is_empty()),
        Setting { key: "search path", value: json!(shelves), from: "see each".to_owned() },
        setting("runbooks.accept_only", accepted, now.accept_only.is_none()),
        setting("account.own_ip_ranges", json!(now.own_ip_ranges), now.own_ip_ranges.is_empty()),
        setting("account.break_glass", json!(now.break_glass), now.break_glass.is_empty()),
        setting("account.crown_jewels", json!(now.crown_jewels), now.crown_jewels.is_empty()),
        setting("http.allow_hosts", json!(now.allow_hosts), now.allow_hosts.is_empty()),
        setting("sinks", json!(now.sinks), now.sinks.is_empty()),
        setting("notify", json!(now.notify), now.notify.is_empty()),
        setting("team.of_one", json!(now.team_of_one), !now.team_of_one),
        setting("report.profile", json!(now.report_profile), now.report_profile == Profile::Internal),
    ]
}

fn line(value: &Value) -> String {
    match value {
        Value::String(text) => escape::terminal(text),
        Value::Object(map) => {
            let pairs: Vec<String> = map.iter().map(|(key, value)| format!("{key} {}", line(value))).collect();
            pairs.join(", ")
        }
        other => escape::terminal(&other.to_string()),
    }
}
