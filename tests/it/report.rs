//! The post-mortem: complete, inert, repeatable, and never over what people wrote.
#![expect(clippy::expect_used, reason = "a model that is no JSON is a failed test")]

use std::sync::LazyLock;

use comrak::nodes::NodeValue;
use comrak::{Arena, Options, parse_document};
use proptest::prelude::*;
use quell::journal::Problem;
use quell::model::World;
use quell::report::{ReportError, ReportModel, render};
use serde_json::{Value, json};

use super::report_scene::{
    Names, answered_by_a_file_first, contained, disbelieved, eventful, interrupted, known_marks,
};

fn live() -> World {
    World::Live("api.example.com".into())
}

fn rehearsal() -> World {
    World::Rehearsal("token-leak".into())
}

fn written(model: &ReportModel) -> String {
    match render(model, None, None) {
        Ok(text) => text,
        Err(error) => panic!("{error}"),
    }
}

/// What a reader's Markdown engine would make of `text`: raw HTML, links and images, and ragged tables.
fn markup(text: &str) -> (Vec<String>, Vec<String>, Vec<String>) {
    let mut options = Options::default();
    options.extension.table = true;
    options.extension.autolink = true;
    options.extension.strikethrough = true;
    options.extension.footnotes = true;
    let arena = Arena::new();
    let root = parse_document(&arena, text, &options);
    let (mut html, mut links, mut ragged) = (Vec::new(), Vec::new(), Vec::new());
    for node in root.descendants() {
        match &node.data.borrow().value {
            NodeValue::HtmlBlock(block) => html.push(block.literal.clone()),
            NodeValue::HtmlInline(literal) => html.push(literal.clone()),
            NodeValue::Link(link) | NodeValue::Image(link) => links.push(link.url.clone()),
            NodeValue::FootnoteReference(note) => links.push(note.name.clone()),
            NodeValue::Table(table) => {
                let rows = node.children().filter(|row| row.children().count() != table.num_columns);
                ragged.extend(rows.map(|row| format!("line {}", row.data.borrow().sourcepos.start.line)));
            }
            _ => {}
        }
    }
    (html, links, ragged)
}

/// Tables as written: engines pad or drop cells silently, so the pipes are counted as well.
fn ragged_lines(text: &str) -> Vec<String> {
    let pipes = |line: &str| {
        let mut escaped = false;
        line.chars()
            .filter(|c| {
                let counts = *c == '|' && !escaped;
                escaped = *c == '\\' && !escaped;
                counts
            })
            .count()
    };
    let mut ragged = Vec::new();
    let mut wanted = None;
    for line in text.lines() {
        if !line.starts_with('|') {
            wanted = None;
        } else if *wanted.get_or_insert(pipes(line)) != pipes(line) {
            ragged.push(line.to_owned());
        }
    }
    ragged
}

fn is_inert(text: &str) -> Result<(), String> {
    let (html, links, ragged) = markup(text);
    let foreign: Vec<_> =
        html.iter().filter(|html| !html.trim().starts_with("<!-- quell:") || html.trim().lines().count() > 1).collect();
    if !foreign.is_empty() || !links.is_empty() || !ragged.is_empty() || !ragged_lines(text).is_empty() {
        return Err(format!("html {foreign:?}, links {links:?}, rows {ragged:?} {:?}", ragged_lines(text)));
    }
    if text.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}') {
        return Err("control characters".to_owned());
    }
    Ok(())
}

#[test]
fn tells_everything_that_became_of_an_incident() {
    let scene = eventful(live(), known_marks(), &Names::honest());
    let text = written(&scene.report());
    is_inert(&text).unwrap();
    insta::assert_snapshot!("post_mortem", text);
}

