//! What is written is held against what is built.

use std::fs;
use std::path::Path;

use quell::action::AnyAction;
use quell::cli::catalogue::CATALOGUE;
use quell::runbook::{Found, Library, Unfound, load, render_text};

fn readme() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap()
}

fn catalogue() -> impl Iterator<Item = &'static dyn AnyAction> {
    quell::cloudflare::actions::ACTIONS.iter().chain(quell::actions::ACTIONS).copied()
}

#[test]
fn the_readme_lists_every_action_as_it_is() {
    let readme = readme();
    let rows: Vec<String> = catalogue()
        .map(quell::action::AnyAction::spec)
        .map(|spec| format!("| `{}` | {} | {} |", spec.id, spec.max_danger, spec.summary))
        .collect();
    for row in &rows {
        assert!(readme.contains(row), "the README lacks: {row}");
    }
    let section = readme.split("### Actions").nth(1).unwrap().split("###").next().unwrap();
    assert_eq!(section.matches("\n| `").count(), rows.len(), "the README lists an action that there is not");
}

#[test]
fn the_readme_names_every_exit_code_of_the_help() {
    let help = std::process::Command::new(env!("CARGO_BIN_EXE_quell")).arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let readme = readme();
    for (code, words) in [
        ("11", "no consent, or paused waiting for a person"),
        ("13", "an effect is in doubt"),
        ("14", "the journal is locked, damaged or tampered with"),
        ("16", "done, but something could not be seen"),
    ] {
        assert!(help.contains(words) && readme.contains(&format!("{code} | {words}")), "{code}");
    }
}

#[test]
fn the_commands_of_the_readme_exist() {
    let readme = readme();
    let shell = readme.split("```sh").skip(1).filter_map(|block| block.split("```").next()).flat_map(str::lines);
    for line in shell.map(str::trim).filter(|line| line.starts_with("quell ")) {
        let words: Vec<&str> =
            line.split_whitespace().skip(1).take_while(|word| !word.starts_with(['-', '"', '#'])).collect();
        let command = words[0];
        let ran = std::process::Command::new(env!("CARGO_BIN_EXE_quell")).args([command, "--help"]).output().unwrap();
        assert!(ran.status.success(), "the README names `quell {command}`");
    }
}

/// The runbooks that those of the README call.
struct Team;

impl Library for Team {
    fn find(&self, name: &str) -> Result<Found, Unfound> {
        assert_eq!(name, "suspend-pipeline");
        let text = "schema = 1\nname = \"suspend-pipeline\"\ntitle = \"Suspend\"\n\
                    [inputs.token]\ntype = \"cloudflare.token\"\nrequired = true\n[inputs.since]\ntype = \"timestamp\"\n\
                    [[steps]]\nid = \"ask\"\nphase = \"contain\"\ntitle = \"Ask\"\naction = \"manual\"\n\
                    with = { instruction = \"{{inputs.token}}\" }\n";
        Ok(Found { source: "team".into(), shown: "team".into(), text: text.into() })
    }
}

#[test]
fn the_runbooks_of_the_readme_pass_their_check() {
    let inventory = "[[steps]]\nid = \"inventory\"\nphase = \"identify\"\ntitle = \"Tokens\"\n\
                     action = \"cloudflare.tokens.inventory\"\nwith = { suspect = \"unknown\" }\n";
    let readme = readme();
    let blocks = readme.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next());
    let mut checked = 0;
    for block in blocks.filter(|block| block.contains("[[steps]]")) {
        checked += 1;
        let text = format!("schema = 1\nname = \"example\"\ntitle = \"Example\"\n{inventory}{block}");
        let problems = load("README", &text, &CATALOGUE.vocabulary(), &Team).problems;
        assert_eq!(render_text(&problems, "README", &text, false, 100), "");
    }
    assert!(checked >= 2, "only {checked} examples");
}
