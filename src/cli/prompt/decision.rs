use super::inspect::{labelled, outside_label};
use super::verb::VERBS;
use crate::cli::console::{Style, Tone, wrap};
use crate::engine::{DecisionKind, DecisionRequest};
use crate::journal::{EffectDecision, EffectState};
use crate::model::{Call, Outcome, Verdict};

/// The screen of a decision about one effect: what is known, and what each choice means. Ends with a line break.
pub fn decision_text(request: &DecisionRequest<'_>, style: &Style) -> String {
    let state = request.state;
    let title = match request.kind {
        DecisionKind::InDoubt => "in doubt",
        DecisionKind::Refused if matches!(state.outcome(), Some(Outcome::NotSent(_))) => "could not be sent",
        DecisionKind::Refused => "refused",
        DecisionKind::NotSeen => "not seen",
    };
    let mut out = format!("\n{}\n", style.heading(&format!("{}: {title}", request.step.path)));
    for line in wrap(&style.show(&state.effect.summary), style.columns(), "", "  ") {
        out.push_str(&style.paint(Tone::Strong, &line));
        out.push('\n');
    }
    let mut row = |label: &str, text: &str| out.push_str(&labelled(label, text, style));
    row("target", &format!("{} {}", state.effect.target.kind, state.effect.target.name));
    row("target id", &state.effect.target.id);
    match &state.effect.call {
        Call::Http(call) => row("request", &format!("{} {}", call.method, call.path)),
        Call::Outside(call) => row(outside_label(call), &call.to_string()),
        Call::Hand(_) => {}
    }
    row("known", &known(request));
    row("a look", &looked(state.verdict.as_ref()));
    row("", "nothing is sent again by itself: you decide");
    out.push('\n');
    for (choice, meaning) in choices(request) {
        let text = format!("{choice}: {meaning}");
        for line in wrap(&style.show(&text), style.columns(), "", "    ") {
            out.push_str(&line);
            out.push('\n');
        }
    }
    for line in wrap(&format!("or: inspect, {VERBS}"), style.columns(), "", "  ") {
        out.push_str(&line);
        out.push('\n');
    }
    out
}

fn known(request: &DecisionRequest<'_>) -> String {
    let state = request.state;
    let attempts = state.attempts.len().max(1);
    let why = state.outcome().and_then(Outcome::why);
    match (request.kind, state.outcome()) {
        (DecisionKind::InDoubt, _) => {
            let why = why.unwrap_or("the process ended before an answer was written down");
            format!("attempt {attempts} was sent, and whether it took place is not known: {why}")
        }
        (DecisionKind::Refused, Some(Outcome::NotSent(why))) => {
            format!("{attempts} attempts did not leave this machine, or were turned away unread: {why}")
        }
        (DecisionKind::Refused, _) => {
            format!("the provider said no to attempt {attempts}: {}", why.unwrap_or("it did not say why"))
        }
        (DecisionKind::NotSeen, _) if is_by_hand(state) => {
            format!("{} said that it is done, and the change does not show", who(state))
        }
        (DecisionKind::NotSeen, _) => {
            format!("the provider said yes to attempt {attempts}, and the change does not show")
        }
    }
}

const fn is_by_hand(state: &EffectState) -> bool {
    matches!(state.effect.call, Call::Hand(_))
}

/// Who attested work by hand.
fn who(state: &EffectState) -> &str {
    state.receipt().and_then(|receipt| receipt["attested_by"].as_str()).unwrap_or("a person")
}

pub(super) fn looked(verdict: Option<&Verdict>) -> String {
    match verdict {
        None => "none was taken".to_owned(),
        Some(Verdict::Holds(detail)) => format!("the change is in place: {detail}"),
        Some(Verdict::DoesNotHold(detail)) => format!("the change is not in place: {detail}"),
        Some(Verdict::CannotTell(detail)) => format!("cannot tell: {detail}"),
    }
}

fn choices(request: &DecisionRequest<'_>) -> [(&'static str, String); 3] {
    let state = request.state;
    let sealed = state.attempts.last().is_some_and(|attempt| attempt.sealed);
    let holds_secret = matches!(&state.effect.call, Call::Http(call) if call.secret_answer);
    let retry = match request.kind {
        DecisionKind::InDoubt if sealed => {
            "look again, show it, and send only after fresh consent. What arrived of the answer lies sealed in the vault \
             and may hold the secret; rolling again makes that one void, and breaks the consumers once more"
        }
        DecisionKind::InDoubt if holds_secret => {
            "look again, show it, and send only after fresh consent. If the lost attempt did take place, its secret is \
             gone: rolling again is safe for the account, and breaks the consumers once more"
        }
        DecisionKind::InDoubt => {
            "look again, show it, and send only after fresh consent. If the lost attempt did take place, this is the \
             second"
        }
        DecisionKind::NotSeen if is_by_hand(state) => {
            "look again (`check again` does as well), and ask for what then is still to be done by hand"
        }
        DecisionKind::Refused | DecisionKind::NotSeen => "look again, show it, and send only after fresh consent",
    };
    let attested = format!("you take the word of {}; it is recorded as done, and as not proven", who(state));
    let applied = match request.kind {
        DecisionKind::NotSeen if is_by_hand(state) => &attested,
        DecisionKind::InDoubt if sealed => {
            "you have seen elsewhere that it took place. What arrived of its answer lies sealed in the vault"
        }
        DecisionKind::InDoubt if holds_secret => {
            "you have seen elsewhere that it took place. The new secret is not in quell's hands"
        }
        DecisionKind::InDoubt => "you have seen elsewhere that it took place; it is recorded as done on your word",
        DecisionKind::Refused => "you have seen elsewhere that it is in place all the same; recorded on your word",
        DecisionKind::NotSeen => "you take the provider's word; it is recorded as done, and as not proven",
    };
    let abandon = match request.kind {
        DecisionKind::InDoubt => "leave it as it is, whatever that is; it is recorded as given up",
        DecisionKind::Refused | DecisionKind::NotSeen => "leave it; it is recorded as given up",
    };
    [("retry REASON", retry.to_owned()), ("applied REASON", applied.to_owned()), ("abandon REASON", abandon.to_owned())]
}

/// Reads a decision with the person's words. An error says what is missing. Of work by hand `check again` says enough:
/// nothing is done by it.
pub(super) fn decided(line: &str, request: &DecisionRequest<'_>) -> Option<Result<(EffectDecision, String), String>> {
    let line = line.trim();
    if line == "check again" && request.state.can_be_checked() {
        return Some(Ok((EffectDecision::Retry, line.to_owned())));
    }
    let (word, words) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let decision = match word {
        "retry" => EffectDecision::Retry,
        "applied" => EffectDecision::Applied,
        "abandon" => EffectDecision::Abandon,
        _ => return None,
    };
    let words = words.trim();
    if words.is_empty() {
        return Some(Err(format!("say why, for the record: `{word} REASON`")));
    }
    Some(Ok((decision, words.to_owned())))
}
