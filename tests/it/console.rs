//! What the responder sees and types, without a terminal.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test, also outside the test's own function")]

mod answers;
mod dialogue;
mod screens;
mod watch;

use quell::cli::console::Style;
use quell::engine::{ConsentMode, ConsentRequest, Drift};
use quell::journal::{Payload, PlannedStep, Proposed};
use quell::model::{ByHand, Call, Danger, Effect, EffectKey, HttpCall, Phase, Radius, StepPath, Target, UndoCall};
use serde_json::{Value, json};

fn planned(id: &str) -> PlannedStep {
    PlannedStep {
        path: StepPath::step(id),
        phase: Phase::Contain,
        title: "Cut the suspect token off".into(),
        why: Some("It is known to be in the intruder's hands.".into()),
        action: "cloudflare.token.disable".into(),
        max_danger: Danger::Irreversible,
        container: false,
        parent: None,
        round: 0,
        key: None,
        finally: false,
        skippable: true,
        second_person: false,
        needed_by: Vec::new(),
    }
}

fn effect(number: usize, name: &str, danger: Danger) -> Effect {
    let id = format!("{number:032x}");
    Effect {
        key: EffectKey::derive("cut", "cloudflare.token.disable", "token", &id),
        action: "cloudflare.token.disable".into(),
        summary: format!("disable token {name}"),
        danger,
        call: Call::Http(HttpCall {
            method: "PUT".into(),
            path: format!("/accounts/023e105f4ecef8ad9ca31a8372d0c353/tokens/{id}"),
            body: Some(json!({ "status": "disabled" })),
            secret_answer: false,
        }),
        before: json!({ "status": "active", "name": name }),
        after: json!({ "status": "disabled", "name": name }),
        radius: Radius {
            reach: (number != 2).then(|| "zones shop.example (crown jewel), a.example".into()),
            cut_off: Some("whatever uses it, at once".into()),
            put_back: None,
        },
        consequences: vec!["what speaks against it: it was made in the window".into()],
        facts: vec![("last used".into(), format!("2026-11-{:02}", number + 10)), ("status".into(), "active".into())],
        preselected: false,
        undo: Some(UndoCall { action: "cloudflare.token.restore".into(), with: Value::Null }),
        resolves: None,
        target: Target { kind: "token".into(), id, name: name.into(), ambiguous: false },
    }
}

fn by_hand(number: usize, name: &str) -> Effect {
    let work = ByHand {
        request: None,
        place: None,
        read: None,
        blind: false,
        instruction: "Open the member's page.\n  Choose `Revoke sessions`.\n\u{1b}[2Jrun> done".into(),
        dashboard: Some("https://dash.cloudflare.com/023e105f4ecef8ad9ca31a8372d0c353/members".into()),
        curl: Some(
            "curl -X DELETE -H \"Authorization: Bearer $CLOUDFLARE_API_TOKEN\" \
             https://api.cloudflare.com/client/v4/accounts/023e105f4ecef8ad9ca31a8372d0c353/members/x"
                .into(),
        ),
    };
    Effect {
        call: Call::Hand(work),
        summary: format!("end the sessions of {name}"),
        ..effect(number, name, Danger::Disruptive)
    }
}

fn proposed(effects: &[Effect], account_for_rest: bool) -> Proposed {
    Proposed {
        chore: None,
        output: Payload::Inline(Value::Null),
        summary: "two tokens".into(),
        effects: effects.to_vec(),
        account_for_rest,
        verb: "rotate".into(),
        ask: None,
        already: Vec::new(),
        not_proposed: Vec::new(),
    }
}

fn request<'a>(step: &'a PlannedStep, proposed: &'a Proposed, drifted: Vec<Drift>) -> ConsentRequest<'a> {
    let effects: Vec<&Effect> = proposed.effects.iter().collect();
    let mode = ConsentMode::of(step.path.id(), &proposed.verb, &effects, None);
    let place = "account Acme Ltd (023e105f4ecef8ad9ca31a8372d0c353) at api.cloudflare.com".to_owned();
    ConsentRequest { step, proposed, effects, mode, drifted, asked: Vec::new(), place }
}

fn five() -> Vec<Effect> {
    ["ci-deploy", "terraform-production-eu-west-1", "сi-deploy", "日本のトークン", "e\u{301}vil\u{1b}[2J\u{202e}"]
        .iter()
        .enumerate()
        .map(|(at, name)| effect(at + 1, name, Danger::Irreversible))
        .collect()
}

const PLAIN: Style = Style { width: 80, colour: false, utf8: true, rehearsal: false };
