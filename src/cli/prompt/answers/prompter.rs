use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Map, Value};

use super::choice::choose;
use super::file::{AnswersFile, Canary, InDoubt, Left, OnFailure, StepAnswer, StepAnswers, Unmet};
use super::parse::did_you_mean;
use super::shown;
use crate::cli::console::Screen;
use crate::cli::prompt::answer_to;
use crate::engine::{
    AskRequest, Chosen, ConsentRequest, DecisionKind, DecisionRequest, FailureRequest, GoOnRequest, HandReply,
    HandRequest, Prepared, Prompter, Reply, SecondRequest, UnmetRequest, WaitRequest,
};
use crate::journal::{EffectDecision, FailureDecision, PlannedStep};
use crate::model::Effect;
use crate::provider::BoxFuture;

/// How often sealing an answer is tried with nobody there, and the first pause between two tries.
const SEALING: (u32, Duration) = (5, Duration::from_secs(1));

/// How often consent is given anew to a step whose targets changed after they were shown.
const MOST_DRIFTS: usize = 3;

/// Answers from a file. It never asks; what the file does not answer is missing.
pub struct Answers {
    file: AnswersFile,
    screen: Arc<Screen>,
    used: Mutex<Used>,
}

/// What may be done only so often.
#[derive(Default)]
struct Used {
    /// Effects and steps that were tried again.
    retried: HashSet<String>,
    /// Work by hand that was read again before anything was said of it.
    checked: HashSet<String>,
    /// Steps, once for each time they were consented to after a change.
    drifts: Vec<String>,
    unsealed: u32,
}

impl Answers {
    /// A prompter that answers from `file` and says on `screen` what it answered.
    pub fn new(file: AnswersFile, screen: Arc<Screen>) -> Self {
        Self { file, screen, used: Mutex::default() }
    }

    /// A prompter for a run with nobody at the terminal and no file: whatever is needed is missing.
    pub fn nobody(screen: Arc<Screen>) -> Self {
        Self::new(AnswersFile::default(), screen)
    }

    fn answers(&self, step: &PlannedStep) -> StepAnswers {
        self.file.step(&step.path)
    }

    fn say<T>(&self, step: &PlannedStep, reply: Reply<T>, go: impl FnOnce(&T) -> String) -> Reply<T> {
        if self.file.identity().is_none() {
            return reply;
        }
        let how = shown::reply(&reply, go);
        self.screen.say(&shown::answered(step.path.as_str(), &how, &self.screen.style()));
        reply
    }

    fn used(&self) -> std::sync::MutexGuard<'_, Used> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An answer that is not there, and where it would be looked for.
    fn missing<T>(&self, id: &str, what: &str) -> Reply<T> {
        Reply::Missing(match self.file.identity() {
            Some(_) => {
                let is_bare = id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
                let key = if is_bare { id.to_owned() } else { format!("\"{id}\"") };
                format!("step `{id}` needs {what}; `[steps.{key}]` of the answers file is where it is looked for")
            }
            None => format!("step `{id}` needs {what}; nobody is there to ask, and there is no answers file"),
        })
    }

    /// True the first time.
    fn may_retry(&self, what: &str) -> bool {
        self.used().retried.insert(what.to_owned())
    }

    fn choose(&self, request: &ConsentRequest<'_>) -> Reply<Chosen> {
        let id = request.step.path.as_str();
        let answers = self.answers(request.step);
        if let Some(reply) = refusal(&answers) {
            return reply;
        }
        if answers.answer.is_none() {
            let why: Vec<String> = request.asked.iter().map(ToString::to_string).collect();
            let why = if why.is_empty() { String::new() } else { format!(" ({})", why.join("; ")) };
            return self.missing(id, &format!("consent{why}: `answer = \"run\"`, or `\"skip\"`"));
        }
        if !request.drifted.is_empty() {
            let mut used = self.used();
            used.drifts.push(request.step.path.to_string());
            let times = used.drifts.iter().filter(|path| *path == request.step.path.as_str()).count();
            if times > MOST_DRIFTS {
                return self.missing(id, "a person: its targets keep changing while they are being acted on");
            }
        }
        choose(request, &answers).map_or_else(|what| self.missing(id, &what), Reply::Go)
    }

