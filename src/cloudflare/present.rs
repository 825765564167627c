//! The account as it is: what of it is read, and how it becomes a snapshot.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use crate::action::{Look, StepError};
use crate::cloudflare::api::segment;
use crate::cloudflare::families::{families, family};
use crate::cloudflare::zones::{Zone, choose, seen};
use crate::hunt::diff::{Compared, Comparison};
use crate::hunt::snapshot::{Capture, MANIFEST, Snapshot, SnapshotError, Subject, Zones};
use crate::hunt::sweep::by_interest;
use crate::hunt::{Difference, Family, Reach, Seat};
use crate::model::{Gap, World};

/// The families of these names with what they belong to, parents first; all that are not retired where none is named.
///
/// # Errors
/// There is none of that name; the hint says which may be meant.
pub fn chosen(names: &[String]) -> Result<Vec<&'static Family>, StepError> {
    if let Some(unknown) = names.iter().find(|name| family(name).is_none()) {
        let near =
            families().map(|it| it.name).max_by(|a, b| strsim::jaro(a, unknown).total_cmp(&strsim::jaro(b, unknown)));
        return Err(StepError::new(format!("there is no family `{unknown}`"))
            .hint(format!("did you mean `{}`? docs/families.md lists all", near.unwrap_or_default())));
    }
    let mut wanted: BTreeSet<&str> = names.iter().map(String::as_str).collect();
    // What belongs to items of another family cannot be read without it.
    for child in families().collect::<Vec<_>>().into_iter().rev() {
        if let Reach::Of(parent) = child.reach
            && wanted.contains(child.name)
        {
            wanted.insert(parent);
        }
    }
    // What is retired is refused everywhere, and what took its place is read.
    let is_default = |it: &Family| names.is_empty() && it.retired.is_none();
    Ok(families().filter(|it| is_default(it) || wanted.contains(it.name)).collect())
}

/// What is read into a snapshot.
#[derive(Debug)]
pub struct Wanted<'w> {
    /// The families, parents first.
    pub families: &'w [&'static Family],
    /// Names or ids of the zones; all where none is named.
    pub zones: &'w [String],
    /// Names of the zones that are looked at before all others.
    pub touched: BTreeSet<&'w str>,
    /// No further read begins after so long.
    pub within: Option<Duration>,
}

