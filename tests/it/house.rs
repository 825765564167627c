//! The rules of the house, held by reading the sources.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Floors, lowest first. A module may import its own floor and those below.
const FLOORS: &[(&str, u8)] = &[
    ("model", 0),
    ("secret", 0),
    ("escape", 0),
    ("crash", 0),
    ("runbook", 1),
    ("journal", 1),
    ("evidence", 1),
    ("vault", 1),
    ("durable", 1),
    ("config", 1),
    ("provider", 2),
    ("outside", 2),
    ("clock", 2),
    ("action", 2),
    ("hunt", 2),
    ("actions", 3),
    ("cloudflare", 3),
    ("simulator", 3),
    ("engine", 4),
    ("report", 4),
    ("cli", 5),
];

fn sources() -> Vec<(PathBuf, String)> {
    fn walk(dir: &Path, found: &mut Vec<(PathBuf, String)>) {
        let mut entries: Vec<_> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
        entries.sort();
        for path in entries {
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap().to_owned(), text));
            }
        }
    }
    let mut found = Vec::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    found
}

/// The text before the unit tests, without comments.
fn code(text: &str) -> String {
    let body = text.split("#[cfg(test)]\nmod tests").next().unwrap_or(text);
    body.lines().filter(|line| !line.trim_start().starts_with("//")).map(|line| format!("{line}\n")).collect()
}

fn module(path: &Path) -> String {
    let name = path.components().nth(1).unwrap().as_os_str().to_string_lossy().into_owned();
    name.trim_end_matches(".rs").to_owned()
}

/// Modules that `text` imports by `crate::`.
fn imports(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices("crate::") {
        let rest = &text[at + "crate::".len()..];
        let name: String = rest.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
        if name.is_empty() {
            // `use crate::{a, b::c}`
            let list = rest.trim_start_matches('{').split(';').next().unwrap_or_default();
            found
                .extend(list.split(',').map(|item| {
                    item.trim().trim_matches(['{', '}']).split("::").next().unwrap_or_default().to_owned()
                }));
        } else {
            found.push(name);
        }
    }
    found.retain(|name| FLOORS.iter().any(|(floor, _)| floor == name));
    found
}

#[test]
fn imports_point_down() {
    let floor = |name: &str| FLOORS.iter().find(|(known, _)| *known == name).map(|(_, floor)| *floor);
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let own = module(&path);
        if matches!(own.as_str(), "lib" | "main") {
            continue;
        }
        let Some(here) = floor(&own) else { panic!("{} is on no floor", path.display()) };
        for imported in imports(&code(&text)) {
            if floor(&imported).unwrap() > here {
                wrong.push(format!("{} imports {imported}, which is above it", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn modules_of_one_floor_form_no_circle() {
    let mut edges: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (path, text) in sources() {
        let own = module(&path);
        let others = imports(&code(&text)).into_iter().filter(|name| *name != own);
        edges.entry(own.clone()).or_default().extend(others);
    }
    fn reaches(edges: &BTreeMap<String, Vec<String>>, from: &str, to: &str, seen: &mut Vec<String>) -> bool {
        for next in edges.get(from).into_iter().flatten() {
            if next == to {
                return true;
            }
            if !seen.contains(next) {
                seen.push(next.clone());
                if reaches(edges, next, to, seen) {
                    return true;
                }
            }
        }
        false
    }
    for (name, _) in FLOORS {
        assert!(!reaches(&edges, name, name, &mut Vec::new()), "{name} imports itself by way of others");
    }
}

#[test]
fn files_are_short() {
    let mut lengths = Vec::new();
    for (path, text) in sources() {
        let lines = text.split("#[cfg(test)]\nmod tests").next().unwrap_or(&text).lines().count();
        assert!(lines <= 500, "{} has {lines} lines before its tests", path.display());
        lengths.push(lines);
    }
    lengths.sort_unstable();
    let median = lengths[lengths.len() / 2];
    assert!(median <= 150, "the median file has {median} lines");
}

#[test]
fn only_the_edge_prints_prompts_and_reads_the_environment() {
    let forbidden = [
        "println!",
        "eprintln!",
        "print!(",
        "std::env",
        "env::var",
        "env::args",
        "io::stdout",
        "io::stderr",
        "io::stdin",
        "Timestamp::now",
        "SystemTime::now",
        "Instant::now",
        "dialoguer",
        "indicatif",
        "process::exit",
    ];
    // The one real clock; the simulator's own, which is part of the world it plays; and its thread's start.
    let allowed = [("src/clock.rs", "Timestamp::now"), ("src/simulator/clock.rs", "Instant::now")];
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        if matches!(module(&path).as_str(), "cli" | "main") {
            continue;
        }
        for word in forbidden {
            let excused = allowed.iter().any(|(file, excuse)| path == Path::new(file) && *excuse == word);
            if code(&text).contains(word) && !excused {
                wrong.push(format!("{}: {word}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn only_the_cloudflare_wing_knows_cloudflare() {
    let facts = ["/zones", "/accounts", "/user/tokens", "dns_records", "X-Auth", "api.cloudflare.com", "10000", "9109"];
    // The edge names the API's public address, and help texts say which permissions a token needs.
    let allowed = ["src/cli/session/connect.rs", "src/cli/plan.rs", "src/cli/rehearse"];
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let excused = module(&path) == "cloudflare"
            || allowed.iter().any(|file| path.starts_with(file) || path == Path::new(file));
        for fact in facts {
            if code(&text).contains(fact) && !excused {
                wrong.push(format!("{}: {fact}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn clients_and_processes_are_made_in_named_files_only() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let code = code(&text);
        if (code.contains("reqwest::Client") || code.contains("Client::builder"))
            && path != Path::new("src/cloudflare/api/http.rs")
            && !path.starts_with("src/cloudflare/api")
            && path != Path::new("src/outside/web.rs")
        {
            wrong.push(format!("{} makes an HTTP client", path.display()));
        }
        if code.contains("Command::new") && path != Path::new("src/outside/process.rs") {
            wrong.push(format!("{} starts a process", path.display()));
        }
        if (code.contains(".intend(") || code.contains(".intend_delivery("))
            && !path.starts_with("src/engine")
            && !path.starts_with("src/journal")
        {
            wrong.push(format!("{} asks for a warrant", path.display()));
        }
        if code.contains("Warrant::new") && path != Path::new("src/journal/file.rs") {
            wrong.push(format!("{} makes a warrant", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn texts_name_only_commands_that_exist() {
    let mut named = BTreeMap::new();
    for (path, text) in sources() {
        for (at, start) in text.match_indices("`quell ") {
            let rest = &text[at + start.len()..];
            let word: String = rest.chars().take_while(char::is_ascii_lowercase).collect();
            named.insert(word, path.clone());
        }
    }
    named.remove("");
    assert!(named.len() > 5, "{named:?}");
    for (word, path) in named {
        let mut help = std::process::Command::new(env!("CARGO_BIN_EXE_quell"));
        let is_known = help.args([&word, "--help"]).output().unwrap().status.success();
        assert!(is_known, "{} names `quell {word}`, which there is not", path.display());
    }
}

#[test]
fn no_test_file_is_forgotten() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    let main = fs::read_to_string(dir.join("main.rs")).unwrap();
    for entry in fs::read_dir(&dir).unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().into_owned();
        if let Some(name) = name.strip_suffix(".rs").filter(|name| *name != "main") {
            assert!(main.contains(&format!("mod {name};")), "tests/it/{name}.rs is not in tests/it/main.rs");
        }
    }
}
