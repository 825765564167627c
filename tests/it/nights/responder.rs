//! A responder at the terminal, who answers by what is asked: by the prompt's step and what stands above it, and never by
//! how many prompts came before.

use std::process::Command;

use crate::scene::Scene;
use crate::terminal::typist::Typist;

/// Said where no row is wanted.
const NONE: &str = "skip none of these is to be cut";

/// A prompt that waits for an answer.
#[derive(Debug)]
pub(crate) struct Asked {
    /// What stands before the `>`.
    pub(crate) label: String,
    /// What was printed since the prompt before.
    pub(crate) above: String,
}

impl Asked {
    /// The id of the step: without its group and its round.
    pub(crate) fn step(&self) -> &str {
        let id = self.label.rsplit('/').next().unwrap_or_default();
        id.split(['#', '[']).next().unwrap_or_default()
    }

    /// What stands above it, however it was wrapped.
    pub(crate) fn text(&self) -> String {
        self.above.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    pub(crate) fn says(&self, words: &str) -> bool {
        self.text().contains(words)
    }

    /// What stands between two texts, the last time.
    fn between(&self, begin: &str, end: &str) -> Option<String> {
        let text = self.text();
        let from = text.rfind(begin)? + begin.len();
        let rest = &text[from..];
        Some(rest[..rest.find(end).unwrap_or(rest.len())].trim().to_owned())
    }

    /// Rows of a list to choose from: whether it is chosen, its number, and the line.
    fn rows(&self) -> Vec<(bool, &str, &str)> {
        let rows = self.above.lines().filter_map(|line| {
            let line = line.trim_end();
            let (is_chosen, rest) = match line.strip_prefix("[x] ") {
                Some(rest) => (true, rest),
                None => (false, line.strip_prefix("[ ] ")?),
            };
            let (number, rest) = rest.trim_start().split_once(' ')?;
            Some((is_chosen, number, rest.trim_start()))
        });
        rows.collect()
    }
}

/// What a night's responder says where the screen alone does not tell.
pub(crate) trait Mind {
    /// An input, by its name.
    fn input(&self, name: &str) -> Option<&str>;

    /// Which option of a decision, by the id of the step.
    fn option(&self, step: &str) -> Option<&str> {
        match step {
            "own-sound" => Some("sound"),
            "pace" => Some("evidence-first"),
            _ => None,
        }
    }

    /// Whether a row of a list is chosen; it begins with the target's name.
    fn wants(&self, step: &str, row: &str) -> bool;

    /// Who sees to what was not chosen.
    fn left(&self, step: &str) -> &str;

    /// Does a piece of work by hand, by the command line that is shown where one is, and says what became of it.
    fn works(&mut self, asked: &Asked, shown: Option<&str>) -> String;

    /// A free answer, or what the screen does not settle.
    fn answers(&mut self, asked: &Asked) -> Option<String>;
}

/// Runs a command line as it was shown, in a shell with the responder's credential.
#[track_caller]
pub(crate) fn runs(scene: &Scene, shown: &str) {
    let mut shell = Command::new("sh");
    shell
        .args(["-c", shown])
        .env("CLOUDFLARE_BASE_URL", scene.simulator.base_url())
        .env("CLOUDFLARE_API_TOKEN", &scene.scenario.cast.responder_token);
    let output = shell.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && !said.contains("\"success\":false"), "{shown}\n{said}\n{output:?}");
}

/// Somebody at the terminal.
pub(crate) struct Responder<M> {
    pub(crate) typist: Typist,
    pub(crate) mind: M,
}

impl<M: Mind> Responder<M> {
    /// Answers prompt after prompt until one is `wanted`, which is left open.
    #[track_caller]
    pub(crate) fn until(&mut self, wanted: impl Fn(&Asked) -> bool) -> Asked {
        loop {
            let Some(asked) = self.asked() else { panic!("it ended before\n{}", self.typist.screen) };
            if wanted(&asked) {
                return asked;
            }
            self.answer(&asked);
        }
    }

    /// Answers every prompt; the exit code.
    #[track_caller]
    pub(crate) fn ends(&mut self) -> i32 {
        while let Some(asked) = self.asked() {
            self.answer(&asked);
        }
        self.typist.leaves()
    }

    #[track_caller]
    fn asked(&mut self) -> Option<Asked> {
        self.typist.is_asked().map(|(label, above)| Asked { label, above })
    }

    #[track_caller]
    pub(crate) fn answer(&mut self, asked: &Asked) {
        let line = self.line(asked);
        self.typist.types(&line);
    }

    #[track_caller]
    fn line(&mut self, asked: &Asked) -> String {
        let step = asked.step().to_owned();
        if let Some(line) = self.mind.answers(asked) {
            return line;
        }
        if let Some(line) = self.mind.input(&asked.label) {
            return line.to_owned();
        }
        if asked.says("to skip it all the same, say so once more") {
            return NONE.to_owned();
        }
        if asked.says("Which one?") {
            let option = self.mind.option(&step);
            return option.unwrap_or_else(|| panic!("which one?\n{}", asked.above)).to_owned();
        }
        if asked.says("(for the record)") {
            return "as agreed on the bridge".to_owned();
        }
        // Optional: who agreed, what was done, the file that shows it.
        if ["Who agreed?", "what was done, in a line", "path of a file"].iter().any(|words| asked.says(words)) {
            return String::new();
        }
        if asked.says("go on with the rest? y/N") || asked.says("do it? y/N") {
            return "y".to_owned();
        }
        if asked.says("done [NAME]") {
            // What a second look asks about may be a colleague's: only what the mind knows of is put back.
            let is_last = asked.step() == "recheck";
            let mut lines = asked.above.lines().map(str::trim).filter(|_| !is_last);
            let shown = lines.find(|line| line.starts_with("curl ") && !line.contains(" -X GET "));
            return self.mind.works(asked, shown);
        }
        if let Some(phrase) = asked.between("so type `", "` to do it") {
            return phrase;
        }
        if asked.says("add `for all`") {
            return format!("{} for all", self.mind.left(&step));
        }
        if asked.says("to choose, or no longer") {
            return self.chooses(asked, &step);
        }
        if let Some(phrase) = asked.between("to do it: ", " or: skip") {
            return phrase;
        }
        panic!("what is to be said?\n[{}]\n{}", asked.label, asked.above)
    }

    fn chooses(&self, asked: &Asked, step: &str) -> String {
        let rows = asked.rows();
        // Once rows were chosen, what is chosen is said, and the rows are not shown again.
        assert!(!rows.is_empty() || asked.says("to see all rows again: list"), "{}", asked.above);
        let wrong = rows.iter().filter(|(is_chosen, _, row)| *is_chosen != self.mind.wants(step, row));
        let wrong: Vec<&str> = wrong.map(|(_, number, _)| *number).collect();
        if !wrong.is_empty() {
            return wrong.join(" ");
        }
        let phrase = asked.between("to do it, type: ", " or: skip");
        let none = || asked.between("say what becomes of every one: ", " or: skip");
        phrase.or_else(none).unwrap_or_else(|| NONE.to_owned())
    }
}
