//! Mistakes with groups, lists and rounds.

use super::{codes, drill, inventory, shown, step};

/// A group with two steps by hand; `more` is its own, `inner` the second step's.
fn grouped(more: &str, inner: &str) -> String {
    let hand = "action = \"manual\"\nwith = { instruction = \"x\" }";
    let one = step("one", hand).replace("[[steps]]", "[[steps.steps]]");
    let two = step("two", inner).replace("[[steps]]", "[[steps.steps]]");
    drill(&(inventory() + &step("both", more) + &one + &two))
}

fn hand(instruction: &str) -> String {
    format!("action = \"manual\"\nwith = {{ instruction = \"{instruction}\" }}")
}

/// The only problem: its code, and that it says `words`.
fn only(text: &str, code: &str, words: &str) {
    assert_eq!(codes(text), [code], "{}", shown(text));
    assert!(shown(text).contains(words), "{}", shown(text));
}

#[test]
fn what_is_right_is_right() {
    let list = "foreach = { from = \"steps.inventory.suspects\" }\nas = \"token\"";
    assert_eq!(shown(&grouped(list, &hand("{{token.name}}"))), "");
    let rounds = "repeat = { until = \"steps.inventory.already_dead\", max = 2 }";
    assert_eq!(shown(&grouped(rounds, &hand("x"))), "");
}

#[test]
fn a_group_has_no_action_of_its_own() {
    only(&grouped("action = \"manual\"", &hand("x")), "R022", "a group of steps has no `action` of its own");
    only(&grouped("timeout = \"1m\"", &hand("x")), "R022", "give it to the steps in the group");
}

#[test]
fn lists_and_rounds_have_their_parts() {
    only(&grouped("foreach = [\"a\"]", &hand("x")), "R003", "has no `as`");
    only(&grouped("as = \"x\"", &hand("x")), "R022", "`as` names the item of a `foreach`");
    only(&grouped("foreach = \"a\"\nas = \"x\"", &hand("x")), "R004", "must be a list or a reference to one");
    only(&grouped("foreach = [\"a\"]\nas = \"steps\"", &hand("x")), "R006", "an item cannot be called `steps`");
    let until = "repeat = { until = \"steps.inventory.already_dead\", max = 0 }";
    only(&grouped(until, &hand("x")), "R004", "`max` must be from 1 to 100, and is 0");
    only(&grouped("repeat = { max = 3 }", &hand("x")), "R003", "has no `until`");
    let both = "repeat = { until = \"steps.inventory.already_dead\", max = 3 }\nforeach = [\"a\"]\nas = \"x\"";
    only(&grouped(both, &hand("x")), "R022", "do not go together");
    let alone = drill(&step(
        "one",
        &format!("{}\nrepeat = {{ until = \"steps.inventory.already_dead\", max = 3 }}", hand("x")),
    ));
    only(&alone, "R022", "only a group of steps can be repeated");
    let retry = drill(&step("one", &format!("{}\nretry = {{ every = \"1s\" }}", hand("x"))));
    only(&retry, "R003", "has no `times`");
}

#[test]
fn what_a_group_holds_is_seen_through_it() {
    let behind = |instruction: &str| grouped("why = \"x\"", &hand("x")) + &step("after", &hand(instruction));
    assert_eq!(shown(&behind("{{json steps.both.one}}")), "");
    only(&behind("{{json steps.one}}"), "R012", "from here it is `steps.both.one`");
    only(&behind("{{json steps.both.three}}"), "R011", "the group `both` has no step `three`");
    let list = "foreach = [\"a\"]\nas = \"name\"";
    let behind = |instruction: &str| grouped(list, &hand("x")) + &step("after", &hand(instruction));
    assert_eq!(shown(&behind("{{len steps.both.results}}")), "");
    only(&behind("{{json steps.one}}"), "R012", "from here it is `steps.both.results`");
    only(&behind("{{name}}"), "R011", "`name` points nowhere");
}

#[test]
fn inside_a_group_only_what_came_before_is_seen() {
    assert_eq!(shown(&grouped("why = \"x\"", &hand("{{json steps.one}} {{json steps.inventory.suspects}}"))), "");
    only(&grouped("why = \"x\"", &hand("{{json steps.two}}")), "R012", "is the step itself");
    only(&grouped("why = \"x\"", &hand("{{json steps.both}}")), "R012", "`steps.both`");
    let jump = format!("{}\non_failure = \"step:one\"", hand("x"));
    only(&grouped("why = \"x\"", &jump), "R012", "in the same list");
    let list = format!("foreach = [\"a\"]\nas = \"x\"\non_failure = \"step:two\"\n{}", hand("x"));
    only(&drill(&(step("one", &list) + &step("two", &hand("x")))), "R022", "`continue` goes on with the next item");
}

#[test]
fn a_title_is_fixed_before_anything_is_known() {
    let text = drill(
        &(inventory()
            + &step("cut", &hand("x")).replace("title = \"Look\"", "title = \"{{steps.inventory.suspects}}\"")),
    );
    only(&text, "R012", "they may hold inputs; put results into `with`");
}