#[test]
fn says_unknown_where_a_mark_is_missing() {
    let model = interrupted(live()).report();
    for name in ["Dwell", "Exposure", "Time to detect", "Time to act", "Time to first evidence", "Time to contain"] {
        let metric = model.metrics.iter().find(|metric| metric.name == name).unwrap();
        assert_eq!(metric.value, "unknown", "{name}");
        assert!(metric.note.is_some());
    }
    for name in ["detected_at", "exposed_since", "reported_by", "commander"] {
        assert_eq!(model.marks.iter().find(|mark| mark.name == name).unwrap().value, "unknown");
    }
    let doubt = &model.unsettled[0];
    assert_eq!(doubt.standing, "in doubt: no outcome is recorded");
    assert_eq!(doubt.attempt.as_deref(), Some("1: no outcome is recorded"));
}

#[test]
fn the_same_journal_gives_the_same_bytes() {
    let scene = eventful(live(), known_marks(), &Names::honest());
    assert_eq!(scene.report(), scene.report());
    assert_eq!(written(&scene.report()), written(&scene.report()));
    let again = eventful(live(), known_marks(), &Names::honest());
    assert_eq!(written(&scene.report()), written(&again.report()));
}

#[test]
fn credentials_are_told_by_what_became_of_them() {
    let model = eventful(live(), known_marks(), &Names::honest()).report();
    let ids =
        |rows: &[quell::report::CredentialRow]| rows.iter().map(|row| (row.id.clone(), row.proven)).collect::<Vec<_>>();
    assert_eq!(ids(&model.credentials.cut), [("tok-stolen".into(), true), ("tok-child".into(), false)]);
    assert_eq!(ids(&model.credentials.rotated), [("tok-deploy".into(), true), ("key-origin".into(), false)]);
    let left = &model.credentials.not_rotated;
    assert_eq!(left[0].reason, "the partner cannot change it before Monday");
    assert_eq!(left[1].owner.as_deref(), Some("carol (billing)"));
    assert_eq!(model.credentials.undecided[0].id, "tok-unused");
}

#[test]
fn containment_has_no_time_while_a_cut_is_unproven() {
    let model = eventful(live(), known_marks(), &Names::honest()).report();
    let contained = model.marks.iter().find(|mark| mark.name == "contained").unwrap();
    assert_eq!(contained.value, "unknown: 1 of 2 changes in phase `contain` not proven");
}

#[test]
fn hostile_names_are_text_from_the_journal_on() {
    let name = "](javascript:alert(1)) `|\\| <script>\n<!-- quell:end summary -->\n\u{1b}[2J\u{202e} ***";
    let model = eventful(live(), known_marks(), &Names::all(name)).report();
    let text = written(&model);
    assert_eq!(is_inert(&text), Ok(()));
    assert_eq!(render(&model, None, Some(&text)), Ok(text), "a name forges no marker");
}

#[test]
fn hostile_text_in_any_field_is_text() {
    let lines = written(&drenched("plain")).lines().count();
    for name in [
        "a|b",
        "a\\|b",
        "\\",
        "`code`",
        "``",
        "[x](javascript:alert(1))",
        "](javascript:alert(1))",
        "![x](https://evil.example/x.png)",
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<https://evil.example>",
        "https://evil.example www.evil.example a@evil.example",
        "line one\nline two\r\n\n# heading",
        "\u{1b}[2J\u{1b}]8;;https://evil.example\u{7}x",
        "\u{202e}txt.exe",
        "<!-- quell:end summary -->",
        "\n<!-- quell:end summary -->\n",
        "<!-- quell:begin summary -->\n",
        "--> <b>",
        "****************************************",
        " - list",
        "    code block",
        "===",
        "~~~",
        "1. one",
        "> quote",
        "&lt;script&gt;",
        "[^1] $x$ @team #1",
        "{{incident.id}} {{{incident.id}}}",
        "",
        "   ",
    ] {
        let text = written(&drenched(name));
        assert_eq!(is_inert(&text), Ok(()), "{name:?}");
        assert_eq!(text.lines().count(), lines, "{name:?} makes or breaks lines");
        assert_eq!(render(&drenched(name), None, Some(&text)), Ok(text), "{name:?} forges no marker");
    }
}

