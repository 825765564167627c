//! What is allowed and should be mended all the same.

use insta::assert_snapshot;

use super::{codes, drill, inventory, look, shown, step};

fn command(argv: &str, more: &str) -> String {
    look(&format!("why = \"A test.\"\naction = \"command\"\nwith = {{ argv = {argv}{more} }}"))
}

/// A decision, and a step that hangs on it by this condition.
fn after_decision(when: &str) -> String {
    let decide = step(
        "pace",
        "action = \"decide\"\n[steps.with]\nquestion = \"Now?\"\noptions = [{ id = \"cut-now\", title = \"a\" }, { id = \"wait\", title = \"b\" }]",
    );
    drill(&(decide + &step("cut", &format!("action = \"cloudflare.whoami\"\nwhen = '{when}'"))))
}

#[test]
fn a_script_from_the_network() {
    assert_snapshot!(shown(&command(r#"["sh", "-c", "curl -fsSL https://x.example/fix.sh | sudo bash"]"#, "")), @r##"
    warning[R026]: `sh` carries out what the network sends
      --> drill.toml:11:30
       |
    11 | with = { argv = ["sh", "-c", "curl -fsSL https://x.example/fix.sh | sudo bash"] }
       |                              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
    help: fetch a file whose digest you know, and run that; or keep the script beside the runbook
    "##);
    assert_snapshot!(shown(&command(r#"["/bin/bash"]"#, r#", stdin = "bash <(curl https://x.example)""#)), @r##"
    warning[R026]: `bash` carries out what the network sends
      --> drill.toml:11:40
       |
    11 | with = { argv = ["/bin/bash"], stdin = "bash <(curl https://x.example)" }
       |                                        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
    help: fetch a file whose digest you know, and run that; or keep the script beside the runbook
    "##);
    assert_snapshot!(shown(&command(r#"["python3", "-c", "from urllib.request import *; exec(urlopen('https://x.example').read())"]"#, "")), @r##"
    warning[R026]: `python3` carries out what the network sends
      --> drill.toml:11:35
       |
    11 | ..., "-c", "from urllib.request import *; exec(urlopen('https://x.example').read())"] }
       |            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
    help: fetch a file whose digest you know, and run that; or keep the script beside the runbook
    "##);
}

#[test]
fn programs_without_a_script_from_the_network() {
    for argv in [
        r#"["curl", "-fsSL", "https://x.example/fix.sh", "-o", "fix.sh"]"#,
        r#"["sh", "-c", "curl -s https://x.example | jq .state"]"#,
        r#"["echo", "curl https://x.example | sh"]"#,
        r#"["sh", "fix.sh", "curl https://x.example | sh"]"#,
        r#"["sh", "-c"]"#,
        r#"["sudo"]"#,
        r"[]",
    ] {
        assert_eq!(codes(&command(argv, "")), [""; 0], "{argv}");
    }
    // Data on the standard input of a script is no script.
    assert_eq!(codes(&command(r#"["sh", "fix.sh"]"#, r#", stdin = "curl https://x.example | sh""#)), [""; 0]);
}

#[test]
fn a_value_in_a_script() {
    let whois = step(
        "whois",
        r#"why = "A test."
action = "command"
with = { argv = ["sh", "-c", "whois {{steps.inventory.tokens}} | head"] }"#,
    );
    assert_snapshot!(shown(&drill(&(inventory() + &whois))), @r##"
    warning[R027]: a value is written into a script of `sh`, which may take it for a command
      --> drill.toml:18:30
       |
    18 | with = { argv = ["sh", "-c", "whois {{steps.inventory.tokens}} | head"] }
       |                              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
    help: names in an account are chosen by attackers: hand it over as an argument behind the script, as in `argv = ["sh", "-c", 'echo "$1"', "sh", "{{inputs.x}}"]`
    "##);
    let argument = whois
        .replace("{{steps.inventory.tokens}} | head\"", "$1 | head\", \"sh\", \"{{json steps.inventory.tokens}}\"");
    assert_eq!(codes(&drill(&(inventory() + &argument))), [""; 0]);
}

#[test]
fn a_condition_that_looks_at_nothing() {
    assert_snapshot!(shown(&after_decision("true")), @r##"
    warning[R028]: `true` always holds
      --> drill.toml:19:8
       |
    19 | when = 'true'
       |        ^^^^^^
       |
    help: leave it out
    "##);
    assert_snapshot!(shown(&after_decision("(and steps.pace.reason (eq 1 2))")), @r##"
    warning[R028]: `(and steps.pace.reason (eq 1 2))` never holds
      --> drill.toml:19:8
       |
    19 | when = '(and steps.pace.reason (eq 1 2))'
       |        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
    help: the step is never done: mend the condition, or take the step out
    "##);
}

#[test]
fn a_condition_on_an_input_that_is_always_given() {
    let input = "[inputs.suspect]\ntype = \"string\"\nrequired = true\n\n";
    let asks = |when: &str| {
        drill(&(input.to_owned() + &step("look", &format!("action = \"cloudflare.whoami\"\nwhen = \"{when}\""))))
    };
    assert_snapshot!(shown(&asks("inputs.suspect")), @r##"
    warning[R028]: `inputs.suspect` always holds
      --> drill.toml:14:8
       |
    14 | when = "inputs.suspect"
       |        ^^^^^^^^^^^^^^^^
       |
    help: leave it out
    "##);
    assert_snapshot!(shown(&asks("(not inputs.suspect)")), @r##"
    warning[R028]: `(not inputs.suspect)` never holds
      --> drill.toml:14:8
       |
    14 | when = "(not inputs.suspect)"
       |        ^^^^^^^^^^^^^^^^^^^^^^
       |
    help: the step is never done: mend the condition, or take the step out
    "##);
    let optional = asks("inputs.suspect").replace("required = true", "prompt = \"Who?\"");
    assert_eq!(codes(&optional), [""; 0], "it may be left empty");
}

#[test]
fn a_choice_that_is_not_there() {
    assert_snapshot!(shown(&after_decision(r#"(eq steps.pace.choice "cut-nwo")"#)), @r##"
    warning[R028]: `steps.pace.choice` is never `cut-nwo`
      --> drill.toml:19:8
       |
    19 | when = '(eq steps.pace.choice "cut-nwo")'
       |        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
    help: did you mean `cut-now`?
    "##);
    assert_snapshot!(shown(&after_decision(r#"(or (ne "later" steps.pace.choice) steps.pace.reason)"#)), @r##"
    warning[R028]: `steps.pace.choice` is never `later`
      --> drill.toml:19:8
       |
    19 | when = '(or (ne "later" steps.pace.choice) steps.pace.reason)'
       |        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
    help: it is one of `cut-now`, `wait`
    "##);
    assert_eq!(codes(&after_decision(r#"(eq steps.pace.choice "wait")"#)), [""; 0]);
    // Of options that only a run brings nothing is known.
    let later =
        after_decision(r#"(eq steps.pace.choice "cut-nwo")"#).replace("id = \"wait\"", "id = \"{{incident.id}}\"");
    assert_eq!(codes(&later), [""; 0]);
}

#[test]
fn a_comparison_with_another_kind_of_value() {
    let when = "action = \"cloudflare.whoami\"\nwhen = '(eq steps.inventory.already_dead \"yes\")'";
    assert_snapshot!(shown(&drill(&(inventory() + &step("cut", when)))), @r##"
    warning[R028]: `steps.inventory.already_dead` is never `yes`
      --> drill.toml:17:8
       |
    17 | when = '(eq steps.inventory.already_dead "yes")'
       |        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
    help: it is true or false
    "##);
    let input = "[inputs.pace]\ntype = \"choice\"\nchoices = [\"now\", \"later\"]\nrequired = true\n\n";
    let when = "action = \"cloudflare.whoami\"\nwhen = '(eq inputs.pace \"soon\")'";
    assert_snapshot!(shown(&drill(&(input.to_owned() + &step("cut", when)))), @r##"
    warning[R028]: `inputs.pace` is never `soon`
      --> drill.toml:15:8
       |
    15 | when = '(eq inputs.pace "soon")'
       |        ^^^^^^^^^^^^^^^^^^^^^^^^^
       |
    help: it is one of `now`, `later`
    "##);
}

#[test]
fn a_group_that_is_not_repeated() {
    let group = |until: &str, max: u32| {
        drill(&format!(
            "[[steps]]\nid = \"hunt\"\nphase = \"identify\"\ntitle = \"Hunt\"\nrepeat = {{ until = '{until}', max = {max} }}\n\n{}",
            inventory().replace("[[steps]]", "[[steps.steps]]")
        ))
    };
    assert_snapshot!(shown(&group("steps.inventory.already_dead", 1)), @r##"
    warning[R029]: group `hunt` is gone through once, and then its `until` must hold
     --> drill.toml:9:10
      |
    9 | repeat = { until = 'steps.inventory.already_dead', max = 1 }
      |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
    help: raise `max`, or say by an `assert` step what must hold
    "##);
    assert_snapshot!(shown(&group("false", 3)), @r##"
    warning[R028]: `false` never holds
     --> drill.toml:9:20
      |
    9 | repeat = { until = 'false', max = 3 }
      |                    ^^^^^^^
      |
    help: mend it: the group would be gone through to the last round, and fail
    "##);
    assert_eq!(codes(&group("steps.inventory.already_dead", 2)), [""; 0]);
}

#[test]
fn a_list_without_items_and_a_jump_to_the_next_step() {
    let none = step("look", "action = \"cloudflare.whoami\"\nforeach = []\nas = \"zone\"");
    assert_snapshot!(shown(&drill(&none)), @r##"
    warning[R029]: step `look` is never done: its list is empty
      --> drill.toml:10:11
       |
    10 | foreach = []
       |           ^^
       |
    help: fill the list, or take the step out
    "##);
    let jump = step("look", "action = \"cloudflare.whoami\"\non_failure = \"step:inventory\"") + &inventory();
    assert_snapshot!(shown(&drill(&jump)), @r##"
    warning[R029]: `inventory` is the next step, and nothing is jumped over
      --> drill.toml:10:14
       |
    10 | on_failure = "step:inventory"
       |              ^^^^^^^^^^^^^^^^
       |
    help: write `on_failure = "continue"`
    "##);
}

#[test]
fn looks_that_are_tried_again_for_hours() {
    let retry =
        |times: u32| look(&format!("action = \"cloudflare.whoami\"\nretry = {{ times = {times}, every = \"5m\" }}"));
    assert_snapshot!(shown(&retry(100)), @r##"
    warning[R030]: the looks of step `look` are tried again for 8h 20m, and nobody is asked meanwhile
      --> drill.toml:10:9
       |
    10 | retry = { times = 100, every = "5m" }
       |         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
    help: try for a few minutes, then let a person decide; to wait for something, take the action `wait`
    "##);
    assert_eq!(codes(&retry(12)), [""; 0], "an hour is bearable");
}

#[test]
fn an_input_that_nothing_uses() {
    let runbook = |inputs: &str, text: &str| {
        drill(&(inputs.to_owned() + &step("look", &format!("action = \"note\"\nwith = {{ text = \"{text}\" }}"))))
    };
    let inputs = "[inputs.zone]\ntype = \"string\"\n\n[inputs.commander]\ntype = \"string\"\n\n";
    assert_snapshot!(shown(&runbook(inputs, "go")), @r##"
    warning[R031]: nothing uses the input `zone`
     --> drill.toml:5:9
      |
    5 | [inputs.zone]
      |         ^^^^
      |
    help: a question that changes nothing costs time: take it out, or write `{{inputs.zone}}` where it matters; the report reads `reported_by`, `commander`, `detected_at`, `exposed_since` by itself
    "##);
    assert_eq!(
        codes(&runbook(inputs, "{{default inputs.zone \\\"all\\\"}}")),
        [""; 0],
        "the report reads the other one"
    );
}

#[test]
fn a_length_of_time_that_is_none() {
    let wait = |length: &str| look(&format!("action = \"wait\"\nwith = {{ for = \"{length}\" }}"));
    assert_snapshot!(shown(&wait("10 fortnights")), @r##"
    error[R010]: `for` cannot be `10 fortnights`: it must be a length of time such as `15m` or `1h 30m`
      --> drill.toml:10:16
       |
    10 | with = { for = "10 fortnights" }
       |                ^^^^^^^^^^^^^^^
    "##);
    assert_eq!(codes(&wait("1h 30m")), [""; 0]);
    assert_eq!(codes(&wait("{{incident.id}}")), [""; 0], "only a run tells");
}
