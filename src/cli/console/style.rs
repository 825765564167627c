use anstyle::{AnsiColor, Style as Paint};

use crate::escape;

/// How text is laid out and marked. Passed in, so that a test sees what a terminal of that kind would.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Columns to fill at most.
    pub width: usize,
    /// Whether colours may be used.
    pub colour: bool,
    /// Whether the terminal shows more than ASCII.
    pub utf8: bool,
    /// Whether every heading is marked as a rehearsal.
    pub rehearsal: bool,
}

/// What a passage means; shown as colour where there is colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// A heading.
    Strong,
    /// Beside the point.
    Faint,
    /// It went well.
    Good,
    /// Needs care.
    Care,
    /// Went wrong, or does harm.
    Alarm,
}

/// A sign that repeats what a word beside it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Symbol {
    /// Done.
    Done,
    /// Not done, on purpose.
    Skipped,
    /// Could not be done.
    Failed,
    /// It is not known.
    Doubt,
    /// From one state to the next.
    Arrow,
    /// Something is left out.
    More,
    /// A line across.
    Rule,
    /// Stands before text that others wrote.
    Quote,
}

impl Style {
    /// The narrowest layout there is; what is narrower still is wrapped by the terminal.
    pub const NARROWEST: usize = 40;

    /// Neither colour nor rehearsal, with UTF-8.
    pub const fn plain(width: usize) -> Self {
        Self { width, colour: false, utf8: true, rehearsal: false }
    }

    /// The width to lay out for.
    pub fn columns(&self) -> usize {
        self.width.max(Self::NARROWEST)
    }

    /// `text` in the colour of `tone`. The text must be safe to show already.
    pub fn paint(&self, tone: Tone, text: &str) -> String {
        if !self.colour || text.is_empty() {
            return text.to_owned();
        }
        let paint = match tone {
            Tone::Strong => Paint::new().bold(),
            Tone::Faint => Paint::new().dimmed(),
            Tone::Good => AnsiColor::Green.on_default(),
            Tone::Care => AnsiColor::Yellow.on_default(),
            Tone::Alarm => AnsiColor::Red.on_default().bold(),
        };
        format!("{paint}{text}{paint:#}")
    }

    /// `text` from elsewhere, made safe for one line: nothing in it can act on the terminal or hide.
    pub fn show(&self, text: &str) -> String {
        let shown = escape::terminal(text);
        if self.utf8 || shown.is_ascii() {
            return shown;
        }
        let mut out = String::with_capacity(shown.len());
        for c in shown.chars() {
            match c {
                c if c.is_ascii() => out.push(c),
                '–' | '—' => out.push('-'),
                '‘' | '’' => out.push('\''),
                '“' | '”' => out.push('"'),
                '…' => out.push_str("..."),
                c => out.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
            }
        }
        out
    }

    /// The sign itself.
    pub const fn symbol(&self, symbol: Symbol) -> &'static str {
        match (symbol, self.utf8) {
            (Symbol::Done, true) => "✓",
            (Symbol::Done, false) => "+",
            (Symbol::Skipped, _) => "-",
            (Symbol::Failed, true) => "✗",
            (Symbol::Failed, false) => "x",
            (Symbol::Doubt, _) => "?",
            (Symbol::Arrow, true) => "→",
            (Symbol::Arrow, false) => "->",
            (Symbol::More, true) => "…",
            (Symbol::More, false) => "...",
            (Symbol::Rule, true) => "─",
            (Symbol::Rule, false) => "-",
            (Symbol::Quote, true) => "│",
            (Symbol::Quote, false) => "|",
        }
    }

    /// A heading across the whole width. In a rehearsal it says so.
    pub fn heading(&self, title: &str) -> String {
        let rule = self.symbol(Symbol::Rule);
        let mark = if self.rehearsal { " REHEARSAL" } else { "" };
        let room = self.columns().saturating_sub(4 + mark.len());
        let title = super::shorten(&self.show(title), room, self);
        let fill = self.columns().saturating_sub(super::width(&title) + 4 + mark.len());
        let line = format!("{rule}{rule} {title} {}{mark}", rule.repeat(fill));
        self.paint(Tone::Strong, &line)
    }
}

#[cfg(test)]
mod tests {
    use super::Style;

    #[test]
    fn a_terminal_without_utf8_gets_ascii_only() {
        let style = Style { utf8: false, ..Style::plain(80) };
        assert_eq!(style.show("Zoë — “тoken”…\u{1b}"), "Zo\\u{eb} - \"\\u{442}oken\"...\\u{1b}");
        assert!(style.heading("contain").is_ascii());
    }

    #[test]
    fn headings_fill_the_width_and_carry_the_watermark() {
        for rehearsal in [false, true] {
            for width in [40, 80] {
                let style = Style { rehearsal, ..Style::plain(width) };
                for title in ["contain", &"long ".repeat(30)] {
                    let heading = style.heading(title);
                    assert_eq!(super::super::width(&heading), width, "{heading}");
                    assert_eq!(heading.ends_with(" REHEARSAL"), rehearsal);
                }
            }
        }
    }
}
