//! Mistakes with runbooks that call others.

use insta::assert_snapshot;
use quell::cli::catalogue::CATALOGUE;
use quell::runbook::{Checked, Found, Library, Severity, Unfound, load, render_text};

use super::{drill, inventory, step};

/// Runbooks by name.
struct Shelf(Vec<(&'static str, String)>);

impl Library for Shelf {
    fn find(&self, name: &str) -> Result<Found, Unfound> {
        let text = self.0.iter().find(|(known, _)| *known == name).map(|(_, text)| text.clone());
        let shown = format!("{name}.toml");
        text.map(|text| Found { source: shown.clone(), shown, text })
            .ok_or_else(|| Unfound { why: format!("there is no runbook `{name}`"), help: "put one there".to_owned() })
    }
}

/// One that can be called, with an input of every sort.
fn block() -> String {
    let inputs = "[inputs.who]\ntype = \"cloudflare.token\"\nprompt = \"Which token?\"\nrequired = true\n\
                  [inputs.days]\ntype = \"integer\"\ndefault = 1\n[inputs.from]\ntype = \"ip\"\nunknown_ok = true\n\
                  [inputs.names]\ntype = \"list\"\n[inputs.since]\ntype = \"timestamp\"\n\n";
    drill(&(inputs.to_owned() + &inventory())).replace("name = \"drill\"", "name = \"block\"")
}

fn shelf() -> Shelf {
    Shelf(vec![("block", block())])
}

fn checked(text: &str, shelf: &Shelf) -> Checked {
    load("drill.toml", text, &CATALOGUE.vocabulary(), shelf)
}

fn shown(text: &str) -> String {
    render_text(&checked(text, &shelf()).problems, "drill.toml", text, false, 100).trim_end().to_owned()
}

/// Calls it after an inventory, and refers to it in a step behind.
fn calls(with: &str, behind: &str) -> String {
    let call = step("call", &format!("action = \"runbook\"\n{with}"));
    let after = step("after", &format!("action = \"manual\"\nwith = {{ instruction = \"{behind}\" }}"));
    drill(&(inventory() + &call + &after))
}

fn given(inputs: &str) -> String {
    calls(&format!("with = {{ name = \"block\", inputs = {{ {inputs} }} }}"), "x")
}

#[test]
fn what_is_right_is_right() {
    let all = "who = \"{{json steps.inventory.already_dead}}\", days = 3, from = \"unknown\", names = [\"a\"], since = \"9h ago\"";
    let passed = "who = \"x\", names = { from = \"steps.inventory.suspects\", default = [] }";
    for inputs in [all, "who = \"x\", days = \"{{len steps.inventory.suspects}}\"", passed] {
        let text = given(inputs);
        let problems = shown(&text).replace(": 0 errors", "");
        assert!(problems.is_empty() || !problems.contains("error"), "{problems}");
    }
    let behind =
        calls("with = { name = \"block\", inputs = { who = \"x\" } }", "{{len steps.call.inventory.suspects}}");
    assert_eq!(shown(&behind), "");
}

#[test]
fn a_call_without_a_name() {
    assert_snapshot!(shown(&calls("", "x")), @r##"
    error[R008]: `runbook` needs the parameter `name`
      --> drill.toml:12:1
       |
    12 | [[steps]]
       | ^^^^^^^^^
       |
    help: `name`: the runbook to call; `quell runbooks list` shows those that there are
    "##);
    assert_snapshot!(shown(&calls("with = { inputs = {} }", "x")), @r##"
    error[R008]: `runbook` needs the parameter `name`
      --> drill.toml:17:8
       |
    17 | with = { inputs = {} }
       |        ^^^^^^^^^^^^^^^
       |
    help: `name`: the runbook to call; `quell runbooks list` shows those that there are
    "##);
    assert_snapshot!(shown(&calls("with = { name = { from = \"inputs.x\" } }", "x")), @r##"
    error[R010]: `name` must be text, and is a table
      --> drill.toml:17:17
       |
    17 | with = { name = { from = "inputs.x" } }
       |                 ^^^^^^^^^^^^^^^^^^^^^
       |
    help: which runbook is called is fixed before the run, so that its text can be checked and pinned
    "##);
}

#[test]
fn a_runbook_that_is_not_there() {
    assert_snapshot!(shown(&calls("with = { name = \"blok\" }", "{{steps.call.x}}")), @r##"
    error[R024]: `blok` cannot be called: there is no runbook `blok`
      --> drill.toml:17:17
       |
    17 | with = { name = "blok" }
       |                 ^^^^^^
       |
    help: put one there
    "##);
}

#[test]
fn a_path_is_no_name() {
    assert_snapshot!(shown(&calls("with = { name = \"../block.toml\" }", "x")), @r##"
    error[R006]: `../block.toml` is not of the shape of the name of a runbook
      --> drill.toml:17:17
       |
    17 | with = { name = "../block.toml" }
       |                 ^^^^^^^^^^^^^^^
       |
    help: a runbook is called by its name, never by a path, so that everybody calls the same; `quell runbooks list` shows those that there are
    "##);
    assert_snapshot!(shown(&calls("with = { name = \"{{inputs.which}}\" }", "x")), @r##"
    error[R006]: `{{inputs.which}}` is not of the shape of the name of a runbook
      --> drill.toml:17:17
       |
    17 | with = { name = "{{inputs.which}}" }
       |                 ^^^^^^^^^^^^^^^^^^
       |
    help: a runbook is called by its name, never by a path, so that everybody calls the same; `quell runbooks list` shows those that there are
    "##);
}

#[test]
fn parameters_that_a_call_does_not_have() {
    assert_snapshot!(shown(&calls("with = { name = \"block\", input = { who = \"x\" } }", "x")), @r##"
    error[R008]: the runbook `block` needs the input `who`
      --> drill.toml:17:8
       |
    17 | with = { name = "block", input = { who = "x" } }
       |        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
    help: `who`: Which token?

    error[R009]: `runbook` has no parameter `input`
      --> drill.toml:17:26
       |
    17 | with = { name = "block", input = { who = "x" } }
       |                          ^^^^^
       |
    help: did you mean `inputs`?
    "##);
    assert_snapshot!(shown(&calls("with = { name = \"block\", inputs = [\"x\"] }", "x")), @r##"
    error[R010]: `inputs` must be a table, and is a list
      --> drill.toml:17:35
       |
    17 | with = { name = "block", inputs = ["x"] }
       |                                   ^^^^^
       |
    help: it is written `inputs = { NAME = VALUE }`
    "##);
}

#[test]
fn a_call_has_no_work_of_its_own() {
    let with = "with = { name = \"block\", inputs = { who = \"x\" } }\n";
    assert_snapshot!(shown(&calls(&format!("{with}confirm = \"target\"\ntimeout = \"1m\""), "x")), @r##"
    error[R022]: a step that calls a runbook has no `confirm` of its own
      --> drill.toml:18:11
       |
    18 | confirm = "target"
       |           ^^^^^^^^
       |
    help: give it to the steps of that runbook

    error[R022]: a step that calls a runbook has no `timeout` of its own
      --> drill.toml:19:11
       |
    19 | timeout = "1m"
       |           ^^^^
       |
    help: give it to the steps of that runbook
    "##);
}

#[test]
fn inputs_that_the_called_runbook_does_not_have_or_needs() {
    assert_snapshot!(shown(&given("whom = \"x\", dayz = 2")), @r##"
    error[R008]: the runbook `block` needs the input `who`
      --> drill.toml:17:35
       |
    17 | with = { name = "block", inputs = { whom = "x", dayz = 2 } }
       |                                   ^^^^^^^^^^^^^^^^^^^^^^^^
       |
    help: `who`: Which token?

    error[R009]: the runbook `block` has no input `whom`
      --> drill.toml:17:37
       |
    17 | with = { name = "block", inputs = { whom = "x", dayz = 2 } }
       |                                     ^^^^
       |
    help: did you mean `who`?

    error[R009]: the runbook `block` has no input `dayz`
      --> drill.toml:17:49
       |
    17 | with = { name = "block", inputs = { whom = "x", dayz = 2 } }
       |                                                 ^^^^
       |
    help: did you mean `days`?
    "##);
}

#[test]
fn inputs_of_the_wrong_kind() {
    assert_snapshot!(shown(&given(
        "who = 3, days = \"3\", from = \"example.com\", names = \"a\", since = \"yesterday\""
    )), @r##"
    error[R010]: the input `who` cannot be `3`: it must be text
      --> drill.toml:17:43
       |
    17 | with = { name = "block", inputs = { who = 3, days = "3", from = "example.com", names = "a", ...
       |                                           ^
       |
    help: `who`: Which token?

    error[R010]: the input `days` cannot be `3`: it must be a whole number, and is text
      --> drill.toml:17:53
       |
    17 | with = { name = "block", inputs = { who = 3, days = "3", from = "example.com", names = "a", ...
       |                                                     ^^^

    error[R010]: the input `from` cannot be `example.com`: it must be an IP address
      --> drill.toml:17:65
       |
    17 | with = { name = "block", inputs = { who = 3, days = "3", from = "example.com", names = "a", ...
       |                                                                 ^^^^^^^^^^^^^

    error[R010]: the input `names` cannot be `a`: it must be a list of texts, and is text
      --> drill.toml:17:88
       |
    17 | ... days = "3", from = "example.com", names = "a", since = "yesterday" } }
       |                                               ^^^

    error[R010]: the input `since` cannot be `yesterday`: it must be a moment in UTC such as `2026-11-23 14:05Z`, or a time such as `20m ago`
      --> drill.toml:17:101
       |
    17 | ... = "example.com", names = "a", since = "yesterday" } }
       |                                           ^^^^^^^^^^^
    "##);
    assert_snapshot!(shown(&given(
        "who = { from = \"steps.inventory.suspects\" }, days = { from = \"steps.inventory.nope\" }"
    )), @r##"
    error[R013]: `who` must be text, and `steps.inventory.suspects` is a list
      --> drill.toml:17:52
       |
    17 | with = { name = "block", inputs = { who = { from = "steps.inventory.suspects" }, days = { fr...
       |                                                    ^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
    help: `who`: Which token?

    error[R011]: `steps.inventory` has no field `nope`
      --> drill.toml:17:98
       |
    17 | ...ory.suspects" }, days = { from = "steps.inventory.nope" } } }
       |                                     ^^^^^^^^^^^^^^^^^^^^^^
       |
    help: its fields are `tokens`, `suspects`, `held`, `unheard`, `doubted`, `widened`, `revived`, `rotatable`, `principals`, `already_dead`, `beyond_tokens`, `holders`, `holder_work`, `controls`
    "##);
}

#[test]
fn steps_that_the_called_runbook_does_not_have() {
    let with = "with = { name = \"block\", inputs = { who = \"x\" } }";
    assert_snapshot!(shown(&calls(with, "{{steps.call.inventry.suspects}}")), @r##"
    error[R011]: the runbook `block`, which `call` calls, has no step `inventry`
      --> drill.toml:24:25
       |
    24 | with = { instruction = "{{steps.call.inventry.suspects}}" }
       |                         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
    help: did you mean `steps.call.inventory`?
    "##);
    assert_snapshot!(shown(&calls(with, "{{steps.call.inventory.suspect}}")), @r##"
    error[R011]: `steps.call.inventory` has no field `suspect`
      --> drill.toml:24:25
       |
    24 | with = { instruction = "{{steps.call.inventory.suspect}}" }
       |                         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
    help: did you mean `suspects`?
    "##);
}

#[test]
fn a_step_of_the_called_runbook_is_seen_through_the_call() {
    let only_inside = block().replace("id = \"inventory\"", "id = \"inside\"");
    let text = calls("with = { name = \"block\", inputs = { who = \"x\" } }", "{{len steps.inside.suspects}}");
    let problems = checked(&text, &Shelf(vec![("block", only_inside)])).problems;
    assert_snapshot!(render_text(&problems, "drill.toml", &text, false, 100), @r##"
    error[R012]: `inside` is a step of the runbook that `call` calls
      --> drill.toml:24:25
       |
    24 | with = { instruction = "{{len steps.inside.suspects}}" }
       |                         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
    help: from here it is `steps.call.inside`
    "##);
}

#[test]
fn the_called_runbook_does_not_see_what_stands_around_its_call() {
    let inner =
        block().replace("suspect = \"ci-deploy\"", "suspect = \"{{steps.earlier.x}} {{name}} {{inputs.outer}}\"");
    let list = "foreach = [\"a\"]\nas = \"name\"\nwith = { name = \"block\", inputs = { who = \"{{name}}\" } }";
    let text = calls(list, "x");
    let Checked { problems, nested, .. } = checked(&text, &Shelf(vec![("block", inner)]));
    let outer = render_text(&problems, "drill.toml", &text, false, 100);
    let inner = render_text(&nested[0].problems, "block.toml", &nested[0].found.text, false, 100);
    assert_snapshot!(outer + &inner, @r##"
    error[R024]: the runbook `block` has 3 errors of its own
      --> drill.toml:19:17
       |
    19 | with = { name = "block", inputs = { who = "{{name}}" } }
       |                 ^^^^^^^
       |
    help: `quell runbooks check block` shows what is wrong with it

    error[R011]: there is no step `earlier`
      --> block.toml:25:21
       |
    25 | with = { suspect = "{{steps.earlier.x}} {{name}} {{inputs.outer}}" }
       |                     ^^^^^^^^^^^^^^^^^^^
       |
    help: no step comes before this one

    error[R011]: `name` points nowhere
      --> block.toml:25:41
       |
    25 | with = { suspect = "{{steps.earlier.x}} {{name}} {{inputs.outer}}" }
       |                                         ^^^^^^^^
       |
    help: a path begins with `inputs.`, `steps.` or `incident.`

    error[R011]: the runbook has no input `outer`
      --> block.toml:25:50
       |
    25 | with = { suspect = "{{steps.earlier.x}} {{name}} {{inputs.outer}}" }
       |                                                  ^^^^^^^^^^^^^^^^
       |
    help: the inputs are `who`, `days`, `from`, `names`, `since`
    "##);
}

#[test]
fn runbooks_that_call_each_other() {
    let to = |name: &str| {
        let call = step("call", &format!("action = \"runbook\"\nwith = {{ name = \"{name}\" }}"));
        drill(&call).replace("name = \"drill\"", &format!("name = \"to-{name}\""))
    };
    let shelf = Shelf(vec![("a", to("b")), ("b", to("c")), ("c", to("a"))]);
    let text = to("b");
    let Checked { runbook, problems, nested } = checked(&text, &shelf);
    assert!(runbook.is_none());
    let mut all = render_text(&problems, "a.toml", &text, false, 100);
    nested.iter().for_each(|it| all.push_str(&render_text(&it.problems, &it.found.shown, &it.found.text, false, 100)));
    assert_snapshot!(all, @r##"
    error[R024]: the runbook `b` has an error of its own
      --> a.toml:10:17
       |
    10 | with = { name = "b" }
       |                 ^^^
       |
    help: `quell runbooks check b` shows what is wrong with it

    error[R024]: the runbook `c` has an error of its own
      --> b.toml:10:17
       |
    10 | with = { name = "c" }
       |                 ^^^
       |
    help: `quell runbooks check c` shows what is wrong with it

    error[R025]: runbooks call each other in a circle: `to-b`, `to-c`, `to-a` and `a` again
      --> c.toml:10:17
       |
    10 | with = { name = "a" }
       |                 ^^^
       |
    help: take one of the calls out: nothing would ever end
    "##);
    // By itself as well.
    let text = to("self");
    assert_snapshot!(render_text(
        &checked(&text, &Shelf(vec![("self", text.clone())])).problems,
        "self.toml",
        &text,
        false,
        100
    ), @r##"
    error[R025]: runbooks call each other in a circle: `to-self` and `self` again
      --> self.toml:10:17
       |
    10 | with = { name = "self" }
       |                 ^^^^^^
       |
    help: take one of the calls out: nothing would ever end
    "##);
}

#[test]
fn calls_are_at_most_eight_deep() {
    let to = |name: &str| {
        let call = step("call", &format!("action = \"runbook\"\nwith = {{ name = \"{name}\" }}"));
        drill(&call).replace("name = \"drill\"", &format!("name = \"to-{name}\""))
    };
    let names = ["l1", "l2", "l3", "l4", "l5", "l6", "l7", "l8"];
    let mut books: Vec<(&'static str, String)> = names.windows(2).map(|two| (two[0], to(two[1]))).collect();
    books.push(("l8", drill(&inventory())));
    let shelf = Shelf(books);
    assert!(checked(&to("l1"), &shelf).runbook.is_some());
    let mut deeper = shelf;
    deeper.0.push(("l0", to("l1")));
    let text = to("l0");
    let Checked { runbook, nested, .. } = checked(&text, &deeper);
    assert!(runbook.is_none());
    let last = nested.iter().rfind(|it| it.problems.iter().any(|problem| problem.code == "R025")).unwrap();
    assert_snapshot!(render_text(&last.problems, &last.found.shown, &last.found.text, false, 100), @r##"
    error[R025]: `l8` would stand more than 8 calls deep; the calls so far: `to-l0`, `to-l1`, `to-l2`, `to-l3`, `to-l4`, `to-l5`, `to-l6`, `to-l7`, `to-l8`
      --> l7.toml:10:17
       |
    10 | with = { name = "l8" }
       |                 ^^^^
       |
    help: call it from further out: nobody has so many levels in mind
    "##);
    // The same where what is too deep was read before, from further out.
    let both = to("l1") + &step("more", "action = \"runbook\"\nwith = { name = \"l0\" }");
    let both = checked(&both, &deeper);
    assert!(both.runbook.is_none());
    assert!(both.nested.iter().flat_map(|it| &it.problems).chain(&both.problems).any(|problem| problem.code == "R025"));
}

#[test]
fn few_runbooks_cannot_become_endless() {
    let twice = |name: &str| {
        let steps: String = (0..40)
            .map(|at| step(&format!("call-{at}"), &format!("action = \"runbook\"\nwith = {{ name = \"{name}\" }}")))
            .collect();
        drill(&steps).replace("name = \"drill\"", &format!("name = \"to-{name}\""))
    };
    let shelf = Shelf(vec![
        ("a", twice("b")),
        ("b", twice("c")),
        ("c", twice("d")),
        ("d", twice("e")),
        ("e", twice("f")),
        ("f", drill(&inventory())),
    ]);
    let Checked { runbook, nested, .. } = checked(&twice("a"), &shelf);
    assert!(runbook.is_none());
    let told: Vec<&str> = nested
        .iter()
        .flat_map(|it| &it.problems)
        .filter(|it| it.code == "R021")
        .map(|it| it.message.as_str())
        .collect();
    assert_eq!(told[0], "with `d` there are 13000 steps, and 10000 is the most");
}

#[test]
fn a_group_is_no_action() {
    assert_snapshot!(shown(&drill(&step("both", "action = \"group\""))), @r##"
    error[R007]: a group is no action
     --> drill.toml:9:10
      |
    9 | action = "group"
      |          ^^^^^^^
      |
    help: it is a step without an action and with steps of its own: `[[steps.steps]]`
    "##);
}

#[test]
fn secrets_are_passed_as_secrets() {
    let inner = drill(&format!(
        "[inputs.key]\ntype = \"secret\"\nrequired = true\n[inputs.text]\ntype = \"string\"\n[inputs.days]\ntype = \"integer\"\nmax = 3\n\n{}",
        inventory()
    ));
    let shown = |inputs: &str| {
        let text = drill(&format!(
            "[inputs.secret]\ntype = \"secret\"\n[inputs.name]\ntype = \"string\"\n\n{}",
            step("call", &format!("action = \"runbook\"\nwith = {{ name = \"inner\", inputs = {{ {inputs} }} }}"))
        ));
        let mut problems = checked(&text, &Shelf(vec![("inner", inner.clone())])).problems;
        // Not every call uses both inputs, which is a warning of its own.
        problems.retain(|problem| problem.severity == Severity::Error);
        render_text(&problems, "drill.toml", &text, false, 100)
    };
    assert_eq!(shown("key = { secret_env = \"OTHER\" }"), "");
    assert_eq!(shown("key = { from = \"inputs.secret\", default = { secret_env = \"OTHER\" } }"), "");
    assert_snapshot!(shown("key = { from = \"inputs.secret\" }, text = { from = \"inputs.secret\" }"), @r##"
    error[R014]: `key` would have no value: the input `secret` may be left empty
      --> drill.toml:15:52
       |
    15 | with = { name = "inner", inputs = { key = { from = "inputs.secret" }, text = { from = "input...
       |                                                    ^^^^^^^^^^^^^^^
       |
    help: add a `default` beside `from`

    error[R032]: `text` must be text, and `inputs.secret` is a secret
      --> drill.toml:15:87
       |
    15 | ...= "inputs.secret" }, text = { from = "inputs.secret" } } }
       |                                         ^^^^^^^^^^^^^^^
       |
    help: a secret goes where `{ secret_env = "NAME" }` may stand: headers and body of `http`, `env` and `stdin` of `command`, the target of `notify`
    "##);
    assert_snapshot!(shown("key = \"hunter22\", text = { secret_env = \"OTHER\" }, days = 4"), @r##"
    error[R032]: the input `key` is a secret, and no text in a runbook is
      --> drill.toml:15:43
       |
    15 | with = { name = "inner", inputs = { key = "hunter22", text = { secret_env = "OTHER" }, days ...
       |                                           ^^^^^^^^^^
       |
    help: pass an input of the type `secret`, or `{ secret_env = "NAME" }`; whoever can read the file has what stands in it

    error[R010]: the input `text` cannot be a table: it must be text
      --> drill.toml:15:62
       |
    15 | with = { name = "inner", inputs = { key = "hunter22", text = { secret_env = "OTHER" }, days ...
       |                                                              ^^^^^^^^^^^^^^^^^^^^^^^^

    error[R010]: the input `days` cannot be `4`: it must be at most 3
      --> drill.toml:15:95
       |
    15 | ...2", text = { secret_env = "OTHER" }, days = 4 } }
       |                                                ^
    "##);
    assert_snapshot!(shown("key = { from = \"inputs.name\" }"), @r##"
    error[R032]: `key` must be a secret, and `inputs.name` is text
      --> drill.toml:15:52
       |
    15 | with = { name = "inner", inputs = { key = { from = "inputs.name" } } }
       |                                                    ^^^^^^^^^^^^^
       |
    help: pass an input of the type `secret`, or `{ secret_env = "NAME" }`
    "##);
}
