use std::collections::BTreeSet;
use std::future::Future;
use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use super::{Safeguards, Shelf};
use crate::clock::Clock;
use crate::evidence::EvidenceSink;
use crate::hunt::snapshot::Capture;
use crate::hunt::sweep::{Ending, IN_FLIGHT, Place, Sink, Sweep, Swept, SweptPage};
use crate::hunt::{Family, OwnActs, Seat};
use crate::journal::{Acceptance, EffectState, IncidentState, RunState, StepState};
use crate::model::{
    Attribution, CREDENTIALS, EffectKey, EvidenceRef, Finding, FindingStatus, Gap, RunId, StepPath, WebRead,
};
use crate::outside::{Hindrance, OutsideLook, Sight};
use crate::provider::{Lane, Leaked, Listing, Paging, Progress, ReadError, ReadRequest, ReadSide, Reading};
use crate::secret::SecretBytes;

/// What an action looks with. Whatever is read through it is kept as evidence.
pub struct Look<'a> {
    read: &'a dyn ReadSide,
    outside: &'a dyn OutsideLook,
    evidence: &'a dyn EvidenceSink,
    clock: &'a dyn Clock,
    progress: &'a dyn Progress,
    safeguards: &'a Safeguards,
    /// The step, from which effect keys are derived.
    pub path: &'a StepPath,
    /// What all of it is for, if it is more urgent than what a read says of itself.
    lane: Lane,
    /// What the journal tells of the incident, where there is one.
    incident: Option<&'a IncidentState>,
    /// The run that looks, where one does.
    run: Option<&'a RunId>,
    /// The value that leaked, where it is at hand.
    leaked: Option<&'a dyn Leaked>,
    taken: Mutex<Taken>,
}

/// What a look left behind.
#[derive(Debug, Default)]
pub struct Taken {
    /// What was kept, in order.
    pub evidence: Vec<EvidenceRef>,
    /// What could not be seen.
    pub gaps: Vec<Gap>,
    /// Why evidence could not be kept; the step must not go on then.
    pub failure: Option<std::io::Error>,
}

impl<'a> Look<'a> {
    /// A look at `path` of the plan.
    pub fn new(
        read: &'a dyn ReadSide,
        outside: &'a dyn OutsideLook,
        evidence: &'a dyn EvidenceSink,
        clock: &'a dyn Clock,
        progress: &'a dyn Progress,
        safeguards: &'a Safeguards,
        path: &'a StepPath,
    ) -> Self {
        let (lane, incident, run, leaked, taken) = (Lane::Sweep, None, None, None, Mutex::default());
        Self { read, outside, evidence, clock, progress, safeguards, path, lane, incident, run, leaked, taken }
    }

    /// The same, where every read is at least as urgent as this.
    #[must_use]
    pub fn as_urgent_as(self, lane: Lane) -> Self {
        Self { lane, ..self }
    }

    /// The same, within an incident: what its journal says was sent is quell's own, and what people accepted is known.
    #[must_use]
    pub fn of_incident(self, incident: &'a IncidentState) -> Self {
        Self { incident: Some(incident), ..self }
    }

    /// The same, for this run of the incident.
    #[must_use]
    pub fn of_run(self, run: &'a RunId) -> Self {
        Self { run: Some(run), ..self }
    }

    /// The same, where a value that leaked is at hand to be tried.
    #[must_use]
    pub fn with_leaked(self, leaked: Option<&'a dyn Leaked>) -> Self {
        Self { leaked, ..self }
    }

