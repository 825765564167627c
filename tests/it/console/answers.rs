use quell::cli::console::Volume;
use quell::cli::prompt::Answers;
use quell::cli::prompt::answers::parse;
use quell::engine::{
    AskRequest, Chosen, ConsentMode, DecisionKind, DecisionRequest, FailureRequest, GoOnRequest, HandReply,
    HandRequest, Prompter, Reply, UnmetRequest,
};
use quell::journal::{EffectDecision, FailureDecision};
use quell::model::{AnswerKind, Ask, Call, Danger, Disposition, Effect, Question};

use super::watch::{screen, state_in_doubt};
use super::{PLAIN, by_hand, effect, five, planned, proposed, request};

fn answers(text: &str) -> Answers {
    Answers::new(parse("answers.toml", text).unwrap(), screen(PLAIN, Volume::Normal).0)
}

fn step_answers(keys: &str) -> Answers {
    answers(&format!("[steps.cut]\n{keys}"))
}

async fn consent(keys: &str, effects: &[Effect], account_for_rest: bool) -> Reply<Chosen> {
    let (step, proposed) = (planned("cut"), proposed(effects, account_for_rest));
    step_answers(keys).consent(request(&step, &proposed, Vec::new())).await
}

fn what<T: std::fmt::Debug>(reply: Reply<T>) -> String {
    let Reply::Missing(what) = reply else { panic!("{reply:?}") };
    what
}

#[test]
fn everything_that_is_not_understood_is_told_at_once() {
    let text = "[input]\n[steps.cut]\nanswr = \"run\"\nanswer = \"rnu\"\nselect = \"ci\"\nleft = \"bob\"\nphrase = 3\n\
                reason = \"\"\n[defaults]\nphrase = \"cut\"\n";
    insta::assert_snapshot!(parse("answers.toml", text).unwrap_err());
    insta::assert_snapshot!(parse("answers.toml", "[steps.cut\nanswer = run").unwrap_err());
}

#[test]
fn steps_that_the_runbook_lacks_are_named() {
    let file = parse("answers.toml", "[steps.cut-suspekt]\nanswer = \"run\"\n\n[steps.verify]\n").unwrap();
    let steps = |names: &[&str]| names.iter().map(|name| ((*name).to_owned(), true)).collect::<Vec<_>>();
    let error = file.clone().bind(&steps(&["cut-suspect", "verify"])).unwrap_err();
    assert_eq!(
        error.to_string(),
        "answers.toml:1:8: the runbook has no step `cut-suspekt`; did you mean `cut-suspect`?"
    );
    assert!(file.bind(&steps(&["cut-suspekt", "verify"])).is_ok());
}

#[test]
fn inputs_keep_their_types() {
    let file = parse("a", "[inputs]\nzones = [\"a\"]\ndays = 0x10\ndry = true\nfrom = 2026-11-23T10:00:00Z\n").unwrap();
    assert_eq!(
        serde_json::Value::Object(file.inputs),
        serde_json::json!({ "zones": ["a"], "days": 16, "dry": true, "from": "2026-11-23T10:00:00Z" })
    );
}

