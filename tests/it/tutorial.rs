//! `docs/tutorial.md` and `docs/crash.md` are run as they stand: files are written, commands typed at a terminal, and what
//! is shown is seen.
//!
//! ````text
//! ```toml FILE        the file, from its beginning
//! ```toml >> FILE     more, at its end
//! ```diff FILE        lines that are taken out of it and put in
//! ```console          `$ COMMAND`; then, line by line, what it prints (`…`: anything) and what is typed at its prompts
//! ```console POINT    the same, and the process is killed at that point
//! ```text             not held against anything
//! ````

use std::path::Path;
use std::process::Command;

use crate::scene::Scene;
use crate::terminal::typist::Typist;

#[tokio::test(flavor = "multi_thread")]
async fn the_tutorial_does_what_it_says() {
    let scene = Scene::new().await;
    let (files, commands) = walk(&scene, "tutorial.md", &|block| talk(&scene, block, None));
    assert!(files >= 2 && commands >= 15, "only {files} files and {commands} commands");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_goes_as_it_is_told() {
    let scene = Scene::new().await;
    // It crashes the runbook of the tutorial.
    walk(&scene, "tutorial.md", &|_| 0);
    let (_, commands) = walk(&scene, "crash.md", &|block| talk(&scene, block, None));
    assert!(commands >= 5, "only {commands} commands");
}

/// Goes through a page: writes its files and types its commands; how many there were of each.
fn walk(scene: &Scene, page: &str, types: &dyn Fn(&str) -> usize) -> (usize, usize) {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(page)).unwrap();
    let (mut files, mut commands) = (0, 0);
    for (info, body) in blocks(&text) {
        match info.split_whitespace().collect::<Vec<_>>().as_slice() {
            ["toml", name] => {
                files += 1;
                scene.write(name, body);
            }
            ["toml", ">>", name] => {
                let before = std::fs::read_to_string(scene.path(name)).unwrap();
                scene.write(name, &format!("{before}\n{body}"));
            }
            ["diff", name] => {
                let before = std::fs::read_to_string(scene.path(name)).unwrap();
                scene.write(name, &changed(&before, body));
            }
            ["console"] => commands += types(body),
            ["console", point] => commands += talk(scene, body, Some(point)),
            ["sh" | "text"] => {}
            other => panic!("a block of `{other:?}`: nobody knows whether it is true"),
        }
    }
    (files, commands)
}

/// The fenced blocks of a page: what stands behind the fence, and what is in it.
fn blocks(page: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    let mut rest = page;
    while let Some((_, after)) = rest.split_once("\n```") {
        let (info, after) = after.split_once('\n').unwrap();
        let (body, after) = after.split_at(after.find("\n```").unwrap() + 1);
        found.push((info, body));
        rest = &after["```".len()..];
    }
    found
}

/// A file with the change that a diff without places describes.
fn changed(file: &str, diff: &str) -> String {
    let side = |sign: char| -> String {
        let of_it = diff.lines().filter(|line| line.is_empty() || line.starts_with([' ', sign]));
        of_it.map(|line| format!("{}\n", line.get(1..).unwrap_or_default())).collect()
    };
    let (old, new) = (side('-'), side('+'));
    assert_eq!(file.matches(&old).count(), 1, "where does this belong?\n{old}\n--- in\n{file}");
    file.replacen(&old, &new, 1)
}

/// Types the commands of a block, one after the other; how many there were. Where a point is named, the process dies there.
fn talk(scene: &Scene, block: &str, killed: Option<&str>) -> usize {
    let mut code = None;
    let mut commands = 0;
    let mut lines = block.lines().peekable();
    while let Some(line) = lines.next() {
        let command = line.strip_prefix("$ ").unwrap_or_else(|| panic!("`{line}` stands behind no command"));
        commands += 1;
        if command == "echo $?" {
            let wanted = lines.next().unwrap();
            assert_eq!(code, Some(wanted.parse().unwrap()), "exit code before `{wanted}`\n{block}");
            continue;
        }
        let mut process = quell(scene, command);
        process.envs(killed.map(|point| ("QUELL_CRASH_AT", point)));
        let mut typist = Typist::at(process);
        let mut shown = String::new();
        while let Some(line) = lines.next_if(|line| !line.starts_with("$ ")) {
            if let Some((label, typed)) = prompted(line) {
                sees(&mut typist, &mut shown);
                typist.sees(&format!("\n{label}> "));
                typist.types(typed);
                continue;
            }
            for (at, part) in line.split('…').enumerate() {
                match at {
                    0 if shown.is_empty() => {}
                    0 => shown.push_str("\r\n"),
                    _ => sees(&mut typist, &mut shown),
                }
                shown.push_str(part);
            }
            if line.ends_with('…') {
                sees(&mut typist, &mut shown);
            }
        }
        sees(&mut typist, &mut shown);
        if killed.is_some() {
            typist.dies();
            continue;
        }
        let ended = typist.leaves();
        assert!(ended == 0 || lines.peek() == Some(&"$ echo $?"), "{command} ends with {ended}\n{}", typist.screen);
        code = Some(ended);
    }
    commands
}

/// Waits for lines that stand on the page one below the other.
fn sees(typist: &mut Typist, shown: &mut String) {
    let lines = std::mem::take(shown);
    if !lines.trim().is_empty() {
        typist.sees(lines.trim_end());
    }
}

/// A line at a prompt: its label, and what is typed.
fn prompted(line: &str) -> Option<(&str, &str)> {
    let (label, typed) = line.split_once("> ")?;
    let is_label = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c);
    (!label.is_empty() && label.chars().all(is_label)).then_some((label, typed))
}

/// The binary, as the reader calls it. What would go to the real account goes to the simulated one of the scene.
fn quell(scene: &Scene, line: &str) -> Command {
    let mut args: Vec<String> = Vec::new();
    for (at, part) in line.split('\'').enumerate() {
        match (at % 2, args.last_mut()) {
            (1, Some(last)) => last.push_str(part),
            _ => args.extend(part.split_whitespace().map(str::to_owned)),
        }
    }
    assert_eq!(args.remove(0), "quell", "`{line}`");
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let mut command = if args[0] == "plan" { scene.command(&args) } else { scene.bare(&args) };
    command.env("LANG", "C.UTF-8");
    command
}
