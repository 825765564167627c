use std::path::Path;

use serde_json::Value;

use super::inspect::quote;
use crate::cli::console::{Style, wrap};
use crate::model::{AnswerKind, Ask, Question};

/// How many of the answers to choose from are shown: a screen of 24 lines holds no more beside the question.
const SHOWN: usize = 16;

/// How many of them are named to whoever typed none of them.
const NAMED: usize = 6;

/// The screen of one question; the first comes with what the person is told before. Ends with a line break.
pub fn question_text(ask: &Ask, at: usize, style: &Style) -> String {
    let Some(question) = ask.questions.get(at) else { return String::new() };
    let mut out = String::new();
    if at == 0 {
        out.push_str(&quote(&ask.instruction, style));
    }
    let place = if ask.questions.len() > 1 {
        format!(" (question {} of {})", at + 1, ask.questions.len())
    } else {
        String::new()
    };
    let optional = if question.required { "" } else { "; empty if there is nothing to say" };
    let how = match question.kind {
        AnswerKind::Text => "",
        AnswerKind::Choice { .. } => "; answer by number or id",
        AnswerKind::File => "; answer with the path of a file, which is kept as evidence",
    };
    let text = format!("{}{place}{how}{optional}", question.prompt);
    let mut lines = wrap(&style.show(&text), style.columns(), "", "  ");
    if let AnswerKind::Choice { options } = &question.kind {
        for (number, (id, words)) in options.iter().take(SHOWN).enumerate() {
            let option = style.show(&if id == words { id.clone() } else { format!("{id}: {words}") });
            lines.extend(wrap(&option, style.columns(), &format!("  {:>2}  ", number + 1), "        "));
        }
        if options.len() > SHOWN {
            lines.push(format!("  and {} more, to be typed", options.len() - SHOWN));
        }
    }
    for line in lines {
        out.push_str(&line);
        out.push('\n');
    }
    out
}

/// The answer that a typed line gives to a question; the error says what is wanted. A line that begins with `=` is the
/// text behind it, so that an answer may look like a verb.
pub fn answer_to(question: &Question, line: &str) -> Result<Value, String> {
    let line = line.trim();
    let line = line.strip_prefix('=').map_or(line, str::trim);
    if line.is_empty() {
        return match &question.kind {
            _ if !question.required => Ok(Value::Null),
            AnswerKind::Choice { options } => Err(format!("an answer is needed: one of {}", ids(options))),
            AnswerKind::Text | AnswerKind::File => Err(format!("`{}` needs an answer", question.name)),
        };
    }
    match &question.kind {
        AnswerKind::Text => {
            let fits = question.takes.map_or(Ok(()), |takes| takes.require(line));
            fits.map(|()| Value::from(line))
        }
        AnswerKind::Choice { options } => {
            // An id that looks like a number is an id first.
            let by_id = options.iter().find(|(id, _)| id == line);
            let number = line.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
            match by_id.or_else(|| number.and_then(|at| options.get(at))) {
                Some((id, _)) => Ok(Value::from(id.as_str())),
                None => Err(format!("`{line}` is none of {}", ids(options))),
            }
        }
        AnswerKind::File => file(line).map(|()| Value::from(line)),
    }
}

fn ids(options: &[(String, String)]) -> String {
    let named: Vec<String> = options.iter().take(NAMED).map(|(id, _)| format!("`{id}`")).collect();
    let more = if options.len() > NAMED { format!(" and {} more", options.len() - NAMED) } else { String::new() };
    named.join(", ") + &more
}

/// Whether there is a file to be kept at `path`.
pub(super) fn file(path: &str) -> Result<(), String> {
    match std::fs::metadata(Path::new(path)) {
        Ok(found) if found.is_file() => Ok(()),
        Ok(_) => Err(format!("`{path}` is not a file")),
        Err(error) => Err(format!("`{path}` cannot be read: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::{answer_to, question_text};
    use crate::cli::console::Style;
    use crate::model::{AnswerKind, Ask, Question, Takes};

    fn question(kind: AnswerKind, required: bool) -> Question {
        Question { name: "way".into(), prompt: "which way".into(), kind, required, takes: None }
    }

    #[test]
    fn choices_go_by_id_and_then_by_number() {
        let options = vec![("2".to_owned(), "two".to_owned()), ("one".to_owned(), "one".to_owned())];
        let question = question(AnswerKind::Choice { options }, true);
        for (line, id) in [("2", "2"), ("one", "one"), ("1", "2"), (" one ", "one")] {
            assert_eq!(answer_to(&question, line).unwrap(), id, "{line}");
        }
        for line in ["", "0", "3", "two"] {
            assert!(answer_to(&question, line).is_err(), "{line}");
        }
        assert_eq!(answer_to(&question, "").unwrap_err(), "an answer is needed: one of `2`, `one`");
    }

    #[test]
    fn of_many_answers_some_are_shown_and_all_are_taken() {
        let options: Vec<_> =
            (1..=300).map(|number| (format!("m{number}@a.example"), format!("m{number}@a.example"))).collect();
        let question = question(AnswerKind::Choice { options }, true);
        let ask = Ask { instruction: String::new(), questions: vec![question.clone()] };
        let text = question_text(&ask, 0, &Style::plain(40));
        assert!(text.contains("\n  16  m16@a.example\n  and 284 more, to be typed\n"), "{text}");
        assert_eq!(answer_to(&question, "m300@a.example").unwrap(), "m300@a.example");
        let none = answer_to(&question, "m301@a.example").unwrap_err();
        assert!(none.ends_with("`m6@a.example` and 294 more"), "{none}");
    }

    #[test]
    fn addresses_are_held_against_what_they_must_be() {
        let asked = Question { takes: Some(Takes::Addresses), ..question(AnswerKind::Text, true) };
        for fits in ["203.0.113.50", "203.0.113.0/24, 2001:db8::1", "=203.0.113.50/32"] {
            assert!(answer_to(&asked, fits).is_ok(), "{fits}");
        }
        let wrong = answer_to(&asked, "203.0.113.50, 999.1").unwrap_err();
        assert!(wrong.starts_with("`999.1` is no range of addresses; write it as 203.0.113.50"), "{wrong}");
        for wrong in ["office", "203.0.113.50,", "0.0.0.0/0", ""] {
            assert!(answer_to(&asked, wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_answer_may_look_like_a_verb() {
        let text = question(AnswerKind::Text, true);
        assert_eq!(answer_to(&text, "= skip the line").unwrap(), "skip the line");
        assert!(answer_to(&text, "=").is_err());
        assert!(answer_to(&question(AnswerKind::Text, false), "").unwrap().is_null());
        assert!(answer_to(&question(AnswerKind::File, true), "/nowhere/at all").is_err());
    }
}
