//! The process is killed after every entry of a run that a plan binds: the next one goes on with the approval.

use quell::journal::Basis;

use super::{Bound, LIVE, consent};
use crate::scene::ran;

/// Entries before the plan is fixed: incident, driver, run, approval.
const BEFORE_PLAN: usize = 4;

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_every_entry_it_goes_on_with_the_approval() {
    let whole = Bound::new().await;
    whole.plan();
    whole.run(&whole.answers(LIVE)).expect(0);
    let (wanted, entries) = (whole.sent(), whole.scene.journal().len());
    for nth in 1..entries - 1 {
        let bound = Bound::new().await;
        bound.plan();
        let answers = bound.answers(LIVE);
        let point = format!("after-append:{nth}");
        let mut command = bound.scene.command(&["run", "--plan", "plan.json", "--answers", &answers]);
        assert_eq!(ran(command.env("QUELL_CRASH_AT", &point)).code, -1, "{point} was never reached");
        // What approves the plan is in the journal by now; the file needs no word of it.
        bound.scene.write(
            "answers.toml",
            &bound.filled(&format!("[defaults]\nin_doubt = \"retry\"\n{LIVE}[steps.cut]\nanswer = \"run\"\n")),
        );
        let resumed = bound.scene.run(&["resume", "--answers", "answers.toml"]);
        if nth < BEFORE_PLAN {
            assert_eq!(resumed.code, 2, "{point}: {}", resumed.stderr);
            assert!(bound.sent().is_empty() && resumed.stderr.contains("nothing was sent"), "{point}");
            continue;
        }
        assert_eq!(resumed.code, 0, "{point}: {}", resumed.stderr);
        assert_eq!(bound.sent(), wanted, "{point}");
        assert_eq!(bound.consents()[0], consent("cut", Basis::Plan, &[0, 1, 2]), "{point}");
        bound.scene.run(&["verify"]).expect(0);
    }
}
