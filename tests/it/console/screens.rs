use insta::assert_snapshot;
use jiff::SignedDuration;
use quell::cli::console::{Column, Room, Style, header, table, width};
use quell::cli::prompt::{
    Selection, consent_text, decision_text, failure_text, hand_text, inspect_text, list_text, question_text,
};
use quell::engine::{DecisionKind, DecisionRequest, Drift, DriftFrom, FailureRequest, HandRequest};
use quell::journal::{NestedRunbook, RunOpened};
use quell::model::{
    Account, AnswerKind, Ask, Call, CredentialFacts, CredentialKind, Danger, Digest, IncidentId, Question, Role, RunId,
    World,
};
use serde_json::json;

use super::watch::{Told, attested, state_in_doubt};
use super::{PLAIN, by_hand, effect, five, planned, proposed, request};

const WIDTHS: [usize; 4] = [40, 60, 80, 120];

fn at(width: usize) -> Style {
    Style { width, ..PLAIN }
}

/// Neither too wide nor alive: nothing that acts on a terminal, no line beyond the width.
fn assert_tame(text: &str, columns: usize) {
    for line in text.lines() {
        assert!(width(line) <= columns, "{} columns instead of {columns}: {line}", width(line));
        assert!(!line.chars().any(char::is_control) && !line.contains('\u{202e}'), "{line:?}");
    }
}

#[test]
fn tables_fit_every_width_and_keep_the_row_numbers() {
    let columns = [
        Column::new("row", Room::Whole),
        Column::new("target", Room::Shorten(14)),
        Column::new("last used", Room::Spare),
        Column::new("from", Room::Spare),
        Column::new("id", Room::Shorten(9)),
    ];
    let names = five().into_iter().map(|effect| (effect.target.name, effect.target.id));
    let rows: Vec<Vec<String>> = names
        .enumerate()
        .map(|(at, (name, id))| {
            vec![format!("[ ] {:>3}", at + 998), name.repeat(3), "2026-11-20".into(), "203.0.113.7, DE".into(), id]
        })
        .collect();
    for width in WIDTHS {
        let text = table(&columns, &rows, &at(width));
        assert_tame(&text, width);
        assert_eq!(text.lines().count(), rows.len() + 1, "one line per row\n{text}");
        for number in 998..1003 {
            assert!(text.contains(&format!("[ ] {number:>3}")), "{text}");
        }
    }
    assert_snapshot!("table_at_60", table(&columns, &rows, &at(60)));
}

#[test]
fn every_screen_fits_every_width() {
    let (step, one, rows) = (planned("cut-suspect"), five().remove(4), five());
    let (single, list) = (proposed(std::slice::from_ref(&one), false), proposed(&rows, true));
    let hand = by_hand(1, &one.target.name);
    let Call::Hand(work) = hand.call.clone() else { unreachable!() };
    let doubt = state_in_doubt(true);
    for width in WIDTHS {
        for utf8 in [true, false] {
            let style = Style { utf8, rehearsal: true, ..at(width) };
            let selection = Selection::proposed(&rows.iter().collect::<Vec<_>>());
            let hand =
                HandRequest { step: &step, effect: &hand, work: &work, position: (1, 2), rows: &[], drifted: None };
            let hand = hand_text(&hand, "ann", &style).replace(work.curl.as_deref().unwrap(), "");
            let texts = [
                consent_text(&request(&step, &single, Vec::new()), &one, &style),
                list_text(&request(&step, &list, Vec::new()), &selection, &style),
                decision_text(&DecisionRequest { step: &step, state: &doubt, kind: DecisionKind::InDoubt }, &style),
                failure_text(&FailureRequest { step: &step, error: &"long ".repeat(30), hint: Some("hint") }, &style),
                inspect_text(&one, &style),
                hand,
            ];
            for text in texts {
                assert_tame(&text, width);
                assert!(utf8 || text.is_ascii(), "{text}");
            }
        }
    }
}

#[test]
fn consent_to_a_disruptive_effect() {
    let (step, mut effects) = (planned("cut-suspect"), vec![effect(1, "ci-deploy", Danger::Disruptive)]);
    effects[0].preselected = true;
    let proposed = proposed(&effects, false);
    assert_snapshot!(consent_text(&request(&step, &proposed, Vec::new()), &effects[0], &PLAIN));
}

#[test]
fn consent_to_what_cannot_be_put_back_under_a_look_alike_name() {
    let (step, mut effects) = (planned("cut-suspect"), vec![effect(3, "сi-deploy", Danger::Irreversible)]);
    effects[0].undo = None;
    let proposed = proposed(&effects, false);
    let drifted = vec![Drift {
        key: effects[0].key.clone(),
        from: DriftFrom::Shown(json!({ "status": "active", "name": "ci-deploy" })),
        now: effects[0].before.clone(),
    }];
    let style = Style { rehearsal: true, ..at(60) };
    assert_snapshot!(consent_text(&request(&step, &proposed, drifted), &effects[0], &style));
}

