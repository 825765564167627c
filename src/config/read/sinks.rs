use std::collections::BTreeMap;

use super::{each, is_variable, no_variable};
use crate::config::sink::{PLACEHOLDERS, Sink, SinkWay, unknown_placeholder};
use crate::model::{Given, SecretEnv};
use crate::runbook::{Diagnostic, Fields, Key, Kind, Node};

/// Seconds, where the sink does not say. Somebody waits.
const TIMEOUT: u64 = 60;

/// Reads `[sinks.NAME]`.
pub(super) fn read(node: &Node, problems: &mut Vec<Diagnostic>) -> Vec<Sink> {
    if !matches!(node.kind, Kind::Table(_)) {
        let message = format!("sinks are written as `[sinks.NAME]`, and this is {}", node.what());
        problems.push(Diagnostic::error("R004", &node.span, message));
    }
    node.entries().iter().filter_map(|entry| sink(entry, problems)).collect()
}

fn sink((key, table): &(Key, Node), problems: &mut Vec<Diagnostic>) -> Option<Sink> {
    let mut fields = Fields::new(table, "`[sinks.NAME]` section", problems);
    let (command, file) = (fields.node("command"), fields.node("file"));
    // Known in any case, so that none of them is called unknown where another one is wrong.
    let _ = ["env", "pass_env", "timeout"].map(|key| fields.node(key));
    let by = match (command, file) {
        (Some(node), None) => self::command(node, &mut fields),
        (None, Some(node)) => self::file(node, &mut fields),
        (Some(_), Some(node)) => {
            let problem = Diagnostic::error("R004", &node.span, "a sink has a `command` or a `file`, not both");
            fields.problem(problem.help("give the other one a section of its own"));
            None
        }
        (None, None) if matches!(table.kind, Kind::Table(_)) => {
            let problem = Diagnostic::error("R003", &table.span, "this sink has neither `command` nor `file`");
            fields.problem(problem.help(
                "the program that stores the secret, such as `command = [\"vault\", \"kv\", \"put\", \"secret/{name}\", \
                 \"value=-\"]`, or the file to write, such as `file = \"new-tokens/{name}\"`",
            ));
            None
        }
        (None, None) => None,
    };
    fields.finish();
    Some(Sink { name: key.name.clone(), by: by? })
}

fn command(node: &Node, fields: &mut Fields<'_, '_>) -> Option<SinkWay> {
    let texts = fields.texts("command");
    match texts.first() {
        Some((program, span)) => {
            let problem = |message: &str| Diagnostic::error("R004", span, message);
            if program.is_empty() || program.contains(['{', '}']) {
                let help = "it is chosen by you and never by the name of a token: write it in full";
                fields.problem(problem("the program of `command` cannot be used").help(help));
            } else if program.contains('/') && !program.starts_with('/') {
                let help = "which file a relative path means would hang on where quell was started";
                fields.problem(problem("the program is neither a name nor an absolute path").help(help));
            }
        }
        None if matches!(&node.kind, Kind::Array(items) if items.is_empty()) => {
            let problem = Diagnostic::error("R004", &node.span, "`command` names no program");
            fields.problem(problem.help("the program comes first, then its arguments, one by one"));
        }
        None => {}
    }
    for (text, span) in &texts {
        placeholders(text, span, fields);
    }
    let env = variables(fields);
    let pass_env = each(fields, "pass_env", |name| {
        if is_variable(name) { Ok(name.to_owned()) } else { Err("it is the name of a variable, such as `VAULT_ADDR`") }
    });
    let timeout = match fields.duration("timeout").map(|timeout| (timeout, u64::try_from(timeout.as_secs()))) {
        None => TIMEOUT,
        Some((_, Ok(seconds @ 1..))) => seconds,
        Some(_) => {
            if let Some(node) = fields.node("timeout") {
                let problem = Diagnostic::error("R004", &node.span, "`timeout` is shorter than a second");
                fields.problem(problem.help("write it like `30s` or `2m`"));
            }
            TIMEOUT
        }
    };
    Some(SinkWay::Command { argv: texts.into_iter().map(|(text, _)| text).collect(), env, pass_env, timeout })
}

/// `env = { NAME = "text", OTHER = { secret_env = "VARIABLE" } }`
fn variables(fields: &mut Fields<'_, '_>) -> BTreeMap<String, Given> {
    let Some(node) = fields.node("env") else { return BTreeMap::new() };
    if !matches!(node.kind, Kind::Table(_)) {
        let problem = Diagnostic::error("R004", &node.span, format!("`env` must be a table, and is {}", node.what()));
        fields
            .problem(problem.help("it is written `env = { NAME = \"text\", OTHER = { secret_env = \"VARIABLE\" } }`"));
    }
    let mut variables = BTreeMap::new();
    for (key, value) in node.entries() {
        if !is_variable(&key.name) {
            fields.problem(Diagnostic::error("R004", &key.span, "this is not the name of a variable"));
            continue;
        }
        let secret = value.get("secret_env").filter(|_| value.entries().len() == 1);
        let given = match (value.as_text(), secret.and_then(Node::as_text)) {
            (Some(text), _) => Given::Text(text.to_owned()),
            (None, Some(name)) if is_variable(name) => Given::Secret(SecretEnv { secret_env: name.to_owned() }),
            (None, Some(_)) => {
                fields.problem(no_variable(secret.unwrap_or(value), "VAULT_TOKEN"));
                continue;
            }
            (None, None) => {
                let problem = Diagnostic::error("R004", &value.span, "a variable is text, or names a secret");
                fields.problem(
                    problem.help("a secret is named by the variable that holds it: `{ secret_env = \"VAULT_TOKEN\" }`"),
                );
                continue;
            }
        };
        variables.insert(key.name.clone(), given);
    }
    variables
}

fn file(node: &Node, fields: &mut Fields<'_, '_>) -> Option<SinkWay> {
    for key in ["env", "pass_env", "timeout"] {
        if let Some(node) = fields.node(key) {
            let problem = Diagnostic::error("R004", &node.span, format!("`{key}` belongs to a `command`"));
            fields.problem(problem.help("a file needs none of it"));
        }
    }
    let path = fields.text("file")?;
    let wrong = match path.as_str() {
        "" => Some("it is empty"),
        path if path.starts_with('~') => Some("`~` is not expanded: write the directory in full"),
        path if path.ends_with('/') => Some("it names a directory: add a file name, such as `{name}`"),
        _ => None,
    };
    if let Some(why) = wrong {
        fields.problem(Diagnostic::error("R004", &node.span, "`file` cannot be used").help(why));
    }
    placeholders(&path, &node.span, fields);
    Some(SinkWay::File(path))
}

fn placeholders(text: &str, span: &std::ops::Range<usize>, fields: &mut Fields<'_, '_>) {
    if let Some(unknown) = unknown_placeholder(text) {
        let problem = Diagnostic::error("R004", span, format!("there is no placeholder `{{{unknown}}}`"));
        let known = PLACEHOLDERS.map(|name| format!("`{{{name}}}`")).join(", ");
        fields.problem(problem.help(format!("those that there are: {known}")));
    }
}
