/// Words that no step may have as its id.
///
/// A step's id is typed at the prompt to consent to it. A word that the prompt understands otherwise, or that people
/// type without thinking, must never be that consent. `src/cli/prompt/verb.rs` tests that no verb is left out.
pub const RESERVED: &[&str] = &[
    // what the prompts understand
    "run", "skip", "inspect", "note", "decide", "todo", "update", "pause", "abort", "help", "retry", "applied",
    "abandon", "all", "none", "later", "keep",
    "done", // what people type at any prompt, and commands that may become verbs
    "y", "yes", "n", "no", "ok", "q", "quit", "exit", "stop", "go", "continue", "unknown",
];
