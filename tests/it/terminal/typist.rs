//! Somebody who types at the real binary in a pseudo-terminal, and reads what it prints.

use std::process::{Command, Stdio};
use std::time::Duration;

use expectrl::process::unix::WaitStatus;
use expectrl::session::OsSession;
use expectrl::{Any, ControlCode, Eof, Expect, Regex};

use crate::scene::Scene;

/// Long enough for a loaded machine; no test waits for it unless it fails.
const PATIENCE: Duration = Duration::from_secs(120);

pub(crate) struct Typist {
    session: OsSession,
    /// Everything that was printed up to the last thing waited for.
    pub(crate) screen: String,
}

impl Typist {
    /// Sits down at a terminal of 80 columns without colour.
    pub(crate) fn at(mut command: Command) -> Self {
        command.env("TERM", "xterm").env("NO_COLOR", "1");
        Self::sits_down(command, 80)
    }

    /// Sits down at a terminal of so many columns, of the kind that the command's environment says. The terminal has its
    /// width before the command begins: set from outside, it may come after the first line.
    pub(crate) fn of(command: &Command, columns: u16) -> Self {
        let mut sized = Command::new("sh");
        sized.args(["-c", &format!("stty cols {columns} && exec \"$@\""), "sh"]).arg(command.get_program());
        sized.args(command.get_args()).env_clear();
        sized.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        sized.current_dir(command.get_current_dir().unwrap());
        Self::sits_down(sized, columns)
    }

    fn sits_down(mut command: Command, columns: u16) -> Self {
        command.stdin(Stdio::inherit());
        let mut session = OsSession::spawn(command).unwrap();
        session.get_process_mut().set_window_size(columns, 45).unwrap();
        // As at a real terminal, so that a secret that is echoed is seen.
        session.get_process_mut().set_echo(true, None).unwrap();
        session.set_expect_timeout(Some(PATIENCE));
        Self { session, screen: String::new() }
    }

    /// Reads until `text` is printed; what was printed before it since the last wait is returned.
    #[track_caller]
    pub(crate) fn sees(&mut self, text: &str) -> String {
        match self.session.expect(text) {
            Ok(found) => {
                let before = String::from_utf8_lossy(found.before()).into_owned();
                self.screen.push_str(&before);
                self.screen.push_str(text);
                before
            }
            Err(error) => {
                let mut rest = [0; 16384];
                let length = self.session.try_read(&mut rest).unwrap_or_default();
                let rest = String::from_utf8_lossy(&rest[..length]).into_owned();
                panic!("`{text}` did not come: {error}\n{}\n---- unread:\n{rest}", self.screen)
            }
        }
    }

    /// Waits for the prompt of `label` and types a line; returns what stood above the prompt.
    #[track_caller]
    pub(crate) fn answers(&mut self, label: &str, line: &str) -> String {
        let above = self.sees(&format!("\n{label}> "));
        self.types(line);
        above
    }

    /// Waits for a prompt, whatever it asks: its label, and what was printed before it since the last wait. `None` where the
    /// process ends instead.
    #[track_caller]
    pub(crate) fn is_asked(&mut self) -> Option<(String, String)> {
        let prompt_or_end = Any::boxed(vec![Box::new(Regex(r"\n([a-z][a-z0-9_/#\[\]-]*)> ")), Box::new(Eof)]);
        let found = match self.session.expect(prompt_or_end) {
            Ok(found) => found,
            Err(error) => panic!("no prompt came: {error}\n{}", self.screen),
        };
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let label = found.get(1).map(text);
        let above = text(found.before());
        self.screen.push_str(&above);
        self.screen.push_str(&text(found.get(0).unwrap_or_default()));
        Some((label?, above))
    }

    /// Reads until `text` is printed, a few bytes at a time, as over a slow line.
    #[track_caller]
    pub(crate) fn sees_slowly(&mut self, text: &str) {
        let (begun, from) = (std::time::Instant::now(), self.screen.len());
        let mut few = [0; 16];
        while !self.screen[from..].contains(text) {
            assert!(begun.elapsed() < PATIENCE, "`{text}` did not come\n{}", self.screen);
            let length = self.session.try_read(&mut few).unwrap_or_default();
            self.screen.extend(few[..length].iter().map(|byte| char::from(*byte)));
            // 9,600 baud.
            std::thread::sleep(Duration::from_millis(16));
        }
    }

    pub(crate) fn types(&mut self, line: &str) {
        self.session.send_line(line).unwrap();
    }

    /// Types the beginning of a line.
    pub(crate) fn half_types(&mut self, text: &str) {
        self.session.send(text).unwrap();
    }

    /// Types a secret at its prompt, once the terminal has stopped to echo: what is typed before is thrown away.
    #[track_caller]
    pub(crate) fn types_secret(&mut self, label: &str, secret: &str) {
        self.sees(label);
        let waits = std::time::Instant::now();
        while self.session.get_process().get_echo().unwrap() {
            assert!(waits.elapsed() < PATIENCE, "the secret would be echoed\n{}", self.screen);
            std::thread::yield_now();
        }
        self.types(secret);
        // The prompt is shown again when it is answered.
        self.sees("[hidden]");
    }

    pub(crate) fn presses(&mut self, key: ControlCode) {
        self.session.send(key).unwrap();
    }

    /// Of the process at the terminal.
    pub(crate) fn pid(&self) -> i32 {
        self.session.get_process().pid().as_raw()
    }

    /// Waits for the end of one that was killed.
    #[track_caller]
    pub(crate) fn dies(&mut self) {
        let ended = self.session.get_process().wait().unwrap();
        assert!(matches!(ended, WaitStatus::Signaled(..)), "{ended:?}\n{}", self.screen);
    }

    /// Waits for everything that comes from now on for so long.
    pub(crate) fn is_patient(&mut self, patience: Duration) {
        self.session.set_expect_timeout(Some(patience));
    }

    /// Waits for the end; the exit code.
    #[track_caller]
    pub(crate) fn leaves(&mut self) -> i32 {
        let rest = self.session.expect(Eof).unwrap();
        self.screen.push_str(&String::from_utf8_lossy(rest.get(0).unwrap_or_default()));
        match self.session.get_process().wait().unwrap() {
            WaitStatus::Exited(_, code) => code,
            other => panic!("{other:?}\n{}", self.screen),
        }
    }

    /// No line is wider than the terminal: the terminal would break it wherever it happens to end. Command lines to be
    /// copied stand unbroken on purpose.
    #[track_caller]
    pub(crate) fn has_no_wide_line(&self, columns: usize) {
        let wide: Vec<&str> = self
            .screen
            .lines()
            .flat_map(|line| line.rsplit(['\r', '\u{1b}']).find(|part| !part.is_empty()))
            .map(|line| line.strip_prefix("[2K").unwrap_or(line))
            .filter(|line| line.chars().count() > columns && !line.contains("curl "))
            .collect();
        assert_eq!(wide, Vec::<&str>::new());
    }
}

/// A rehearsal in the state directory of `scene`, with nothing of the scene's own account.
pub(crate) fn rehearsal(scene: &Scene, args: &[&str]) -> Command {
    let mut all = vec!["rehearse"];
    all.extend(args);
    scene.bare(&all)
}
