use std::collections::VecDeque;
use std::io;

use jiff::{SignedDuration, Timestamp};

use super::Sweep;
use super::place::{Ending, Place, Stopped, Swept};
use super::sink::{Sink, SweptPage};
use crate::hunt::{Family, Reach, Seat};
use crate::model::Gap;
use crate::provider::{Extent, Lane};

/// So many lists in a row that end in an outage end the sweep: the next ones would fare no better.
const OUTAGES: usize = 8;

/// What is to be read, what was, and what became of it.
pub(super) struct Ledger<'s> {
    sweep: &'s Sweep<'s>,
    sink: &'s mut dyn Sink,
    lists: Vec<Entry<'s>>,
    /// Those that nobody has begun to read, by their position.
    queue: VecDeque<usize>,
    began: Timestamp,
    /// Requests that were answered.
    requests: u64,
    ended: usize,
    complete: usize,
    gaps: Vec<Gap>,
    outages: usize,
    outage: Option<String>,
    failure: Option<io::Error>,
}

/// One list.
struct Entry<'s> {
    family: &'s Family,
    place: Place,
    /// How many items it has by the word of the one that it belongs to.
    counted: Option<u64>,
    /// The list that holds the item that this one belongs to.
    above: Option<usize>,
    /// Lists below that have not ended, and one for this one itself.
    open: usize,
    ending: Option<Ending>,
}

/// A list that is to be read.
pub(super) struct Due<'s> {
    /// Its position.
    pub(super) at: usize,
    pub(super) family: &'s Family,
    pub(super) seat: Seat,
    /// How many items it has by the word of the one that it belongs to.
    pub(super) counted: Option<u64>,
}

impl<'s> Ledger<'s> {
    pub(super) fn new(sweep: &'s Sweep<'s>, sink: &'s mut dyn Sink) -> Self {
        let mut ledger = Self {
            sweep,
            sink,
            lists: Vec::new(),
            queue: VecDeque::new(),
            began: sweep.clock.now(),
            requests: 0,
            ended: 0,
            complete: 0,
            gaps: Vec::new(),
            outages: 0,
            outage: None,
            failure: None,
        };
        for family in sweep.families {
            match family.reach {
                Reach::User => ledger.add(family, Seat::user(), None, None),
                Reach::Account => ledger.add(family, Seat::account(), None, None),
                Reach::Zone => {}
                Reach::Of(parent) => {
                    if !sweep.families.iter().any(|family| family.name == parent) {
                        let reason = format!("{parent}, to which it belongs, is not read");
                        ledger.conclude(family, &Seat::account(), &Ending::Refused(gap(family, "account", reason)));
                    }
                }
            }
        }
        for zone in sweep.zones {
            for family in sweep.families.iter().filter(|family| family.reach == Reach::Zone) {
                ledger.add(family, zone.clone(), None, None);
            }
        }
        ledger
    }

    fn add(&mut self, family: &'s Family, seat: Seat, above: Option<usize>, counted: Option<u64>) {
        let place = Place { family: family.name.to_owned(), seat };
        if self.sweep.done.contains(&place) {
            self.complete += 1;
            return;
        }
        let at = self.lists.len();
        self.lists.push(Entry { family, place, counted, above, open: 1, ending: None });
        match above {
            // What belongs to an item is read soon: the list of the item has not ended before.
            Some(above) => {
                self.lists[above].open += 1;
                self.queue.push_front(at);
            }
            None => self.queue.push_back(at),
        }
    }

