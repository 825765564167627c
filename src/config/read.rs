mod sinks;

use ipnet::IpNet;

use super::{Config, NotifyKind, NotifyTarget};
use crate::model::Profile;
use crate::runbook::{Diagnostic, Fields, Kind, Node, lint_secrets};
use crate::vault::is_recipient;

/// Reads the text. What cannot be read is a problem, and the rest is read all the same.
pub(super) fn read(text: &str, problems: &mut Vec<Diagnostic>) -> Config {
    let root = Node::read(text, problems);
    lint_secrets(text, problems);
    let mut fields = Fields::new(&root, "quell.toml", problems);
    let sections =
        ["vault", "runbooks", "account", "http", "sinks", "notify", "team", "report"].map(|name| fields.node(name));
    fields.finish();
    let [vault, runbooks, account, http, sinks, notify, team, report] = sections;
    let mut config = Config::default();
    if let Some(node) = vault {
        section(node, "`[vault]` section", problems, |fields| {
            config.vault_recipients = each(fields, "recipients", recipient);
        });
    }
    if let Some(node) = runbooks {
        section(node, "`[runbooks]` section", problems, |fields| {
            config.runbook_dirs = each(fields, "dirs", |text| named(text).map(Into::into));
            if fields.node("accept_only").is_some() {
                config.accept_only = Some(each(fields, "accept_only", digest));
            }
        });
    }
    if let Some(node) = account {
        section(node, "`[account]` section", problems, |fields| {
            config.own_ip_ranges = each(fields, "own_ip_ranges", range);
            config.break_glass = each(fields, "break_glass", named);
            config.crown_jewels = each(fields, "crown_jewels", zone);
        });
    }
    if let Some(node) = http {
        section(node, "`[http]` section", problems, |fields| {
            config.allow_hosts = each(fields, "allow_hosts", host);
        });
    }
    if let Some(node) = sinks {
        config.sinks = sinks::read(node, problems);
    }
    if let Some(node) = notify {
        config.notify = targets(node, problems);
    }
    if let Some(node) = team {
        section(node, "`[team]` section", problems, |fields| {
            config.team_of_one = fields.flag("of_one");
        });
    }
    if let Some(node) = report {
        section(node, "`[report]` section", problems, |fields| {
            let profile = fields.choice("profile", &["internal", "public"]);
            config.report_profile = profile.and_then(|name| Profile::named(&name)).unwrap_or_default();
        });
    }
    config
}

fn section(node: &Node, what: &'static str, problems: &mut Vec<Diagnostic>, read: impl FnOnce(&mut Fields<'_, '_>)) {
    let mut fields = Fields::new(node, what, problems);
    read(&mut fields);
    fields.finish();
}

/// The items of a list, each read; what one cannot be is said in words that never quote it.
fn each<T>(fields: &mut Fields<'_, '_>, key: &'static str, read: impl Fn(&str) -> Result<T, &'static str>) -> Vec<T> {
    let mut items = Vec::new();
    for (text, span) in fields.texts(key) {
        match read(text.trim()) {
            Ok(item) => items.push(item),
            Err(why) => {
                let message = format!("an item of `{key}` cannot be used");
                fields.problem(Diagnostic::error("R004", &span, message).help(why));
            }
        }
    }
    items
}

fn targets(node: &Node, problems: &mut Vec<Diagnostic>) -> Vec<NotifyTarget> {
    if !matches!(node.kind, Kind::Table(_)) {
        let message = format!("targets are written as `[notify.NAME]`, and this is {}", node.what());
        problems.push(Diagnostic::error("R004", &node.span, message));
    }
    let read = |(key, table): &(crate::runbook::Key, Node)| {
        let mut fields = Fields::new(table, "`[notify.NAME]` section", problems);
        let kind = fields.choice("kind", &["slack", "pagerduty", "json"]);
        if fields.node("kind").is_none() {
            fields.missing("kind");
        }
        let secret_env = fields.needed_text("secret_env");
        if let (Some(name), Some(node)) = (&secret_env, fields.node("secret_env"))
            && !is_variable(name)
        {
            fields.problem(no_variable(node, "SLACK_URL"));
        }
        fields.finish();
        let kind = match kind?.as_str() {
            "slack" => NotifyKind::Slack,
            "pagerduty" => NotifyKind::Pagerduty,
            _ => NotifyKind::Json,
        };
        Some(NotifyTarget { name: key.name.clone(), kind, secret_env: secret_env? })
    };
    node.entries().iter().filter_map(read).collect()
}

fn recipient(text: &str) -> Result<String, &'static str> {
    let help = "it is an age public key, `age1…`; `age-keygen` prints one beside the private key, which stays with you";
    is_recipient(text).then(|| text.to_owned()).ok_or(help)
}

fn digest(text: &str) -> Result<String, &'static str> {
    let text = text.to_ascii_lowercase();
    let fits = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    fits.then_some(text).ok_or("it is a SHA-256 digest of 64 digits; `quell runbooks show NAME` prints a runbook's")
}

/// One address counts as a range of its own.
fn range(text: &str) -> Result<IpNet, &'static str> {
    let range = text.parse::<IpNet>().or_else(|_| text.parse().map(|ip: std::net::IpAddr| ip.into()));
    match range {
        Ok(range) if range.prefix_len() == 0 => Err("every address would be your own"),
        Ok(range) => Ok(range.trunc()),
        Err(_) => Err("it is a range of addresses such as `192.0.2.0/24`, or one address"),
    }
}

fn host(text: &str) -> Result<String, &'static str> {
    let parsed = url::Url::parse(&format!("https://{text}"));
    let plain = parsed.is_ok_and(|url| {
        url.path() == "/" && url.query().is_none() && url.fragment().is_none() && url.username().is_empty()
    });
    let fits = plain && !text.ends_with('/') && !text.contains(['*', '@', '?', '#']);
    fits.then(|| text.to_ascii_lowercase()).ok_or("it is a host such as `hooks.example.com`, with `:port` or without")
}

/// Compared with the names that the provider lists, so it is written as they are.
fn zone(text: &str) -> Result<String, &'static str> {
    let name = text.trim_end_matches('.').to_ascii_lowercase();
    let is_label =
        |label: &str| !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_'));
    let fits = name.contains('.') && name.split('.').all(is_label);
    fits.then_some(name).ok_or("it is the name of a zone, such as `example.com`")
}

fn named(text: &str) -> Result<String, &'static str> {
    if text.is_empty() { Err("it is empty") } else { Ok(text.to_owned()) }
}

/// What stands where the name of a variable should. It may be the secret itself, and is not quoted.
fn no_variable(node: &Node, such_as: &str) -> Diagnostic {
    let problem = Diagnostic::error("R004", &node.span, "`secret_env` is not the name of a variable");
    problem.help(format!("the secret stays in the environment: name the variable, such as `{such_as}`"))
}

fn is_variable(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}
