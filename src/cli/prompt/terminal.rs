mod beside;
mod dialogue;
mod rows;
mod timers;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value};

use self::dialogue::{Heard, Judged, Prompted, answer};
use super::consent::{consented, typed_phrase};
use super::decision::decided;
use super::hand::{again_text, attested, check_again, expected};
use super::{
    Selection, TypedLines, answer_to, ask, consent_text, decision_text, failure_text, go_on_text, hand_text,
    question_text, unmet_text,
};
use crate::cli::console::{Screen, Standing};
use crate::clock::Clock;
use crate::engine::{
    AskRequest, Chosen, ConsentMode, ConsentRequest, DecisionRequest, FailureRequest, GoOnRequest, HandReply,
    HandRequest, Interrupt, Prepared, Prompter, Reply, SecondRequest, UnmetRequest, WaitRequest,
};
use crate::journal::{EffectDecision, FailureDecision, PlannedStep};
use crate::model::{Ask, Digest, Effect, EffectKey};
use crate::provider::BoxFuture;

/// Asks the person at the terminal.
pub struct Terminal {
    screen: Arc<Screen>,
    keys: Arc<dyn TypedLines>,
    interrupt: Interrupt,
    operator: String,
    standing: Standing,
    clock: Arc<dyn Clock>,
    /// What was last said of the run's clocks.
    told: Mutex<String>,
    /// Until when no more is said of a status update that is due.
    reminded: Mutex<Option<Timestamp>>,
    /// A selection that was being made when a note was written, with what it was made among.
    remembered: Mutex<Option<(Vec<Digest>, Selection)>>,
    /// The answers that were given before a note was written.
    answered: Mutex<Option<Answered>>,
    /// The work by hand that was shown before something was read again.
    checked: Mutex<Option<Digest>>,
    /// What was said of all work by hand that was left of a step.
    said_of_all: Mutex<Option<SaidOfAll>>,
}

/// What holds of all work by hand that was left of a step when it was said.
struct SaidOfAll {
    of: BTreeSet<EffectKey>,
    reply: HandReply,
}

/// A form that is filled in as far as it goes.
struct Answered {
    ask: Ask,
    /// How many of its questions are answered.
    number: usize,
    fields: Map<String, Value>,
}

