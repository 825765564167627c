//! Beside a wait: the clock is seen, and whoever types is heard.

use expectrl::ControlCode;

use super::typist::Typist;
use crate::scene::Scene;

/// A wait that no test lives to see the end of, and a question behind it.
async fn waiting(more: &str) -> (Scene, Typist) {
    let scene = Scene::new().await;
    scene.write(
        "drill.toml",
        &format!(
            "schema = 1\nname = \"drill\"\ntitle = \"Drill\"\n\n[[steps]]\nid = \"hold\"\nphase = \"contain\"\n\
             title = \"Hold\"\naction = \"wait\"\nwith = {{ for = \"700h\", message = \"The deploy to be through.\" }}\n{more}\n\
             [[steps]]\nid = \"ask-who\"\nphase = \"contain\"\ntitle = \"Ask\"\naction = \"pause\"\nwith = {{ message = \"Go?\" }}\n"
        ),
    );
    let typist = Typist::at(scene.command(&["run", "drill.toml"]));
    (scene, typist)
}

/// Presses return at the clock; the prompt takes its place.
fn opens(typist: &mut Typist) {
    typist.sees(" left");
    typist.types("");
    typist.sees("hold> ");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_is_seen_and_cut_short_with_a_reason() {
    let (scene, mut typist) = waiting("").await;
    typist.sees("hold: waiting");
    typist.sees("press return to say something");
    // The clock goes.
    typist.sees("waiting: The deploy to be through.  700 h 00 min left");
    typist.sees("waiting: The deploy to be through.  699 h 59 min left");
    opens(&mut typist);
    typist.types("note they are at 80 percent");
    typist.sees("note       they are at 80 percent");
    typist.sees("hold: waiting");
    // Typed at the clock, without opening the prompt first; and no verb that is not there.
    typist.types("go on");
    typist.sees("say why: `go on REASON`");
    typist.answers("hold", "help");
    typist.sees("`go on REASON` ends it now");
    typist.answers("hold", "wait");
    typist.sees("left");
    typist.types("go on the team says that it is through");
    typist.sees("cut short: the team says that it is through");
    typist.answers("ask-who", "Maya");
    assert_eq!(typist.leaves(), 0, "{}", typist.screen);
    let journal = scene.journal();
    let waited: Vec<_> = journal.iter().filter(|entry| entry["event"]["type"] == "waited").collect();
    assert_eq!(waited.len(), 1);
    assert_eq!(waited[0]["event"]["words"], "the team says that it is through");
    assert_eq!(waited[0]["by"], "tester");
    let report = std::fs::read_to_string(scene.incident().join("report.md")).unwrap();
    assert!(report.contains("the wait was cut short: the team says that it is through"), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_rests_a_wait_and_resume_goes_on_with_it() {
    let (scene, mut typist) = waiting("").await;
    typist.sees("min left");
    typist.presses(ControlCode::EndOfText);
    assert_eq!(typist.leaves(), 130, "{}", typist.screen);
    let mut typist = Typist::at(scene.command(&["resume"]));
    typist.sees("hold: waiting");
    opens(&mut typist);
    typist.types("pause");
    assert_eq!(typist.leaves(), 11, "{}", typist.screen);
    assert!(scene.journal().iter().all(|entry| entry["event"]["type"] != "waited"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_that_may_not_be_skipped_is_not_cut_short() {
    let (scene, mut typist) = waiting("skippable = false").await;
    typist.sees("min left");
    typist.types("go on I am in a hurry");
    typist.sees("this wait may not be cut short");
    typist.answers("hold", "skip I am in a hurry");
    typist.sees("this step may not be skipped");
    typist.answers("hold", "pause");
    assert_eq!(typist.leaves(), 11, "{}", typist.screen);
    assert!(scene.journal().iter().all(|entry| entry["event"]["type"] != "waited"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_half_typed_when_the_time_is_over_answers_no_other_prompt() {
    let scene = Scene::new().await;
    let step = |id: &str, action: &str, with: &str| {
        format!(
            "[[steps]]\nid = \"{id}\"\nphase = \"contain\"\ntitle = \"t\"\naction = \"{action}\"\nwith = {{ {with} }}\n"
        )
    };
    let text = "schema = 1\nname = \"drill\"\ntitle = \"Drill\"\n\n".to_owned()
        + &step("hold", "wait", "for = \"60s\"")
        + &step("ask-who", "pause", "message = \"Go?\"");
    scene.write("drill.toml", &text);
    let mut typist = Typist::at(scene.command(&["run", "drill.toml"]));
    opens(&mut typist);
    typist.half_types("go on beca");
    typist.sees("its time is over");
    typist.answers("ask-who", "Maya");
    assert_eq!(typist.leaves(), 0, "{}", typist.screen);
    let journal = scene.journal();
    let answered = journal.iter().find(|entry| entry["event"]["type"] == "answered").unwrap();
    assert_eq!(answered["event"]["fields"]["resumed_by"], "Maya");
}
