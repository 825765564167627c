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

/// What the binary says the language is.
fn reference() -> String {
    let said =
        std::process::Command::new(env!("CARGO_BIN_EXE_quell")).args(["runbooks", "reference"]).output().unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    String::from_utf8(said.stdout).unwrap()
}

#[test]
fn the_page_of_the_language_is_as_the_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/language.md");
    let page = reference();
    if std::env::var_os("QUELL_WRITE_DOCS").is_some() {
        fs::write(&path, &page).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(written == page, "docs/language.md is not as the code; QUELL_WRITE_DOCS=1 writes it");
}

#[test]
fn the_page_of_the_language_has_every_key_word_and_code() {
    let page = reference();
    assert!(!page.contains("\n%") && !page.contains("| %"), "a list was not put in");
    let schema = quell::runbook::json_schema(&CATALOGUE.vocabulary());
    let step = &schema["$defs"]["step"];
    let tables = [
        (&schema, "## A runbook", "## Inputs"),
        (&schema["$defs"]["input"], "## Inputs", "## Steps"),
        (step, "## Steps", "## Values"),
        (&step["properties"]["repeat"], "## Steps", "## Values"),
        (&step["properties"]["retry"], "## Steps", "## Values"),
    ];
    // That the schema has each key of the loader, and no other, is held by the tests of the schema.
    for (table, from, to) in tables {
        let chapter = page.split(&format!("\n{from}\n")).nth(1).unwrap().split(&format!("\n{to}\n")).next().unwrap();
        let keys = table["properties"].as_object().unwrap();
        assert!(keys.len() >= 2);
        for (key, about) in keys {
            assert!(chapter.contains(&format!("\n| `{key}` | ")), "{from}: `{key}`");
            let about = about["description"].as_str().unwrap_or_else(|| panic!("{from}: nothing is said of `{key}`"));
            assert!(chapter.contains(about), "{from}: {about}");
        }
    }
    for (code, meaning) in quell::runbook::CODES {
        assert!(page.contains(&format!("\n| `{code}` | ")) && page.contains(meaning), "{code}");
    }
    for action in catalogue() {
        let spec = action.spec();
        assert!(page.contains(&format!("\n### `{}`\n\n{}.\n", spec.id, spec.summary)), "{}", spec.id);
    }
}

#[test]
fn what_the_pages_link_to_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut followed = 0;
    for page in ["README.md", "docs/language.md", "docs/tutorial.md", "docs/crash.md"] {
        let text = fs::read_to_string(root.join(page)).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if link.starts_with("http") {
                continue;
            }
            followed += 1;
            let (file, part) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { root.join(page) } else { root.join(page).parent().unwrap().join(file) };
            let there = fs::read_to_string(&target).unwrap_or_else(|_| panic!("{page} links to {link}"));
            let is_title = |line: &str| line.starts_with('#') && anchor(line) == part;
            assert!(part.is_empty() || there.lines().any(is_title), "{page} links to {link}");
        }
    }
    assert!(followed >= 15, "only {followed} links");
}

/// What a title is linked by.
fn anchor(title: &str) -> String {
    let kept = title.trim_start_matches('#').trim().to_lowercase();
    kept.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c)).collect::<String>().replace(' ', "-")
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
