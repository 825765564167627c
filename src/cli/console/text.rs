//! Measuring and breaking text by the columns that it takes, which are neither bytes nor characters.

use std::time::Duration;

use dialoguer::console::measure_text_width;
use jiff::SignedDuration;

use super::{Style, Symbol};

/// Columns that `text` takes. Colour codes take none, wide characters two.
pub fn width(text: &str) -> usize {
    measure_text_width(text)
}

/// A word that must be broken in any case begins on a line that has this much room left.
const WORTH_FILLING: usize = 8;

/// `text` in lines of at most `columns`, broken between words. The first line begins with `first`, the others with
/// `rest`. Words that do not fit in a line are broken. Takes text without colour.
pub fn wrap(text: &str, columns: usize, first: &str, rest: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = first.to_owned();
    let mut is_empty = true;
    for word in text.split_whitespace() {
        let mut word = word;
        loop {
            let gap = usize::from(!is_empty);
            if width(&line) + gap + width(word) <= columns {
                if !is_empty {
                    line.push(' ');
                }
                line.push_str(word);
                is_empty = false;
                break;
            }
            let left = columns.saturating_sub(width(&line) + gap);
            let fits_nowhere = width(word) > columns.saturating_sub(width(rest));
            if is_empty || (fits_nowhere && left >= WORTH_FILLING) {
                // Not even alone: break inside the word, at least one character per line.
                if !is_empty {
                    line.push(' ');
                }
                let room = left.max(1);
                let at = fitting(word, room).max(word.chars().next().map_or(0, char::len_utf8));
                line.push_str(&word[..at]);
                word = &word[at..];
            }
            lines.push(std::mem::replace(&mut line, rest.to_owned()));
            is_empty = true;
            if word.is_empty() {
                break;
            }
        }
    }
    if !is_empty || lines.is_empty() {
        lines.push(line);
    }
    lines
}

/// `text` in at most `columns`, its end replaced by a sign where it is too long.
pub fn shorten(text: &str, columns: usize, style: &Style) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let more = style.symbol(Symbol::More);
    let room = columns.saturating_sub(width(more));
    format!("{}{more}", &text[..fitting(text, room)])
}

/// Length in bytes of the longest beginning of `text` that takes at most `columns`.
fn fitting(text: &str, columns: usize) -> usize {
    let (mut end, mut taken) = (0, 0);
    for (at, c) in text.char_indices() {
        taken += width(c.encode_utf8(&mut [0; 4]));
        if taken > columns {
            break;
        }
        end = at + c.len_utf8();
    }
    end
}

/// `4 s`, `2 min 05 s`, `1 h 03 min`. Negative spans, from clocks that were set back, count as none.
pub fn duration(span: SignedDuration) -> String {
    let seconds = span.as_secs().max(0);
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, s) => format!("{s} s"),
        (0, min, s) => format!("{min} min {s:02} s"),
        (h, min, _) => format!("{h} h {min:02} min"),
    }
}

/// The same for what is still to come: a second that has begun is counted.
pub fn still(left: Duration) -> String {
    let seconds = left.as_secs() + u64::from(left.subsec_nanos() > 0);
    duration(SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX)))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::SignedDuration;
    use proptest::prelude::*;

    use super::{duration, shorten, still, width, wrap};
    use crate::cli::console::Style;

    #[test]
    fn spans_are_short() {
        for (seconds, shown) in [(-3, "0 s"), (4, "4 s"), (125, "2 min 05 s"), (3780, "1 h 03 min")] {
            assert_eq!(duration(SignedDuration::from_secs(seconds)), shown);
        }
    }

    #[test]
    fn what_is_still_to_come_is_never_told_too_short() {
        for (millis, shown) in [(0, "0 s"), (1, "1 s"), (59_001, "1 min 00 s"), (124_000, "2 min 04 s")] {
            assert_eq!(still(Duration::from_millis(millis)), shown);
        }
    }

    #[test]
    fn words_stay_whole_where_they_fit() {
        assert_eq!(wrap("one two three", 9, "- ", "  "), ["- one two", "  three"]);
        assert_eq!(wrap("", 9, "- ", "  "), ["- "]);
        assert_eq!(wrap("ab 日本語日本語", 8, "", ""), ["ab", "日本語日", "本語"]);
    }

    proptest! {
        #[test]
        fn no_line_is_too_long_and_nothing_is_lost(text in "[a-z日é\u{301} ]{0,80}", columns in 6usize..40) {
            let lines = wrap(&text, columns, "- ", "  ");
            prop_assert!(lines.iter().all(|line| width(line) <= columns), "{lines:?}");
            let squeeze = |text: &str| text.split_whitespace().collect::<String>();
            let kept: String = lines.iter().map(|line| squeeze(&line[2..])).collect();
            prop_assert_eq!(kept, squeeze(&text));
            prop_assert!(width(&shorten(&text, columns, &Style::plain(80))) <= columns);
        }
    }
}
