//! What the engine is to do itself: in a rehearsal nothing is waited for, and however a chore ends, the output fits what
//! the action promises.

use std::collections::BTreeSet;

use quell::action::Done;
use quell::cli::catalogue::CATALOGUE;
use quell::journal::{ChoreDone, WaitEnd};
use quell::model::{Chore, CredentialFacts, CredentialKind, Digest};

use super::params::filled;
use crate::stage::Stage;

#[tokio::test]
async fn every_chore_ends_in_an_output_that_fits_and_a_rehearsal_waits_for_nothing() {
    let waited = |end, words: Option<&str>| ChoreDone::Waited { end, words: words.map(str::to_owned) };
    let ends = [
        waited(WaitEnd::Elapsed, None),
        waited(WaitEnd::Held, None),
        waited(WaitEnd::CutShort, Some("enough")),
        ChoreDone::Switched {
            credential: CredentialFacts { kind: CredentialKind::AccountToken, id: None, owner: None, expires: None },
            proof: "verified".into(),
        },
        ChoreDone::Reported { file: "/tmp/report.md".into(), sha256: Digest::of(b"report") },
    ];
    let mut with_chores = BTreeSet::new();
    for action in CATALOGUE.iter() {
        let (id, stage) = (action.spec().id, Stage::new().await);
        let plan = stage.plan(id, filled(action, &stage).await).await.unwrap().plan;
        assert!(!matches!(plan.chore, Some(Chore::Wait(_))), "{id} has somebody wait in a rehearsal");
        if plan.chore.is_some() {
            with_chores.insert(id);
            assert!(plan.effects.is_empty() && plan.ask.is_none(), "{id} does two things in one step");
        }
        let schema = jsonschema::validator_for(&action.output_schema()).unwrap();
        for end in &ends {
            let done = Done { chore: Some(end.clone()), ..Done::default() };
            let output = action.conclude(plan.output.clone(), &done).unwrap();
            let wrong: Vec<_> = schema.iter_errors(&output).map(|error| error.to_string()).collect();
            assert_eq!(wrong, Vec::<String>::new(), "{id}: {output}");
        }
    }
    assert_eq!(with_chores, BTreeSet::from(["cloudflare.credential.switch", "report"]));
}
