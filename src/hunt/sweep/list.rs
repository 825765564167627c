use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, PoisonError};

use futures_util::future::join_all;
use serde_json::Value;
use tokio::sync::{Notify, Semaphore};

use super::Sweep;
use super::ledger::{Due, Ledger};
use super::place::Ending;
use crate::hunt::{Family, Reach, Seat};
use crate::model::{CredentialKind, Gap};
use crate::provider::{Lane, Layout, Next, ReadError, ReadRequest, Reading};

/// One list being read.
pub(super) struct List<'l, 's> {
    sweep: &'s Sweep<'s>,
    ledger: &'l Mutex<Ledger<'s>>,
    permits: &'l Semaphore,
    more: &'l Notify,
    at: usize,
    family: &'s Family,
    seat: Seat,
    /// Hashes of the ids seen so far, where several requests may show the same item.
    seen: HashSet<u64>,
    hasher: RandomState,
    has_page: bool,
    /// Items that came, each once.
    came: u64,
    /// How many there are by the word of the item that they belong to.
    counted: Option<u64>,
    missed: Missed,
}

/// What of a list was not seen.
#[derive(Default)]
struct Missed {
    /// The first error: the others are likely to have the same cause.
    error: Option<ReadError>,
    reasons: Vec<String>,
}

/// What a page holds, as it came.
pub(super) struct Raw {
    pub(super) items: Vec<Value>,
    pub(super) answers: Vec<Reading>,
}

impl<'l, 's> List<'l, 's> {
    pub(super) fn new(
        sweep: &'s Sweep<'s>,
        ledger: &'l Mutex<Ledger<'s>>,
        permits: &'l Semaphore,
        more: &'l Notify,
        due: Due<'s>,
    ) -> Self {
        let Due { at, family, seat, counted } = due;
        let (seen, hasher) = (HashSet::new(), RandomState::new());
        let missed = Missed::default();
        Self { sweep, ledger, permits, more, at, family, seat, seen, hasher, has_page: false, came: 0, counted, missed }
    }

