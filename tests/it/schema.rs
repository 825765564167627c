//! The JSON Schema of the language and the loader say the same.

use std::process::Command;

use quell::cli::catalogue::CATALOGUE;
use quell::runbook::{ActionWords, Embedded, RUNBOOK, Severity, Vocabulary, load};
use serde_json::Value;

const SOUND: &str = r#"
schema   = 1
name     = "sound"
title    = "Sound"
summary  = "Everything that a step and an input can have."
severity = "sev1"
target   = "15m"
update_every = "30m"

[inputs.suspect]
type       = "choice"
choices    = ["one", "two"]
prompt     = "Which?"
default    = "one"
required   = true
unknown_ok = false

[inputs.names]
type = "list"

[inputs.days]
type    = "integer"
min     = 1
max     = 30
default = 7

[inputs.wait]
type = "duration"
min  = "5m"

[inputs.ticket]
type       = "string"
pattern    = "[A-Z]+-[0-9]+"
min_length = 3
max_length = 20

[inputs.key]
type   = "secret"
prompt = "Key?"

[inputs.report]
type = "file"

[[steps]]
id         = "who"
phase      = "prepare"
title      = "Who"
action     = "cloudflare.whoami"
on_failure = "step:cut"

[[steps]]
id       = "cut"
phase    = "contain"
title    = "Cut"
why      = "It leaked."
action   = "cloudflare.token.disable"
with     = { tokens = [{ id = "{{inputs.suspect}}", name = { from = "inputs.suspect" }, sure = true }] }
when     = '(eq inputs.suspect "one")'
confirm  = "target"
requires = ["who"]

[[steps]]
id     = "ask"
phase  = "learn"
title  = "Ask"
action = "ask"
with   = { instruction = "Say.", questions = [{ name = "a", prompt = "A?", required = false }] }

[[steps]]
id     = "call"
phase  = "contain"
title  = "Call"
action = "runbook"
with   = { name = "cloudflare-token-compromise", inputs = { suspect = { from = "inputs.suspect" }, exposed_since = "9h ago" } }
"#;

/// One change each: what stands there, what comes instead, and whether the loader takes it.
const CHANGES: &[(&str, &str, bool)] = &[
    ("schema   = 1", "schema = 2", false),
    ("schema   = 1", "", false),
    ("name     = \"sound\"", "name = \"Not sound\"", false),
    ("title    = \"Sound\"", "title = \" \"", false),
    ("title    = \"Sound\"", "titel = \"Sound\"", false),
    ("summary  = \"Everything", "summary = 1 # \"", false),
    ("severity = \"sev1\"", "severity = [\"sev1\"]", false),
    ("target   = \"15m\"", "target = 15", false),
    ("target   = \"15m\"", "", true),
    ("update_every = \"30m\"", "update_every = 30", false),
    ("update_every = \"30m\"", "update_evry = \"30m\"", false),
    ("update_every = \"30m\"", "", true),
    ("[inputs.suspect]", "[inputs.Suspect]", false),
    ("type       = \"choice\"", "type = \"choise\"", false),
    ("type       = \"choice\"", "", false),
    ("choices    = [\"one\", \"two\"]", "", false),
    ("choices    = [\"one\", \"two\"]", "choices = []", false),
    ("required   = true", "required = \"yes\"", false),
    ("type = \"list\"", "type = \"list\"\nlength = 3", false),
    ("type = \"list\"", "type = \"list\"\npattern = \"[a-z]+\"", true),
    ("type = \"list\"", "type = \"list\"\nmin = 1", false),
    ("type = \"list\"", "type = \"list\"\nchoices = [\"a\"]", false),
    ("min     = 1", "min = \"1\"", false),
    ("min     = 1", "min = 1.5", false),
    ("min     = 1", "min_length = 1", false),
    ("min  = \"5m\"", "min = 5", false),
    ("min  = \"5m\"", "max = \"1h\"", true),
    ("pattern    = \"[A-Z]+-[0-9]+\"", "pattern = 1", false),
    ("min_length = 3", "min_length = 0", false),
    ("min_length = 3", "min_length = \"3\"", false),
    ("prompt = \"Key?\"", "default = \"hunter22\"", false),
    ("prompt = \"Key?\"", "unknown_ok = true", false),
    ("prompt = \"Key?\"", "required = true", true),
    ("type = \"file\"", "type = \"file\"\ndefault = \"x.txt\"", true),
    ("type = \"file\"", "type = \"file\"\nmax_length = 3", false),
    ("id         = \"who\"", "id = \"-who\"", false),
    ("id     = \"ask\"", "", false),
    ("phase      = \"prepare\"", "phase = \"preparation\"", false),
    ("phase      = \"prepare\"", "", false),
    ("title      = \"Who\"", "title = false", false),
    ("action     = \"cloudflare.whoami\"", "action = \"cloudflare.whoareyou\"", false),
    ("action     = \"cloudflare.whoami\"", "", false),
    ("on_failure = \"step:cut\"", "on_failure = \"retry\"", false),
    ("on_failure = \"step:cut\"", "with = { anything = 1 }", false),
    ("on_failure = \"step:cut\"", "with = {}", true),
    ("confirm  = \"target\"", "confirm = \"yes\"", false),
    ("requires = [\"who\"]", "requires = \"who\"", false),
    ("requires = [\"who\"]", "requires = [1]", false),
    ("requires = [\"who\"]", "require = [\"who\"]", false),
    ("why      = \"It leaked.\"", "why = 3", false),
    ("tokens = [{", "token = [{", false),
    ("id = \"{{inputs.suspect}}\", ", "", false),
    ("sure = true }", "sure = \"true\" }", false),
    ("sure = true }", "certain = true }", false),
    ("sure = true }", "sure = { from = \"inputs.suspect\", default = true, of = 1 } }", false),
    ("name = { from = \"inputs.suspect\" }", "name = { from = 1 }", false),
    ("name = { from = \"inputs.suspect\" }", "name = { from = \"inputs.suspect\", default = \"x\" }", true),
    ("name = { from = \"inputs.suspect\" }", "name = { from = \"inputs.suspect\", default = 1 }", false),
    ("name = { from = \"inputs.suspect\" }", "name = { form = \"inputs.suspect\" }", false),
    ("with   = { instruction", "wiht = { instruction", false),
    ("instruction = \"Say.\", ", "instruction = [\"Say.\"], ", false),
    ("questions = [{ name", "questions = { name = { name", false),
    ("required = false }] }", "required = false }, \"text\"] }", false),
    ("name = \"cloudflare-token-compromise\", ", "", false),
    ("name = \"cloudflare-token-compromise\"", "name = 1", false),
    ("name = \"cloudflare-token-compromise\"", "name = \"../compromise\"", false),
    ("inputs = { suspect = { from", "input = { suspect = { from", false),
    ("exposed_since = \"9h ago\" }", "exposed_since = { from = 1 } }", false),
    ("action = \"runbook\"", "action = \"runbook\"\nconfirm = \"ask\"", false),
    ("action = \"runbook\"", "action = \"runbook\"\nskippable = false", true),
];

