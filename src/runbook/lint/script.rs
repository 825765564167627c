//! A shell's script, read as far as it takes to see what is piped, given and run.

/// Scripts within scripts are followed so far.
const DEPTH: usize = 8;

/// Words that stand before the command that is meant.
const PREFIXES: [&str; 25] = [
    "sudo", "doas", "env", "exec", "nohup", "time", "command", "nice", "ionice", "timeout", "setsid", "stdbuf",
    "busybox", XARGS, "if", "then", "else", "elif", "while", "until", "do", "!", "{", "{}", "--",
];

/// Hands on what it reads as words of another command.
const XARGS: &str = "xargs";

/// Commands whose output goes on to the next.
pub(super) type Pipeline = Vec<Command>;

/// One command.
#[derive(Debug, Default)]
pub(super) struct Command {
    pub(super) words: Vec<Word>,
}

/// One word, and the scripts whose output it holds: `$(…)`, `` `…` ``, `<(…)`.
#[derive(Debug, Default)]
pub(super) struct Word {
    pub(super) text: String,
    pub(super) given: Vec<Pipeline>,
}

impl Command {
    /// One that is run without a shell.
    pub(super) fn of(argv: &[&str]) -> Self {
        let word = |text: &&str| Word { text: (*text).to_owned(), given: Vec::new() };
        Self { words: argv.iter().map(word).collect() }
    }

    /// The program, without the way to it, and its arguments. What only leads to it is passed over.
    pub(super) fn program(&self) -> Option<(&str, &[Word])> {
        let at = self.words.iter().position(|word| !leads(word))?;
        Some((base(&self.words[at].text), &self.words[at + 1..]))
    }

    /// Whether the program is whatever its word holds, as in `$(…)`.
    pub(super) fn given_program(&self) -> Option<&Word> {
        self.words.iter().find(|word| !leads(word)).filter(|word| word.text.is_empty() && !word.given.is_empty())
    }

    /// Whether it is given words that another command prints.
    pub(super) fn takes_words(&self) -> bool {
        self.words.iter().take_while(|word| leads(word)).any(|word| base(&word.text) == XARGS)
    }
}

/// Whether a word stands before the program: what leads to it, an option of that, a variable, a number of seconds.
fn leads(word: &Word) -> bool {
    let text = word.text.as_str();
    let number = text.strip_suffix(['s', 'm', 'h', 'd']).unwrap_or(text);
    PREFIXES.contains(&base(text)) || text.starts_with('-') || text.contains('=') || number.parse::<f64>().is_ok()
}

fn base(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Reads a script.
pub(super) fn read(text: &str) -> Vec<Pipeline> {
    Reader { rest: text.chars().peekable(), depth: 0 }.until(None)
}

struct Reader<'t> {
    rest: std::iter::Peekable<std::str::Chars<'t>>,
    depth: usize,
}

/// What is being put together.
#[derive(Default)]
struct Draft {
    pipelines: Vec<Pipeline>,
    pipeline: Pipeline,
    command: Command,
    word: Option<Word>,
    /// The next word is where output goes to or input comes from.
    redirects: bool,
}

impl Draft {
    fn word(&mut self) -> &mut Word {
        self.word.get_or_insert_default()
    }

    /// Whether nothing has come behind a pipe yet: the line ends, and the pipeline goes on.
    fn is_fed(&self) -> bool {
        self.word.is_none() && self.command.words.is_empty() && !self.pipeline.is_empty()
    }

    fn end_word(&mut self) {
        if let Some(word) = self.word.take()
            && !std::mem::take(&mut self.redirects)
        {
            self.command.words.push(word);
        }
    }

    fn end_command(&mut self) {
        self.end_word();
        self.redirects = false;
        let command = std::mem::take(&mut self.command);
        if !command.words.is_empty() {
            self.pipeline.push(command);
        }
    }

    fn end_pipeline(&mut self) {
        self.end_command();
        let pipeline = std::mem::take(&mut self.pipeline);
        if !pipeline.is_empty() {
            self.pipelines.push(pipeline);
        }
    }
}

impl Reader<'_> {
    /// Reads to the end, or to the sign that ends what is within.
    fn until(&mut self, end: Option<char>) -> Vec<Pipeline> {
        let mut draft = Draft::default();
        while let Some(c) = self.rest.next() {
            match c {
                _ if Some(c) == end => break,
                '\'' => {
                    let quoted: String = self.rest.by_ref().take_while(|c| *c != '\'').collect();
                    draft.word().text.push_str(&quoted);
                }
                '"' => self.quoted(draft.word()),
                // A line that goes on.
                '\\' if self.rest.next_if_eq(&'\n').is_some() => {}
                '\\' => draft.word().text.extend(self.rest.next()),
                '#' if draft.word.is_none() => while self.rest.next_if(|c| *c != '\n').is_some() {},
                '$' | '<' | '>' if self.rest.peek() == Some(&'(') => {
                    let given = self.within(')');
                    draft.word().given.extend(given);
                }
                '`' => {
                    let given = self.within('`');
                    draft.word().given.extend(given);
                }
                '<' | '>' => {
                    // `2>&1`: the number is no word, and the sign no end.
                    if draft.word.as_ref().is_some_and(|word| word.text.chars().all(|c| c.is_ascii_digit())) {
                        draft.word = None;
                    }
                    draft.end_word();
                    while self.rest.next_if(|c| matches!(c, '<' | '>' | '&')).is_some() {}
                    draft.redirects = true;
                }
                '|' if self.rest.next_if_eq(&'|').is_none() => {
                    self.rest.next_if_eq(&'&');
                    draft.end_command();
                }
                '\n' if draft.is_fed() => {}
                '|' | '&' | ';' | '\n' | '(' | ')' => draft.end_pipeline(),
                c if c.is_whitespace() => draft.end_word(),
                c => draft.word().text.push(c),
            }
        }
        draft.end_pipeline();
        draft.pipelines
    }

    /// Text between double quotes, in which scripts still count.
    fn quoted(&mut self, word: &mut Word) {
        while let Some(c) = self.rest.next() {
            match c {
                '"' => return,
                '\\' => word.text.extend(self.rest.next()),
                '$' if self.rest.peek() == Some(&'(') => word.given.extend(self.within(')')),
                '`' => word.given.extend(self.within('`')),
                c => word.text.push(c),
            }
        }
    }

    fn within(&mut self, end: char) -> Vec<Pipeline> {
        if end == ')' {
            self.rest.next();
        }
        self.depth += 1;
        // Nobody writes what is deeper, and reading it must not end the check.
        let read = if self.depth > DEPTH {
            self.rest.by_ref().for_each(drop);
            Vec::new()
        } else {
            self.until(Some(end))
        };
        self.depth -= 1;
        read
    }
}
