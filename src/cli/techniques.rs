use clap::Args;
use serde_json::{Value, json};

use super::console::wrap;
use super::context::Context;
use super::errors::CliError;
use super::exit::Exit;
use super::output;
use crate::cloudflare::techniques::{BY_ITSELF, LEAVE_NOTHING, is_rest, technique, techniques};
use crate::hunt::technique::{ATTACK_VERSION, Lever, Technique};

/// What an intruder does with an account: how each is found, stopped and taken back.
#[derive(Debug, Args)]
pub(crate) struct TechniquesArgs {
    /// Id of one technique, e.g. CF-T07.
    id: Option<String>,
}

/// Columns of a page, as of a manual.
const COLUMNS: usize = 80;

/// Runs `quell techniques`.
pub(crate) fn run(args: &TechniquesArgs, cx: &Context) -> Result<Exit, CliError> {
    match &args.id {
        None if cx.json => output::document(&json!({
            "schema": "quell.techniques/1",
            "attack_version": ATTACK_VERSION,
            "techniques": techniques().map(describe).collect::<Vec<_>>(),
        }))?,
        None => output::write(&list())?,
        Some(id) => {
            let found = technique(id).ok_or_else(|| {
                let wanted = id.to_ascii_uppercase();
                let nearest = techniques()
                    .map(|it| it.id)
                    .max_by(|a, b| strsim::jaro(a, &wanted).total_cmp(&strsim::jaro(b, &wanted)));
                CliError::new(Exit::Usage, "no_such_technique", format!("there is no technique `{id}`"))
                    .hint(format!("did you mean `{}`? `quell techniques` lists all", nearest.unwrap_or_default()))
            })?;
            if cx.json {
                let mut document = describe(found);
                document["schema"] = json!("quell.technique/1");
                document["attack_version"] = json!(ATTACK_VERSION);
                output::document(&document)?;
            } else {
                output::write(&page(found))?;
            }
        }
    }
    Ok(Exit::Done)
}

fn list() -> String {
    let mut text = String::new();
    let mut aim = None;
    for technique in techniques() {
        if aim != Some(technique.aim) {
            let line = if aim.is_some() { "\n" } else { "" };
            text.push_str(&format!("{line}{}\n", technique.aim.words()));
            aim = Some(technique.aim);
        }
        text.push_str(&format!("  {}  {}\n", technique.id, technique.title));
    }
    text
}

fn describe(technique: &Technique) -> Value {
    let lever = |lever: &Lever| json!({ "actions": lever.actions, "text": lever.text });
    let acts = technique.acts.iter().map(|act| json!({ "does": does(act.does), "path": act.path }));
    let shows = families(technique);
    json!({
        "id": technique.id, "title": technique.title, "aim": technique.aim.words(), "attack": technique.attack,
        "severity": technique.severity, "acts": acts.collect::<Vec<_>>(), "families": shows, "hidden": technique.hidden,
        "contain": lever(&technique.contain), "revert": lever(&technique.revert), "withdraw": technique.withdraw,
        "page": technique.page,
    })
}

fn page(technique: &Technique) -> String {
    let mut text = format!("{}  {}\n\n", technique.id, technique.title);
    let mut row = |label: &str, value: &str| {
        for line in wrap(value, COLUMNS, &format!("{label:<11} "), &" ".repeat(12)) {
            text.push_str(line.trim_end());
            text.push('\n');
        }
    };
    row("aim", technique.aim.words());
    row("severity", &json!(technique.severity).as_str().unwrap_or_default().replace('_', " "));
    if !technique.attack.is_empty() {
        row("ATT&CK", &format!("{} (version {ATTACK_VERSION})", technique.attack.join(", ")));
    }
    for (at, act) in technique.acts.iter().enumerate() {
        row(if at == 0 { "audit log" } else { "" }, &format!("{} {}", does(act.does), act.path));
    }
    if is_rest(technique) {
        row("shows in", "every family of resources that is read");
        let by_itself = BY_ITSELF.iter().map(|it| (it.shows.family, it.why));
        let nothing = LEAVE_NOTHING.iter().map(|(act, why)| (act.path, *why));
        for (at, (what, why)) in by_itself.chain(nothing).enumerate() {
            row(if at == 0 { "but not" } else { "" }, &format!("{what}: {why}"));
        }
    } else if !technique.shows.is_empty() {
        row("shows in", &families(technique).join(", "));
    }
    if !technique.hidden.is_empty() {
        row("never seen", technique.hidden);
    }
    for (label, lever) in [("contain", &technique.contain), ("revert", &technique.revert)] {
        row(label, lever.text);
        if !lever.actions.is_empty() {
            row("", &format!("action: {}", lever.actions.join(", ")));
        }
    }
    if !technique.withdraw.is_empty() {
        row("if added", technique.withdraw);
    }
    row("documented", &format!("\u{201c}{}\u{201d} in the documentation of Cloudflare", technique.page));
    text
}

fn families(technique: &Technique) -> Vec<&'static str> {
    let mut families: Vec<&str> = technique.shows.iter().map(|show| show.family).collect();
    families.dedup();
    families
}

const fn does(does: &'static str) -> &'static str {
    if does.is_empty() { "any write" } else { does }
}
