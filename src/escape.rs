//! One function per sink for text that an attacker may have chosen.

/// For one line on a terminal: control characters, text-direction overrides and invisible characters become visible.
pub fn terminal(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push(' '),
            c if is_deceptive(c) => out.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
            c => out.push(c),
        }
    }
    out
}

/// For running text or a table cell in Markdown (CommonMark and GitHub's tables, links and mentions).
pub fn markdown(text: &str) -> String {
    let shown = terminal(text);
    let mut out = String::with_capacity(shown.len());
    for (at, c) in shown.char_indices() {
        let begins = at == 0 && matches!(c, '-' | '+' | '=' | '#');
        let numbers = matches!(c, '.' | ')') && at > 0 && shown[..at].bytes().all(|b| b.is_ascii_digit());
        // A bare address would become a link, a name after `@` a mention.
        let links =
            (c == ':' && shown[at..].starts_with("://")) || (c == '.' && shown[..at].ends_with("www")) || c == '@';
        if begins
            || numbers
            || links
            || matches!(
                c,
                '\\' | '`' | '*' | '_' | '[' | ']' | '(' | ')' | '<' | '>' | '|' | '#' | '&' | '~' | '!' | '$'
            )
        {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// For a code span in Markdown, also inside a table cell.
pub fn markdown_code(text: &str) -> String {
    let shown = terminal(text);
    if shown.contains("\\|") {
        // No code span in a table can hold a backslash before a bar: engines differ on which of the two is escaped.
        return markdown(text.trim());
    }
    let shown = shown.replace('|', "\\|");
    let longest = shown.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    if shown.is_empty() {
        return String::from("—");
    }
    let pad = if shown.starts_with('`') || shown.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{shown}{pad}{fence}")
}

/// For a quoted label of a Mermaid diagram: nothing in it ends the label, is markup, or is shortened.
pub fn mermaid(text: &str) -> String {
    let mut out = String::new();
    for c in terminal(text).chars() {
        // Mermaid reads `#35;` as the character of that number; all else that means something to it is written so.
        if c.is_alphanumeric() || matches!(c, ' ' | '.' | ',' | ':' | '-' | '_' | '?' | '!' | '\'' | '/') {
            out.push(c);
        } else {
            out.push_str(&format!("#{};", u32::from(c)));
        }
    }
    out
}

/// For a message to Slack: lines stay lines, and nothing in it becomes a link, a mention or a call to a channel.
pub fn slack(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(terminal).collect();
    // Documented: these three are Slack's control characters.
    lines.join("\n").replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// True where the text is not plain printable ASCII, so that a person cannot be asked to type it.
pub fn is_hard_to_type(text: &str) -> bool {
    text.is_empty()
        || text.len() > 40
        || !text.bytes().all(|b| b.is_ascii_graphic() || b == b' ')
        || text.trim() != text
}

/// Characters that change how a line is read without being seen.
fn is_deceptive(c: char) -> bool {
    c.is_control()
        || matches!(u32::from(c),
            0x00ad | 0x061c | 0x180e | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f | 0xfe00..=0xfe0f | 0xfeff
            | 0xfff9..=0xfffb | 0xe0000..=0xe0fff)
}

#[cfg(test)]
mod tests {
    use super::{markdown, markdown_code, mermaid, slack, terminal};

    #[test]
    fn terminal_shows_what_would_act() {
        assert_eq!(terminal("a\u{1b}[2Jb\u{202e}c\nd\u{9b}"), "a\\u{1b}[2Jb\\u{202e}c\\nd\\u{9b}");
        assert_eq!(terminal("Zoë's tökens — 日本"), "Zoë's tökens — 日本");
    }

    #[test]
    fn markdown_is_inert() {
        assert_eq!(markdown("[x](javascript:1)"), "\\[x\\]\\(javascript:1\\)");
        assert_eq!(markdown("a|b"), "a\\|b");
        assert_eq!(markdown("https://evil.example"), "https\\://evil.example");
        assert_eq!(markdown("1. x"), "1\\. x");
        assert_eq!(markdown("10.0.0.1"), "10\\.0.0.1");
    }

    #[test]
    fn mermaid_labels_hold_whatever_they_are_given() {
        assert_eq!(
            mermaid("a\"] --> b[\"<script>#quot; `x` 日本\n%%{init}"),
            "a#34;#93; --#62; b#91;#34;#60;script#62;#35;quot#59; #96;x#96; 日本#92;n#37;#37;#123;init#125;"
        );
    }

    #[test]
    fn a_message_wakes_nobody() {
        let text = "cut: <!channel> & <https://evil.example|ok>\nsecond\u{202e}";
        let shown = "cut: &lt;!channel&gt; &amp; &lt;https://evil.example|ok&gt;\nsecond\\u{202e}";
        assert_eq!(slack(text), shown);
    }

    #[test]
    fn code_spans_outlast_backticks() {
        assert_eq!(markdown_code("a`b"), "``a`b``");
        assert_eq!(markdown_code("`|"), "`` `\\| ``");
        assert_eq!(markdown_code("a\\|b"), "a\\\\\\|b");
    }
}