impl Terminal {
    /// A prompter that shows on `screen` and reads from `keys`. `operator` attests work by hand where nobody else is
    /// named; `standing` is shown before a run is ended early, and its clocks by `clock` above the prompts.
    pub fn new(
        screen: Arc<Screen>,
        keys: Arc<dyn TypedLines>,
        interrupt: Interrupt,
        operator: String,
        standing: Standing,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            screen,
            keys,
            interrupt,
            operator,
            standing,
            clock,
            told: Mutex::default(),
            reminded: Mutex::default(),
            remembered: Mutex::default(),
            answered: Mutex::default(),
            checked: Mutex::default(),
            said_of_all: Mutex::default(),
        }
    }

    async fn consent_to_one(&self, request: &ConsentRequest<'_>, effect: &Effect) -> Reply<Chosen> {
        let prompted = Prompted::consent(request.step.path.as_str(), vec![effect]).of(request.step);
        self.screen.say(&consent_text(request, effect, &self.screen.style()));
        let phrase = typed_phrase(&request.mode, 1);
        let judge = |line: &str| match consented(&request.mode, line, 1) {
            Some(phrase) => Judged::Take(phrase),
            None if request.mode == ConsentMode::YesNo && matches!(line.trim(), "n" | "no" | "N") => {
                Judged::Again("not done; say why to leave it: `skip REASON`, or `pause` to stop here".to_owned())
            }
            None => Judged::Again(format!("nothing was done; type `{phrase}` to do it, or `skip REASON` to leave it")),
        };
        match answer(self.talk(&prompted, judge).await) {
            Ok(phrase) => Reply::Go(Chosen { effects: vec![effect.key.clone()], left: Vec::new(), phrase }),
            Err(other) => other,
        }
    }

    async fn attest(&self, request: &HandRequest<'_>) -> Reply<HandReply> {
        let id = request.step.path.as_str();
        if let Some(reply) = self.said_before(request) {
            return Reply::Go(reply);
        }
        let shown = request.effect.digest();
        let is_shown = self.checked.lock().unwrap_or_else(PoisonError::into_inner).take().as_ref() == Some(&shown);
        let style = self.screen.style();
        self.screen.say(&if is_shown {
            again_text(request, &self.operator, &style)
        } else {
            hand_text(request, &self.operator, &style)
        });
        let prompted = Prompted::plain(id, vec![request.effect]).by_hand();
        let judge = |line: &str| match (check_again(line, request), attested(line, &self.operator)) {
            (Some(Ok(key)), _) => Judged::Take((HandReply::CheckAgain(key), false)),
            (None, Some(Ok(said))) => Judged::Take(said),
            (Some(Err(why)), _) | (None, Some(Err(why))) => Judged::Again(why),
            (None, None) => Judged::Again(expected(request)),
        };
        let attested_by = match answer(self.talk(&prompted, judge).await) {
            Ok((HandReply::Done { attested_by, .. }, _)) => attested_by,
            Ok((HandReply::CheckAgain(key), _)) => {
                *self.checked.lock().unwrap_or_else(PoisonError::into_inner) = Some(shown);
                return Reply::Go(HandReply::CheckAgain(key));
            }
            Ok((reply, is_of_all)) => {
                let of = || request.rows.iter().map(|state| state.effect.key.clone()).collect();
                let said = is_of_all.then(|| SaidOfAll { of: of(), reply: reply.clone() });
                *self.said_of_all.lock().unwrap_or_else(PoisonError::into_inner) = said;
                return Reply::Go(reply);
            }
            Err(other) => return other,
        };
        self.say("what was done, in a line; empty for nothing to add; `back` where it is not done after all:");
        let some = |line: &str| {
            let line = line.trim();
            let text = line.strip_prefix('=').map_or(line, str::trim);
            Some(text.to_owned()).filter(|text| !text.is_empty())
        };
        let judge = |line: &str| Judged::Take((line.trim() != "back").then(|| some(line)));
        let note = match answer(self.talk(&prompted, judge).await) {
            Ok(Some(note)) => note,
            Ok(None) => {
                self.say("nothing was written down");
                return Box::pin(self.attest(request)).await;
            }
            Err(other) => return other,
        };
        self.say("path of a file that shows it, kept as evidence; empty for none:");
        let judge = |line: &str| match some(line) {
            None => Judged::Take(None),
            Some(path) => match ask::file(&path) {
                Ok(()) => Judged::Take(Some(path.into())),
                Err(why) => Judged::Again(why),
            },
        };
        match answer(self.talk(&prompted, judge).await) {
            Ok(proof) => Reply::Go(HandReply::Done { attested_by, note, proof }),
            Err(other) => other,
        }
    }

    /// What was said of all work that was left, told once more of this. Work that is not as it was planned is asked about.
    fn said_before(&self, request: &HandRequest<'_>) -> Option<HandReply> {
        let said = self.said_of_all.lock().unwrap_or_else(PoisonError::into_inner);
        let said = said.as_ref().filter(|said| said.of.contains(&request.effect.key) && request.drifted.is_none())?;
        let words = match &said.reply {
            HandReply::Later(owner) => format!("later, by {owner}"),
            HandReply::Keep(reason) => format!("it stays: {reason}"),
            HandReply::Done { .. } | HandReply::CheckAgain(_) => return None,
        };
        let (at, of) = request.position;
        self.say(&format!("{at} of {of}, {}: {words}", request.effect.summary));
        Some(said.reply.clone())
    }

    async fn fill_in(&self, request: &AskRequest<'_>) -> Reply<Map<String, Value>> {
        let id = request.step.path.as_str();
        self.screen.say(&format!("\n{}", self.screen.style().heading(&format!("{id}: to answer"))));
        let (begin, mut fields) = match self.answered.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(given) if given.ask == *request.ask => (given.number, given.fields),
            _ => (0, Map::new()),
        };
        let prompted = Prompted::plain(id, Vec::new()).of(request.step);
        for (at, question) in request.ask.questions.iter().enumerate().skip(begin) {
            self.screen.say(&question_text(request.ask, at, &self.screen.style()));
            let judge = |line: &str| match answer_to(question, line) {
                Ok(answer) => Judged::Take(answer),
                Err(why) => Judged::Again(why),
            };
            match answer(self.talk(&prompted, judge).await) {
                Ok(Value::Null) => {}
                // Answers are kept together, after the last of them: until then nothing is said of keeping.
                Ok(answer) => _ = fields.insert(question.name.clone(), answer),
                Err(other) => {
                    if matches!(other, Reply::Note(..)) {
                        let given = Answered { ask: request.ask.clone(), number: at, fields };
                        *self.answered.lock().unwrap_or_else(PoisonError::into_inner) = Some(given);
                    }
                    return other;
                }
            }
        }
        Reply::Go(fields)
    }

    async fn hold_unsealed(&self, effect: &Effect, error: &str) -> bool {
        let _held = self.screen.hold();
        let style = self.screen.style();
        self.screen.say(&format!("\n{}", style.heading("a new secret could not be sealed")));
        let text = format!(
            "the answer to `{}` came, and its secret is held in memory only: {error}\nleaving now, also by Ctrl-C, loses \
             the secret; it would have to be made anew\ntype `retry` once the cause is mended, or `give up`",
            effect.summary
        );
        for line in text.lines() {
            self.screen.say(&style.show(line));
        }
        loop {
            match self.hear_on("secret").await {
                Heard::Line(line) if line.trim() == "retry" => return true,
                Heard::Line(line) if line.trim() == "give up" => return false,
                Heard::Line(_) | Heard::Pasted => self.say("type `retry` or `give up`"),
                // Nobody can be asked any more. The disk may still come back, and the secret must not be dropped.
                Heard::Stop => {
                    tokio::time::sleep(Duration::from_secs(5)).await;
                    return true;
                }
            }
        }
    }
}

