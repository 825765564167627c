//! The command itself: exit codes, what goes where, and files that are none.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::{drill, inventory, step};
use crate::scene::{Ran, ran};

/// Runs `quell runbooks …` in `dir`, with nothing of the machine in its environment.
fn runbooks(dir: &Path, args: &[&str]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_quell"));
    command.arg("runbooks").args(args).env_clear().env("HOME", dir).current_dir(dir);
    ran(command.stdin(std::process::Stdio::null()))
}

fn check(bytes: &[u8]) -> Ran {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("drill.toml"), bytes).unwrap();
    runbooks(dir.path(), &["check", "drill.toml"])
}

#[test]
fn the_embedded_runbook_is_listed_shown_and_sound() {
    let dir = tempfile::tempdir().unwrap();
    let name = "cloudflare-token-compromise";
    let checked = runbooks(dir.path(), &["check", name]).expect(0);
    assert!(checked.stderr.contains("embedded: 0 errors, 0 warnings"), "{}", checked.stderr);
    let list = runbooks(dir.path(), &["list"]).expect(0).stdout;
    assert!(list.contains(name) && list.contains("A Cloudflare API token is in the wrong hands"), "{list}");
    let shown = runbooks(dir.path(), &["show", name]).expect(0).stdout;
    for part in ["suspect", "1. own-credential", "rotate", "irreversible", "firewall-settle"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
}

#[test]
fn mistakes_go_to_stderr_with_their_number() {
    let ran = check(drill(&(inventory() + &step("look", "action = \"cloudflare.whoamy\""))).as_bytes()).expect(10);
    assert_eq!(ran.stdout, "");
    for part in ["error[R007]", "drill.toml:16:10", "did you mean `cloudflare.whoami`?", "1 error, 0 warnings"] {
        assert!(ran.stderr.contains(part), "{part}: {}", ran.stderr);
    }
}

#[test]
fn a_document_has_every_mistake_with_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let text = drill(&step("run", "action = \"cloudflare.whoamy\""));
    fs::write(dir.path().join("drill.toml"), text).unwrap();
    let document = runbooks(dir.path(), &["check", "drill.toml", "--json"]).expect(10).json();
    assert_eq!(document["schema"], "quell.check/1");
    assert_eq!(document["errors"], 2);
    let places: Vec<_> = document["problems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|problem| {
            (problem["code"].as_str().unwrap(), problem["line"].as_u64().unwrap(), problem["column"].as_u64().unwrap())
        })
        .collect();
    assert_eq!(places, [("R020", 6, 6), ("R007", 9, 10)]);
}

#[test]
fn a_file_that_is_no_text_says_where() {
    let mut bytes = drill(&inventory()).into_bytes();
    let at = bytes.windows(4).position(|window| window == b"Look").unwrap();
    bytes[at] = 0xff;
    let ran = check(&bytes).expect(10);
    assert!(ran.stderr.contains("drill.toml is not UTF-8 text: line 8, byte 10"), "{}", ran.stderr);
    // As Windows' Notepad saves what it calls Unicode.
    let wide: Vec<u8> = "\u{feff}schema = 1\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let ran = check(&wide).expect(10);
    assert!(ran.stderr.contains("line 1, byte 1") && ran.stderr.contains("save it as UTF-8"), "{}", ran.stderr);
}

#[test]
fn a_file_that_is_too_long_is_refused_at_once() {
    let ran = check("# x\n".repeat(5 << 18).as_bytes()).expect(10);
    assert!(ran.stderr.contains("is longer than a runbook may be"), "{}", ran.stderr);
    #[cfg(unix)]
    {
        let dir = tempfile::tempdir().unwrap();
        let endless = runbooks(dir.path(), &["check", "/dev/zero"]).expect(10);
        assert!(endless.stderr.contains("is longer than a runbook may be"), "{}", endless.stderr);
    }
}

#[test]
fn what_cannot_be_read_is_not_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let name = "cloudflare-token-compromise";
    for wanted in ["nowhere.toml", "./nowhere", "."] {
        let wanted = if wanted == "." { format!("{}/", dir.path().display()) } else { wanted.to_owned() };
        let ran = runbooks(dir.path(), &["check", &wanted]).expect(2);
        assert!(ran.stderr.contains("cannot read the runbook") && ran.stderr.contains("hint: "), "{}", ran.stderr);
    }
    let ran = runbooks(dir.path(), &["check", "nosuch"]).expect(2);
    assert!(ran.stderr.contains("there is no runbook `nosuch`"), "{}", ran.stderr);
    // Something that is there under the name of the embedded one, and is no file: the embedded one is not what was meant.
    fs::create_dir_all(dir.path().join("runbooks").join(format!("{name}.toml"))).unwrap();
    let ran = runbooks(dir.path(), &["check", name]).expect(2);
    assert!(ran.stderr.contains("cannot read the runbook"), "{}", ran.stderr);
}

#[cfg(unix)]
#[test]
fn a_file_that_may_not_be_read() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("drill.toml");
    fs::write(&file, drill(&inventory())).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o000)).unwrap();
    // Permissions do not stop the superuser, who may run the tests.
    let code = if fs::read(&file).is_ok() { 0 } else { 2 };
    runbooks(dir.path(), &["check", "drill.toml"]).expect(code);
}

#[test]
fn a_name_that_acts_on_a_terminal_does_not() {
    let dir = tempfile::tempdir().unwrap();
    let name = "x\u{1b}[2J\u{202e}.toml";
    let missing = runbooks(dir.path(), &["check", name]).expect(2);
    fs::write(dir.path().join(name), drill(&step("look", "action = \"ask\"")).replace("Drill", "\\u001b[2J")).unwrap();
    let wrong = runbooks(dir.path(), &["check", name]).expect(10);
    let run = runbooks(dir.path(), &["show", name]).expect(10);
    fs::create_dir(dir.path().join("runbooks")).unwrap();
    let hostile = drill(&inventory()).replace("Drill", "\\u001b[2J\\u202e").replace("Look", "\\u001b[2J\\u202e");
    fs::write(dir.path().join("runbooks").join(name), &hostile).unwrap();
    fs::write(dir.path().join("hostile.toml"), &hostile).unwrap();
    let list = runbooks(dir.path(), &["list"]).expect(0);
    let shown = runbooks(dir.path(), &["show", "hostile.toml"]).expect(0);
    for ran in [missing, wrong, run, list, shown] {
        let all = ran.stdout + &ran.stderr;
        assert!(!all.contains(['\u{1b}', '\u{202e}']), "{all:?}");
        assert!(all.contains("u{202e}") || all.contains("u{1b}"), "{all}");
    }
}

#[test]
fn a_code_is_explained() {
    let home = tempfile::tempdir().unwrap();
    let explain = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_quell"));
        command.arg("explain").args(args).env_clear().env("HOME", home.path());
        ran(command.stdin(std::process::Stdio::null()))
    };
    let said = explain(&["r018"]).expect(0).stdout;
    assert!(said.starts_with("warning R018: A step that can change something does not say why."), "{said}");
    let document = explain(&["R014", "--json"]).expect(0).json();
    assert_eq!((&document["code"], &document["severity"]), (&"R014".into(), &"error".into()));
    let unknown = explain(&["R999"]).expect(2).stderr;
    assert!(unknown.contains("there is no code `R999`") && unknown.contains("from R001 to R032"), "{unknown}");
}
