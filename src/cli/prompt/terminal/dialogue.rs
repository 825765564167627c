//! The talk that goes on at every prompt: read a line, see to the common verbs, let the prompt judge the rest.

use std::time::Duration;

use super::Terminal;
use crate::cli::console::wrap;
use crate::cli::prompt::Typed;
use crate::cli::prompt::inspect::inspected;
use crate::cli::prompt::verb::Verb;
use crate::engine::Reply;
use crate::journal::PlannedStep;
use crate::model::Effect;

/// What a prompt is about.
pub(super) struct Prompted<'p> {
    label: &'p str,
    effects: Vec<&'p Effect>,
    is_consent: bool,
    /// The step that `skip` would leave undone.
    skipped: Option<&'p PlannedStep>,
    /// Whether it is about work by hand, of which it is said what becomes of it.
    is_hand: bool,
}

impl<'p> Prompted<'p> {
    /// A prompt whose answer lets something happen: what was typed before it, or pasted into it, does not count.
    pub(super) const fn consent(label: &'p str, effects: Vec<&'p Effect>) -> Self {
        Self { label, effects, is_consent: true, skipped: None, is_hand: false }
    }

    /// Any other prompt: of several lines pasted into it the first counts.
    pub(super) const fn plain(label: &'p str, effects: Vec<&'p Effect>) -> Self {
        Self { label, effects, is_consent: false, skipped: None, is_hand: false }
    }

    /// At this prompt `skip` leaves the whole step undone.
    pub(super) fn of(self, step: &'p PlannedStep) -> Self {
        Self { skipped: Some(step), ..self }
    }

    /// At this prompt work by hand is asked for.
    pub(super) fn by_hand(self) -> Self {
        Self { is_hand: true, ..self }
    }

    /// What a person should hear before the step is skipped; `Err` where it may not be.
    fn before_skip(&self) -> Result<Option<String>, String> {
        if self.is_hand {
            return Err("what becomes of work by hand is said: `keep REASON`, it stays as it is, and its finding is \
                        accepted; or `later OWNER`, it stays open"
                .to_owned());
        }
        let Some(step) = self.skipped else { return Ok(None) };
        if !step.skippable {
            return Err("this step may not be skipped: do it, or `pause`, or `abort REASON`".to_owned());
        }
        if step.needed_by.is_empty() {
            return Ok(None);
        }
        let names: Vec<String> = step.needed_by.iter().map(|id| format!("`{id}`")).collect();
        let build = if names.len() == 1 { "builds" } else { "build" };
        Ok(Some(format!("{} {build} on this step", names.join(", "))))
    }
}

/// What a prompt makes of a line.
pub(super) enum Judged<T> {
    /// It is the answer.
    Take(T),
    /// Say this and ask again.
    Again(String),
}

/// What came of waiting for a line.
pub(super) enum Heard {
    /// A line.
    Line(String),
    /// Several at once, at a prompt where that does not count; they are gone.
    Pasted,
    /// An interrupt, or nobody is there any more.
    Stop,
}

/// The answer in a reply, or the verb in its place.
pub(super) fn answer<T, U>(reply: Reply<T>) -> Result<T, Reply<U>> {
    Err(match reply {
        Reply::Go(answer) => return Ok(answer),
        Reply::Skip(reason) => Reply::Skip(reason),
        Reply::Note(kind, text) => Reply::Note(kind, text),
        Reply::Pause => Reply::Pause,
        Reply::Abort(reason) => Reply::Abort(reason),
        Reply::Missing(what) => Reply::Missing(what),
    })
}

/// Longest wait for the signal that comes with the loss of the terminal.
const HANG_UP: Duration = Duration::from_secs(1);

const HELP: &[(&str, &str)] = &[
    ("skip REASON", "leave this, with the reason on record"),
    ("inspect [NUMBER]", "the exact request and the target as it is, whole; of one row"),
    ("note TEXT", "write something into the journal, then ask again"),
    ("decide TEXT", "the same for a decision: it stands among the decisions of the report"),
    ("todo TEXT", "the same for something that is still to be done: an action item of the report"),
    ("update TEXT", "the same for a status update that was given to others"),
    ("pause", "stop here; `quell resume` goes on at this prompt. Ctrl-D and Ctrl-C do the same"),
    ("abort REASON", "end the run; shows what is left in which state, and asks once more"),
    ("= TEXT", "where text is asked for: TEXT, though it begins like one of these"),
];

impl Terminal {
    /// Reads lines until one is the answer, or ends the prompt.
    pub(super) async fn talk<T: Send>(
        &self,
        prompted: &Prompted<'_>,
        judge: impl FnMut(&str) -> Judged<T> + Send,
    ) -> Reply<T> {
        self.talk_from(None, prompted, judge).await
    }

