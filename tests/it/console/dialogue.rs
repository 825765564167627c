use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use quell::cli::console::{Standing, Volume};
use quell::cli::prompt::{Terminal, Typed, TypedLines};
use quell::clock::SystemClock;
use quell::engine::{AskRequest, Chosen, Halt, HandReply, HandRequest, Interrupt, Prompter, Reply};
use quell::journal::{Left, NoteKind};
use quell::model::{AnswerKind, Ask, Call, Danger, Disposition, Effect, Question};
use quell::provider::BoxFuture;
use serde_json::{Value, json};

use super::watch::{Paper, screen};
use super::{PLAIN, by_hand, effect, five, planned, proposed, request};

/// A person who types what is in the script: `<` before a line is typed ahead of its prompt, `&` ties it to the next
/// as one paste.
struct Script(Mutex<VecDeque<String>>);

impl TypedLines for Script {
    fn discard(&self) {
        let mut lines = self.0.lock().unwrap();
        while lines.front().is_some_and(|line| line.starts_with('<')) {
            lines.pop_front();
        }
    }

    fn line(&self) -> BoxFuture<'_, Typed> {
        let line = self.0.lock().unwrap().pop_front();
        let typed = line.map_or(Typed::End, |line| Typed::Line(line.trim_start_matches(['<', '&']).to_owned()));
        Box::pin(std::future::ready(typed))
    }

    fn more(&self) -> BoxFuture<'_, bool> {
        Box::pin(std::future::ready(self.0.lock().unwrap().front().is_some_and(|line| line.starts_with('<'))))
    }
}

fn terminal(lines: &[&str]) -> (Terminal, Paper) {
    let (screen, paper) = screen(PLAIN, Volume::Normal);
    let script = Script(Mutex::new(lines.iter().map(|line| (*line).to_owned()).collect()));
    let (sender, interrupt) = Interrupt::channel();
    std::mem::forget(sender);
    (
        Terminal::new(screen, Arc::new(script), interrupt, "ann".into(), Standing::default(), Arc::new(SystemClock)),
        paper,
    )
}

async fn consent(effects: &[Effect], account_for_rest: bool, lines: &[&str]) -> (Reply<Chosen>, String) {
    let (terminal, paper) = terminal(lines);
    let (step, proposed) = (planned("cut"), proposed(effects, account_for_rest));
    let reply = terminal.consent(request(&step, &proposed, Vec::new())).await;
    (reply, paper.text())
}

#[tokio::test]
async fn only_the_phrase_is_a_yes() {
    for (danger, phrase) in
        [(Danger::Reversible, "y"), (Danger::Disruptive, "cut"), (Danger::Irreversible, "ci-deploy")]
    {
        let effects = [effect(1, "ci-deploy", danger)];
        let (reply, text) = consent(&effects, false, &["", "run", "no", "cute", phrase]).await;
        let Reply::Go(chosen) = reply else { panic!("{danger}: {reply:?}") };
        assert_eq!((chosen.effects.len(), chosen.phrase.as_str()), (1, phrase));
        assert_eq!(text.matches("cut>").count(), 5, "every other line asks again\n{text}");
    }
}

#[tokio::test]
async fn what_was_typed_before_or_pasted_is_no_consent() {
    let effects = [effect(1, "ci-deploy", Danger::Reversible)];
    let (reply, _) = consent(&effects, false, &["<y", "<y", "pause"]).await;
    assert_eq!(reply, Reply::Pause);
    let (reply, text) = consent(&effects, false, &["y", "<y", "<y"]).await;
    assert_eq!(reply, Reply::Pause, "the end of input is a pause");
    // The last of them may stand behind the prompt, without a line end of its own.
    assert!(text.contains("cut> \nseveral lines came at once"), "{text}");
}

#[tokio::test]
async fn a_target_called_like_a_verb_does_not_take_the_verb_away() {
    let effects = [effect(1, "pause", Danger::Irreversible)];
    assert_eq!(consent(&effects, false, &["pause"]).await.0, Reply::Pause);
    let (reply, text) = consent(&effects, false, &["run pause"]).await;
    assert!(matches!(reply, Reply::Go(Chosen { phrase, .. }) if phrase == "pause"), "{text}");
    assert!(text.contains("run pause"), "{text}");
}

#[tokio::test]
async fn the_verbs_stand_at_every_prompt() {
    let effects = [effect(1, "ci-deploy", Danger::Disruptive)];
    let (reply, text) = consent(&effects, false, &["help", "inspect", "skip", "inspect 2", "skip not ours"]).await;
    assert_eq!(reply, Reply::Skip("not ours".into()));
    for said in ["abort REASON", "\"status\": \"disabled\"", "more is needed: `skip REASON`", "there is no row 2"] {
        assert!(text.contains(said), "{said} is not in\n{text}");
    }
    for kind in NoteKind::ALL {
        let line = format!("{} seen it", kind.verb());
        assert_eq!(consent(&effects, false, &[&line]).await.0, Reply::Note(kind, "seen it".into()));
    }
    let (reply, text) = consent(&effects, false, &["abort false alarm", "no", "abort false alarm", "abort"]).await;
    assert_eq!(reply, Reply::Abort("false alarm".into()));
    assert!(text.contains("ending the run leaves this") && text.contains("the run goes on"), "{text}");
}