fn vocabulary() -> Vocabulary {
    let words = CATALOGUE.iter().map(|action| {
        let spec = action.spec();
        let words = ActionWords {
            params: action.params_schema(),
            output: action.output_schema(),
            max_danger: spec.max_danger,
            summary: spec.summary.to_owned(),
        };
        (spec.id.to_owned(), words)
    });
    Vocabulary { actions: words.collect() }
}

fn printed() -> Value {
    let ran = Command::new(env!("CARGO_BIN_EXE_quell")).args(["runbooks", "schema"]).output().unwrap();
    assert!(ran.status.success());
    serde_json::from_slice(&ran.stdout).unwrap()
}

/// What the loader has against a text.
fn errors(text: &str, vocabulary: &Vocabulary) -> Vec<String> {
    let problems = load("test", text, vocabulary, &Embedded).problems.into_iter();
    problems
        .filter(|problem| problem.severity == Severity::Error)
        .map(|it| format!("{} {}", it.code, it.message))
        .collect()
}

#[test]
fn schema_and_loader_judge_alike() {
    let vocabulary = vocabulary();
    let schema = printed();
    assert!(jsonschema::meta::is_valid(&schema));
    let validator = jsonschema::validator_for(&schema).unwrap();
    let judge = |text: &str, sound: bool, what: &str| {
        let errors = errors(text, &vocabulary);
        assert_eq!(errors.is_empty(), sound, "the loader, {what}: {errors:#?}");
        let value: Value = serde_json::to_value(text.parse::<toml::Table>().unwrap()).unwrap();
        let refusals: Vec<String> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
        assert_eq!(refusals.is_empty(), sound, "the schema, {what}: {refusals:#?}");
    };
    judge(SOUND, true, "as it is");
    judge(&quell::runbook::scaffold("mine").unwrap(), true, "the scaffold");
    for (name, text) in quell::runbook::embedded() {
        judge(text, true, name);
    }
    for (there, instead, sound) in CHANGES {
        assert_eq!(SOUND.matches(there).count(), 1, "{there}");
        let mut text = SOUND.replace(there, instead);
        if instead.contains("= { name = {") {
            text = text.replace("required = false }] }", "required = false } } }");
        }
        judge(&text, *sound, &format!("`{instead}` for `{there}`"));
    }
    // Every action's own example is a sound step.
    for action in CATALOGUE.iter() {
        let spec = action.spec();
        let text = format!(
            "schema = 1\nname = \"x\"\ntitle = \"x\"\n[[steps]]\nid = \"x\"\nphase = \"learn\"\ntitle = \"x\"\naction = \"{}\"\n[steps.with]\n{}",
            spec.id, spec.example
        );
        judge(&text, true, spec.id);
    }
}

/// The keys that the loader takes, as it names them when it meets one that it does not know.
fn keys(text: &str, vocabulary: &Vocabulary) -> Vec<String> {
    let problems = load("test", text, vocabulary, &Embedded).problems;
    let unknown =
        problems.iter().find(|problem| problem.code == "R002" && problem.message.contains("`qqqqqqqq`")).unwrap();
    let help = unknown.help.as_deref().unwrap();
    let mut keys: Vec<String> = help.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    keys.sort();
    keys.dedup();
    keys
}

#[test]
fn the_schema_has_every_key_of_the_loader_and_no_other() {
    let vocabulary = vocabulary();
    let schema = printed();
    for (text, properties) in [
        ("qqqqqqqq = 1\n", &schema["properties"]),
        ("[inputs.x]\nqqqqqqqq = 1\n", &schema["$defs"]["input"]["properties"]),
        ("[[steps]]\nqqqqqqqq = 1\n", &schema["$defs"]["step"]["properties"]),
    ] {
        let mut described: Vec<String> = properties.as_object().unwrap().keys().cloned().collect();
        described.sort();
        assert_eq!(keys(text, &vocabulary), described);
    }
}

#[test]
fn the_schema_lists_every_action() {
    let schema = printed();
    let listed = schema["$defs"]["step"]["properties"]["action"]["enum"].as_array().unwrap();
    let listed: Vec<&str> = listed.iter().map(|action| action.as_str().unwrap()).collect();
    let mut there: Vec<&str> = CATALOGUE.iter().map(|action| action.spec().id).collect();
    there.sort_unstable();
    there.push(RUNBOOK);
    assert_eq!(listed, there);
}
