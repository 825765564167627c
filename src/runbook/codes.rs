/// Every code that a problem can have, with what it means.
pub const CODES: &[(&str, &str)] = &[
    (
        "R001",
        "The file is not valid TOML. What could be read is checked all the same; what seems to be missing is not reported, \
         since it may stand behind the error.",
    ),
    ("R002", "A key that the language does not know. Unknown keys are errors, since a misspelt safeguard is none."),
    ("R003", "A key that is needed is missing."),
    ("R004", "A value of the wrong kind, or one that is not among those allowed."),
    ("R005", "Two steps have the same id. The id is a step's address in the journal, so it must be its own."),
    ("R006", "An id or name of the wrong shape: small letters, digits and hyphens, beginning with a letter."),
    ("R007", "There is no such action. `quell actions` lists those that there are."),
    ("R008", "A parameter that the action needs is missing, or an input that the called runbook needs."),
    ("R009", "A parameter that the action does not have, or an input that the called runbook does not have."),
    ("R010", "A parameter of the wrong kind."),
    ("R011", "A reference to an input, step or field that does not exist."),
    ("R012", "A reference to a step that comes later, or to the step itself. Values flow downwards only."),
    ("R013", "A reference whose value is of another kind than the parameter takes."),
    ("R014", "A reference to a step that may be skipped, without a `default`. The parameter would have no value then."),
    ("R015", "Text that is not a valid template."),
    ("R016", "A template calls a helper that does not exist."),
    ("R017", "`confirm` is laxer than the harm that the action can do. It has no effect then: the harm decides."),
    (
        "R018",
        "A step that can change something does not say why. Under stress, people skip what they do not understand.",
    ),
    ("R019", "Something that this version of the language does not have yet."),
    ("R020", "An id that is a word of the prompt. The id is typed as consent, so it must mean nothing else."),
    ("R021", "Too much: a file, a template or a list of problems that is too long for anybody to read."),
    (
        "R022",
        "Keys that do not go together: what a group has besides its steps, `as` without `foreach`, a repeated step.",
    ),
    ("R023", "Something shaped like a secret stands in the file. Whoever can read the file can use it."),
    ("R024", "A runbook that cannot be called: it is not there, cannot be read, or has errors of its own."),
    ("R025", "Runbooks that call each other in a circle, or more than eight deep."),
    (
        "R026",
        "A program carries out what the network sends: a script on its command line fetches something and hands it to a \
         shell or an interpreter, by a pipe, `<(…)`, `$(…)`, `eval` or `source`, or fetches and evaluates it itself. \
         Whoever holds that host, or the way to it, then acts on this machine, in the middle of an incident. What is \
         fetched into a file and run later is not seen.",
    ),
    (
        "R027",
        "A value is written into the script of a shell or an interpreter. A name that an attacker chose becomes a command \
         there. As an argument behind the script it stays a text.",
    ),
    (
        "R028",
        "A condition that is always the same, or that compares with a value that there never is. Most often a word in it \
         is misspelt.",
    ),
    (
        "R029",
        "Something that changes nothing: a step for each item of an empty list, a jump to the very next step, a group that \
         is repeated once.",
    ),
    (
        "R030",
        "Looks that fail are tried again for more than an hour. Nobody is asked meanwhile, and nothing else is done.",
    ),
    ("R031", "An input that nothing uses. It is asked for all the same, when time is short."),
    (
        "R032",
        "A secret where it would be shown or kept, or something else where a secret is wanted. What stands in a text or a \
         condition is journaled.",
    ),
];

/// Those of them that do not keep a runbook from being run.
pub const WARNINGS: &[&str] = &["R017", "R018", "R023", "R026", "R027", "R028", "R029", "R030", "R031"];

/// What a code means.
pub fn explain(code: &str) -> Option<&'static str> {
    CODES.iter().find(|(known, _)| *known == code).map(|(_, meaning)| *meaning)
}
