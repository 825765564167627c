//! Looks of the catalogue's actions, outside of any run: nothing is kept, and nothing can be written.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::action::{Look, Safeguards, StepError, StepPlan};
use crate::cli::catalogue::CATALOGUE;
use crate::cli::context::Context;
use crate::cli::errors::CliError;
use crate::cli::exit::Exit;
use crate::cli::session::connect::Target;
use crate::cloudflare::api::Connected;
use crate::evidence::Unkept;
use crate::journal::IncidentState;
use crate::model::{Finding, Gap, StepPath};
use crate::outside::OutsideLook;
use crate::secret::Redactor;

/// The account, and what is looked with.
pub(super) struct Looks<'c> {
    cx: &'c Context,
    pub(super) connected: Connected,
    outside: Arc<dyn OutsideLook>,
    redactor: Arc<Redactor>,
    pub(super) safeguards: Safeguards,
    incident: Option<IncidentState>,
    pub(super) gaps: BTreeSet<Gap>,
    pub(super) findings: Vec<Finding>,
}

/// Why a look brought nothing.
pub(super) enum Missed {
    /// It could not be done.
    Failed(StepError),
    /// Somebody stopped it.
    Interrupted,
}

impl<'c> Looks<'c> {
    pub(super) fn new(cx: &'c Context, target: &Target, connected: Connected, incident: Option<IncidentState>) -> Self {
        let redactor = Arc::new(Redactor::new([0; 32]));
        let (outside, _) = target.outside(cx, &redactor);
        let safeguards = cx.settings.safeguards();
        Self { cx, connected, outside, redactor, safeguards, incident, gaps: BTreeSet::new(), findings: Vec::new() }
    }

    /// The output of an action, with what it found and did not see noted.
    pub(super) async fn look<T: DeserializeOwned>(&mut self, action: &str, with: Value) -> Result<(T, String), Missed> {
        let failed = |message: String| Missed::Failed(StepError::new(message));
        let found = CATALOGUE.get(action).ok_or_else(|| failed(format!("there is no action `{action}`")))?;
        let path = StepPath::step("hunt");
        let evidence = Unkept::new(self.redactor.clone());
        let (clock, progress) = (&*self.cx.clock, &*self.cx.screen);
        let mut look =
            Look::new(&*self.connected.read, &*self.outside, &evidence, clock, progress, &self.safeguards, &path);
        if let Some(incident) = &self.incident {
            look = look.of_incident(incident);
        }
        let looked = tokio::select! {
            looked = found.plan(with, &look) => looked,
            () = self.cx.interrupt.raised() => return Err(Missed::Interrupted),
        };
        self.cx.screen.clear();
        self.gaps.extend(look.finish().gaps);
        let StepPlan { output, summary, findings, gaps, .. } = looked.map_err(Missed::Failed)?;
        self.findings.extend(findings);
        self.gaps.extend(gaps);
        let output = serde_json::from_value(output)
            .map_err(|error| failed(format!("`{action}` said something else: {error}")))?;
        Ok((output, summary))
    }

    /// A document without what is shaped like a secret.
    pub(super) fn masked(&self, mut document: Value) -> Value {
        self.redactor.redact_json(&mut document);
        document
    }

    /// A text without what is shaped like a secret.
    pub(super) fn masked_text(&self, text: &str) -> String {
        self.redactor.redact(text).into_owned()
    }
}

impl Missed {
    /// The exit of a hunt that ends here.
    pub(super) fn end(self, doing: &str) -> Result<Exit, CliError> {
        match self {
            Self::Interrupted => Ok(Exit::Interrupted),
            Self::Failed(error) => {
                let hint = error.hint.unwrap_or_else(|| "`quell doctor` says what the credential can see".to_owned());
                Err(CliError::new(Exit::Usage, "hunt", format!("cannot {doing}: {}", error.message)).hint(hint))
            }
        }
    }
}