    fn attest(&self, request: &HandRequest<'_>) -> Reply<HandReply> {
        let id = request.step.path.as_str();
        let answers = self.answers(request.step);
        match refusal(&answers) {
            // Nothing is skipped without a word: it stays as it is, and that is said.
            Some(Reply::Skip(reason)) => return Reply::Go(HandReply::Keep(reason)),
            Some(reply) => return reply,
            None => {}
        }
        let own = answers.fields.unwrap_or_default();
        let key = &request.effect.key;
        let checks = own.get("check_again").and_then(Value::as_bool).unwrap_or_default();
        // Once: what a read does not show then is a matter of the file's other answers.
        if checks && request.effect.is_read_back() && self.used().checked.insert(key.to_string()) {
            return Reply::Go(HandReply::CheckAgain(key.clone()));
        }
        let field = |name: &str| own.get(name).and_then(Value::as_str).filter(|text| !text.trim().is_empty());
        match (field("attested_by"), answers.left) {
            (Some(attested_by), _) => Reply::Go(HandReply::Done {
                attested_by: attested_by.to_owned(),
                note: field("note").map(str::to_owned),
                proof: field("proof").map(Into::into),
            }),
            (None, Some(Left::Later(owner))) if answers.answer.is_none() => Reply::Go(HandReply::Later(owner)),
            (None, Some(Left::Keep(reason))) if answers.answer.is_none() => Reply::Go(HandReply::Keep(reason)),
            (None, _) => {
                self.missing(id, "who did it: `fields = { attested_by = \"NAME\" }`, or `left = \"later:OWNER\"`")
            }
        }
    }

    fn fill_in(&self, request: &AskRequest<'_>) -> Reply<Map<String, Value>> {
        let id = request.step.path.as_str();
        let answers = self.answers(request.step);
        if let Some(reply) = refusal(&answers) {
            return reply;
        }
        if let Some(what) = self.stray_field(request) {
            return self.missing(id, &what);
        }
        let given = answers.fields.unwrap_or_default();
        let mut fields = Map::new();
        for question in &request.ask.questions {
            let name = &question.name;
            let text = match given.get(name) {
                Some(Value::String(text)) => text.clone(),
                Some(other) => other.to_string(),
                None if question.required => {
                    let what = format!("`{name}` ({}): `fields = {{ {name} = \"...\" }}`", question.prompt);
                    return self.missing(id, &what);
                }
                None => continue,
            };
            // The mark is the terminal's way to say that what follows is text, and keeps a leading `=` as it is.
            match answer_to(question, &format!("={text}")) {
                Ok(Value::Null) => {}
                Ok(answer) => {
                    fields.insert(name.clone(), answer);
                }
                Err(why) => return self.missing(id, &format!("another value for `{name}`: {why}")),
            }
        }
        Reply::Go(fields)
    }

    /// A field of the step that answers no question: most likely a misspelt one.
    fn stray_field(&self, request: &AskRequest<'_>) -> Option<String> {
        let asked = || request.ask.questions.iter().map(|question| question.name.as_str());
        let is_asked =
            |name: &str| asked().chain(["attested_by", "note", "proof", "check_again"]).any(|asked| asked == name);
        let own = self.file.own(&request.step.path)?.fields.as_ref()?;
        let stray = own.keys().find(|name| !is_asked(name))?;
        Some(format!("no field `{stray}`: nothing asks for it{}", did_you_mean(stray, asked())))
    }

