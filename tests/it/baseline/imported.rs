//! Known-good DNS records from files of other tools.

use serde_json::{Value, json};

use super::{captured, items, manifest};
use crate::scene::{Scene, ran};

/// The records of a zone, each as a line of a zone file. `marks` adds what only an export of Cloudflare says.
fn zone_file(all: &[Value], zone: &str, marks: bool) -> String {
    let own = all.iter().filter(|item| item["seat"]["name"] == zone).map(|item| &item["value"]["image"]);
    let line = |record: &Value| {
        let text = |field: &str| record[field].as_str().unwrap().to_owned();
        let (kind, mut content) = (text("type"), text("content"));
        match kind.as_str() {
            "TXT" if !content.starts_with('"') => content = format!("\"{content}\""),
            "CNAME" | "NS" | "MX" | "SRV" => content.push('.'),
            _ => {}
        }
        if let Some(priority) = record["priority"].as_u64() {
            content = format!("{priority} {content}");
        }
        let mark = if marks { format!(" ; cf_tags=cf-proxied:{}", record["proxied"] == true) } else { String::new() };
        format!("{}.\t{}\tIN\t{kind}\t{content}{mark}\n", text("name"), record["ttl"])
    };
    own.map(line).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_of_an_unchanged_zone_shows_no_difference_and_one_of_a_changed_one_does() {
    let (scene, good) = captured("dns_records").await;
    let all = items(&good, "dns_records");
    let zone = "harborlane-shop.example";
    let id = all.iter().find(|item| item["seat"]["name"] == zone).unwrap()["seat"]["zone_id"].as_str().unwrap();
    let proxied = all.iter().find(|item| item["seat"]["name"] == zone && item["value"]["proxied"] == true).unwrap();
    scene.write("marked.zone", &zone_file(&all, zone, true));
    scene.write("plain.zone", &zone_file(&all, zone, false));
    for (file, dir) in [("marked.zone", "marked"), ("plain.zone", "plain")] {
        let args = ["baseline", "import", "--bind", file, "--zone", zone, dir];
        let said = ran(&mut scene.bare(&args)).expect(0);
        assert!(said.stderr.contains("cannot say is not compared: ids; settings"), "{}", said.stderr);
        let same = scene.run(&["baseline", "diff", dir]).expect(0).stdout;
        assert!(same.starts_with("nothing differs in what was compared: 1 family\n"), "{same}");
        assert!(same.contains("not compared, since one side cannot say it: "), "{same}");
    }
    let path = format!("/zones/{id}/dns_records/{}", proxied["id"].as_str().unwrap());
    scene.act("PATCH", &path, Some(json!({ "proxied": false })));
    let told = scene.run(&["baseline", "diff", "marked", "--json"]).expect(0).json();
    assert_eq!((&told["changed"], &told["added"], &told["removed"]), (&json!(1), &json!(0), &json!(0)), "{told:#}");
    assert_eq!(told["differences"][0]["fields"][0]["field"], "/proxied");
    // A file that cannot say it leads to no claim, and says so.
    let told = scene.run(&["baseline", "diff", "plain", "--json"]).expect(0).json();
    assert_eq!(
        (&told["changed"], &told["silent"]["dns_records"][zone]),
        (&json!(0), &json!(["/proxied", "/settings", "/ttl"]))
    );
    scene.act("PATCH", &path, Some(json!({ "content": "203.0.113.66" })));
    let told = scene.run(&["baseline", "diff", "plain", "--json"]).expect(0).json();
    assert_eq!((&told["changed"], &told["differences"][0]["fields"][0]["after"]), (&json!(1), &json!("203.0.113.66")));
}

#[tokio::test(flavor = "multi_thread")]
async fn zones_are_imported_one_beside_the_other_and_never_into_a_capture() {
    let scene = Scene::new().await;
    let import = |flag: &str, file: &str, zone: &str, dir: &str, code: i32| {
        ran(&mut scene.bare(&["baseline", "import", flag, file, "--zone", zone, dir])).expect(code)
    };
    scene.write("a.zone", "@ A 192.0.2.1\nold A 192.0.2.2\n");
    scene.write("b.yaml", "www: { type: A, value: 192.0.2.3 }\n");
    import("--bind", "a.zone", "a.example", "dns", 0);
    import("--octodns", "b.yaml", "b.example", "dns", 0);
    scene.write("a.zone", "@ A 192.0.2.9\n");
    import("--bind", "a.zone", "a.example", "dns", 0);
    let dns = scene.path("dns");
    let contents: Vec<_> = items(&dns, "dns_records").iter().map(|item| item["value"]["content"].clone()).collect();
    assert_eq!(contents, ["192.0.2.9", "192.0.2.3"]);
    assert_eq!(manifest(&dns)["zones"], json!({ "asked": ["a.example", "b.example"] }));
    assert_eq!(std::fs::read_dir(&dns).unwrap().count(), 2);

    scene.write("bad.zone", "a A 192.0.2.1\n$INCLUDE /etc/passwd\n");
    let said = import("--bind", "bad.zone", "a.example", "new", 2);
    assert!(said.stderr.contains("cause: line 2: `$INCLUDE` cannot be followed"), "{}", said.stderr);
    import("--bind", "nowhere.zone", "a.example", "new", 2);
    import("--bind", "a.zone", "example", "new", 2);
    assert!(!scene.path("new").exists());
    scene.run(&["baseline", "capture", "good", "--only", "members"]).expect(0);
    let said = import("--bind", "a.zone", "a.example", "good", 2);
    assert!(said.stderr.contains("good holds a baseline that was captured"), "{}", said.stderr);
    let shown = ran(&mut scene.bare(&["baseline", "show", "dns"])).expect(0).stdout;
    assert!(shown.contains("zones: only a.example, b.example\n") && shown.contains("imported: "), "{shown}");
}