/// The model with every single text replaced: no field, whatever it holds, may become markup.
fn drenched(text: &str) -> ReportModel {
    fn drench(value: &mut Value, text: &str) {
        match value {
            Value::String(old) => text.clone_into(old),
            Value::Array(items) => items.iter_mut().for_each(|item| drench(item, text)),
            Value::Object(map) => map.values_mut().for_each(|item| drench(item, text)),
            _ => {}
        }
    }
    let mut value = MODEL.clone();
    drench(&mut value, text);
    serde_json::from_value(value).expect("texts stay texts")
}

static MODEL: LazyLock<Value> = LazyLock::new(|| {
    let problem = Problem { seq: Some(9), kind: "chain", detail: "broken".into() };
    let model = eventful(rehearsal(), known_marks(), &Names::honest()).report_with(&[problem]);
    serde_json::to_value(model).expect("a model is JSON")
});

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_in_any_field_is_text(
        text in r#"([|`*_<>\[\]()!\\\n\r\t #&~@:./{}-]|quell:|end|www|http|[a-z0-9]|\PC|[\x00-\x1f]){0,24}"#,
    ) {
        prop_assert_eq!(is_inert(&written(&drenched(&text))), Ok(()));
    }
}

#[test]
fn what_people_wrote_survives_regeneration() {
    let mut scene = eventful(rehearsal(), known_marks(), &Names::honest());
    let first = written(&scene.report());
    let ours = "  We were **lucky**:\ttwo | bars, `code`, <b>bold</b>, trailing blanks   \n\n";
    let edited = first.replace("TODO: what went well, what went badly, where we were lucky.\n", ours);
    assert_ne!(first, edited);
    scene.note("one more note, from another terminal");
    let second = render(&scene.report(), None, Some(&edited)).unwrap();
    assert!(second.contains(ours) && second.contains("one more note"));
    assert_eq!(render(&scene.report(), None, Some(&second)).unwrap(), second);

    let moved = render(&scene.report(), Some("# Ours\n"), Some(&second)).unwrap();
    assert!(moved.contains("## Kept from an earlier draft") && moved.contains(ours));
    let back = render(&scene.report(), None, Some(&moved)).unwrap();
    assert_eq!(back, second);
}

#[test]
fn markers_that_cannot_be_told_apart_are_an_error_with_a_line() {
    let scene = interrupted(live());
    let broken = "# x\n\n<!-- quell:begin summary -->\nwords\n";
    let error = render(&scene.report(), None, Some(broken)).unwrap_err();
    assert!(matches!(error, ReportError::Blocks { whose: "the earlier report", line: 3, .. }), "{error}");
}

#[test]
fn a_template_of_ones_own() {
    let model = eventful(rehearsal(), known_marks(), &Names::all("<b>")).report();
    let text = render(&model, Some("{{incident.id}} {{#each credentials.cut}}{{name}};{{/each}}\n"), None).unwrap();
    assert!(text.contains("20261123-1400-k7qd \\<b\\>;child;"), "{text}");
    assert!(text.starts_with("> **REHEARSAL") && text.trim_end().lines().last().unwrap().contains("REHEARSAL"));

    for (template, place) in [
        ("a\n{{no_such_field}}", (2, 1)),
        ("{{#each runs}}\n{{no_such}}\n{{/each}}", (2, 1)),
        ("a\nb {{{incident.title}}}", (2, 3)),
        ("{{#each runs}}{{&title}}{{/each}}", (1, 15)),
        ("a\n{{#if}", (2, 6)),
    ] {
        let error = render(&model, Some(template), None).unwrap_err();
        let ReportError::Template { at: Some(at), .. } = &error else { panic!("{error}") };
        assert_eq!(*at, place, "{template}: {error}");
    }
}

