//! The account as it is: what is read of it, and how.

use std::collections::BTreeSet;

use crate::cli::console::count;
use crate::cli::context::Context;
use crate::cli::errors::CliError;
use crate::cli::exit::Exit;
use crate::cli::session::connect::{Target, connect};
use crate::cloudflare::api::{Connected, segment};
use crate::cloudflare::families::{families, family};
use crate::cloudflare::zones::{self, Zone};
use crate::hunt::snapshot::{Capture, Subject, Zones};
use crate::hunt::sweep::{IN_FLIGHT, Sweep, Swept, by_interest};
use crate::hunt::{Family, Reach, Seat};
use crate::model::Gap;
use crate::provider::ReadSide;

/// Which zones are read.
pub(super) enum Wanted<'w> {
    /// All.
    All,
    /// Those that somebody named, by name or id: each must be there.
    Named(&'w [String]),
    /// Those that a baseline is about, by name: one that is not there is gone.
    Of(&'w BTreeSet<String>),
}

impl<'w> Wanted<'w> {
    /// What the option names: all where it names none.
    pub(super) const fn of(zones: &'w [String]) -> Self {
        if zones.is_empty() { Self::All } else { Self::Named(zones) }
    }
}

/// The account, and what is read of it.
pub(super) struct Live {
    api: String,
    connected: Connected,
    families: Vec<&'static Family>,
    seats: Vec<Seat>,
    asked: Option<BTreeSet<String>>,
    pub(super) zones: Zones,
}

/// The families of these names; all where none is named.
pub(super) fn chosen(names: &[String]) -> Result<Vec<&'static Family>, CliError> {
    if let Some(unknown) = names.iter().find(|name| family(name).is_none()) {
        let near = families()
            .map(|family| family.name)
            .max_by(|a, b| strsim::jaro_winkler(a, unknown).total_cmp(&strsim::jaro_winkler(b, unknown)));
        return Err(CliError::usage(format!("there is no family `{unknown}`"))
            .hint(format!("did you mean `{}`?", near.unwrap_or_default())));
    }
    let mut chosen: Vec<&Family> =
        families().filter(|family| names.is_empty() || names.iter().any(|name| name == family.name)).collect();
    // What belongs to items of another family is found by way of them.
    while let Some(parent) = chosen.iter().find_map(|it| match it.reach {
        Reach::Of(parent) if !chosen.iter().any(|other| other.name == parent) => family(parent),
        _ => None,
    }) {
        chosen.insert(0, parent);
    }
    Ok(chosen)
}

impl Live {
    /// Connects, and looks up the zones.
    pub(super) async fn connect(
        cx: &Context,
        families: Vec<&'static Family>,
        wanted: Wanted<'_>,
    ) -> Result<Self, CliError> {
        let mut target = Target::from_environment(cx).await?;
        let connected = connect(cx, &mut target).await?;
        let (all, shortfall) = match zones::seen(&*connected.read).await {
            Ok(seen) => seen,
            Err(error) if error.is_outage() || matches!(wanted, Wanted::Named(_)) => {
                return Err(CliError::new(Exit::Usage, "unreachable", "cannot list the zones").because(&error));
            }
            // What belongs to the account can be read all the same.
            Err(error) => (Vec::new(), Some(error.to_string())),
        };
        let names = |zones: &[Zone]| zones.iter().map(|zone| zone.name.clone()).collect::<BTreeSet<_>>();
        let (mut zones, asked) = match wanted {
            Wanted::All => (all, None),
            Wanted::Named(wanted) => {
                let chosen = zones::choose(all, wanted).map_err(|error| {
                    let hint = error.hint.unwrap_or_default();
                    CliError::new(Exit::Usage, "no_such_zone", error.message).hint(hint)
                })?;
                let names = names(&chosen);
                (chosen, Some(names))
            }
            Wanted::Of(names) => {
                (all.into_iter().filter(|zone| names.contains(&zone.name)).collect(), Some(names.clone()))
            }
        };
        let covered = match (&asked, shortfall) {
            (Some(asked), None) => Zones::Asked(asked.clone()),
            // Whether a zone that was asked for is gone cannot be known.
            (Some(_), Some(reason)) | (None, Some(reason)) => Zones::Short { names: names(&zones), gap: gap(reason) },
            (None, None) => Zones::All,
        };
        zones.sort_by(|a, b| a.name.cmp(&b.name));
        let mut seats: Vec<Seat> = zones.iter().map(|zone| Seat::zone(&zone.id, &zone.name)).collect();
        let jewels = cx.settings.safeguards();
        by_interest(&mut seats, |_| false, |seat| jewels.is_crown_jewel(&seat.name));
        Ok(Self { api: target.api(), connected, families, seats, asked, zones: covered })
    }

    /// What is captured.
    pub(super) fn subject(&self) -> Subject {
        Subject {
            tool: concat!("quell ", env!("CARGO_PKG_VERSION")).to_owned(),
            account: self.connected.account.clone(),
            api: self.api.clone(),
            families: self.families.iter().map(|family| family.name.to_owned()).collect(),
            zones: self.asked.clone(),
        }
    }

    pub(super) fn families(&self) -> &[&'static Family] {
        &self.families
    }

    /// The account's read side.
    pub(super) fn read(&self) -> &dyn ReadSide {
        &*self.connected.read
    }

    /// Requests that were sent.
    pub(super) fn requests(&self) -> u64 {
        self.connected.meter.snapshot().reads
    }

    /// Says what is about to be read, and how much that is.
    pub(super) fn tell(&self, cx: &Context) {
        let each = |reach: Reach| -> usize {
            self.families.iter().filter(|it| it.reach == reach).map(|it| it.variants.len()).sum()
        };
        let requests = each(Reach::User) + each(Reach::Account) + each(Reach::Zone) * self.seats.len();
        cx.screen.tell(&format!(
            "reads only, against {} (account {}, {}): {}, {}, at least {requests} requests; the budget of 1,200 \
             in 5 minutes is shared with the dashboard of the same user",
            self.api,
            self.connected.account.name,
            self.connected.account.id,
            count(self.families.len(), "family"),
            count(self.seats.len(), "zone"),
        ));
    }

    /// Reads what the capture does not hold yet.
    pub(super) async fn sweep(&self, cx: &Context, capture: &mut Capture<'_>) -> Result<Swept, CliError> {
        let done = capture.done().clone();
        let sweep = Sweep {
            read: &*self.connected.read,
            encode: segment,
            families: &self.families,
            zones: &self.seats,
            done: &done,
            in_flight: IN_FLIGHT,
            clock: &*cx.clock,
            progress: &*cx.screen,
        };
        let swept = sweep.run(capture, cx.interrupt.raised()).await;
        cx.screen.clear();
        swept.map_err(|error| {
            CliError::new(Exit::Usage, "baseline_io", "cannot keep what was read")
                .because(&error)
                .hint("free space or mend the permissions; the next capture goes on from what is kept")
        })
    }
}

fn gap(reason: String) -> Gap {
    Gap { family: "zones".to_owned(), scope: "account".to_owned(), reason, permission: None }
}
