//! The post-mortem: what an incident's journal says, as a draft that people complete.
//!
//! [`model`] derives a [`ReportModel`] from the entries and their fold; [`render`] writes it through a Handlebars
//! template, [`TEMPLATE`] unless another one is given. Nothing in here asks the clock, the disk or the environment: the
//! same journal gives the same bytes.
//!
//! # Rules
//!
//! * Facts without adjectives. What is not known is `unknown`, never zero; what was not looked at is "not examined".
//! * Rows name their entry in the journal (`#12`), and the digest of the evidence where there is some.
//! * Every value goes through [`crate::escape::markdown`] or stands in a code span: a name that an attacker chose is
//!   text, never markup. Templates cannot switch that off.
//! * A rehearsal says so at the top and at the end, a damaged journal at the top, whatever the template is.
//! * What people write between `<!-- quell:begin NAME -->` and `<!-- quell:end NAME -->` is kept byte for byte when the
//!   report is written again.
//!
//! # Inputs that the report understands
//!
//! `detected_at`, `exposed_since`, `reported_by` and `commander` of the plan. `null`, an empty text and `not known`
//! mean that the mark is missing; what was said of it when the run began then counts.
//!
//! # Output fields that the report understands
//!
//! Steps' outputs are the provider's business, so these are read by shape, and rows of another shape are counted as
//! not readable:
//!
//! | field | rows |
//! |---|---|
//! | `events` | acts from an audit log: `id`, `at`, `action`; optional `success`, `resource_type`, `resource_id`, `zone`, `email`, `token_id`, `token_name`, `ip`, `method`, `uri`, `log`, `own` |
//! | `principals` | credentials in the intruder's hands: `token_id`; optional `token_name`, `intruder_made`, `honest_ips`, `hostile_ips`, `mixed_ips`, `open_ips` |
//! | `tokens` | credentials that were seen: `id`; optional `name`, `role`, `status`, `marks: [text]`; one that is not `active` needs no disposition |
//! | `rotated` | credentials with a new value: as `tokens`; counts only where no effect tells of the same id |
//! | `left` | credentials left as they are: `id`; optional `name`, `owner`, `reason`; counts likewise |
//! | `controls` | texts: what to improve; of several looks by the same action only the last counts |
//! | `not_examined` | texts: what was not looked at |
//! | `verdicts` | what is known of a technique: [`crate::hunt::Judged`]; of several hunts the last counts |
//! | `usages` | how a credential was used: [`crate::hunt::usage::Usage`]; of several looks the last counts, with its `limits`: texts |
//! | `graph` | no list: who made what, [`crate::hunt::graph::Graph`]; the last counts |

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::journal::{self, Entry, IncidentState, Payload};
use crate::model::{Digest, Profile};
use crate::secret::Redactor;

mod action_items;
mod actions;
mod blocks;
mod book;
mod compact;
mod controls;
mod credentials;
mod decisions;
mod facts;
mod findings;
mod header;
mod hunted;
mod marks;
mod metrics;
mod model;
mod plans;
mod profile;
mod radius;
mod render;
mod summary;
mod template;
mod timeline;
mod trail;
mod unsettled;
mod words;

pub use action_items::ActionItem;
pub use actions::{AlreadyRow, AttestedRow, ConsentRow, EffectRow, SkipRow, StepRow};
pub use controls::Control;
pub use credentials::{CredentialRow, Credentials, DeliveryRow, LeftCredential, SeenCredential};
pub use decisions::DecisionRow;
pub use findings::{FindingRow, Findings};
pub use header::{AnswersRow, Damage, EvidenceRow, IncidentFacts, RunFacts};
pub use hunted::{PrincipalNode, UsedRow, VerdictRow};
pub use marks::Mark;
pub use metrics::Metric;
pub use model::{GapRow, ReportModel, UnseenRow};
pub use plans::{AmendedRow, ApprovedRow, DriftRow};
pub use profile::PublicError;
pub use radius::{PrincipalRow, Radius, TouchedRow, ZoneRow};
pub use render::{ReportError, render};
pub use timeline::TimelineRow;
pub use unsettled::UnsettledRow;

/// The built-in template.
pub const TEMPLATE: &str = include_str!("../templates/post-mortem.md.hbs");

/// What a report is made from.
pub struct Source<'a> {
    /// The entries that could be read, in order.
    pub entries: &'a [Entry],
    /// Their fold.
    pub state: &'a IncidentState,
    /// Digest of the journal's last line.
    pub head: &'a Digest,
    /// What is wrong with the journal and the evidence.
    pub problems: &'a [journal::Problem],
    /// Opens a payload: hands out what is inline, reads what is kept. `None` where it cannot be read.
    pub payload: &'a dyn Fn(&Payload) -> Option<Value>,
}

/// Derives the report. The same source gives the same model.
pub fn model(source: &Source<'_>) -> ReportModel {
    let book = book::Book::open(source);
    mask(&model::compose(&book), source.entries)
}

/// The same as those may read it whom the profile is for.
///
/// # Errors
/// It cannot be rewritten; then nothing of it must be shown.
pub fn model_for(source: &Source<'_>, profile: Profile) -> Result<ReportModel, PublicError> {
    let model = model(source);
    match profile {
        Profile::Internal => Ok(model),
        Profile::Public => profile::public(&model),
    }
}

/// The last line of defence: what is journaled was masked already, but a note may hold what the engine never saw.
///
/// A mask's fingerprint is keyed with all entries, which the report does not hold: it tells two values apart, and who
/// could check a guess against it has the value anyway.
fn mask(model: &ReportModel, entries: &[Entry]) -> ReportModel {
    let masked = || -> Result<ReportModel, serde_json::Error> {
        let redactor = Redactor::new(Sha256::digest(serde_json::to_vec(entries)?).into());
        let mut value = serde_json::to_value(model)?;
        redactor.redact_json(&mut value);
        serde_json::from_value(value)
    };
    // Nothing at all is better than a report that was not masked.
    masked().unwrap_or_else(|error| ReportModel {
        damage: vec![Damage { entry: None, kind: "report".to_owned(), detail: format!("withheld: {error}") }],
        ..ReportModel::default()
    })
}
