//! What the logs cannot say, in sentences: of these logs, and of any.

use jiff::Timestamp;

use crate::hunt::LogReach;
use crate::model::count;

/// What no log of Cloudflare ever shows (API.md section 8). It is no gap of the run.
pub const NEVER: &[&str] = &[
    "Never logged: objects of R2 read over S3, values of KV read by Workers, DNS queries, changes of the Origin CA key.",
    "Log v1 has no reads and no failed attempts; of log v2 it is not documented which products log their reads.",
];

/// So many addresses are named: whoever has more begins the window earlier for any of them.
const MOST_ADDRESSES: usize = 5;

/// What these logs cannot say of the window from `since` to `before`.
pub fn limits(reach: &LogReach, since: Timestamp, before: Timestamp, complete: bool) -> Vec<String> {
    let moment = |at: Timestamp| at.strftime("%F %H:%MZ").to_string();
    let mut limits = Vec::new();
    if !complete {
        limits.push("The logs do not tell all of the window: what is missing stands among the gaps.".to_owned());
    }
    match reach.oldest {
        None => limits.push("The logs are empty: nothing can be said of anybody.".to_owned()),
        Some(oldest) if oldest >= since => limits.push(format!(
            "The logs have nothing from before the window (asked from {}): what is new and what was usual cannot be told \
             apart.",
            moment(reach.asked_from)
        )),
        Some(oldest) => limits.push(format!(
            "What was usual is told from {} on, where the logs begin (asked from {}).",
            moment(oldest),
            moment(reach.asked_from)
        )),
    }
    match (reach.named_from, reach.oldest) {
        (None, Some(_)) => limits.push("Log v2 has no entry: no token, no program and no read is named.".to_owned()),
        (Some(named), Some(oldest)) if named > oldest && reach.unnamed > 0 && named > since => limits.push(format!(
            "Log v2 begins at {}: of what was before, log v1 names no token, no program and no read.",
            moment(named)
        )),
        _ => {}
    }
    let mut came_up: Vec<(&String, Timestamp)> = reach.came_up.iter().map(|(ip, at)| (ip, *at)).collect();
    came_up.sort_by_key(|(_, at)| *at);
    for (ip, at) in came_up.into_iter().take(MOST_ADDRESSES) {
        limits.push(format!(
            "{ip} was at work from {} on, before the window, and is new all the same. If it is the intruder's, the window \
             begins too late: what was done before {} was not looked at.",
            moment(at),
            moment(since)
        ));
    }
    if reach.unnamed > 0 {
        let acts = count(usize::try_from(reach.unnamed).unwrap_or(usize::MAX), "act");
        limits.push(format!("{acts} of the window only in log v1: by which token, it seldom says."));
    }
    if let Some(newest) = reach.newest {
        limits.push(format!(
            "The newest entry is of {}; what happened since until {} may not have arrived.",
            moment(newest),
            moment(before)
        ));
    }
    limits.extend(NEVER.iter().map(|never| (*never).to_owned()));
    limits
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::limits;
    use crate::hunt::LogReach;

    fn at(day: u8) -> Timestamp {
        format!("2026-02-{day:02}T00:00:00Z").parse().unwrap()
    }

    fn told(reach: &LogReach, complete: bool, part: &str) -> bool {
        limits(reach, at(10), at(20), complete).iter().any(|limit| limit.contains(part))
    }

    #[test]
    fn how_far_each_log_reaches_is_said() {
        let whole = LogReach {
            asked_from: at(1),
            named_from: Some(at(2)),
            oldest: Some(at(2)),
            newest: Some(at(19)),
            ..LogReach::default()
        };
        assert!(told(&whole, true, "What was usual is told from 2026-02-02 00:00Z on"));
        assert!(told(&whole, true, "The newest entry is of 2026-02-19 00:00Z") && told(&whole, true, "Never logged"));
        assert!(!told(&whole, true, "do not tell all") && !told(&whole, true, "log v1 names no token"));
        assert!(told(&whole, false, "do not tell all"));
        let split = LogReach { named_from: Some(at(12)), unnamed: 3, ..whole.clone() };
        assert!(told(&split, true, "Log v2 begins at 2026-02-12 00:00Z") && told(&split, true, "3 acts of the window"));
        assert!(told(&LogReach { named_from: None, ..whole.clone() }, true, "Log v2 has no entry"));
        let late = LogReach { came_up: [("203.0.113.9".to_owned(), at(9))].into(), ..whole.clone() };
        assert!(told(&late, true, "203.0.113.9 was at work from 2026-02-09 00:00Z on, before the window"));
        assert!(!told(&whole, true, "at work"));
        assert!(told(&LogReach { oldest: Some(at(10)), ..whole }, true, "nothing from before the window"));
        assert!(told(&LogReach::default(), true, "The logs are empty"));
    }
}
