use std::collections::BTreeSet;

use super::consent::{asked_text, danger, drift_text, how_many, typed_phrase};
use super::inspect::labelled;
use super::verb::VERBS;
use crate::cli::console::{Column, Room, Style, Tone, count, table, wrap};
use crate::engine::ConsentRequest;
use crate::model::{Danger, Disposition, Effect};

/// Which rows of a list are chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    chosen: Vec<bool>,
}

/// What a line does to a selection or to the rows that are not in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Choose all.
    All,
    /// Choose none.
    None,
    /// Choose these rows, or no longer, counted from 0.
    Toggle(BTreeSet<usize>),
    /// Show all of them again.
    List,
}

/// So many chosen rows are named; of more only the number is told.
const NAMED: usize = 12;

impl Selection {
    /// As the rows are proposed.
    pub fn proposed(effects: &[&Effect]) -> Self {
        Self { chosen: effects.iter().map(|effect| effect.preselected).collect() }
    }

    /// How many rows are chosen.
    pub fn number(&self) -> usize {
        self.chosen.iter().filter(|chosen| **chosen).count()
    }

    /// Whether the row, counted from 0, is chosen.
    pub fn has(&self, row: usize) -> bool {
        self.chosen.get(row).copied().unwrap_or_default()
    }

    /// Reads `all`, `none`, `list` or rows as in `1 3 5-7`. `None` where the line is none of these; an error says which row
    /// there is not.
    pub fn command(&self, line: &str) -> Option<Result<Command, String>> {
        match line.trim() {
            "all" => return Some(Ok(Command::All)),
            "none" => return Some(Ok(Command::None)),
            "list" => return Some(Ok(Command::List)),
            _ => {}
        }
        let mut rows = BTreeSet::new();
        let parts: Vec<&str> = line.split([' ', ',', '\t']).filter(|part| !part.is_empty()).collect();
        if parts.is_empty() {
            return None;
        }
        for part in parts {
            let (from, to) = part.split_once('-').unwrap_or((part, part));
            let (Ok(from), Ok(to)) = (from.parse::<usize>(), to.parse::<usize>()) else { return None };
            if from == 0 || from > to || to > self.chosen.len() {
                return Some(Err(format!("there is no row `{part}`: rows go from 1 to {}", self.chosen.len())));
            }
            rows.extend(from - 1..to);
        }
        Some(Ok(Command::Toggle(rows)))
    }

    /// Carries a command out.
    pub fn apply(&mut self, command: &Command) {
        match command {
            Command::All => self.chosen.fill(true),
            Command::None => self.chosen.fill(false),
            Command::Toggle(rows) => {
                for row in rows {
                    if let Some(chosen) = self.chosen.get_mut(*row) {
                        *chosen = !*chosen;
                    }
                }
            }
            Command::List => {}
        }
    }
}

/// The consent screen of a list: one table, what is chosen, what to type. Ends with a line break.
pub fn list_text(request: &ConsentRequest<'_>, selection: &Selection, style: &Style) -> String {
    let effects = &request.effects;
    let mut out = format!("\n{}\n", style.heading(&format!("{}: consent", request.step.path)));
    out.push_str(&drift_text(&request.drifted, effects, style));
    out.push_str(&asked_text(request, style));
    out.push_str(&labelled("where", &request.place, style));
    out.push_str(&effects_text(effects, Some(selection), style));
    out.push('\n');
    let goes = format!(
        "{} of {} chosen; the first goes alone, and the list stops at the first that is refused or in doubt",
        selection.number(),
        count(effects.len(), "row")
    );
    out.push_str(&choice_text(request, selection, &goes, "", style));
    out
}

/// What a list of effects is and would do: the harm, what is to be known, and the rows, with what is chosen where somebody
/// chooses.
pub(super) fn effects_text(effects: &[&Effect], selection: Option<&Selection>, style: &Style) -> String {
    let mut out = dangers_text(effects, style);
    for consequence in known(effects) {
        out.push_str(&labelled("know", &consequence, style));
    }
    out.push('\n');
    out.push_str(&rows_text(effects, selection, style));
    for warning in look_alikes(effects) {
        for line in wrap(&warning, style.columns(), "", "  ") {
            out.push_str(&style.paint(Tone::Care, &line));
            out.push('\n');
        }
    }
    out
}

/// What is chosen now, by name, for who has just seen the rows. Ends with a line break.
pub fn chosen_text(request: &ConsentRequest<'_>, selection: &Selection, style: &Style) -> String {
    let chosen = request.effects.iter().enumerate().filter(|(at, _)| selection.has(*at));
    let mut names: Vec<String> =
        chosen.take(NAMED).map(|(at, effect)| format!("{} {}", at + 1, effect.target.name)).collect();
    let more = selection.number() - names.len();
    if more > 0 {
        names.push(format!("{more} more"));
    }
    let names = if names.is_empty() { String::new() } else { format!(": {}", names.join(", ")) };
    let stands = format!("{} of {} chosen{names}", selection.number(), count(request.effects.len(), "row"));
    choice_text(request, selection, &stands, "; to see all rows again: list", style)
}

