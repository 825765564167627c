//! Whoever makes a token chooses its name: a name that looks like a secret must neither stop the cut nor be written down.

use quell::simulator::Request;
use serde_json::json;

use crate::scene::files;
use crate::spine::Spine;

const NAME: &str = "cfut_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

#[tokio::test(flavor = "multi_thread")]
async fn a_token_called_like_a_secret_is_cut_by_hand_and_the_rest_goes_on() {
    let spine = Spine::new().await;
    let cast = &spine.scene.scenario.cast;
    let body = json!({ "name": NAME, "policies": [{ "effect": "allow", "resources": { format!("com.cloudflare.api.account.{}", cast.account_id): "*" }, "permission_groups": [{ "id": "c8fed203ed3043cba015a93ad1616f1f" }] }] });
    let renamed = Request {
        method: "PUT".to_owned(),
        path: format!("/accounts/{}/tokens/{}", cast.account_id, cast.suspect_token_id),
        query: String::new(),
        headers: vec![("authorization".into(), format!("Bearer {}", cast.responder_token))],
        body: Some(body),
    };
    assert_eq!(spine.scene.simulator.act(&renamed), 200);

    let answers = spine.answers("[steps.inventory]\nanswer = \"run\"\n");
    let text = std::fs::read_to_string(&answers).unwrap();
    std::fs::write(
        &answers,
        text.replace("[steps.cut]\n", "[steps.cut]\nleft = \"later:Maya\"\nfields = { attested_by = \"Maya\" }\n"),
    )
    .unwrap();
    let ran = spine.run(&answers);
    let document = ran.json();
    let cut = document["steps"].as_array().unwrap().iter().find(|step| step["id"] == "cut").unwrap().clone();
    assert_eq!(cut["effects"][0]["target"]["id"], cast.suspect_token_id.as_str(), "{document:#}");
    assert_ne!(cut["status"], "failed");
    let journal = spine.scene.journal();
    let proposed = journal.iter().find(|entry| entry["path"] == "cut" && entry["event"]["type"] == "proposed").unwrap();
    let instruction = proposed["event"]["effects"][0]["call"]["instruction"].as_str().unwrap();
    assert!(instruction.contains("Go by the id"), "{instruction}");
    assert!(!ran.stderr.contains(NAME) && !ran.stdout.contains(NAME));
    for (path, bytes) in files(&spine.scene.state_dir()) {
        assert!(!String::from_utf8_lossy(&bytes).contains(NAME), "{}", path.display());
    }
    let writes: Vec<String> = spine.scene.writes().iter().map(|write| write.path.clone()).collect();
    assert!(writes.iter().all(|path| !path.ends_with(&cast.suspect_token_id)), "{writes:?}");
}