impl Prompter for Terminal {
    fn prepared(&self, _step: &PlannedStep) -> Prepared {
        Prepared::Nothing
    }

    fn consent<'a>(&'a self, request: ConsentRequest<'a>) -> BoxFuture<'a, Reply<Chosen>> {
        Box::pin(async move {
            match (&request.mode, request.effects.as_slice()) {
                (ConsentMode::Count { .. }, _) => self.consent_to_rows(&request).await,
                (_, [effect]) => self.consent_to_one(&request, effect).await,
                (_, _) => self.consent_to_rows(&request).await,
            }
        })
    }

    fn hand<'a>(&'a self, request: HandRequest<'a>) -> BoxFuture<'a, Reply<HandReply>> {
        Box::pin(async move { self.attest(&request).await })
    }

    fn ask<'a>(&'a self, request: AskRequest<'a>) -> BoxFuture<'a, Reply<Map<String, Value>>> {
        Box::pin(async move { self.fill_in(&request).await })
    }

    fn decide<'a>(&'a self, request: DecisionRequest<'a>) -> BoxFuture<'a, Reply<(EffectDecision, String)>> {
        Box::pin(async move {
            self.screen.say(&decision_text(&request, &self.screen.style()));
            let prompted = Prompted::consent(request.step.path.as_str(), vec![&request.state.effect]);
            let judge = |line: &str| match decided(line, &request) {
                Some(Ok(decided)) => Judged::Take(decided),
                Some(Err(why)) => Judged::Again(why),
                None => Judged::Again("type `retry REASON`, `applied REASON` or `abandon REASON`".to_owned()),
            };
            self.talk(&prompted, judge).await
        })
    }

    fn failure<'a>(&'a self, request: FailureRequest<'a>) -> BoxFuture<'a, Reply<(FailureDecision, String)>> {
        Box::pin(async move {
            self.screen.say(&failure_text(&request, &self.screen.style()));
            let prompted = Prompted::plain(request.step.path.as_str(), Vec::new()).of(request.step);
            let judge = |line: &str| match line.trim().split_once(' ').map(|(word, words)| (word, words.trim())) {
                Some(("retry", words)) if !words.is_empty() => Judged::Take((FailureDecision::Retry, words.to_owned())),
                _ => Judged::Again("type `retry REASON` or `skip REASON`".to_owned()),
            };
            self.talk(&prompted, judge).await
        })
    }

    fn go_on<'a>(&'a self, request: GoOnRequest<'a>) -> BoxFuture<'a, Reply<()>> {
        Box::pin(async move {
            self.screen.say(&go_on_text(&request, &self.screen.style()));
            let prompted = Prompted::consent(request.step.path.as_str(), vec![&request.first.effect]);
            let judge = |line: &str| match line.trim() {
                "y" | "Y" | "yes" | "run" => Judged::Take(()),
                _ => Judged::Again("type `y` to go on with the rest, or `skip REASON` to leave it".to_owned()),
            };
            self.talk(&prompted, judge).await
        })
    }

    fn unmet<'a>(&'a self, request: UnmetRequest<'a>) -> BoxFuture<'a, Reply<()>> {
        Box::pin(async move {
            self.screen.say(&unmet_text(&request, &self.screen.style()));
            let prompted = Prompted::consent(request.step.path.as_str(), Vec::new()).of(request.step);
            let judge = |line: &str| match line.trim() {
                "run" => Judged::Take(()),
                _ => Judged::Again("type `run` to do it all the same, or `skip REASON` to leave it".to_owned()),
            };
            self.talk(&prompted, judge).await
        })
    }

    fn wait<'a>(&'a self, request: WaitRequest<'a>) -> BoxFuture<'a, Reply<String>> {
        Box::pin(async move { self.wait_beside(&request).await })
    }

    fn second<'a>(&'a self, request: SecondRequest<'a>) -> BoxFuture<'a, Reply<String>> {
        Box::pin(async move { self.second_beside(&request).await })
    }

    fn unsealed<'a>(&'a self, effect: &'a Effect, error: &'a str) -> BoxFuture<'a, bool> {
        Box::pin(self.hold_unsealed(effect, error))
    }
}
