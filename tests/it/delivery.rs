//! New secrets on their way to the team's sinks: handed over once, recorded before and after, seen by nobody else.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use crate::scene::{Ran, Scene, files, ran};
use crate::spine::Spine;

/// An incident with two rolled tokens, and sinks.
struct Rolled {
    spine: Spine,
    rehearsed: bool,
}

impl Rolled {
    async fn new(sinks: &str) -> Self {
        let spine = Spine::new().await;
        configure(&spine.scene, sinks);
        let answers = kept(&spine);
        spine.run(&answers).expect(0);
        Self { spine, rehearsed: false }
    }

    async fn rehearsed(sinks: &str) -> Self {
        let spine = Spine::new().await;
        configure(&spine.scene, sinks);
        let answers = kept(&spine);
        ran(&mut spine.scene.bare(&["rehearse", "spine.toml", "--answers", &answers])).expect(0);
        Self { spine, rehearsed: true }
    }

    fn command(&self, args: &[&str]) -> Command {
        let args = [&["secrets"], args].concat();
        let mut command = if self.rehearsed { self.spine.scene.bare(&args) } else { self.spine.scene.command(&args) };
        command.env("PATH", "/usr/bin:/bin").env("SINK_PASSED", "passed on").env("SINK_SECRET", "hush-hush-hush");
        command
    }

    /// What it says is unwrapped.
    fn quell(&self, args: &[&str]) -> Ran {
        let ran = ran(&mut self.command(args));
        Ran { stderr: ran.stderr.split_whitespace().collect::<Vec<_>>().join(" "), ..ran }
    }

    fn events(&self, kind: &str) -> Vec<Value> {
        let events = self.spine.scene.journal().into_iter().map(|entry| entry["event"].clone());
        events.filter(|event| event["type"] == kind).collect()
    }

    /// The list of `quell secrets list`, by target id.
    fn listed(&self, id: &str) -> Value {
        let document = self.quell(&["list", "--json"]).expect(0).json();
        document["secrets"].as_array().unwrap().iter().find(|it| it["target"]["id"] == id).unwrap().clone()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.spine.scene.path(name)
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.file(name)).unwrap_or_default()
    }

    fn report(&self) -> String {
        ran(&mut self.spine.scene.bare(&["report", "-o", "-"])).expect(0).stdout.replace('\\', "")
    }

    /// Whether the provider takes this value for the token's.
    async fn is_live(&self, value: &str) -> bool {
        let scene = &self.spine.scene;
        let url = format!("{}/accounts/{}/tokens/verify", scene.simulator.base_url(), scene.scenario.cast.account_id);
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        client.get(url).bearer_auth(value).send().await.unwrap().status() == 200
    }

    /// Nothing that quell keeps or says holds the secret.
    fn assert_unseen(&self, secret: &str, said: &[&Ran]) {
        assert!(secret.len() > 20, "{secret}");
        for said in said {
            assert!(!said.stdout.contains(secret) && !said.stderr.contains(secret), "{said:#?}");
        }
        for (path, bytes) in files(&self.spine.scene.state_dir()) {
            assert!(!String::from_utf8_lossy(&bytes).contains(secret), "{}", path.display());
        }
    }
}

/// Answers that roll two tokens and delete none.
fn kept(spine: &Spine) -> String {
    let path = spine.answers("");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("[steps.revoke]\nanswer = \"run\"", "[steps.revoke]\nanswer = \"skip\"")).unwrap();
    path
}

fn configure(scene: &Scene, text: &str) {
    fs::create_dir_all(scene.path(".config/quell")).unwrap();
    scene.write(".config/quell/quell.toml", text);
}

