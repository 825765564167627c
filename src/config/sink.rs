use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::model::{CommandCall, Given, Way};

/// Where the team keeps its secrets: new ones are handed over there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sink {
    /// Its name.
    pub name: String,
    /// How a secret gets there.
    #[serde(flatten)]
    pub by: SinkWay,
}

/// How a secret gets into a sink, before it is said which secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SinkWay {
    /// A program that reads it on its standard input.
    Command {
        /// The program, as a name or an absolute path, and its arguments; these may hold placeholders.
        argv: Vec<String>,
        /// Variables that it is given.
        env: BTreeMap<String, Given>,
        /// Variables of quell's own environment that it is given as they are.
        pass_env: Vec<String>,
        /// Seconds after which it is killed.
        timeout: u64,
    },
    /// A new file; may hold placeholders.
    File(String),
}

/// What stands for the placeholders of a sink.
#[derive(Debug, Clone, Copy)]
pub struct Filling<'a> {
    /// `{name}`: name of what the secret is of; may be chosen by an attacker.
    pub name: &'a str,
    /// `{id}`: the provider's id of it.
    pub id: &'a str,
    /// `{incident}`: id of the incident.
    pub incident: &'a str,
}

/// The placeholders.
pub(super) const PLACEHOLDERS: [&str; 3] = ["name", "id", "incident"];

/// Characters of a value that are kept. File systems end at 255 bytes.
const LONGEST: usize = 100;

impl Sink {
    /// How the secret of `filling` gets there. Relative paths begin at `base`.
    pub fn way(&self, base: &Path, filling: Filling<'_>) -> Way {
        match &self.by {
            SinkWay::File(path) => Way::File(base.join(PathBuf::from(fill(path, filling)))),
            SinkWay::Command { argv, env, pass_env, timeout } => Way::Command(CommandCall {
                argv: argv.iter().map(|word| fill(word, filling)).collect(),
                env: env.clone(),
                pass_env: pass_env.clone(),
                stdin: None,
                cwd: None,
                timeout: *timeout,
                expect: vec![0],
                outputs: BTreeMap::new(),
            }),
        }
    }
}

fn fill(text: &str, filling: Filling<'_>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(placeholder) = next_placeholder(rest) {
        let (before, name, after) = placeholder;
        out.push_str(before);
        match name {
            "name" => out.push_str(&tame(filling.name)),
            "id" => out.push_str(&tame(filling.id)),
            "incident" => out.push_str(&tame(filling.incident)),
            other => out.push_str(&format!("{{{other}}}")),
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

/// What stands before the first `{word}`, the word, and what stands behind it. Other braces are text.
fn next_placeholder(text: &str) -> Option<(&str, &str, &str)> {
    text.match_indices('{').find_map(|(at, _)| {
        let (name, after) = text[at + 1..].split_once('}')?;
        let is_word = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        is_word.then_some((&text[..at], name, after))
    })
}

/// The words between braces that are no placeholder.
pub(super) fn unknown_placeholder(text: &str) -> Option<&str> {
    let mut rest = text;
    while let Some((_, name, after)) = next_placeholder(rest) {
        if !PLACEHOLDERS.contains(&name) {
            return Some(name);
        }
        rest = after;
    }
    None
}

/// Whoever makes a token chooses its name: in a path or an argument it must not lead elsewhere, nor be taken for a flag.
fn tame(value: &str) -> String {
    let tamed: String = value
        .chars()
        .take(LONGEST)
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') { c } else { '_' })
        .collect();
    match tamed.chars().next() {
        None => "_".to_owned(),
        Some('.' | '-') => format!("_{}", &tamed[1..]),
        Some(_) => tamed,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Filling, Sink, SinkWay, unknown_placeholder};

    fn place(file: &str, name: &str) -> String {
        let sink = Sink { name: "s".into(), by: SinkWay::File(file.into()) };
        sink.way(Path::new("/base"), Filling { name, id: "i1", incident: "c1" }).place()
    }

    #[test]
    fn a_name_leads_nowhere_else() {
        for (name, safe) in [
            ("ci-deploy", "ci-deploy"),
            ("../../etc/passwd", "_._.._etc_passwd"),
            ("-rf", "_rf"),
            ("a b/c\n", "a_b_c_"),
            ("", "_"),
            ("日本", "__"),
            ("{id}", "_id_"),
        ] {
            assert_eq!(place("out/{name}", name), format!("/base/out/{safe}"));
        }
        assert_eq!(place("{name}", &"x".repeat(300)).len(), "/base/".len() + 100);
    }

    #[test]
    fn placeholders_are_filled_and_other_braces_stay() {
        assert_eq!(place("{incident}-{id}-{name}-{id}{}{A}{\"x\": 1}", "n"), "/base/c1-i1-n-i1{}{A}{\"x\": 1}");
        assert_eq!(unknown_placeholder("{id}{ID}{name}"), None);
        assert_eq!(unknown_placeholder("{id}/{nmae}"), Some("nmae"));
    }

    #[test]
    fn an_absolute_path_stays_one() {
        assert_eq!(place("/run/{id}", "n"), "/run/i1");
    }
}