#[tokio::test]
async fn one_effect_is_consented_to_by_what_its_danger_asks_for() {
    let id = &effect(1, "ci", Danger::Observe).target.id;
    let run = "answer = \"run\"";
    let by_id = format!("{run}\nphrase = \"{id}\"");
    for (danger, keys, consents) in [
        (Danger::Reversible, run, true),
        (Danger::Disruptive, run, true),
        (Danger::Irreversible, run, false),
        (Danger::Irreversible, "answer = \"run\"\nphrase = \"ci\"", true),
        (Danger::Irreversible, &by_id, true),
        (Danger::Irreversible, "answer = \"run\"\nphrase = \"cut\"", false),
        (Danger::Disruptive, "answer = \"run\"\nphrase = \"cut\"", true),
        (Danger::Disruptive, "answer = \"run\"\nphrase = \"something else\"", false),
        (Danger::Reversible, "reason = \"no answer\"", false),
    ] {
        let effects = [effect(1, "ci", danger)];
        match consent(keys, &effects, false).await {
            Reply::Go(chosen) => {
                let mode = ConsentMode::of("cut", "rotate", &[&effects[0]], None);
                assert!(consents && mode.accepts(&chosen.phrase, 1), "{danger} {keys}: {chosen:?}");
            }
            Reply::Missing(what) => {
                assert!(!consents, "{danger} {keys}: {what}");
                assert!(what.contains("step `cut`") && what.contains("[steps.cut]"), "{what}");
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_name_that_another_bears_is_not_enough() {
    let mut effects = [effect(1, "ci", Danger::Irreversible)];
    effects[0].target.ambiguous = true;
    let keys = |phrase: &str| format!("answer = \"run\"\nphrase = \"{phrase}\"");
    assert!(what(consent(&keys("ci"), &effects, false).await).contains("the target's id"));
    assert!(matches!(consent(&keys(&effects[0].target.id), &effects, false).await, Reply::Go(_)));
    // Not plain ASCII: exact in a file, though not asked of a person.
    let effects = [effect(1, "日本", Danger::Irreversible)];
    let Reply::Go(chosen) = consent(&keys("日本"), &effects, false).await else { panic!() };
    assert!(ConsentMode::of("cut", "rotate", &[&effects[0]], None).accepts(&chosen.phrase, 1));
}

#[tokio::test]
async fn a_list_needs_rows_a_phrase_and_word_on_the_rest() {
    let effects = five();
    let rest = "left = \"later:bob\"";
    for (keys, chosen) in [
        ("answer = \"run\"\nselect = \"all\"\nphrase = \"cut\"", Some(5)),
        ("answer = \"run\"\nselect = \"all\"\nphrase = \"rotate 5\"", Some(5)),
        ("answer = \"run\"\nselect = \"all\"\nphrase = \"rotate 4\"", None),
        ("answer = \"run\"\nselect = \"all\"", None),
        ("answer = \"run\"\nphrase = \"cut\"", None),
        ("answer = \"run\"\nselect = [\"ci-deploy\"]\nphrase = \"rotate 1\"\nleft = \"later:bob\"", Some(1)),
        ("answer = \"run\"\nselect = [\"ci-deploy\"]\nphrase = \"rotate 1\"", None),
        ("answer = \"run\"\nselect = [\"ci-deplay\"]\nphrase = \"cut\"\nleft = \"later:bob\"", None),
        ("answer = \"run\"\nselect = \"none\"\nleft = \"later:bob\"", Some(0)),
    ] {
        match consent(keys, &effects, true).await {
            Reply::Go(given) => {
                assert_eq!(Some(given.effects.len()), chosen, "{keys}");
                assert_eq!(given.effects.len() + given.left.len(), 5, "every row is accounted for");
                assert!(given.effects.is_empty() || given.phrase == format!("rotate {}", given.effects.len()));
            }
            reply => assert!(chosen.is_none() && matches!(reply, Reply::Missing(_)), "{keys}: {reply:?}"),
        }
    }
    let mut twins = five();
    twins[1].target.name = "ci-deploy".into();
    let keys = format!("answer = \"run\"\nselect = [\"ci-deploy\"]\nphrase = \"cut\"\n{rest}");
    assert!(what(consent(&keys, &twins, true).await).contains("with the id"));
    let keys = format!("answer = \"run\"\nselect = [\"{}\"]\nphrase = \"cut\"\n{rest}", twins[1].target.id);
    let Reply::Go(chosen) = consent(&keys, &twins, true).await else { panic!() };
    assert_eq!(chosen.effects, [twins[1].key.clone()]);
    assert_eq!(chosen.left[0].disposition, Disposition::Later { owner: "bob".into() });
}

#[tokio::test]
async fn skip_and_abort_take_their_reason() {
    let effects = [effect(1, "ci", Danger::Reversible)];
    assert_eq!(consent("answer = \"skip\"\nreason = \"no\"", &effects, false).await, Reply::Skip("no".into()));
    assert!(matches!(consent("answer = \"abort\"", &effects, false).await, Reply::Abort(_)));
}

#[tokio::test]
async fn doubt_is_retried_once_at_most() {
    let (step, state) = (planned("cut"), state_in_doubt(true));
    let ask = || DecisionRequest { step: &step, state: &state, kind: DecisionKind::InDoubt };
    let prompter = step_answers("in_doubt = \"retry\"");
    assert!(matches!(prompter.decide(ask()).await, Reply::Go((EffectDecision::Retry, _))));
    assert!(what(prompter.decide(ask()).await).contains("in vain"));
    for keys in ["in_doubt = \"stop\"", "answer = \"run\"", "on_failure = \"retry\""] {
        assert!(what(step_answers(keys).decide(ask()).await).contains("not known"), "{keys}");
    }
    let applied = step_answers("in_doubt = \"applied\"\nreason = \"seen in the dashboard\"").decide(ask()).await;
    assert_eq!(applied, Reply::Go((EffectDecision::Applied, "seen in the dashboard".into())));
    let refused = DecisionRequest { step: &step, state: &state, kind: DecisionKind::Refused };
    let refused = step_answers("on_failure = \"continue\"").decide(refused).await;
    assert!(matches!(refused, Reply::Go((EffectDecision::Abandon, _))));
}

#[tokio::test]
async fn failures_canaries_and_requirements_have_keys_of_their_own() {
    let (step, state) = (planned("cut"), state_in_doubt(false));
    let failure = || FailureRequest { step: &step, error: "403", hint: None };
    let prompter = answers("[defaults]\non_failure = \"retry\"");
    assert!(matches!(prompter.failure(failure()).await, Reply::Go((FailureDecision::Retry, _))));
    assert!(what(prompter.failure(failure()).await).contains("403"));
    let go_on = || GoOnRequest { step: &step, first: &state, rest: 4, unproven: false };
    assert_eq!(step_answers("").go_on(go_on()).await, Reply::Go(()));
    assert!(matches!(step_answers("canary = \"stop\"").go_on(go_on()).await, Reply::Missing(_)));
    let unmet = || UnmetRequest { step: &step, unmet: vec![("snapshot".into(), "skipped: no time".into())] };
    assert!(what(step_answers("").unmet(unmet()).await).contains("snapshot"));
    assert!(matches!(step_answers("unmet = \"run\"").unmet(unmet()).await, Reply::Go(())));
    assert!(matches!(step_answers("unmet = \"skip\"").unmet(unmet()).await, Reply::Skip(_)));
}

#[tokio::test]
async fn work_by_hand_needs_a_name() {
    let (step, effect) = (planned("cut"), by_hand(1, "mallory"));
    let Call::Hand(work) = &effect.call else { unreachable!() };
    let ask = || HandRequest { step: &step, effect: &effect, work, position: (1, 1), rows: &[], drifted: None };
    assert!(what(step_answers("answer = \"run\"").hand(ask()).await).contains("attested_by"));
    let done = step_answers("answer = \"run\"\nfields = { attested_by = \"ann\", note = \"seen\" }").hand(ask()).await;
    let wanted = HandReply::Done { attested_by: "ann".into(), note: Some("seen".into()), proof: None };
    assert_eq!(done, Reply::Go(wanted));
    let later = step_answers("left = \"later:bob\"").hand(ask()).await;
    assert_eq!(later, Reply::Go(HandReply::Later("bob".into())));
}

#[tokio::test]
async fn questions_are_answered_by_field() {
    let options = vec![("all".to_owned(), "every zone".to_owned()), ("some".to_owned(), "a few".to_owned())];
    let question =
        |name: &str, kind, required| Question { name: name.into(), prompt: "?".into(), kind, required, takes: None };
    let ask = Ask {
        instruction: String::new(),
        questions: vec![
            question("scope", AnswerKind::Choice { options }, true),
            question("words", AnswerKind::Text, false),
        ],
    };
    let step = planned("cut");
    let fill = |keys: &'static str| {
        let (step, ask) = (&step, &ask);
        async move { step_answers(keys).ask(AskRequest { step, ask }).await }
    };
    assert!(what(fill("").await).contains("`scope`"));
    assert!(what(fill("fields = { scope = \"every\" }").await).contains("none of `all`, `some`"));
    assert!(what(fill("fields = { scope = \"all\", word = \"x\" }").await).contains("did you mean `words`?"));
    let Reply::Go(fields) = fill("fields = { scope = \"all\", words = 7 }").await else { panic!() };
    assert_eq!(serde_json::Value::Object(fields), serde_json::json!({ "scope": "all", "words": "7" }));
}