impl Wanted<'_> {
    /// Reads it into a snapshot in `dir`, or goes on with one there that was cut off. What could not be seen is noted as
    /// a gap; a snapshot that was stopped before its end says so in its manifest.
    ///
    /// # Errors
    /// The zones that were asked for cannot be found, nothing at all can be read, or the files cannot be written.
    pub async fn capture(&self, look: &Look<'_>, dir: &Path) -> Result<Snapshot, StepError> {
        let gap = |reason| Gap { family: "zones".into(), scope: "account".into(), reason, permission: None };
        let (all, short) = match seen(look.provider()).await {
            Ok((all, shortfall)) => (all, shortfall.map(gap)),
            Err(error) if error.is_outage() || !self.zones.is_empty() => {
                return Err(StepError::read("list the zones", &error));
            }
            // What belongs to the account can be read all the same.
            Err(error) => (Vec::new(), Some(error.gap("zones", "account", Some("Zone Read")))),
        };
        let zones = choose(all, self.zones)?;
        let names: BTreeSet<String> = zones.iter().map(|zone| zone.name.clone()).collect();
        let asked = (!self.zones.is_empty()).then(|| names.clone());
        let covered = match (&asked, short) {
            (_, Some(gap)) => Zones::Short { names, gap },
            (Some(_), None) => Zones::Asked(names),
            (None, None) => Zones::All,
        };
        let seats = self.seats(&zones, look);
        let provider = look.provider();
        let subject = Subject {
            tool: concat!("quell ", env!("CARGO_PKG_VERSION")).to_owned(),
            account: provider.account().clone(),
            api: host(provider.world()),
            families: self.families.iter().map(|family| family.name.to_owned()).collect(),
            zones: asked,
        };
        let mut capture = Capture::open(dir, subject, self.families, look.now()).map_err(|error| unkept(&error))?;
        let stop = look.until(self.within);
        let swept = look.capture(&mut capture, self.families, &seats, segment, stop).await;
        let swept = swept.map_err(|error| unkept(&error))?;
        let manifest = capture.finish(&swept, covered, look.now()).map_err(|error| unkept(&error))?;
        manifest.gaps().into_iter().for_each(|gap| look.gap(gap));
        let partial = manifest.partial.is_some();
        let snapshot = if partial { Snapshot::unfinished(dir) } else { Snapshot::open(dir).ok() };
        let snapshot = snapshot.ok_or_else(|| unkept(&SnapshotError::Missing(dir.to_owned())))?;
        // Its digests bind every file of it to the journal.
        let manifest = std::fs::read(snapshot.dir().join(MANIFEST)).map_err(|error| unkept(&error))?;
        look.note("manifest of a snapshot of the account", &manifest);
        Ok(snapshot)
    }

    fn seats(&self, zones: &[Zone], look: &Look<'_>) -> Vec<Seat> {
        let mut seats: Vec<Seat> = zones.iter().map(|zone| Seat::zone(&zone.id, &zone.name)).collect();
        let jewels = look.safeguards();
        by_interest(
            &mut seats,
            |zone| self.touched.contains(zone.name.as_str()),
            |zone| jewels.is_crown_jewel(&zone.name),
        );
        seats
    }
}

/// A rehearsal that goes on has another port than it began with, and is the same all the same.
fn host(world: &World) -> String {
    match world {
        World::Live(host) => host.clone(),
        World::Rehearsal(scenario) => format!("the rehearsal {scenario}"),
    }
}

/// Opens a snapshot or baseline of this account.
///
/// # Errors
/// There is none, it is not as it was written, or it is of another account.
pub fn open(what: &str, dir: &str, look: &Look<'_>) -> Result<Snapshot, StepError> {
    let path = Path::new(dir);
    let opened = Snapshot::open(path).map_err(|error| {
        StepError::new(format!("cannot open {what}: {error}"))
            .hint("name the directory that holds its `manifest.json`; `quell baseline show DIR` tells what is in it")
    });
    let snapshot = opened?;
    match &snapshot.manifest().account {
        Some(account) if account.id != look.account() => {
            Err(StepError::new(format!("{what} is of account {}, and this is account {}", account.id, look.account()))
                .hint("name one of this account; nothing was compared"))
        }
        _ => Ok(snapshot),
    }
}

/// What was read cannot be written down.
pub(super) fn unkept(error: &dyn std::error::Error) -> StepError {
    StepError::new(format!("cannot keep what was read: {error}"))
        .hint("free space or mend the permissions, then run the step again: it goes on from what is kept")
}

/// Tells what differs between a baseline and the account.
pub(super) fn compare(
    baseline: &Snapshot,
    present: &Snapshot,
    families: &[&'static Family],
    scratch: &Path,
    tell: &mut dyn FnMut(&Family, &Difference),
) -> Result<Compared, StepError> {
    let families: Vec<&Family> = families.iter().map(|family| &**family).collect();
    let comparison = Comparison {
        before: baseline,
        before_name: "the baseline",
        after: present,
        after_name: "the account",
        families: &families,
        scratch,
    };
    let compared = comparison.run(&mut |family, difference| {
        tell(family, &difference);
        Ok(())
    });
    compared.map_err(|error| unread(&error))
}

/// What was written down cannot be read again.
pub(super) fn unread(error: &dyn std::error::Error) -> StepError {
    StepError::new(format!("the baseline and the account cannot be compared: {error}"))
        .hint("`quell baseline show DIR` tells whether its files are as they were written")
}