#[tokio::test]
async fn an_interrupt_ends_the_wait() {
    let (screen, _) = screen(PLAIN, Volume::Normal);
    let (sender, interrupt) = Interrupt::channel();
    sender.send(Some(Halt::Keys)).unwrap();
    let script = Script(Mutex::new(VecDeque::from(["y".to_owned()])));
    let terminal =
        Terminal::new(screen, Arc::new(script), interrupt, "ann".into(), Standing::default(), Arc::new(SystemClock));
    let (step, proposed) = (planned("cut"), proposed(&[effect(1, "ci", Danger::Reversible)], false));
    assert_eq!(terminal.consent(request(&step, &proposed, Vec::new())).await, Reply::Pause);
}

#[tokio::test]
async fn rows_are_chosen_and_the_rest_is_accounted_for() {
    let effects = five();
    let lines = ["rotate 0", "9", "1 2", "2", "rotate 2", "rotate 1"];
    let rest = ["", "later", "later bob", "keep not exposed for all"];
    let (reply, text) = consent(&effects, true, &[&lines[1..], &rest[..]].concat()).await;
    let Reply::Go(chosen) = reply else { panic!("{reply:?}\n{text}") };
    assert_eq!((chosen.effects, chosen.phrase.as_str()), (vec![effects[0].key.clone()], "rotate 1"));
    let keep = Disposition::Keep { reason: "not exposed".into() };
    let dispositions: Vec<_> = chosen.left.into_iter().map(|Left { disposition, .. }| disposition).collect();
    assert_eq!(dispositions, [Disposition::Later { owner: "bob".into() }, keep.clone(), keep.clone(), keep]);
    assert!(text.contains("there is no row `9`"), "{text}");
}

#[tokio::test]
async fn a_list_without_rows_is_skipped_not_run() {
    let (reply, text) = consent(&five(), false, &["rotate 0", "skip none is exposed"]).await;
    assert_eq!(reply, Reply::Skip("none is exposed".into()));
    assert!(text.contains("no row is chosen"), "{text}");
    // Or each row is left as it is, and the step is done.
    let (reply, text) = consent(&five(), false, &["2", "none", "none"]).await;
    let Reply::Go(chosen) = reply else { panic!("{reply:?}\n{text}") };
    assert_eq!((chosen.effects.len(), chosen.left.len()), (0, 5), "{text}");
    assert!(text.contains("choose rows, or leave them all: none"), "{text}");
    let (reply, _) = consent(&five(), false, &["all", "rotate 5"]).await;
    assert!(matches!(reply, Reply::Go(chosen) if chosen.effects.len() == 5 && chosen.left.is_empty()));
}

#[tokio::test]
async fn a_selection_survives_a_note() {
    let effects = five();
    let (terminal, _) = terminal(&["2", "note asked the owner", "rotate 1"]);
    let (step, proposed) = (planned("cut"), proposed(&effects, false));
    assert!(matches!(terminal.consent(request(&step, &proposed, Vec::new())).await, Reply::Note(..)));
    let reply = terminal.consent(request(&step, &proposed, Vec::new())).await;
    let Reply::Go(chosen) = reply else { panic!("{reply:?}") };
    assert_eq!(chosen.effects, [effects[1].key.clone()]);
    assert_eq!(chosen.left.len(), 4, "rows not chosen are left with a reason, or they would be asked for again");
}

#[tokio::test]
async fn answers_survive_a_note() {
    let question = |name: &str| Question {
        name: name.to_owned(),
        prompt: format!("{name}?"),
        kind: AnswerKind::Text,
        required: false,
        takes: None,
    };
    let ask = Ask { instruction: "say".into(), questions: ["one", "two", "three"].map(question).into() };
    let (terminal, _) = terminal(&["first", "", "todo ask Bob", "third"]);
    let step = planned("cut");
    let reply = terminal.ask(AskRequest { step: &step, ask: &ask }).await;
    assert_eq!(reply, Reply::Note(NoteKind::Todo, "ask Bob".into()));
    let Reply::Go(fields) = terminal.ask(AskRequest { step: &step, ask: &ask }).await else { panic!("no answer") };
    assert_eq!(Value::Object(fields), json!({"one": "first", "three": "third"}));
}

#[tokio::test]
async fn work_by_hand_is_attested_by_name() {
    let (step, effect) = (planned("cut"), by_hand(1, "mallory"));
    let Call::Hand(work) = &effect.call else { unreachable!() };
    for (lines, reply) in [
        (
            &["", "done", "", "/nowhere/at/all", ""][..],
            Reply::Go(HandReply::Done { attested_by: "ann".into(), note: None, proof: None }),
        ),
        (
            &["done bob", "= skip the queue, he said", ""],
            Reply::Go(HandReply::Done {
                attested_by: "bob".into(),
                note: Some("skip the queue, he said".into()),
                proof: None,
            }),
        ),
        (&["later", "later carol"], Reply::Go(HandReply::Later("carol".into()))),
        (&["keep he left"], Reply::Go(HandReply::Keep("he left".into()))),
        // Nothing is written down before the last line: until then there is a way back.
        (&["done", "back", "later carol"], Reply::Go(HandReply::Later("carol".into()))),
        // What a skip would come to is asked.
        (&["skip he left", "keep he left"], Reply::Go(HandReply::Keep("he left".into()))),
    ] {
        let (terminal, _) = terminal(lines);
        let request = HandRequest { step: &step, effect: &effect, work, position: (1, 1), rows: &[], drifted: None };
        assert_eq!(terminal.hand(request).await, reply);
    }
}