    /// The next list to read.
    pub(super) fn next(&mut self) -> Option<Due<'s>> {
        let at = self.queue.pop_front()?;
        let Entry { family, ref place, counted, .. } = self.lists[at];
        Some(Due { at, family, seat: place.seat.clone(), counted })
    }

    /// A request was answered.
    pub(super) const fn count_request(&mut self) {
        self.requests += 1;
    }

    /// Hands a page on, and takes up what belongs to its items. False where the sweep is to end.
    pub(super) fn page(&mut self, at: usize, page: super::list::Raw) -> bool {
        let (family, place) = (self.lists[at].family, self.lists[at].place.clone());
        for child in self.sweep.families.iter().rev().filter(|child| child.reach == Reach::Of(family.name)) {
            for raw in page.items.iter().rev() {
                let id = family.id_of(raw);
                if !id.is_empty() {
                    self.add(child, place.seat.of(&id), Some(at), child.counted_by(raw));
                }
            }
        }
        let items = page.items.into_iter().map(|raw| family.item(&place.seat, raw)).collect();
        let page = SweptPage { family, place: &place, items, answers: page.answers, evidence: Vec::new() };
        if let Err(error) = self.sink.page(page) {
            self.failure.get_or_insert(error);
        }
        self.show();
        self.failure.is_none()
    }

    /// A list has ended, with an outage or without.
    pub(super) fn ended(&mut self, at: usize, ending: Ending, is_outage: bool) {
        self.outages = if is_outage { self.outages + 1 } else { 0 };
        if let (OUTAGES.., Some(gap)) = (self.outages, ending.gap()) {
            self.outage = Some(gap.reason.clone());
        }
        self.lists[at].ending = Some(ending);
        let mut next = Some(at);
        while let Some(at) = next {
            self.lists[at].open -= 1;
            if self.lists[at].open > 0 {
                break;
            }
            if let Some(ending) = self.lists[at].ending.take() {
                let (family, seat) = (self.lists[at].family, self.lists[at].place.seat.clone());
                self.ended += 1;
                self.conclude(family, &seat, &ending);
            }
            next = self.lists[at].above;
        }
        self.show();
    }

    /// Tells the sink that a list has ended, and what that means for what belongs to its items.
    fn conclude(&mut self, family: &Family, seat: &Seat, ending: &Ending) {
        if self.failure.is_some() {
            return;
        }
        match ending.gap() {
            None => self.complete += 1,
            Some(gap) => self.gaps.push(gap.clone()),
        }
        let place = Place { family: family.name.to_owned(), seat: seat.clone() };
        if let Err(error) = self.sink.end(&place, ending) {
            self.failure = Some(error);
        }
        for child in self.sweep.families.iter().filter(|child| child.reach == Reach::Of(family.name)) {
            // What would let the one be read would let the other be known.
            let missing = |child: &Family| Gap {
                permission: ending.gap().and_then(|above| above.permission.clone()),
                ..gap(
                    child,
                    &seat.name,
                    format!("{} could not be read to the end, so not all of it is known", family.title),
                )
            };
            match ending {
                Ending::Complete => self.close_over(child, seat),
                Ending::Short(_) => self.conclude(child, seat, &Ending::Short(missing(child))),
                Ending::Refused(_) => self.conclude(child, seat, &Ending::Refused(missing(child))),
            }
        }
    }

    /// Tells the sink that the lists of a family for all items of a complete list have ended.
    fn close_over(&mut self, child: &Family, seat: &Seat) {
        let place = Place { family: child.name.to_owned(), seat: seat.clone() };
        if let Err(error) = self.sink.end(&place, &Ending::Complete) {
            self.failure.get_or_insert(error);
        }
    }

    /// Why the sweep is to end, if it is.
    pub(super) fn halt(&mut self) -> Option<io::Result<Stopped>> {
        match (self.failure.take(), &self.outage) {
            (Some(failure), _) => Some(Err(failure)),
            (None, Some(why)) => Some(Ok(Stopped::Outage(why.clone()))),
            (None, None) => None,
        }
    }

    /// What was seen.
    pub(super) fn close(self, stopped: Option<Stopped>) -> io::Result<Swept> {
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        let unread = self.lists.into_iter().filter(|list| list.open > 0).map(|list| list.place).collect();
        Ok(Swept { complete: self.complete, gaps: self.gaps, unread, stopped })
    }

    fn show(&self) {
        let left = (self.lists.len() - self.ended) as u64;
        // Each takes as many as those took that have ended.
        let requests_left = left * (self.requests / (self.ended as u64).max(1)).max(1);
        let budget = self.sweep.read.budget(Lane::Sweep);
        let waits = budget.map_or(SignedDuration::ZERO, |budget| budget.wait_for(requests_left));
        let elapsed = self.sweep.clock.now().duration_since(self.began);
        let eta = if waits.is_zero() && self.ended > 0 {
            let each = elapsed / i32::try_from(self.ended).unwrap_or(i32::MAX);
            each.saturating_mul(i32::try_from(left).unwrap_or(i32::MAX))
        } else {
            waits
        };
        self.sweep.progress.show(&Extent {
            requests_left: Some(requests_left),
            budget_left: budget.map(|budget| budget.left),
            eta: (self.ended > 0).then_some(eta),
            ..Extent::of("lists", self.ended as u64, self.lists.len() as u64)
        });
    }
}

fn gap(family: &Family, scope: &str, reason: String) -> Gap {
    Gap { family: family.name.to_owned(), scope: scope.to_owned(), reason, permission: None }
}