    fn settle(&self, request: &DecisionRequest<'_>) -> Reply<(EffectDecision, String)> {
        let id = request.step.path.as_str();
        let answers = self.answers(request.step);
        let effect = &request.state.effect;
        let words = |key: &str, value: &str| {
            answers.reason.clone().unwrap_or_else(|| format!("the answers file says `{key} = \"{value}\"`"))
        };
        let seen = request.state.verdict.as_ref().map(crate::model::Verdict::detail);
        let why =
            seen.or_else(|| request.state.outcome().and_then(crate::model::Outcome::why)).unwrap_or("no answer came");
        let retry_once = |key: &str| {
            if self.may_retry(effect.key.as_str()) {
                Reply::Go((EffectDecision::Retry, words(key, "retry")))
            } else {
                self.missing(id, &format!("a person: `{}` was tried again already, in vain: {why}", effect.summary))
            }
        };
        match (request.kind, answers.in_doubt, answers.on_failure) {
            (DecisionKind::InDoubt, Some(InDoubt::Retry), _) => retry_once("in_doubt"),
            (DecisionKind::InDoubt, Some(InDoubt::Applied), _) => {
                Reply::Go((EffectDecision::Applied, words("in_doubt", "applied")))
            }
            (DecisionKind::InDoubt, Some(InDoubt::Stop) | None, _) => {
                self.missing(id, &format!("a person: it is not known whether `{}` took place: {why}", effect.summary))
            }
            (_, _, Some(OnFailure::Retry)) => retry_once("on_failure"),
            (_, _, Some(OnFailure::Continue)) => Reply::Go((EffectDecision::Abandon, words("on_failure", "continue"))),
            (DecisionKind::Refused, _, _) => self.missing(id, &format!("a person: `{}` failed: {why}", effect.summary)),
            (DecisionKind::NotSeen, _, _) => {
                self.missing(id, &format!("a person: `{}` was accepted, and does not show", effect.summary))
            }
        }
    }

    fn recover(&self, request: &FailureRequest<'_>) -> Reply<(FailureDecision, String)> {
        let id = request.step.path.as_str();
        let answers = self.answers(request.step);
        let words = |value: &str| {
            answers.reason.clone().unwrap_or_else(|| format!("the answers file says `on_failure = \"{value}\"`"))
        };
        match answers.on_failure {
            Some(OnFailure::Retry) if self.may_retry(request.step.path.as_str()) => {
                Reply::Go((FailureDecision::Retry, words("retry")))
            }
            Some(OnFailure::Continue) => Reply::Go((FailureDecision::Continue, words("continue"))),
            Some(OnFailure::Stop | OnFailure::Retry) | None => {
                self.missing(id, &format!("a person: it failed: {}", request.error))
            }
        }
    }
}

/// A step that the file leaves, or at which it ends the run.
fn refusal<T>(answers: &StepAnswers) -> Option<Reply<T>> {
    let reason = |said: &str| answers.reason.clone().unwrap_or_else(|| format!("the answers file says `{said}`"));
    match answers.answer {
        Some(StepAnswer::Skip) => Some(Reply::Skip(reason("skip"))),
        Some(StepAnswer::Abort) => Some(Reply::Abort(reason("abort"))),
        Some(StepAnswer::Run) | None => None,
    }
}

impl Prompter for Answers {
    fn prepared(&self, step: &PlannedStep) -> Prepared {
        let answers = self.answers(step);
        match answers.answer {
            Some(StepAnswer::Skip | StepAnswer::Abort) => Prepared::Choice,
            Some(StepAnswer::Run) if answers.select.is_some() => Prepared::Choice,
            Some(StepAnswer::Run) => Prepared::Run,
            None => Prepared::Nothing,
        }
    }

    fn consent<'a>(&'a self, request: ConsentRequest<'a>) -> BoxFuture<'a, Reply<Chosen>> {
        let reply = self.choose(&request);
        let reply = self.say(request.step, reply, |chosen| shown::chosen(&request, chosen));
        Box::pin(std::future::ready(reply))
    }

    fn hand<'a>(&'a self, request: HandRequest<'a>) -> BoxFuture<'a, Reply<HandReply>> {
        let reply = self.say(request.step, self.attest(&request), |reply| match reply {
            HandReply::Done { attested_by, .. } => {
                format!("{}: done, as {attested_by} attests", request.effect.summary)
            }
            HandReply::Later(owner) => format!("{}: later, by {owner}", request.effect.summary),
            HandReply::Keep(reason) => format!("{}: kept: {reason}", request.effect.summary),
            HandReply::CheckAgain(_) => format!("{}: read again", request.effect.summary),
        });
        Box::pin(std::future::ready(reply))
    }

    fn ask<'a>(&'a self, request: AskRequest<'a>) -> BoxFuture<'a, Reply<Map<String, Value>>> {
        let reply = self.say(request.step, self.fill_in(&request), |fields| {
            let fields: Vec<_> = fields.iter().map(|(name, value)| format!("{name} = {value}")).collect();
            fields.join(", ")
        });
        Box::pin(std::future::ready(reply))
    }

