//! Long runs of the real binary against the simulated account: a step must not cost more because others stand before it.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use jiff::Timestamp;
use quell::cloudflare::simulator::{Scenario, WorldOptions, scenario, start};
use quell::simulator::Simulator;

use super::{Figures, timed};

/// Steps in a row: as many as a runbook's text may hold, and a fifth of them.
const IN_A_ROW: [usize; 2] = [500, 2_500];

/// Items of a list.
const OF_A_LIST: [usize; 2] = [2_000, 10_000];

/// How much more a step may cost in the long run than in the short one.
const GOAL: f64 = 1.3;

pub(super) fn measure(figures: &mut Figures) {
    rustls::crypto::ring::default_provider().install_default().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let scenario = scenario("leaked-token").unwrap();
    let simulator = runtime.block_on(start(&scenario, WorldOptions::at(Timestamp::now()))).unwrap();
    let shapes = [("in a row", row as fn(usize) -> String, IN_A_ROW), ("of a list", list, OF_A_LIST)];
    for (shape, runbook, sizes) in shapes {
        let [short, long] = sizes.map(|steps| {
            let took = run(&simulator, &scenario, &runbook(steps));
            took.as_secs_f64() / f64::from(u32::try_from(steps).unwrap())
        });
        let [few, many] = sizes;
        let what = format!("a step of {many} {shape} ({:.2} ms) to one of {few} ({:.2} ms)", long * 1e3, short * 1e3);
        figures.ratio(&what, GOAL, long / short);
    }
}

fn run(simulator: &Simulator, scenario: &Scenario, runbook: &str) -> Duration {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    fs::write(path("long.toml"), runbook).unwrap();
    fs::write(path("answers.toml"), "").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_quell"));
    command.args(["run", "long.toml", "--answers", "answers.toml", "-q"]).current_dir(dir.path());
    command
        .env("CLOUDFLARE_BASE_URL", simulator.base_url())
        .env("CLOUDFLARE_API_TOKEN", &scenario.cast.responder_token)
        .env("CLOUDFLARE_ACCOUNT_ID", &scenario.cast.account_id)
        .env("QUELL_STATE_DIR", Path::new("state"));
    let (took, ran) = timed(|| command.output().unwrap());
    assert!(ran.status.success(), "{ran:?}");
    took
}

const HEAD: &str = "schema = 1\nname = \"long\"\ntitle = \"Long\"\n";

/// So many steps, each with words of its own.
fn row(steps: usize) -> String {
    let mut text = HEAD.to_owned();
    for n in 0..steps {
        let step = format!("id = \"s{n}\"\nphase = \"learn\"\ntitle = \"Say\"\naction = \"note\"");
        writeln!(text, "[[steps]]\n{step}\nwith = {{ text = \"{n}\" }}").unwrap();
    }
    text
}

/// A step that is done for so many items.
fn list(items: usize) -> String {
    let items: Vec<String> = (0..items).map(|n| format!("\"{n}\"")).collect();
    let step = "id = \"say\"\nphase = \"learn\"\ntitle = \"Say\"\naction = \"note\"\nforeach = { from = \"inputs.names\" }\n\
                as = \"name\"\nwith = { text = \"to {{name}}\" }";
    format!("{HEAD}[inputs.names]\ntype = \"list\"\ndefault = [{}]\n[[steps]]\n{step}\n", items.join(", "))
}