    /// Reads all of it. Dropping the future in between leaves the list open.
    pub(super) async fn read(mut self) {
        let account = &self.sweep.read.account().id;
        for variant in self.family.variants {
            let request = self.family.request(variant, &self.seat, account, self.sweep.encode).lane(Lane::Sweep);
            let goes_on = match self.family.layout() {
                Some(layout) => self.pages(&request, layout).await,
                None => self.only(&request).await,
            };
            if !goes_on {
                return;
            }
        }
        // What was not read for another reason is told already.
        if let Some(counted) = self.counted.filter(|counted| *counted > self.came && self.missed.reasons.is_empty()) {
            self.missed.reasons.push(format!("what it belongs to counts {counted}, and {} came", self.came));
        }
        let is_outage = self.missed.error.as_ref().is_some_and(ReadError::is_outage);
        let ending = self.ending();
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner).ended(self.at, ending, is_outage);
    }

    /// Reads one answer. False where the sweep is to end.
    async fn only(&mut self, request: &ReadRequest) -> bool {
        match self.get(request).await {
            Ok(mut reading) => match self.family.items(reading.result.take()) {
                Ok(items) => return self.hand_on(items, reading).await,
                Err(what) => {
                    let what = format!("{what} where {} should hold something else", reading.source);
                    self.missed.add(ReadError::Unreadable(what));
                }
            },
            Err(error) => self.missed.add(error),
        }
        true
    }

    /// Reads one list of pages. False where the sweep is to end.
    async fn pages(&mut self, request: &ReadRequest, layout: Layout) -> bool {
        let mut pages = self.sweep.read.pages(request, layout);
        loop {
            let next = {
                let Ok(_permit) = self.permits.acquire().await else { return false };
                pages.next().await
            };
            match next {
                Ok(Next::Page(page)) => {
                    self.count();
                    if !self.hand_on(page.items, page.reading).await {
                        return false;
                    }
                }
                Ok(Next::End) => return true,
                Ok(Next::Short(why)) => {
                    self.missed.reasons.push(why);
                    return true;
                }
                Err(error) => {
                    self.count();
                    self.missed.add(error);
                    return true;
                }
            }
        }
    }

    async fn get(&self, request: &ReadRequest) -> Result<Reading, ReadError> {
        let Ok(_permit) = self.permits.acquire().await else {
            return Err(ReadError::Unreachable("the sweep has ended".into()));
        };
        let reading = self.sweep.read.get(request).await;
        self.count();
        reading
    }

    fn count(&self) {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner).count_request();
    }

    /// Hands the items of an answer on, each in full. False where the sweep is to end.
    async fn hand_on(&mut self, mut items: Vec<Value>, answer: Reading) -> bool {
        self.has_page = true;
        if self.family.variants.len() > 1 {
            let family = self.family;
            items.retain(|item| match family.id_of(item) {
                id if id.is_empty() => true,
                id => self.seen.insert(self.hasher.hash_one(id)),
            });
        }
        self.came += items.len() as u64;
        items.retain(self.family.is_own);
        let mut page = Raw { items, answers: vec![answer] };
        if self.family.detail.is_some() {
            page = self.in_full(page).await;
        }
        let goes_on = self.ledger.lock().unwrap_or_else(PoisonError::into_inner).page(self.at, page);
        self.more.notify_one();
        goes_on
    }

    /// Puts what says more in the place of each item. An item of which no more is known is left out: it would look
    /// like one that was emptied.
    async fn in_full(&mut self, page: Raw) -> Raw {
        let Raw { items, mut answers } = page;
        let total = items.len();
        let this = &*self;
        let read = join_all(items.iter().map(|item| this.detail(item))).await;
        let (mut full, mut errors) = (Vec::with_capacity(total), Vec::new());
        for detail in read {
            match detail {
                Ok((item, answer)) => {
                    full.push(item);
                    answers.push(answer);
                }
                Err(error) => errors.push(error),
            }
        }
        let failed = errors.len();
        if let Some(first) = errors.into_iter().next() {
            self.missed.reasons.push(format!("{failed} of {total} could not be read in full: {first}"));
            self.missed.error.get_or_insert(first);
        }
        Raw { items: full, answers }
    }

    async fn detail(&self, item: &Value) -> Result<(Value, Reading), ReadError> {
        let (account, encode) = (&self.sweep.read.account().id, self.sweep.encode);
        let id = self.family.id_of(item);
        let request = self.family.detail_request(&id, &self.seat, account, encode).filter(|_| !id.is_empty());
        let Some(request) = request else {
            return Err(ReadError::Unreadable("an item has no id to ask for more of it".into()));
        };
        let mut reading = self.get(&request.lane(Lane::Sweep)).await?;
        match reading.result.take() {
            full @ Value::Object(_) => Ok((full, reading)),
            _ => Err(ReadError::Unreadable(format!("{} holds no object", reading.source))),
        }
    }

    fn ending(&self) -> Ending {
        let Some(first) = self.missed.reasons.first() else { return Ending::Complete };
        let mut reason = match self.missed.reasons.len() {
            1 => first.clone(),
            n => format!("{first} (and {} more of its requests failed)", n - 1),
        };
        if let Some(retired) = self.family.retired {
            reason = format!("the path is retired ({retired}): {reason}");
        }
        // A token that the account owns has no user, and no permission gives it one.
        let is_nobodys =
            self.family.reach == Reach::User && self.sweep.read.credential().kind == CredentialKind::AccountToken;
        let permission = (!is_nobodys).then_some(self.family.permission);
        let gap = match &self.missed.error {
            Some(error) => Gap { reason, ..error.gap(self.family.name, &self.seat.name, permission) },
            None => {
                Gap { family: self.family.name.to_owned(), scope: self.seat.name.clone(), reason, permission: None }
            }
        };
        if self.has_page { Ending::Short(gap) } else { Ending::Refused(gap) }
    }
}

impl Missed {
    fn add(&mut self, error: ReadError) {
        self.reasons.push(error.to_string());
        self.error.get_or_insert(error);
    }
}