    /// The same, where the first line has come already.
    pub(super) async fn talk_from<T: Send>(
        &self,
        mut first: Option<String>,
        prompted: &Prompted<'_>,
        mut judge: impl FnMut(&str) -> Judged<T> + Send,
    ) -> Reply<T> {
        let _held = self.screen.hold();
        self.tell_time();
        let mut warned = false;
        loop {
            let heard = match first.take() {
                Some(line) => Heard::Line(line),
                None => self.hear(prompted.label, prompted.is_consent).await,
            };
            let line = match heard {
                Heard::Line(line) => line,
                Heard::Pasted => {
                    self.say("several lines came at once, so none of them was taken; type the answer");
                    continue;
                }
                Heard::Stop => return Reply::Pause,
            };
            if line.chars().any(char::is_control) {
                self.say("the line holds keys that are not text, so it was not taken; type it again");
                continue;
            }
            match Verb::parse(&line) {
                Some(Verb::Skip(reason)) => match prompted.before_skip() {
                    Err(why) => self.say(&why),
                    Ok(Some(broken)) if !warned => {
                        warned = true;
                        self.say(&format!("{broken}; to skip it all the same, say so once more"));
                    }
                    Ok(_) => return Reply::Skip(reason),
                },
                Some(Verb::Note(kind, text)) => return Reply::Note(kind, text),
                Some(Verb::Pause) => return Reply::Pause,
                Some(Verb::Abort(reason)) => match self.confirm_abort().await {
                    Some(true) => return Reply::Abort(reason),
                    Some(false) => self.say("the run goes on"),
                    None => return Reply::Pause,
                },
                Some(Verb::Inspect(row)) => self.inspect(&prompted.effects, row),
                Some(Verb::Help) => {
                    self.help();
                    if let Judged::Again(expected) = judge("") {
                        self.say(&expected);
                    }
                }
                Some(Verb::Lacking(how)) => self.say(&format!("more is needed: `{how}`")),
                Some(Verb::Run) | None => match judge(&line) {
                    Judged::Take(answer) => return Reply::Go(answer),
                    Judged::Again(why) => self.say(&why),
                },
            }
        }
    }

    /// Waits for a line, or for the interrupt.
    pub(super) async fn hear(&self, label: &str, is_consent: bool) -> Heard {
        tokio::select! {
            biased;
            () = self.interrupt.raised() => Heard::Stop,
            heard = self.read(label, is_consent) => heard,
        }
    }

    /// Waits for a line, and for nothing else.
    pub(super) async fn hear_on(&self, label: &str) -> Heard {
        self.read(label, true).await
    }

    async fn read(&self, label: &str, is_consent: bool) -> Heard {
        if is_consent {
            self.keys.discard();
        }
        self.line(Some(&format!("{}>", self.screen.style().show(label))), is_consent).await
    }

    /// Waits for a line, at a prompt or at none. An update that falls due is said meanwhile.
    pub(super) async fn line(&self, prompt: Option<&str>, is_consent: bool) -> Heard {
        let ask = || prompt.into_iter().for_each(|prompt| self.screen.prompt(prompt));
        ask();
        let mut typed = self.keys.line();
        let typed = loop {
            tokio::select! {
                biased;
                typed = &mut typed => break typed,
                reminder = self.update_falls_due() => {
                    self.screen.say(&reminder);
                    ask();
                }
            }
        };
        let line = match typed {
            Typed::Line(line) => line,
            Typed::End => return Heard::Stop,
            Typed::Gone => {
                // The hang-up that took the terminal tells the engine why to stop; it is on its way.
                let _ = tokio::time::timeout(HANG_UP, self.interrupt.raised()).await;
                return Heard::Stop;
            }
        };
        if !self.keys.more().await {
            self.screen.typed();
            return Heard::Line(line);
        }
        // What was pasted may stand behind the prompt without a line end, so what is said next begins on a line anew.
        self.keys.discard();
        if is_consent {
            return Heard::Pasted;
        }
        self.say("several lines came at once; only the first was taken");
        Heard::Line(line)
    }

    /// Shows what is left and asks once more. `None` where the person is gone.
    async fn confirm_abort(&self) -> Option<bool> {
        let style = self.screen.style();
        self.screen.say(&format!("\n{}", style.heading("ending the run leaves this")));
        self.screen.say(&self.standing.text(&style));
        self.say("type `abort` once more to end the run; anything else goes on with it");
        match self.hear("abort", true).await {
            Heard::Line(line) => Some(line.trim() == "abort"),
            Heard::Pasted => Some(false),
            Heard::Stop => None,
        }
    }

    fn inspect(&self, effects: &[&Effect], row: Option<usize>) {
        let style = self.screen.style();
        match inspected(effects, row, &style) {
            Ok(text) => self.screen.say(&text),
            Err(why) => self.say(&why),
        }
    }

    fn help(&self) {
        let style = self.screen.style();
        for (verb, meaning) in HELP {
            for line in wrap(&format!("{verb}: {meaning}"), style.columns(), "  ", "      ") {
                self.screen.say(&line);
            }
        }
        self.say("a prompt waits as long as it takes: nothing is a yes by default, and nothing times out into one");
    }

    /// Says a message, which may be a whole screen that is laid out already.
    pub(super) fn say(&self, message: &str) {
        if message.contains('\n') {
            return self.screen.say(message);
        }
        let style = self.screen.style();
        for line in wrap(&style.show(message), style.columns(), "", "  ") {
            self.screen.say(&line);
        }
    }
}
