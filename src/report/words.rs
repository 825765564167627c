//! Times, durations and cut texts, written the same way all over the report.

use jiff::Timestamp;

pub(super) use crate::model::count;

/// Stands where a mark is missing; never a zero.
pub(super) const UNKNOWN: &str = "unknown";

/// UTC, RFC 3339, to the second.
pub(super) fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// From one instant to another: `4 m 12 s`. Counted in the whole seconds that are shown, so that a reader who
/// subtracts gets the same. `None` where the second comes before the first.
pub(super) fn between(from: Timestamp, to: Timestamp) -> Option<String> {
    let seconds = to.as_second() - from.as_second();
    (seconds >= 0).then(|| duration(seconds))
}

/// `45 s`, `4 m 12 s`, `2 h 0 m 5 s`, `3 d 4 h 0 m 0 s`.
pub(super) fn duration(seconds: i64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    let parts = [(days, "d"), (hours, "h"), (minutes, "m"), (seconds % 60, "s")];
    let first = parts.iter().position(|(count, _)| *count > 0).unwrap_or(parts.len() - 1);
    parts[first..].iter().map(|(count, unit)| format!("{count} {unit}")).collect::<Vec<_>>().join(" ")
}

/// At most `most` characters; what is cut off is marked by `…`.
pub(super) fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

/// Why its condition left a step out, for people: not the condition, but what it looks at.
pub(super) fn not_needed(reason: &str) -> String {
    let looks_at = |kind: &str| {
        let mut names: Vec<String> = Vec::new();
        for (at, _) in reason.match_indices(kind) {
            let name: String = reason[at + kind.len()..].chars().take_while(|c| is_of_name(*c)).collect();
            if !name.is_empty() && !names.contains(&name) {
                names.push(name);
            }
        }
        names.into_iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
    };
    match (looks_at("steps."), looks_at("inputs.")) {
        (steps, inputs) if steps.is_empty() && inputs.is_empty() => "not needed".to_owned(),
        (steps, inputs) if inputs.is_empty() => format!("not needed, by what came of {steps}"),
        (steps, inputs) if steps.is_empty() => format!("not needed, by what {inputs} was given as"),
        (steps, inputs) => format!("not needed, by what came of {steps} and what {inputs} was given as"),
    }
}

fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_')
}

#[cfg(test)]
mod tests {
    use super::{between, cut, duration, not_needed};

    #[test]
    fn a_condition_is_told_by_what_it_looks_at() {
        let of = |when: &str| not_needed(&format!("its condition is not met: {when}"));
        assert_eq!(of("(len steps.key-whose.holders)"), "not needed, by what came of `key-whose`");
        let both = "(and (not (any steps.a.x steps.b-c.y steps.a.z)) inputs.baseline)";
        assert_eq!(of(both), "not needed, by what came of `a`, `b-c` and what `baseline` was given as");
        assert_eq!(of("inputs.zones"), "not needed, by what `zones` was given as");
        assert_eq!(of("false"), "not needed");
    }

    #[test]
    fn durations_begin_with_their_largest_unit() {
        for (seconds, text) in [(0, "0 s"), (252, "4 m 12 s"), (7_205, "2 h 0 m 5 s"), (273_600, "3 d 4 h 0 m 0 s")] {
            assert_eq!(duration(seconds), text);
        }
    }

    #[test]
    fn nothing_ends_before_it_begins() {
        let at = |text: &str| text.parse::<jiff::Timestamp>().unwrap();
        let (early, late) = (at("2026-01-01T00:00:00.9Z"), at("2026-01-01T00:00:02.1Z"));
        assert_eq!(between(early, late).as_deref(), Some("2 s"));
        assert_eq!(between(late, early), None);
    }

    #[test]
    fn texts_are_cut_between_characters() {
        assert_eq!(cut("日本語", 2), "日本…");
        assert_eq!(cut("日本", 2), "日本");
    }
}