/// A program that writes what it reads into a file, and says it aloud.
const APPEND: &str = "[sinks.vault]\ncommand = [\"tee\", \"-a\", \"out-{id}\"]\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_command_reads_the_secret_and_nobody_else_does() {
    let rolled = Rolled::new(APPEND).await;
    let [one, two] = rolled.spine.rolled.clone();
    assert_eq!((&rolled.listed(&one)["delivered"], &rolled.listed(&one)["deliveries"]), (&json!(false), &json!([])));
    let list = rolled.quell(&["list"]).expect(0).stdout;
    assert_eq!(list.matches("  not delivered\n").count(), 2, "{list}");

    let first = rolled.quell(&["deliver", "--all", "--to", "vault", "--json"]).expect(0);
    for id in [&one, &two] {
        let value = rolled.text(&format!("out-{id}"));
        assert!(rolled.is_live(&value).await, "the value is whole, without a line end");
        rolled.assert_unseen(&value, &[&first]);
    }
    let document = first.json();
    assert_eq!(document["schema"], "quell.delivery/1");
    let row = &document["deliveries"][0];
    assert_eq!((&row["outcome"], &row["to"]), (&json!("applied"), &json!(format!("tee -a out-{one}"))));
    let seen = "it ended with exit code 0; quell cannot look whether it arrived";
    assert_eq!(row["seen"], seen);
    assert!(first.stderr.contains("quell cannot look whether it arrived"), "{}", first.stderr);

    // The intent stands before the outcome, each in the run that rolled it.
    let journal = rolled.spine.scene.journal();
    let kinds: Vec<_> = journal.iter().map(|entry| entry["event"]["type"].as_str().unwrap()).collect();
    let end = ["delivery_intended", "delivery_settled", "delivery_intended", "delivery_settled"];
    assert_eq!(kinds[kinds.len() - 4..], end);
    assert!(journal[journal.len() - 4..].iter().all(|entry| entry["run"] == "r1" && entry["by"] == "tester"));

    // Nothing is handed over twice unless somebody says so.
    let again = rolled.quell(&["deliver", "--all", "--to", "vault"]).expect(0);
    assert_eq!(again.stderr.matches("delivered to `vault` already").count(), 2, "{}", again.stderr);
    assert_eq!(rolled.events("delivery_intended").len(), 2);
    let value = rolled.text(&format!("out-{one}"));
    rolled.quell(&["deliver", &one, "--to", "vault", "--again"]).expect(0);
    assert_eq!(rolled.text(&format!("out-{one}")), value.repeat(2));
    assert_eq!(rolled.events("delivery_intended").len(), 3);

    let listed = rolled.listed(&one);
    assert_eq!((&listed["delivered"], listed["deliveries"].as_array().unwrap().len()), (&json!(true), 2));
    let list = rolled.quell(&["list"]).expect(0).stdout;
    assert!(!list.contains("not delivered") && list.contains("  delivered: vault (tee -a out-"), "{list}");
    let report = rolled.report();
    assert!(report.contains("| `vault` 20") && report.contains("by tester (#"), "{report}");
    assert!(report.contains(": the new secret was handed to sink vault: it ended with exit code 0"), "{report}");
    rolled.assert_unseen(&value, &[&again]);
    rolled.spine.scene.run(&["verify"]).expect(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_gets_the_variables_that_are_named_and_no_others() {
    let sink = "[sinks.vault]\ncommand = [\"sh\", \"-c\", \"cat >/dev/null; env >vars\"]\npass_env = [\"SINK_PASSED\"]\n\
                env = { HUSH = { secret_env = \"SINK_SECRET\" }, PLAIN = \"as it is\" }\n";
    let rolled = Rolled::new(sink).await;
    let one = rolled.spine.rolled[0].clone();
    rolled.quell(&["deliver", &one, "--to", "vault"]).expect(0);
    let text = rolled.text("vars");
    let mut names: Vec<&str> = text.lines().map(|line| line.split_once('=').unwrap().0).collect();
    names.retain(|name| !["PWD", "OLDPWD", "SHLVL", "_"].contains(name));
    names.sort_unstable();
    assert_eq!(names, ["HOME", "HUSH", "PATH", "PLAIN", "SINK_PASSED"]);

    configure(&rolled.spine.scene, "[sinks.vault]\ncommand = [\"true\"]\npass_env = [\"CLOUDFLARE_API_TOKEN\"]\n");
    let refused = rolled.quell(&["deliver", &rolled.spine.rolled[1], "--to", "vault"]).expect(12);
    assert!(refused.stderr.contains("quell's own"), "{}", refused.stderr);
    assert_eq!(rolled.events("delivery_intended").len(), 1, "what cannot be done is not intended");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_private_and_never_overwritten() {
    let rolled = Rolled::new("[sinks.disk]\nfile = \"new/{id}\"\n").await;
    let [one, two] = rolled.spine.rolled.clone();
    let missing = rolled.quell(&["deliver", &one, "--to", "disk"]).expect(12);
    assert!(missing.stderr.contains("mkdir -m 700"), "{}", missing.stderr);
    // A relative path begins at the configuration's own directory.
    let new = rolled.file(".config/quell/new");
    fs::create_dir(&new).unwrap();
    fs::write(new.join(&two), "somebody else's").unwrap();
    let said = rolled.quell(&["deliver", &one, &two, "--to", "disk"]).expect(12);
    assert!(said.stderr.contains("there is a file already"), "{}", said.stderr);
    assert_eq!(fs::read_to_string(new.join(&two)).unwrap(), "somebody else's");
    assert!(rolled.is_live(&fs::read_to_string(new.join(&one)).unwrap()).await);
    assert_eq!(fs::metadata(new.join(&one)).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(rolled.listed(&one)["deliveries"][0]["seen"], "read back: it is there");
    let again = rolled.quell(&["deliver", &one, "--to", "disk", "--again"]).expect(12);
    assert!(again.stderr.contains("there is a file already"), "{}", again.stderr);
    assert_eq!(rolled.events("delivery_intended").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_that_fails_ends_it_and_the_rest_is_named() {
    let rolled = Rolled::new("[sinks.vault]\ncommand = [\"sh\", \"-c\", \"cat >&2; exit 3\"]\n").await;
    let [one, two] = rolled.spine.rolled.clone();
    // A place for all of them, since the failing sink names none.
    let said = rolled.quell(&["deliver", &one, "--to", "vault"]).expect(12);
    assert!(said.stderr.contains("refused by `vault`: it ended with exit code 3, not 0 (it said: "), "{}", said.stderr);
    let settled = rolled.events("delivery_settled");
    assert_eq!(settled[0]["outcome"]["outcome"], "refused", "{settled:#?}");
    configure(
        &rolled.spine.scene,
        "[sinks.vault]\ncommand = [\"sh\", \"-c\", \"test {id} != TWO && tee out-{id}\"]\n"
            .replace("TWO", &one)
            .as_str(),
    );
    let said = rolled.quell(&["deliver", &one, &two, "--to", "vault"]).expect(12);
    assert!(said.stderr.contains("not tried: token "), "{}", said.stderr);
    let said = rolled.quell(&["deliver", &two, &one, "--to", "vault", "--json"]).expect(12);
    let rows = said.json()["deliveries"].clone();
    assert_eq!((&rows[0]["outcome"], &rows[1]["outcome"]), (&json!("applied"), &json!("refused")), "{rows:#}");
    let value = rolled.text(&format!("out-{two}"));
    assert!(rolled.is_live(&value).await);
    configure(&rolled.spine.scene, APPEND);
    rolled.quell(&["deliver", "--all", "--to", "vault"]).expect(0);
    rolled.assert_unseen(&rolled.text(&format!("out-{one}")), &[&said]);
    rolled.assert_unseen(&value, &[&said]);
    configure(&rolled.spine.scene, "[sinks.other]\ncommand = [\"no-such-program-{id}\"]\n");
    let said = rolled.quell(&["deliver", &one, "--to", "other"]).expect(2);
    assert!(said.stderr.contains("the program of `command` cannot be used"), "{}", said.stderr);
    configure(&rolled.spine.scene, "[sinks.other]\ncommand = [\"no-such-program\"]\n");
    let said = rolled.quell(&["deliver", &one, "--to", "other"]).expect(12);
    assert!(said.stderr.contains("not delivered: cannot start `no-such-program`"), "{}", said.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_killed_is_in_doubt_and_not_handed_over_again_by_itself() {
    let sink = "[sinks.vault]\ncommand = [\"sh\", \"-c\", \"cat >>took; exec sleep 300\"]\ntimeout = \"1s\"\n";
    let rolled = Rolled::new(sink).await;
    let one = rolled.spine.rolled[0].clone();
    let said = rolled.quell(&["deliver", &one, "--to", "vault"]).expect(13);
    assert!(said.stderr.contains("in doubt whether `vault` has it: it was killed after 1 s"), "{}", said.stderr);
    let value = rolled.text("took");
    let said = rolled.quell(&["deliver", &one, "--to", "vault"]).expect(13);
    assert!(said.stderr.contains("give `--again`"), "{}", said.stderr);
    assert_eq!(rolled.text("took"), value);
    assert!(rolled.report().contains("in doubt: it was killed after 1 s"), "{}", rolled.report());
    assert!(rolled.quell(&["list"]).stdout.contains("in doubt whether it was delivered"));
    configure(&rolled.spine.scene, "[sinks.vault]\ncommand = [\"tee\", \"-a\", \"took\"]\n");
    rolled.quell(&["deliver", &one, "--to", "vault", "--again"]).expect(0);
    assert_eq!(rolled.text("took"), value.repeat(2));
    rolled.spine.scene.run(&["verify"]).expect(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_under_way_when_quell_died_is_looked_at_first() {
    for (point, arrived) in [("after-intent:1", 0), ("before-deliver:1", 0), ("after-deliver:1", 1)] {
        let rolled = Rolled::new(&format!("{APPEND}[sinks.disk]\nfile = \"../../file-{{id}}\"\n")).await;
        let one = rolled.spine.rolled[0].clone();
        for (sink, file) in [("vault", format!("out-{one}")), ("disk", format!("file-{one}"))] {
            let args = ["deliver", &one, "--to", sink];
            assert_eq!(ran(rolled.command(&args).env("QUELL_CRASH_AT", point)).code, -1, "{sink} {point}");
            assert_eq!(rolled.file(&file).exists(), arrived == 1, "{sink} {point}");
            assert!(rolled.report().contains("in doubt: no outcome is recorded"), "{sink} {point}");
            let said = rolled.quell(&args);
            if sink == "vault" {
                // Nobody can look into a command: a person must say.
                let said = said.expect(13);
                assert!(said.stderr.contains("quell ended meanwhile"), "{}", said.stderr);
                rolled.quell(&["deliver", &one, "--to", sink, "--again"]).expect(0);
            } else {
                // A file can be looked at.
                let said = said.expect(0);
                assert_eq!(said.stderr.contains("delivered to `disk` after all"), arrived == 1, "{}", said.stderr);
            }
            let value = rolled.text(&file);
            let times = if sink == "vault" { arrived + 1 } else { 1 };
            assert!(rolled.is_live(&value[..value.len() / times]).await, "{sink} {point}: {}", value.len());
            assert_eq!(value, value[..value.len() / times].repeat(times), "{sink} {point}");
            assert_eq!(rolled.listed(&one)["delivered"], true, "{sink} {point}");
        }
        rolled.spine.scene.run(&["verify"]).expect(0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_anywhere_each_of_several_is_handed_over_once_or_said_to_be_in_doubt() {
    // Two secrets have two entries each; after the last of them nothing is left.
    let points = (1..4).map(|nth| format!("after-append:{nth}"));
    let around = ["before-intent", "after-intent", "before-deliver", "after-deliver"];
    for point in points.chain(around.map(|point| format!("{point}:2"))) {
        let rolled = Rolled::new(APPEND).await;
        let args = ["deliver", "--all", "--to", "vault"];
        assert_eq!(ran(rolled.command(&args).env("QUELL_CRASH_AT", &point)).code, -1, "{point}");
        let arrived = || rolled.spine.rolled.clone().map(|id| rolled.text(&format!("out-{id}")));
        let (before, settled) = (arrived(), rolled.events("delivery_settled"));
        let intended = rolled.events("delivery_intended");
        if let Some(open) = intended.iter().find(|it| settled.iter().all(|end| end["effect"] != it["effect"])) {
            rolled.quell(&args).expect(13);
            assert_eq!(arrived(), before, "{point}: what is in doubt was handed over by itself");
            rolled.quell(&["deliver", open["effect"].as_str().unwrap(), "--to", "vault", "--again"]).expect(0);
        }
        rolled.quell(&args).expect(0);
        let mut times = 0;
        for (id, text) in rolled.spine.rolled.iter().zip(arrived()) {
            let half = &text[..text.len() / 2];
            let is_twice = text == half.repeat(2);
            assert!(rolled.is_live(if is_twice { half } else { &text }).await, "{point}: {id} has not arrived whole");
            assert_eq!(rolled.listed(id)["delivered"], true, "{point}");
            times += 1 + usize::from(is_twice);
        }
        assert!(times <= rolled.events("delivery_intended").len(), "{point}: more arrived than was intended");
        rolled.spine.scene.run(&["verify"]).expect(0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rehearsal_hands_nothing_over_and_says_so() {
    let rolled = Rolled::rehearsed(&format!("{APPEND}[sinks.disk]\nfile = \"{{id}}\"\n")).await;
    let document = rolled.quell(&["list", "--json"]).expect(0).json();
    let id = document["secrets"][0]["target"]["id"].as_str().unwrap().to_owned();
    for sink in ["vault", "disk"] {
        let said = rolled.quell(&["deliver", &id, "--to", sink]).expect(0);
        assert!(said.stderr.contains("simulated: would have"), "{}", said.stderr);
    }
    assert!(!rolled.file(&format!("out-{id}")).exists() && !rolled.file(&format!(".config/quell/{id}")).exists());
    let report = rolled.report();
    assert!(report.contains("REHEARSAL") && report.contains("simulated: would have run `tee -a out-"), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_done_where_the_order_is_not_clear() {
    let rolled = Rolled::new(&format!("{APPEND}[sinks.one]\ncommand = [\"tee\", \"-a\", \"one\"]\n")).await;
    let [one, two] = rolled.spine.rolled.clone();
    let incident = rolled.spine.scene.incident().file_name().unwrap().to_str().unwrap().to_owned();
    for (args, why) in [
        (&["deliver", "--to", "vault"][..], "no target is named"),
        (&["deliver", "nobody", "--to", "vault"], "there is no sealed secret for `nobody`"),
        (&["deliver", &one, "nobody", "--to", "vault"], "there is no sealed secret for `nobody`"),
        (&["deliver", &one, "--all", "--to", "vault"], "both given"),
        (&["deliver", &one, "--to", "valt"], "those that there are: `vault`, `one`"),
        (&["deliver", "--all", "--to", "one"], "would go to one place"),
    ] {
        let said = rolled.quell(args).expect(2);
        assert!(said.stderr.contains(why) && said.stderr.contains("hint: "), "{args:?}: {}", said.stderr);
    }
    let said = rolled.quell(&["deliver", "--to", "vault"]).expect(2).stderr;
    assert!(said.contains(&format!("in the vault: {one} token ")), "{said}");
    let dry = rolled.quell(&["deliver", &incident, "--all", "--to", "vault", "--dry-run", "--json"]).expect(0).json();
    assert_eq!((&dry["dry_run"], &dry["deliveries"][1]["to"]), (&json!(true), &json!(format!("tee -a out-{two}"))));
    configure(&rolled.spine.scene, "[sinks.vault]\ncomand = []\n");
    let said = rolled.quell(&["deliver", &one, "--to", "vault"]).expect(2);
    assert!(said.stderr.contains("did you mean `command`?"), "{}", said.stderr);
    assert_eq!(rolled.events("delivery_intended"), Vec::<Value>::new());

    // The place of another target's secret is taken, also by an earlier command.
    configure(&rolled.spine.scene, "[sinks.one]\ncommand = [\"tee\", \"-a\", \"one\"]\n");
    rolled.quell(&["deliver", &one, "--to", "one"]).expect(0);
    let said = rolled.quell(&["deliver", &two, "--to", "one"]).expect(2);
    assert!(said.stderr.contains("would go to one place"), "{}", said.stderr);
    // By the key of the effect too, and with the incident in front.
    let key = rolled.listed(&one)["effect"].as_str().unwrap().to_owned();
    let said = rolled.quell(&["deliver", &incident[..10], &key, "--to", "one"]).expect(0);
    assert!(said.stderr.contains("already"), "{}", said.stderr);
}

/// A program that waits until somebody opens the gate, and its marks.
const GATED: &str =
    "[sinks.vault]\ncommand = [\"sh\", \"-c\", \"echo >at-{id}; cat gate >/dev/null; cat >out-{id}\"]\n";

/// Waits for a file to be there: a program makes it.
async fn appears(path: &std::path::Path) {
    for _ in 0..6000 {
        if path.exists() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{} never came", path.display());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_process_at_a_time_delivers_and_ctrl_c_ends_after_the_one_under_way() {
    let rolled = Rolled::new(GATED).await;
    let [one, two] = rolled.spine.rolled.clone();
    let gate = rolled.file("gate");
    assert!(Command::new("mkfifo").arg(&gate).status().unwrap().success());
    let mut first = rolled.command(&["deliver", &one, &two, "--to", "vault"]);
    let child = first.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    appears(&rolled.file(&format!("at-{one}"))).await;
    let said = rolled.quell(&["deliver", &two, "--to", "vault"]).expect(14);
    assert!(said.stderr.contains("are being handed over by process"), "{}", said.stderr);
    // A note finds its place meanwhile.
    ran(&mut rolled.spine.scene.bare(&["note", &rolled.spine.scene.incident().display().to_string(), "meanwhile"]))
        .expect(0);
    let pid = rustix::process::Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    drop(fs::OpenOptions::new().write(true).open(&gate).unwrap());
    let ended = child.wait_with_output().unwrap();
    let said = String::from_utf8(ended.stderr).unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(ended.status.code(), Some(130), "{said}");
    assert!(said.contains("not tried: token"), "{said}");
    assert!(rolled.is_live(&rolled.text(&format!("out-{one}"))).await, "what was under way was finished");
    assert_eq!((&rolled.listed(&one)["delivered"], &rolled.listed(&two)["delivered"]), (&json!(true), &json!(false)));
}
