use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table};

use super::{Style, Tone, shorten, width, wrap};

/// A column of a [`table`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Stands above it.
    pub title: String,
    /// What gives where the table is too wide.
    pub room: Room,
}

/// What becomes of a column where the table is too wide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Room {
    /// It is never cut: numbers by which rows are selected.
    Whole,
    /// Its cells lose their ends, down to this many columns.
    Shorten(usize),
    /// It is left out before others are shortened below their least; the last such column goes first.
    Spare,
    /// Its cells lose their ends, down to this many columns; where a spare one would be left out, it goes to a line of its
    /// own below the row, with its title if it has one.
    Below(usize),
}

/// Columns between two cells.
const GAP: usize = 2;

/// The least that a cell is cut to where nothing else helps.
const BARE: usize = 4;

impl Column {
    /// A column.
    pub fn new(title: &str, room: Room) -> Self {
        Self { title: title.to_owned(), room }
    }
}

/// A table that fits the width: one line per row, cells made safe, what does not fit shortened, left out, or put below its
/// row. A row with fewer cells than there are columns ends early. Ends with a line break.
pub fn table(columns: &[Column], rows: &[Vec<String>], style: &Style) -> String {
    let titles = columns.iter().map(|column| style.show(&column.title)).collect();
    let cells: Vec<Vec<String>> = std::iter::once(titles)
        .chain(rows.iter().map(|row| row.iter().map(|cell| style.show(cell)).collect()))
        .collect();
    let natural = |at: usize| cells.iter().filter_map(|row| row.get(at)).map(|cell| width(cell)).max().unwrap_or(0);
    let natural: Vec<usize> = (0..columns.len()).map(natural).collect();
    let kept = fit(columns, &natural, style.columns());

    let mut table = Table::new();
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    for row in &cells {
        table.add_row(kept.iter().map(|(at, room)| shorten(row.get(*at).map_or("", String::as_str), *room, style)));
    }
    for at in 0..kept.len() {
        if let Some(column) = table.column_mut(at) {
            let right = if at + 1 == kept.len() { 0 } else { u16::try_from(GAP).unwrap_or(u16::MAX) };
            column.set_padding((0, right));
        }
    }
    let mut out = String::new();
    for (at, line) in table.trim_fmt().lines().enumerate() {
        let line = if at == 0 { style.paint(Tone::Faint, line) } else { line.to_owned() };
        out.push_str(&line);
        out.push('\n');
        if at > 0 {
            out.push_str(&below(columns, &cells[0], &cells[at], &kept, style));
        }
    }
    out
}

/// What is wanted of a row and found no room in it, set in under its second cell. Ends with a line break, or is empty.
fn below(columns: &[Column], titles: &[String], row: &[String], kept: &[(usize, usize)], style: &Style) -> String {
    let is_moved =
        |at: &usize| matches!(columns[*at].room, Room::Below(_)) && !kept.iter().any(|(there, _)| there == at);
    let cell = |at: usize| row.get(at).filter(|cell| !cell.is_empty()).map(|cell| format!("{} {cell}", titles[at]));
    let text: Vec<String> = (0..columns.len()).filter(is_moved).filter_map(cell).collect();
    let text: Vec<&str> = text.iter().map(|text| text.trim_start()).collect();
    if text.is_empty() {
        return String::new();
    }
    let indent = " ".repeat(kept.first().map_or(0, |(_, width)| width + GAP));
    wrap(&text.join(", "), style.columns(), &indent, &indent).join("\n") + "\n"
}

/// The columns that are kept, each with its width.
fn fit(columns: &[Column], natural: &[usize], total: usize) -> Vec<(usize, usize)> {
    let mut kept: Vec<usize> = (0..columns.len()).collect();
    let least = |at: usize| match columns[at].room {
        Room::Shorten(least) | Room::Below(least) => least.min(natural[at]),
        Room::Whole | Room::Spare => natural[at],
    };
    let gaps = |kept: &[usize]| GAP * kept.len().saturating_sub(1);
    while kept.iter().map(|at| least(*at)).sum::<usize>() + gaps(&kept) > total {
        let gives = |at: &usize| matches!(columns[*at].room, Room::Spare | Room::Below(_));
        let Some(spare) = kept.iter().rposition(gives) else { break };
        kept.remove(spare);
    }
    let mut widths: Vec<(usize, usize)> = kept.iter().map(|at| (*at, natural[*at])).collect();
    // The widest gives first; its least is passed only when every other is at its own.
    for floor in [None, Some(BARE)] {
        while widths.iter().map(|(_, width)| width).sum::<usize>() + gaps(&kept) > total {
            let may_give = |(at, width): &&mut (usize, usize)| match columns[*at].room {
                Room::Shorten(_) => *width > floor.unwrap_or(least(*at)),
                Room::Below(_) => *width > least(*at),
                Room::Whole | Room::Spare => false,
            };
            let Some(widest) = widths.iter_mut().filter(may_give).max_by_key(|(_, width)| *width) else { break };
            widest.1 -= 1;
        }
    }
    widths
}
