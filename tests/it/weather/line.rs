//! The line between the responder and quell, and between quell and the account: gone for a while, slow, or of a terminal that
//! can do next to nothing.

use std::process::Command;

use expectrl::ControlCode;

use crate::network::Network;
use crate::scene::Scene;
use crate::spine::Spine;
use crate::terminal::typist::Typist;

/// Every write that arrived, by method and path.
fn sent(scene: &Scene) -> Vec<String> {
    scene.writes().iter().map(|write| format!("{} {}", write.method, write.path)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_is_gone_at_any_consent_is_said_and_loses_nothing() {
    let spine = Spine::new().await;
    let suspect = spine.scene.scenario.cast.suspect_token_id.clone();
    let mut network = Network::to(spine.scene.simulator.base_url()).await;
    let base = network.base_url();
    let at = |args: &[&str]| {
        let mut command = spine.scene.command(args);
        command.env("CLOUDFLARE_BASE_URL", &base);
        command
    };
    let mut typist = Typist::at(at(&["run", "spine.toml", "--set", &format!("suspect={suspect}")]));
    for (step, consent) in [("cut", "cut"), ("roll", "later platform team for all"), ("revoke", suspect.as_str())] {
        if step == "roll" {
            typist.answers("roll", "1");
            typist.answers("roll", "rotate 1");
        }
        typist.sees(&format!("\n{step}> "));
        let before = sent(&spine.scene);
        network.goes_down().await;
        typist.types(consent);
        let told = typist.answers(step, "pause");
        assert!(told.contains("3 attempts did not leave this machine"), "{step}: {told}");
        assert!(told.contains("nothing is sent again by itself: you decide"), "{step}: {told}");
        assert_eq!(typist.leaves(), 12, "{}", typist.screen);
        assert_eq!(sent(&spine.scene), before, "{step}");

        // Nothing can be gone on with, and nothing is lost.
        let mut offline = Typist::at(at(&["resume"]));
        assert_eq!(offline.leaves(), 2, "{}", offline.screen);
        assert!(offline.screen.contains("nothing was sent"), "{}", offline.screen);
        network.comes_back().await;
        typist = Typist::at(at(&["resume"]));
        typist.answers(step, "retry the line is back");
        typist.answers(step, if step == "roll" { "roll" } else { consent });
    }
    assert_eq!(typist.leaves(), 0, "{}", typist.screen);
    let account = &spine.scene.scenario.cast.account_id;
    let arrived = sent(&spine.scene);
    assert_eq!(arrived.len(), 3, "{arrived:?}");
    assert_eq!(arrived[0], format!("PUT /accounts/{account}/tokens/{suspect}"));
    assert!(arrived[1].ends_with("/value"), "{arrived:?}");
    assert_eq!(arrived[2], format!("DELETE /accounts/{account}/tokens/{suspect}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_line_garbles_nothing_and_sends_nothing_twice() {
    let spine = Spine::new().await;
    let mut typist = Typist::at(spine.scene.command(&["run", "spine.toml", "--set", "suspect=ci-deploy"]));
    typist.sees_slowly("\ncut> ");
    typist.types("cut");
    typist.sees_slowly("\nroll> ");
    assert!(typist.screen.contains("read back: the token is disabled"), "{}", typist.screen);
    typist.types("pause");
    assert_eq!(typist.leaves(), 11, "{}", typist.screen);
    assert_eq!(sent(&spine.scene).len(), 1, "{:?}", sent(&spine.scene));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dumb_and_narrow_terminal_without_utf8_gets_plain_short_lines() {
    let spine = Spine::new().await;
    let mut command = spine.scene.command(&["run", "spine.toml", "--set", "suspect=ci-deploy"]);
    command.env("TERM", "dumb").env("LANG", "C");
    let mut typist = Typist::of(&command, 40);
    typist.answers("cut", "cut");
    typist.answers("roll", "pause");
    assert_eq!(typist.leaves(), 11, "{}", typist.screen);
    let odd: Vec<char> = typist.screen.chars().filter(|c| !matches!(c, ' '..='~' | '\r' | '\n')).collect();
    assert!(odd.is_empty(), "{odd:?}\n{}", typist.screen);
    typist.has_no_wide_line(40);
    for words in [&["status"] as &[&str], &["handoff", "to the day shift: the roll waits"]] {
        let mut command = spine.scene.command(words);
        command.env("TERM", "dumb").env("LANG", "C");
        let mut typist = Typist::of(&command, 40);
        assert_eq!(typist.leaves(), 0, "{}", typist.screen);
        assert!(typist.screen.contains("\nstate"), "{}", typist.screen);
        // A title has the room of a line of its own, and not one letter beside its step.
        assert!(typist.screen.contains(" Disable the suspect\r\n"), "{}", typist.screen);
        // What is to be copied stands unbroken.
        let copied = [&*spine.scene.path("state").display().to_string(), "journal head: "];
        let shown = typist.screen.lines().filter(|line| !copied.iter().any(|copied| line.contains(copied)));
        typist.screen = shown.collect::<Vec<_>>().join("\n");
        typist.has_no_wide_line(40);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_stop_the_prompt_is_shown_again() {
    let spine = Spine::new().await;
    let quell = spine.scene.command(&["run", "spine.toml", "--set", "suspect=ci-deploy"]);
    let mut shell = Command::new("bash");
    shell.args(["--norc", "--noprofile", "-i"]).env_clear();
    shell.envs(quell.get_envs().filter_map(|(name, value)| Some((name, value?))));
    shell.env("PATH", std::env::var("PATH").unwrap()).env("PS1", "shell> ").current_dir(spine.scene.path("."));
    let words: Vec<String> = std::iter::once(quell.get_program())
        .chain(quell.get_args())
        .map(|word| format!("'{}'", word.to_str().unwrap()))
        .collect();
    let mut typist = Typist::at(shell);
    typist.sees("shell> ");
    typist.types(&words.join(" "));
    typist.sees("\ncut> ");
    typist.presses(ControlCode::Substitute);
    typist.sees("Stopped");
    typist.types("fg");
    typist.sees("\ncut> ");
    typist.types("cut");
    typist.answers("roll", "pause");
    typist.sees("go on");
    assert_eq!(sent(&spine.scene).len(), 1, "{:?}", sent(&spine.scene));
}
