//! Answers prepared in a file, for runs with nobody at the terminal.
//!
//! ```toml
//! [inputs]                       # the runbook's inputs, as with `--set`
//! zone = "example.com"
//!
//! [plan]                         # with `run --plan`: the first 8 digits of the plan's forecast
//! approve = "1f0c7d2e"
//!
//! [defaults]                     # for every step that does not say otherwise
//! left = "keep:not part of this drill"
//! on_failure = "stop"
//!
//! [steps.rotate-exposed]
//! answer = "run"                 # "run", "skip" or "abort"
//! select = ["ci-deploy"]         # "all", "none", or targets by id or name
//! phrase = "rotate 1"            # or the step's id
//! left = "later:ann"
//! in_doubt = "stop"              # "stop", "retry" or "applied"
//!
//! [steps.revoke-sessions]        # work by hand
//! answer = "run"
//! fields = { attested_by = "ann", note = "done in the dashboard", proof = "shot.png" }
//! ```
//!
//! A step is named by its id. One of a runbook that is called is named by the ids on the way to it, as in
//! `[steps."call/inner"]`; one of a list or of rounds may be named by its whole path, as in `[steps."hunt/look#2"]`.
//!
//! | key | values | read when |
//! |---|---|---|
//! | `answer` | `run`, `skip`, `abort` | a step asks for consent, for work by hand, or for fields; beside a wait `skip` goes on at once |
//! | `select` | `all`, `none`, list of target ids or names | consent; needed for a list unless every row is proposed as chosen |
//! | `phrase` | a list: the step's id or `verb N`; an irreversible effect: the target's id or name | consent; for lists and irreversible effects it is needed |
//! | `reason` | text | `skip` and `abort`, and every decision |
//! | `left` | `later:OWNER`, `keep:REASON` | rows that are not chosen, where they must be accounted for; work that is not done |
//! | `in_doubt` | `stop`, `retry` (once for each effect), `applied` | it is not known whether an effect took place |
//! | `on_failure` | `stop`, `retry` (once), `continue` | a step failed, or an effect was refused or does not show |
//! | `unmet` | `run`, `skip` | a step's requirement was not done |
//! | `canary` | `go`, `stop` | after the first row of a list |
//! | `alone` | text | a step asks for a second person: why it goes on without one |
//! | `fields` | table | work by hand: `attested_by`, `note`, `proof`, and `check_again = true` to read it again first; questions: one key each |
//!
//! `[defaults]` takes the same keys but `phrase`, `select` and `alone`, which are about one step. An answer that is
//! needed and not there ends the run as paused. Two targets that bear one name are told apart by id only. Where a list is
//! retried in part, the step's id as `phrase` still holds, a number does not.

mod choice;
mod file;
mod parse;
mod prompter;
mod shown;

pub use file::{AnswersError, AnswersFile, Problem, StepAnswers};
pub use file::{Canary, InDoubt, Left, OnFailure, Select, StepAnswer, Unmet};
pub use parse::parse;
pub use prompter::Answers;
