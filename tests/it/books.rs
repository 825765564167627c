//! `quell runbooks new`, `show --graph`, and the lints of `check`.

use std::fs;

use serde_json::Value;

use crate::scene::{Scene, ran};

/// Code and line of every problem.
fn problems(scene: &Scene, text: &str) -> Vec<(String, String, u64)> {
    let path = scene.write("lint.toml", text).display().to_string();
    let document = ran(&mut scene.bare(&["runbooks", "check", &path, "--json"])).json();
    let text = |problem: &Value, key: &str| problem[key].as_str().unwrap().to_owned();
    let problems = document["problems"].as_array().unwrap().iter();
    problems.map(|it| (text(it, "code"), text(it, "severity"), it["line"].as_u64().unwrap())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_runbook_is_sound_and_can_be_walked() {
    let scene = Scene::new().await;
    ran(&mut scene.bare(&["runbooks", "new", "leaked-token"])).expect(0);
    let checked = ran(&mut scene.bare(&["runbooks", "check", "leaked-token"])).expect(0);
    assert!(checked.stderr.contains("0 errors, 0 warnings"), "{}", checked.stderr);
    let suspect = &scene.scenario.cast.suspect_token_id;
    let answers = format!(
        "[inputs]\nsuspect = \"{suspect}\"\n[steps.pace]\nfields = {{ choice = \"cut\", reason = \"it leaked\", agreed_by = \"Maya\" }}\nreason = \"it leaked\"\n\
         [steps.cut]\nanswer = \"run\"\nselect = \"all\"\nphrase = \"cut\"\n[steps.people]\nanswer = \"run\"\nfields = {{ attested_by = \"Maya\" }}\n"
    );
    let answers = scene.write("answers.toml", &answers).display().to_string();
    let document = scene.run(&["run", "leaked-token", "--answers", &answers, "--json"]).expect(0).json();
    assert_eq!(document["outcome"], "done");
    assert!(scene.writes().iter().any(|write| write.path.ends_with(suspect)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_runbook_is_never_written_over_another() {
    let scene = Scene::new().await;
    let own = scene.write("own.toml", "mine");
    let path = own.display().to_string();
    let refused = ran(&mut scene.bare(&["runbooks", "new", "mine", "-o", &path])).expect(2);
    assert!(refused.stderr.contains("hint: a file that is there is never written over"), "{}", refused.stderr);
    assert_eq!(fs::read_to_string(own).unwrap(), "mine");
    ran(&mut scene.bare(&["runbooks", "new", "../Mine"])).expect(2);
    assert!(!scene.path("runbooks").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_should_be_mended_is_a_warning_with_a_place() {
    let scene = Scene::new().await;
    let secret = "cfut_0123456789012345678901234567890123456789abcd";
    let text = format!(
        "schema = 1\nname = \"lint\"\ntitle = \"Lint\"\n# {secret}\n[[steps]]\nid = \"cut\"\nphase = \"contain\"\n\
         title = \"Cut\"\naction = \"cloudflare.token.revoke\"\nwith = {{ tokens = [] }}\nconfirm = \"ask\"\n"
    );
    let warning = |code: &str, line| (code.to_owned(), "warning".to_owned(), line);
    let expected = [warning("R023", 4), warning("R018", 6), warning("R017", 11)];
    assert_eq!(problems(&scene, &text), expected);
    let shown = ran(&mut scene.bare(&["runbooks", "check", "lint.toml"])).expect(0);
    assert!(!shown.stderr.contains(secret) && shown.stderr.contains("# ****"), "{}", shown.stderr);
    assert_eq!(shown.stderr.matches("help: ").count(), 3, "{}", shown.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_graph_shows_what_hangs_on_what_and_holds_any_text() {
    let scene = Scene::new().await;
    scene.write(
        "graph.toml",
        "schema = 1\nname = \"graph\"\ntitle = \"Graph\"\n\
         [[steps]]\nid = \"look\"\nphase = \"identify\"\ntitle = \"Look\"\naction = \"cloudflare.tokens.inventory\"\nwith = { suspect = \"unknown\" }\non_failure = \"step:tell\"\n\
         [[steps]]\nid = \"cut\"\nphase = \"contain\"\ntitle = \"Cut\\\"] --> x\"\nwhy = \"x\"\naction = \"cloudflare.token.disable\"\n\
         with = { tokens = { from = \"steps.look.suspects\" } }\nwhen = \"steps.look.already_dead\"\nrequires = [\"look\"]\n\
         [[steps]]\nid = \"tell\"\nphase = \"identify\"\ntitle = \"Tell\"\naction = \"manual\"\nwith = { instruction = \"x\" }\n",
    );
    let shown = ran(&mut scene.bare(&["runbooks", "show", "graph.toml", "--graph"])).expect(0).stdout;
    assert_eq!(
        shown,
        "flowchart TD\n\
         \u{20} subgraph identify\n\
         \u{20}   s0[\"1. Look<br/>cloudflare.tokens.inventory\"]\n\
         \u{20}   s2[\"3. Tell<br/>manual\"]\n\
         \u{20} end\n\
         \u{20} subgraph contain\n\
         \u{20}   s1[\"2. Cut#34;#93; --#62; x<br/>cloudflare.token.disable<br/>when steps.look.already_dead\"]\n\
         \u{20} end\n\
         \u{20} s0 --> s1\n\
         \u{20} s1 --> s2\n\
         \u{20} s0 ==>|on failure| s2\n\
         \u{20} s0 -->|requires| s1\n\
         \u{20} s0 -.->|from| s1\n"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outline_shows_what_is_asked_and_how_it_goes() {
    let scene = Scene::new().await;
    scene.write(
        "flow.toml",
        "schema = 1\nname = \"flow\"\ntitle = \"Flow\"\n\
         [inputs.pace]\ntype = \"choice\"\nchoices = [\"now\", \"later\"]\ndefault = \"now\"\nprompt = \"How fast?\"\n\
         [[steps]]\nid = \"look\"\nphase = \"identify\"\ntitle = \"Look\"\naction = \"cloudflare.tokens.inventory\"\nwith = { suspect = \"unknown\" }\non_failure = \"stop\"\n\
         [[steps]]\nid = \"tell\"\nphase = \"contain\"\ntitle = \"Tell\"\naction = \"note\"\nwith = { text = \"x\" }\nforeach = { from = \"steps.look.suspects\" }\nas = \"token\"\nrequires = [\"look\"]\nwhen = '(eq inputs.pace \"now\")'\nskippable = false\n\
         [[steps]]\nid = \"block\"\nphase = \"contain\"\ntitle = \"Block\"\nwhy = \"x\"\naction = \"command\"\nwith = { argv = [\"true\"], danger = \"reversible\" }\n",
    );
    let shown = ran(&mut scene.bare(&["runbooks", "show", "flow.toml"])).expect(0).stdout;
    for line in [
        "  pace             optional  choice of now, later, \"now\" without it",
        "      on failure: rest",
        "      when (eq inputs.pace \"now\")",
        "      for each token of steps.look.suspects",
        "      requires look",
        "      may not be skipped",
    ] {
        assert!(shown.lines().any(|shown| shown == line), "`{line}` is missing in\n{shown}");
    }
    assert!(shown.contains("contain    reversible    Block"), "{shown}");
    let graph = ran(&mut scene.bare(&["runbooks", "show", "flow.toml", "--graph"])).expect(0).stdout;
    assert!(graph.contains("<br/>for each token\"]") && graph.contains("  s0 --> s1\n"), "{graph}");
}