/// What is chosen, and what may be typed.
fn choice_text(
    request: &ConsentRequest<'_>,
    selection: &Selection,
    stands: &str,
    again: &str,
    style: &Style,
) -> String {
    let verb = &request.proposed.verb;
    let wanted = match selection.number() {
        0 if request.proposed.account_for_rest => {
            format!("choose rows, or say what becomes of every one: {verb} 0")
        }
        0 => "choose rows, or leave them all: none".to_owned(),
        number => format!("to do it, type: {}", typed_phrase(&request.mode, number)),
    };
    let choose = format!("to choose, or no longer: all, none, or numbers as in `1 3 5-7`{again}");
    let verbs = format!("or: skip REASON, inspect NUMBER, {VERBS}");
    let lines = [stands, &choose, &wanted, &verbs];
    let wrapped = lines.iter().flat_map(|text| wrap(&style.show(text), style.columns(), "", "  "));
    wrapped.map(|line| line + "\n").collect()
}

/// A word on the blast radius of an effect.
type Said = fn(&Effect) -> &str;
const REACH: Said = |effect| effect.radius.reach();
const CUT_OFF: Said = |effect| effect.radius.cut_off();

/// What is said of all rows alike; where they differ, each row says it.
fn shared<'e>(effects: &[&'e Effect], said: Said) -> Option<&'e str> {
    let (first, others) = effects.split_first()?;
    others.iter().all(|effect| said(effect) == said(first)).then(|| said(first))
}

/// How many rows do how much harm, the worst first, and how far that goes.
fn dangers_text(effects: &[&Effect], style: &Style) -> String {
    let mut out = labelled("how many", &how_many(effects.iter().map(|effect| &effect.target)), style);
    for worst in [Danger::Irreversible, Danger::Disruptive, Danger::Reversible, Danger::Observe] {
        let number = effects.iter().filter(|effect| effect.danger == worst).count();
        if number > 0 {
            out.push_str(&labelled("danger", &format!("{}{}", of_all(number, effects), danger(worst)), style));
        }
    }
    for (label, said) in [("reaches", REACH), ("cut off", CUT_OFF)] {
        if let Some(text) = shared(effects, said) {
            out.push_str(&labelled(label, text, style));
        }
    }
    let mut ways: Vec<(String, usize)> = Vec::new();
    for way in effects.iter().map(|effect| effect.reversal()) {
        match ways.iter_mut().find(|(known, _)| *known == way) {
            Some((_, number)) => *number += 1,
            None => ways.push((way, 1)),
        }
    }
    for (way, number) in ways {
        out.push_str(&labelled("undo", &format!("{}{way}", of_all(number, effects)), style));
    }
    out
}

fn rows_text(effects: &[&Effect], selection: Option<&Selection>, style: &Style) -> String {
    let mut titles: Vec<&str> = Vec::new();
    for (title, _) in effects.iter().flat_map(|effect| &effect.facts) {
        if !titles.contains(&title.as_str()) {
            titles.push(title);
        }
    }
    let is_mixed = effects.iter().any(|effect| effect.danger != effects[0].danger);
    let mut columns = vec![Column::new("row", Room::Whole), Column::new("target", Room::Shorten(10))];
    if is_mixed {
        columns.push(Column::new("danger", Room::Whole));
    }
    columns.extend(titles.iter().map(|title| Column::new(title, Room::Below(usize::MAX))));
    let differing: Vec<(&str, Said)> = [("reaches", REACH), ("cut off", CUT_OFF)]
        .into_iter()
        .filter(|(_, said)| shared(effects, *said).is_none())
        .collect();
    columns.extend(differing.iter().map(|(title, _)| Column::new(title, Room::Below(usize::MAX))));
    columns.push(Column::new("id", Room::Shorten(7)));
    let digits = effects.len().to_string().len();
    let row = |(at, effect): (usize, &&Effect)| {
        let mark = selection.map_or("", |selection| if selection.has(at) { "[x] " } else { "[ ] " });
        let mut cells = vec![format!("{mark}{:>digits$}", at + 1), effect.target.name.clone()];
        if is_mixed {
            cells.push(effect.danger.to_string());
        }
        for title in &titles {
            let fact = effect.facts.iter().find(|(name, _)| name == title);
            cells.push(fact.map(|(_, value)| value.clone()).unwrap_or_default());
        }
        cells.extend(differing.iter().map(|(_, said)| said(effect).to_owned()));
        cells.push(effect.target.id.clone());
        cells
    };
    let rows: Vec<Vec<String>> = effects.iter().enumerate().map(row).collect();
    table(&columns, &rows, style)
}