    fn decide<'a>(&'a self, request: DecisionRequest<'a>) -> BoxFuture<'a, Reply<(EffectDecision, String)>> {
        let reply = self.say(request.step, self.settle(&request), |(decision, words)| {
            let decision = match decision {
                EffectDecision::Retry => "retry",
                EffectDecision::Applied => "taken as applied",
                EffectDecision::Abandon => "given up",
            };
            format!("{}: {decision}: {words}", request.state.effect.summary)
        });
        Box::pin(std::future::ready(reply))
    }

    fn failure<'a>(&'a self, request: FailureRequest<'a>) -> BoxFuture<'a, Reply<(FailureDecision, String)>> {
        let reply = self.say(request.step, self.recover(&request), |(_, words)| words.clone());
        Box::pin(std::future::ready(reply))
    }

    fn go_on<'a>(&'a self, request: GoOnRequest<'a>) -> BoxFuture<'a, Reply<()>> {
        let reply = match self.answers(request.step).canary {
            None if request.unproven => self.missing(
                request.step.path.as_str(),
                "a person: the first row went and is not proven; `canary = \"go\"` goes on all the same",
            ),
            Some(Canary::Stop) => self.missing(
                request.step.path.as_str(),
                "a person: the first row went, and `canary = \"stop\"` ends it there",
            ),
            Some(Canary::Go) | None => Reply::Go(()),
        };
        let reply = self.say(request.step, reply, |()| format!("the first row went; go on with {} more", request.rest));
        Box::pin(std::future::ready(reply))
    }

    fn unmet<'a>(&'a self, request: UnmetRequest<'a>) -> BoxFuture<'a, Reply<()>> {
        let answers = self.answers(request.step);
        let unmet: Vec<_> = request.unmet.iter().map(|(id, why)| format!("`{id}` {why}")).collect();
        let reply = match answers.unmet {
            Some(Unmet::Run) => Reply::Go(()),
            Some(Unmet::Skip) => Reply::Skip(
                answers.reason.unwrap_or_else(|| format!("it needs what was not done: {}", unmet.join(", "))),
            ),
            None => {
                let what = format!("`unmet = \"run\"` or `\"skip\"`, since {}", unmet.join(", "));
                self.missing(request.step.path.as_str(), &what)
            }
        };
        let reply = self.say(request.step, reply, |()| format!("run all the same: {}", unmet.join(", ")));
        Box::pin(std::future::ready(reply))
    }

    fn wait<'a>(&'a self, request: WaitRequest<'a>) -> BoxFuture<'a, Reply<String>> {
        Box::pin(async move {
            let Some(reply) = refusal(&self.answers(request.step)) else { return std::future::pending().await };
            self.say(request.step, reply, String::clone)
        })
    }

    fn second<'a>(&'a self, request: SecondRequest<'a>) -> BoxFuture<'a, Reply<String>> {
        let reply = match self.answers(request.step).alone {
            Some(reason) => Reply::Go(reason),
            None => self.missing(
                request.step.path.as_str(),
                &format!(
                    "a second person: somebody else agrees with `quell approve` and the code {}, then `quell resume` goes \
                     on; `alone = \"REASON\"` goes on without",
                    request.code
                ),
            ),
        };
        let reply = self.say(request.step, reply, |reason| format!("without a second person: {reason}"));
        Box::pin(std::future::ready(reply))
    }

    fn unsealed<'a>(&'a self, effect: &'a Effect, error: &'a str) -> BoxFuture<'a, bool> {
        let (most, first) = SEALING;
        let tried = {
            let mut used = self.used();
            used.unsealed += 1;
            used.unsealed
        };
        let style = self.screen.style();
        let how = if tried < most { "it is tried again" } else { "it is given up, and must be made anew" };
        let text = format!("the new secret of `{}` could not be sealed: {error}; {how}", effect.summary);
        self.screen.say(&style.show(&text));
        Box::pin(async move {
            if tried < most {
                tokio::time::sleep(first * 2_u32.pow(tried - 1)).await;
            } else {
                self.used().unsealed = 0;
            }
            tried < most
        })
    }
}
