//! Only what has not begun may be another.

use std::fs;

use serde_json::{Value, json};

use super::{amended, event, instruction, refused, resting, resume, three};
use crate::language::{DONE, by_hand};

#[tokio::test(flavor = "multi_thread")]
async fn steps_that_have_begun_stay_as_they_are() {
    let scene = resting(&three()).await;
    let zero = by_hand("steps", "zero", "before all", "");
    let first = by_hand("steps", "one", "do the first", "");
    scene.write("answers.toml", &["two", "three"].map(|id| format!("[steps.{id}]\n{DONE}")).concat());
    let ended = "the step `one`, which has ended,";
    for (edited, told) in [
        (three().replace("do the first", "do the worst"), format!("{ended} has another `with`")),
        (three().replace("do it at {{inputs.early}}", "no"), "`two`, which is under way, has another `with`".into()),
        (three().replace(&first, ""), "the step `one`, which has ended, is not there any more".into()),
        (three().replace(&first, &format!("{zero}{first}")), "the step `zero` stands before `one`".into()),
        (three().replace("id = \"one\"", "id = \"uno\""), "the step `one`, which has ended, is not there".into()),
        (
            three().replace("name = \"drill\"", "name = \"drall\""),
            "another runbook: `drill` before, `drall` now".into(),
        ),
    ] {
        assert_ne!(edited, three(), "{told}");
        scene.write("drill.toml", &edited);
        refused(&scene, &["--accept", "because"], &told);
    }
    // What is wrong is shown as in any runbook.
    scene.write("drill.toml", &three().replace("{{inputs.late}}", "{{inputs.never}}"));
    resume(&scene, &["--accept", "because"]).expect(10);
    // What has not begun may go.
    scene.write("drill.toml", &three().replace(&by_hand("steps", "three", "do it at {{inputs.late}}", ""), ""));
    scene.write("answers.toml", &format!("[steps.two]\n{DONE}"));
    resume(&scene, &["--accept", "not needed"]).expect(0);
    assert_eq!(amended(&scene)[0]["changes"][1], "the step `three` is gone");
    scene.run(&["verify"]).expect(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_input_may_change_while_no_begun_step_has_used_it() {
    let scene = resting(&three()).await;
    let told = "the input `early` was used by `two`, which is under way: \"dawn\" before, \"noon\" now";
    refused(&scene, &["--accept", "later", "--set", "early=noon"], told);
    resume(&scene, &["--accept", "later", "--set", "never=noon"]).expect(2);
    // Another value in the answers file is not silently passed over either.
    let answers = fs::read_to_string(scene.path("answers.toml")).unwrap();
    scene.write("answers.toml", &format!("[inputs]\nlate = \"noon\"\n{answers}"));
    refused(&scene, &[], "the input `late`: planned \"dusk\", now \"noon\"");
    scene.write("answers.toml", &answers);
    resume(&scene, &["--accept", "the owner sleeps", "--set", "late=midnight"]).expect(0);
    let decision = amended(&scene).remove(0);
    assert_eq!(decision["changes"], json!(["the input `late`: \"dusk\" before, \"midnight\" now"]));
    assert_eq!(decision["plan"]["inputs"], json!({ "early": "dawn", "late": "midnight" }));
    assert_eq!(instruction(&scene, "three"), "do it at midnight");
    scene.run(&["verify"]).expect(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_may_change_while_no_begun_step_has_used_it() {
    let runbook = |used: &str| {
        three()
            .replace("[inputs.late]\ntype = \"string\"", "[inputs.late]\ntype = \"file\"")
            .replace("dusk", "late.txt")
            .replace("do it at {{inputs.early}}", used)
    };
    for (used, begun) in [("x", false), ("see {{inputs.late}}", true)] {
        let scene = crate::scene::Scene::new().await;
        scene.write("late.txt", "one");
        scene.write("drill.toml", &runbook(used));
        scene.write("answers.toml", &format!("[steps.one]\n{DONE}"));
        scene.run(&["run", "drill.toml", "--answers", "answers.toml"]).expect(11);
        scene.write("answers.toml", &["two", "three"].map(|id| format!("[steps.{id}]\n{DONE}")).concat());
        scene.write("late.txt", "two");
        let told = "an input of the run, was edited after the run began: sealed ";
        refused(&scene, &[], told);
        if begun {
            refused(&scene, &["--accept", "newer"], "it was used by `two`, which is under way");
            // What cannot be put back any more is no dead end.
            fs::remove_file(scene.path("late.txt")).unwrap();
            let answers = fs::read_to_string(scene.path("answers.toml")).unwrap();
            scene.write("answers.toml", &format!("[inputs]\nlate = \"late.txt\"\n{answers}"));
            let told = refused(&scene, &[], "cannot be taken any more: it cannot be read");
            assert!(told.stderr.contains("--as-sealed` goes on with the plan as it is"), "{}", told.stderr);
            resume(&scene, &["--as-sealed"]).expect(0);
            assert_eq!(amended(&scene), Vec::<Value>::new());
            let decided = event(&scene, "noted", None);
            let text = decided["text"].as_str().unwrap();
            assert_eq!(decided["kind"], "decision");
            assert!(text.starts_with("went on with the sealed plan, although the file "), "{text}");
            assert!(text.ends_with("what reads it reads what is there now"), "{text}");
            scene.run(&["verify"]).expect(0);
            continue;
        }
        resume(&scene, &["--accept", "newer"]).expect(0);
        let decision = amended(&scene).remove(0);
        assert_eq!(decision["changes"].as_array().unwrap().len(), 1, "{decision}");
        assert_ne!(decision["plan"]["files"], event(&scene, "plan_sealed", None)["files"]);
        scene.run(&["verify"]).expect(0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_effect_in_doubt_is_settled_by_the_plan_that_it_was_begun_by() {
    let scene = crate::scene::Scene::new().await;
    let token = scene.scenario.cast.tokens.iter().find(|token| token.name == "acme-dns01").unwrap().id.clone();
    let cut = format!(
        "[[steps]]\nid = \"cut\"\nphase = \"contain\"\ntitle = \"Cut\"\nwhy = \"x\"\naction = \"cloudflare.token.disable\"\n\
         with = {{ tokens = [{{ id = \"{token}\" }}] }}\n"
    );
    let runbook = |words: &str| format!("{}{cut}{}", crate::language::HEAD, by_hand("steps", "tell", words, ""));
    scene.write("drill.toml", &runbook("say so"));
    scene.write("answers.toml", &format!("[steps.cut]\nanswer = \"run\"\nphrase = \"cut\"\n[steps.tell]\n{DONE}"));
    let mut command = scene.command(&["run", "drill.toml", "--answers", "answers.toml"]);
    let intended = |entry: &Value| entry["event"]["type"] == "intended";
    assert_eq!(crate::scene::ran(command.env("QUELL_CRASH_AT", "after-intent:1")).code, -1);
    assert!(scene.journal().iter().any(intended));
    scene.write("drill.toml", &runbook("say more"));
    refused(&scene, &["--accept", "more"], "is in doubt: nobody knows whether it took place");
    resume(&scene, &["--as-sealed"]);
    assert_eq!(amended(&scene), Vec::<Value>::new());
}