/// Whether a name is plain ASCII; any other may look like one that it is not.
pub(in crate::cli) fn is_plain(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ')
}

/// Rows whose name does not tell which they are.
fn look_alikes(effects: &[&Effect]) -> Vec<String> {
    let rows = |wanted: fn(&Effect) -> bool| {
        let rows = effects.iter().enumerate().filter(|(_, effect)| wanted(effect));
        rows.map(|(at, _)| (at + 1).to_string()).collect::<Vec<_>>().join(" ")
    };
    let twins = rows(|effect| effect.target.ambiguous);
    let odd = rows(|effect| !is_plain(&effect.target.name));
    [(twins, "another bears the same name"), (odd, "the name is not plain ASCII and may look like another")]
        .into_iter()
        .filter(|(rows, _)| !rows.is_empty())
        .map(|(rows, why)| format!("look twice at {rows}: {why}; go by the id"))
        .collect()
}

/// What is to be known of all rows, or of several alike; what holds of one alone stands in `inspect`, and what a row says
/// of itself is not said again.
fn known(effects: &[&Effect]) -> Vec<String> {
    let mut told: Vec<(&str, usize)> = Vec::new();
    let consequences =
        effects.iter().flat_map(|effect| effect.consequences.iter().filter(|known| !is_fact(effect, known)));
    for consequence in consequences {
        match told.iter_mut().find(|(known, _)| known == consequence) {
            Some((_, number)) => *number += 1,
            None => told.push((consequence, 1)),
        }
    }
    let of_several = told.into_iter().filter(|(_, number)| *number > 1);
    of_several.map(|(known, number)| format!("{}{known}", of_all(number, effects))).collect()
}

/// Whether a row has it in a column: `what speaks against it: …`, beside the fact that says why.
fn is_fact(effect: &Effect, known: &str) -> bool {
    effect.facts.iter().any(|(_, value)| known.strip_suffix(value.as_str()).is_some_and(|label| label.ends_with(": ")))
}

/// Of how many rows something is said; nothing where it is of all.
fn of_all(number: usize, effects: &[&Effect]) -> String {
    if number == effects.len() { String::new() } else { format!("{number} of {} rows: ", effects.len()) }
}

/// The words before a closing `for all`, and whether it stands there.
pub(super) fn for_all(words: &str) -> (&str, bool) {
    let before =
        words.strip_suffix("for all").filter(|before| before.is_empty() || before.ends_with(char::is_whitespace));
    before.map_or((words, false), |before| (before.trim(), true))
}

/// What becomes of a row that is not chosen, and whether of all that are left: `later OWNER`, `keep REASON for all`.
pub(super) fn disposition(line: &str) -> Option<(Disposition, bool)> {
    let (word, rest) = line.trim().split_once(char::is_whitespace)?;
    let rest = rest.trim();
    let (words, for_all) = for_all(rest);
    if words.is_empty() {
        return None;
    }
    let words = words.to_owned();
    match word {
        "later" => Some((Disposition::Later { owner: words }, for_all)),
        "keep" => Some((Disposition::Keep { reason: words }, for_all)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Command, Selection, disposition};
    use crate::model::Disposition;

    fn five() -> Selection {
        Selection { chosen: vec![false; 5] }
    }

    #[test]
    fn rows_are_chosen_by_number_and_range() {
        let mut selection = five();
        for (line, chosen) in [("1 3-4", 3), ("3", 2), ("2,5", 4), ("all", 5), ("none", 0)] {
            let command = selection.command(line).unwrap().unwrap();
            selection.apply(&command);
            assert_eq!(selection.number(), chosen, "{line}");
        }
        assert_eq!(selection.command("list"), Some(Ok(Command::List)));
        assert_eq!(selection.command("1 1"), Some(Ok(Command::Toggle([0].into()))), "named twice is named once");
    }

    #[test]
    fn rows_that_there_are_not_change_nothing() {
        for line in ["0", "6", "4-6", "3-2", "1 99999999999"] {
            assert!(!matches!(five().command(line), Some(Ok(_))), "{line}");
        }
        for line in ["", "rotate 5", "1 two", "y"] {
            assert_eq!(five().command(line), None, "{line}");
        }
    }

    #[test]
    fn a_row_left_needs_a_name_or_a_reason() {
        for line in ["later", "keep ", "later for all", "ann", ""] {
            assert_eq!(disposition(line), None, "{line}");
        }
        assert_eq!(disposition("later ann for all"), Some((Disposition::Later { owner: "ann".into() }, true)));
        assert_eq!(disposition("keep not ours"), Some((Disposition::Keep { reason: "not ours".into() }, false)));
    }
}
