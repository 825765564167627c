//! What the credential may not see is not ruled out.

use std::collections::BTreeSet;

use quell::cloudflare::families::family;
use quell::cloudflare::techniques::techniques;
use quell::simulator::{Fault, FaultKind, Request};
use serde_json::{Value, json};

use super::{Field, UNSEEABLE, verdict};
use crate::stage::Stage;

/// Any right on the account opens what is said of it.
const OPEN: &str = "account";

/// Takes a permission from the responder's token, or gives back what it had, by the responder's key.
fn let_it_have(stage: &Stage, token: &Value) {
    let cast = &stage.scenario.cast;
    let body = json!({ "name": token["name"], "policies": token["policies"], "expires_on": token["expires_on"] });
    let status = stage.simulator().act(&Request {
        method: "PUT".to_owned(),
        path: format!("/user/tokens/{}", cast.responder_token_id),
        query: String::new(),
        headers: vec![
            ("x-auth-email".to_owned(), cast.email.clone()),
            ("x-auth-key".to_owned(), cast.global_key.clone()),
        ],
        body: Some(body),
    });
    assert_eq!(status, 200);
}

fn without(token: &Value, permission: &str) -> Value {
    let mut token = token.clone();
    for policy in token["policies"].as_array_mut().unwrap() {
        let groups = policy["permission_groups"].as_array_mut().unwrap();
        // Who may write may read.
        let twin = permission.replace(" Read", " Write");
        groups.retain(|group| group["name"] != permission && group["name"] != twin);
    }
    token
}

#[tokio::test]
async fn without_one_permission_what_it_shows_cannot_be_known() {
    let field = Field::sown(&[]).await;
    let stage = &field.stage;
    let token =
        stage.send("GET", &format!("/user/tokens/{}", stage.scenario.cast.responder_token_id), Value::Null).await;
    let shown: BTreeSet<&str> = techniques().flat_map(|technique| technique.shows).map(|show| show.family).collect();
    let permissions: BTreeSet<&str> = shown.iter().map(|name| family(name).unwrap().permission).collect();
    assert!(permissions.len() > 30, "{permissions:?}");
    let mut wrong = Vec::new();
    for permission in permissions {
        let of_it = |name: &&str| family(name).unwrap().permission == permission && *name != OPEN;
        let families: Vec<&str> = shown.iter().copied().filter(of_it).collect();
        let_it_have(stage, &without(&token, permission));
        let blind = field.hunt(&families).await;
        let_it_have(stage, &token);
        // Without a zone that is seen, there is nothing to ask of one.
        let is_told = |name: &str| blind.gaps.iter().any(|gap| gap.family == name || gap.family == "zones");
        let unseen = families.iter().filter(|name| !is_told(name));
        wrong.extend(unseen.map(|name| format!("{name} is read without {permission}")));
        for technique in techniques().filter(|it| it.shows.iter().any(|show| families.contains(&show.family))) {
            let judged = verdict(&blind, technique.id);
            let is_named = judged["because"].to_string().contains(&format!("(needs {permission})"));
            if judged["verdict"] != "unknown" || judged["permanent"] != false || !is_named {
                wrong.push(format!("without {permission}: {judged}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn a_zone_that_only_the_log_tells_of_is_a_gap_of_all_that_lies_in_zones() {
    let field = Field::sown(&[]).await;
    let stage = &field.stage;
    let token =
        stage.send("GET", &format!("/user/tokens/{}", stage.scenario.cast.responder_token_id), Value::Null).await;
    // It sees the zone of the books alone from now on.
    let mut narrow = token.clone();
    let zones = stage.zones().await;
    let (books, _) = zones.iter().find(|(_, name)| name == "hl-books.example").unwrap();
    for policy in narrow["policies"].as_array_mut().unwrap() {
        if policy["resources"].to_string().contains("account.zone.*") {
            policy["resources"] = json!({ format!("com.cloudflare.api.account.zone.{books}"): "*" });
        }
    }
    let_it_have(stage, &narrow);
    let blind = field.hunt(&["zones", "zone_holds", "account_nameservers", "dnssec"]).await;
    let mut scopes: Vec<&str> = blind.gaps.iter().map(|gap| gap.scope.as_str()).collect();
    scopes.sort_unstable();
    assert_eq!(
        scopes,
        ["harborlane-cdn.example", "harborlane-shop.example", "harborlane.example"],
        "{:#?}",
        blind.gaps
    );
    for id in ["CF-D02", "CF-T10"] {
        let judged = verdict(&blind, id);
        assert_eq!((&judged["verdict"], &judged["permanent"]), (&"unknown".into(), &false.into()), "{judged}");
        assert!(
            judged["because"].to_string().contains("of harborlane-cdn.example not seen: the audit log tells"),
            "{judged}"
        );
    }
}

#[tokio::test]
async fn without_the_audit_log_nothing_is_ruled_out() {
    let mut field = Field::sown(&[]).await;
    let fault = |path: &str| Fault {
        method: Some("GET".to_owned()),
        path: path.to_owned(),
        skip: 0,
        times: u32::MAX,
        kind: FaultKind::Forbidden,
    };
    field.stage.simulator().script(fault("/audit_logs"));
    let log = Field::logs(&field.stage).await;
    (field.events, field.log_complete) = (log["events"].clone(), log["complete"].clone());
    assert_eq!(field.log_complete, false);
    let blind = field.hunt(&["sso_connectors"]).await;
    for technique in techniques() {
        let judged = verdict(&blind, technique.id);
        assert_eq!((&judged["verdict"], &judged["permanent"]), (&"unknown".into(), &false.into()), "{judged}");
    }
    assert!(verdict(&blind, UNSEEABLE)["because"].as_array().unwrap().len() > 1);
}