    /// The leaked value of the token with this id, where it is at hand.
    pub fn leaked(&self, token: &str) -> Option<&'a dyn Leaked> {
        self.leaked.filter(|leaked| leaked.token() == token)
    }

    /// Whether the journal says that a run was begun with the value of the token with this id.
    pub fn was_told_by_value(&self, token: &str) -> bool {
        let runs = self.incident.iter().flat_map(|incident| &incident.runs);
        runs.filter_map(|run| run.opened.leaked.as_ref()).any(|leaked| leaked.token == token)
    }

    /// What this action has proposed in the incident and was not undone since, each with whether this very run did.
    pub fn proposed(&self, action: &str) -> Vec<(bool, &'a StepState, &'a EffectState)> {
        let Some(incident) = self.incident else { return Vec::new() };
        let of_run = |run: &'a RunState| {
            let is_this = self.run == Some(&run.opened.run);
            let of_step = move |step: &'a StepState| step.effects.iter().map(move |state| (is_this, step, state));
            let all = run.steps.values().flat_map(of_step);
            all.filter(move |(.., state)| incident.undone_by(&run.opened.run, &state.effect).is_none())
        };
        incident.runs.iter().flat_map(of_run).filter(|(.., state)| state.effect.action == action).collect()
    }

    /// Id of the token that this run made itself and acts with; `None` where it acts with what it was given.
    pub fn own_token(&self) -> Option<&'a str> {
        let run = self.incident?.runs.iter().find(|run| self.run == Some(&run.opened.run))?;
        let own = run.switched.as_ref()?.credential.id.as_deref();
        own.filter(|own| self.read.credential().id.as_deref() == Some(*own))
    }

    /// E-mail of the user for whom this run acted before it went on with a token of its own.
    pub fn began_for(&self) -> Option<&'a str> {
        let run = self.incident?.runs.iter().find(|run| self.run == Some(&run.opened.run))?;
        run.switched.as_ref()?.left.owner.as_deref()
    }

    /// When the effect with this key was sent last, as the journal has it: when its answer came, or else when it left.
    pub fn sent_at(&self, effect: &EffectKey) -> Option<Timestamp> {
        let attempt = self.incident?.runs.iter().find_map(|run| run.effect(effect))?.attempts.last()?;
        attempt.ended.or(attempt.began)
    }

    /// Whether the incident has another finding of the same technique about the same resource, by a look of its own.
    pub fn has_like(&self, finding: &Finding) -> bool {
        self.like(finding).is_some()
    }

    fn like(&self, finding: &Finding) -> Option<&'a Finding> {
        let mut known = self.incident.iter().flat_map(|incident| incident.findings.values());
        known.find(|known| {
            let is_same = known.technique == finding.technique && known.resource.is_same(&finding.resource);
            is_same && known.id != finding.id
        })
    }

    /// The id by which the incident knows a finding: its own, or that of the like one that a look of its own has made.
    pub fn known_as<'f>(&self, finding: &'f Finding) -> &'f str
    where
        'a: 'f,
    {
        match self.like(finding) {
            Some(like) if !self.has(finding) => &like.id,
            _ => &finding.id,
        }
    }

    /// Whether the incident has this finding.
    pub fn has(&self, finding: &Finding) -> bool {
        self.incident.is_some_and(|incident| incident.findings.contains_key(&finding.id))
    }

    /// Whether the incident has this finding, and is done with it.
    pub fn has_settled(&self, finding: &Finding) -> bool {
        let known = self.incident.and_then(|incident| incident.findings.get(&finding.id));
        known.is_some_and(|known| known.status != FindingStatus::Open)
    }

    /// Users whose key or session the intruder has, by what was found in the incident.
    pub fn compromised_users(&self) -> impl Iterator<Item = &'a str> {
        let all = self.incident.into_iter().flat_map(|incident| incident.findings.values());
        let taken = all.filter(|it| it.family == CREDENTIALS && it.attribution == Attribution::Intruder);
        taken.filter(|it| it.status != FindingStatus::RuledOut).map(|it| it.resource.name.as_str())
    }

    /// Whether a look of its own at the parts of a resource has found the same technique in the same zone.
    pub fn has_reviewed(&self, finding: &Finding) -> bool {
        let mut known = self.incident.iter().flat_map(|incident| incident.findings.values());
        known.any(|known| {
            known.technique == finding.technique
                && known.resource.zone == finding.resource.zone
                && known.family != finding.family
        })
    }

    /// What quell itself sent: the reads of this process, and all that the incident's journal has.
    pub fn own_acts(&self) -> OwnActs {
        OwnActs::new(self.read, self.incident, self.leaked.map(Leaked::token))
    }

    /// Who accepts that a finding stays as it is, and why; also where that was said of another finding of the same
    /// resource.
    pub fn acceptance(&self, finding: &Finding) -> Option<&'a Acceptance> {
        let accepted = &self.incident?.accepted;
        accepted.get(&finding.id).or_else(|| accepted.values().find(|it| it.resource.is_same(&finding.resource)))
    }

    /// The provider's read side, for what is known of account and credential. Reads made on it directly leave no evidence.
    pub fn provider(&self) -> &'a dyn ReadSide {
        self.read
    }

    /// What must not be touched or suspected, what matters most, and whom to tell.
    pub const fn safeguards(&self) -> &'a Safeguards {
        self.safeguards
    }

    /// Id of the account.
    pub fn account(&self) -> &'a str {
        &self.read.account().id
    }

    /// This machine's clock.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Says how far a long read is.
    pub fn tick(&self, what: &str, done: u64, total: u64) {
        self.progress.tick(what, done, total);
    }

    /// Reads one answer and keeps it.
    pub async fn get(&self, request: &ReadRequest) -> Result<Reading, ReadError> {
        let reading = self.read.get(&self.urgent(request)).await?;
        self.keep_answer(&request.path, &reading);
        Ok(reading)
    }

    /// Reads a list to its end and keeps every page. A list that may be short is noted as a gap of `family`.
    pub async fn list(
        &self,
        request: &ReadRequest,
        paging: Paging,
        family: &str,
        scope: &str,
    ) -> Result<Listing, ReadError> {
        let listing = self.read.list(&self.urgent(request), paging).await?;
        listing.pages.iter().for_each(|page| self.keep_answer(&request.path, page));
        if let Some(reason) = &listing.shortfall {
            self.gap(Gap { family: family.into(), scope: scope.into(), reason: reason.clone(), permission: None });
        }
        Ok(listing)
    }

    /// Reads families at all their seats, the most interesting zones first, keeps every answer, hands its items on, and
    /// notes what could not be seen.
    pub async fn sweep(
        &self,
        families: &[&Family],
        zones: &[Seat],
        encode: fn(&str) -> String,
        take: &mut (dyn FnMut(SweptPage<'_>) + Send),
    ) -> Swept {
        let mut keeping = Keeping { look: self, take };
        let done = BTreeSet::new();
        let sweep = Sweep {
            read: self.read,
            encode,
            families,
            zones,
            done: &done,
            in_flight: IN_FLIGHT,
            clock: self.clock,
            progress: self.progress,
        };
        // The sink never fails: what could not be kept is told with the rest of the look.
        let swept = sweep.run(&mut keeping, std::future::pending()).await.unwrap_or_else(|_| Swept::default());
        swept.gaps.iter().cloned().chain(swept.unread_gaps()).for_each(|gap| self.gap(gap));
        swept
    }

    /// Reads what the capture does not hold yet of families at all their seats, until `stop` ends. What was read is in the
    /// capture's files, and nowhere else.
    ///
    /// # Errors
    /// The capture cannot be written.
    pub async fn capture(
        &self,
        capture: &mut Capture<'_>,
        families: &[&Family],
        zones: &[Seat],
        encode: fn(&str) -> String,
        stop: impl Future<Output = ()> + Send,
    ) -> io::Result<Swept> {
        let done = capture.done().clone();
        let sweep = Sweep {
            read: self.read,
            encode,
            families,
            zones,
            done: &done,
            in_flight: IN_FLIGHT,
            clock: self.clock,
            progress: self.progress,
        };
        sweep.run(capture, stop).await
    }

    /// The step's own place for files that belong together.
    ///
    /// # Errors
    /// Nothing is kept, and there is no room for temporary files either.
    pub fn shelf(&self) -> io::Result<Shelf> {
        Shelf::of(self.path, self.evidence)
    }

    /// Ends after so long; never where no time is given.
    pub async fn until(&self, within: Option<Duration>) {
        match within {
            Some(within) => self.clock.sleep(within).await,
            None => std::future::pending().await,
        }
    }

    /// Keeps what was written down elsewhere, such as the manifest of a snapshot, and names it.
    pub fn note(&self, source: &str, bytes: &[u8]) -> Option<crate::model::Digest> {
        self.keep(source, &SecretBytes::new(bytes.to_vec()));
        self.latest_evidence()
    }

    /// What can be known of things outside the provider without doing any of them.
    pub fn outside(&self) -> &'a dyn OutsideLook {
        self.outside
    }

    /// Reads something outside the provider, and keeps the answer.
    pub async fn web(&self, read: &WebRead) -> Result<Sight, Hindrance> {
        let sight = self.outside.get(read).await?;
        if let Sight::Seen { status, body } = &sight {
            self.keep(&format!("GET {} (HTTP {status})", read.url), body);
        }
        Ok(sight)
    }

    /// Notes something that could not be seen.
    pub fn gap(&self, gap: Gap) {
        self.taken().gaps.push(gap);
    }

    /// Digests of what has been kept so far, to name in findings.
    pub fn evidence(&self) -> Vec<crate::model::Digest> {
        self.taken().evidence.iter().map(|kept| kept.sha256.clone()).collect()
    }

    /// Digest of the evidence kept last.
    pub fn latest_evidence(&self) -> Option<crate::model::Digest> {
        self.taken().evidence.last().map(|kept| kept.sha256.clone())
    }

    /// What the look left behind.
    pub fn finish(self) -> Taken {
        self.taken.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn urgent(&self, request: &ReadRequest) -> ReadRequest {
        request.clone().lane(request.lane.min(self.lane))
    }

    fn keep_answer(&self, path: &str, answer: &Reading) {
        let body = SecretBytes::new(self.read.fit_to_keep(path, answer.body.expose()));
        self.keep(&answer.source, &body);
    }

    fn keep(&self, source: &str, body: &SecretBytes) {
        let kept = self.evidence.keep(source, body.expose(), self.now());
        let mut taken = self.taken();
        match kept {
            Ok(kept) => taken.evidence.push(kept),
            Err(error) => {
                taken.failure.get_or_insert(error);
            }
        }
    }

    fn taken(&self) -> std::sync::MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps what a sweep reads before it is handed on.
struct Keeping<'k, 'a> {
    look: &'k Look<'a>,
    take: &'k mut (dyn FnMut(SweptPage<'_>) + Send),
}

impl Sink for Keeping<'_, '_> {
    fn page(&mut self, mut page: SweptPage<'_>) -> io::Result<()> {
        for answer in &page.answers {
            // Lists hold secrets among other things, and evidence must not.
            let body = SecretBytes::new(page.family.masked(answer.body.expose()));
            self.look.keep(&answer.source, &body);
            page.evidence.extend(self.look.latest_evidence());
        }
        (self.take)(page);
        Ok(())
    }

    fn end(&mut self, _place: &Place, _ending: &Ending) -> io::Result<()> {
        Ok(())
    }
}