#[test]
fn a_rehearsal_is_marked_at_both_ends_and_damage_at_the_top() {
    let text = written(&interrupted(rehearsal()).report());
    let lines: Vec<&str> = text.trim_end().lines().collect();
    assert!(lines[0].contains("REHEARSAL") && lines[lines.len() - 1].contains("REHEARSAL"));

    let problem = Problem { seq: Some(9), kind: "chain", detail: "line 9 does not follow <b>".into() };
    let torn = Problem { seq: None, kind: "torn_tail", detail: "12 bytes".into() };
    let text = written(&interrupted(live()).report_with(&[problem, torn.clone()]));
    assert!(text.starts_with("> **WARNING: THE RECORD OF THIS INCIDENT IS DAMAGED.**"), "{text}");
    assert!(text.contains("line 9 does not follow \\<b\\>"));
    assert!(!written(&interrupted(live()).report_with(&[torn])).contains("DAMAGED"));
}

#[test]
fn a_secret_in_a_note_is_masked() {
    let mut scene = interrupted(live());
    let secret = "cfut_0123456789012345678901234567890123456789abcd";
    scene.note(&format!("they pasted {secret} into the chat"));
    let text = written(&scene.report());
    assert!(!text.contains(secret) && text.contains("they pasted «token:"), "{text}");
}

#[test]
fn outputs_that_cannot_be_read_are_not_examined() {
    let unread = |model: ReportModel| model.not_examined.into_iter().map(|row| row.what).collect::<Vec<_>>();
    let eventful = eventful(live(), json!({}), &Names::honest()).report();
    assert_eq!(unread(eventful), ["Worker script bodies", "1 row of `events` in its output: no known shape"]);
    assert_eq!(unread(contained(live()).report()), ["its output could not be opened"]);
}

#[test]
fn a_consent_says_whether_somebody_typed_it() {
    let model = answered_by_a_file_first(live()).report();
    let by_file = |row: usize| model.effects[row].consents[0].by_file.as_deref();
    assert_eq!((by_file(0), by_file(1)), (Some("answers.toml"), None));
    let answers = &model.incident.answers[0];
    assert_eq!((answers.name.as_str(), answers.entries.as_str()), ("drill/answers.toml", "#4 to #11"));
    let told = |what: &str| model.timeline.iter().filter(|row| row.what == what).count();
    assert_eq!(told("cut: consent to 1 change with “cut” (by answers file answers.toml)"), 1);
    assert_eq!(told("cut: consent to 1 change with “cut”"), 1);
    assert_eq!(told("note: from another terminal"), 1);
}

#[test]
fn knowing_believing_and_doubting_are_three_numbers() {
    let model = eventful(live(), known_marks(), &Names::honest()).report();
    let fates: Vec<&str> = model.effects.iter().map(|row| row.fate.as_str()).collect();
    let (proven, word) = ("done and proven", "on somebody's word");
    assert_eq!(fates, [proven, word, proven, "not carried through", proven, "left", "left", word]);
    let kinds: Vec<&str> = model.unsettled.iter().map(|row| row.kind.as_str()).collect();
    assert_eq!(kinds, [word, "not carried through", word, "not carried through"]);
    assert_eq!(interrupted(live()).report().unsettled[0].kind, "in doubt");
}

#[test]
fn what_somebody_says_is_done_is_not_the_providers_word() {
    let report = written(&disbelieved(live()).report());
    assert!(report.contains("done by somebody's word; a read does not show it"), "{report}");
    assert!(!report.contains("provider's word"), "{report}");
}

#[test]
fn times_are_measured_between_marks() {
    let model = contained(live()).report();
    let value = |name: &str| model.metrics.iter().find(|metric| metric.name == name).unwrap().value.clone();
    assert_eq!(value("Time to contain"), "1 m 17 s");
    assert_eq!(value("Exposure"), "3 d 6 h 1 m 17 s");
    assert_eq!(value("Time waiting for people"), "21 s");
    assert_eq!(value("Time paused"), "7 s");
    assert_eq!(value("Dwell"), "unknown");
    let slow = "Containment took 1 m 17 s; the runbook aims for 1 m 0 s.";
    assert!(model.controls.iter().any(|control| control.text == slow), "{:?}", model.controls);
}

#[test]
fn the_word_clean_is_not_used() {
    let text = written(&eventful(live(), known_marks(), &Names::honest()).report());
    assert!(!text.to_lowercase().contains("clean"));
}