#[test]
fn consent_to_a_list() {
    let (step, effects) = (planned("rotate-exposed"), five());
    let proposed = proposed(&effects, true);
    let request = request(&step, &proposed, Vec::new());
    let mut selection = Selection::proposed(&request.effects);
    assert_eq!(selection.number(), 0, "rows of a rotation start unselected");
    let command = selection.command("1 3-4").unwrap().unwrap();
    selection.apply(&command);
    assert_snapshot!(list_text(&request, &selection, &PLAIN));
    assert_snapshot!("list_at_40", list_text(&request, &selection, &at(40)));
}

#[test]
fn a_decision_in_doubt() {
    let (step, state) = (planned("rotate-exposed"), state_in_doubt(true));
    assert_snapshot!(decision_text(
        &DecisionRequest { step: &step, state: &state, kind: DecisionKind::InDoubt },
        &PLAIN
    ));
}

#[test]
fn work_by_hand_that_is_not_seen_is_on_a_persons_word() {
    let (step, state) = (planned("people"), attested());
    let text =
        decision_text(&DecisionRequest { step: &step, state: &state, kind: DecisionKind::NotSeen }, &Style::plain(200));
    assert!(text.contains("Priya Nair said that it is done, and the change does not show"), "{text}");
    assert!(text.contains("you take the word of Priya Nair"), "{text}");
    assert!(!text.contains("provider") && !text.contains("send only"), "{text}");
}

#[test]
fn work_by_hand() {
    let (step, effect) = (planned("revoke-sessions"), by_hand(1, "mallory@example.com"));
    let Call::Hand(work) = &effect.call else { unreachable!() };
    let text = hand_text(
        &HandRequest { step: &step, effect: &effect, work, position: (1, 2), rows: &[], drifted: None },
        "ann",
        &PLAIN,
    );
    assert!(text.contains(&format!("\n{}\n", work.curl.as_deref().unwrap())), "whole, on a line of its own");
    assert_snapshot!(text);
}

#[test]
fn questions() {
    let options = vec![("all".to_owned(), "every zone".to_owned()), ("some".to_owned(), "only those named".to_owned())];
    let ask = Ask {
        instruction: "Ask the owner of the token.".into(),
        questions: vec![
            Question {
                name: "scope".into(),
                prompt: "Which zones are touched?".into(),
                kind: AnswerKind::Choice { options },
                required: true,
                takes: None,
            },
            Question {
                name: "mail".into(),
                prompt: "The mail".into(),
                kind: AnswerKind::File,
                required: false,
                takes: None,
            },
        ],
    };
    assert_snapshot!(format!("{}{}", question_text(&ask, 0, &PLAIN), question_text(&ask, 1, &PLAIN)));
}

#[test]
fn the_header_says_what_a_run_is_bound_to() {
    let opened = RunOpened {
        detected_at: Some("2026-11-23T14:02:00Z".parse().unwrap()),
        roles: [(Role::Commander, "Maya\u{202e} L".into()), (Role::Scribe, "Sam".into())].into(),
        update_seconds: None,
        run: RunId::new("r1"),
        runbook: "cloudflare-token-compromise".into(),
        title: "Cloudflare API token compromise".into(),
        runbook_sha256: Digest::of(b"runbook"),
        source: "embedded".into(),
        target_seconds: Some(3600),
        world: World::Rehearsal("token-leak".into()),
        api: "127.0.0.1:40123".into(),
        account: Account { id: "023e105f4ecef8ad9ca31a8372d0c353".into(), name: "Acme\u{1b}[31m Ltd".into() },
        credential: CredentialFacts {
            kind: CredentialKind::UserToken,
            id: Some("ed17574386854bf78a67040be0a770b0".into()),
            owner: Some("ann@example.com".into()),
            expires: None,
        },
        crown_jewels: Vec::new(),
        skew_ms: None,
        leaked: None,
    };
    let incident = IncidentId::new("20261123-1412-k7qd");
    let calls = [NestedRunbook {
        name: "tell-everybody".into(),
        sha256: Digest::of(b"nested"),
        source: "/etc/quell/\u{1b}[2J/tell-everybody.toml".into(),
    }];
    let opened_at = "2026-11-23T14:12:00Z".parse().unwrap();
    let now = opened_at + SignedDuration::from_secs(125);
    for width in WIDTHS {
        assert_tame(&header(&opened, &calls, &incident, opened_at, now, &[], &at(width)), width);
    }
    assert_snapshot!(header(&opened, &calls, &incident, opened_at, now, &[], &PLAIN));
}

#[test]
fn the_course_of_a_step() {
    assert_snapshot!(Told::course(PLAIN));
}
