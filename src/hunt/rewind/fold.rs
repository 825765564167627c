//! Writes taken back one by one, the newest first.

use jiff::Timestamp;
use serde_json::Value;

use super::Certainty;
use super::fields::Fields;
use super::writes::{CLOCKS, before, is_near, is_under};
use crate::hunt::canonical::at;
use crate::hunt::{AuditEvent, Family, Item, Seat};

/// What something was at a moment.
#[derive(Debug, Clone)]
#[expect(clippy::large_enum_variant, reason = "there is one at a time, and most are the large one")]
pub(super) enum Form {
    /// It was not there.
    Absent,
    /// It was this: all of it, or with the reason why only a part is known.
    There(Item, Option<String>),
    /// It was there, and what it was is not known, and why.
    Unknown(String),
}

/// Something that happened to a resource.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step<'e> {
    /// It says that it was made then.
    Made,
    /// It says that it was written then, and no log has that.
    Unlogged(Timestamp),
    /// The log has it.
    Written(&'e AuditEvent),
}

/// Writes in order, with what the resource itself says of when it was made and changed, from `since` on. Of one that is
/// gone, the last deleted it.
pub(super) fn steps<'e>(
    writes: &[&'e AuditEvent],
    created: Option<Timestamp>,
    unlogged: Option<Timestamp>,
    since: Timestamp,
    is_gone: bool,
) -> Vec<Step<'e>> {
    let mut steps: Vec<Step<'_>> = writes.iter().copied().map(Step::Written).collect();
    let created = created.filter(|at| *at >= since);
    let is_new = |at: &Timestamp| created.is_some_and(|created| is_near(created, *at));
    // Later first: what is put in must not move the place of the other.
    if let Some(at) = unlogged.filter(|at| !is_new(at)) {
        steps.insert(writes.partition_point(|event| event.at <= at), Step::Unlogged(at));
    }
    if let Some(made) = created {
        // What was deleted before it was made is a former one of the same name.
        let latest = made.checked_add(CLOCKS).unwrap_or(Timestamp::MAX);
        let is_former = |event: &&AuditEvent| event.action == "delete" && event.at <= latest;
        let former = writes[..writes.len() - usize::from(is_gone)].iter().rposition(is_former).map_or(0, |at| at + 1);
        let place = former.max(writes.partition_point(|event| event.at < before(made)));
        let unlogged_before = steps[..place.min(steps.len())].iter().any(|step| matches!(step, Step::Unlogged(_)));
        steps.insert(place + usize::from(unlogged_before), Step::Made);
    }
    steps
}

/// A resource whose writes are taken back.
#[derive(Debug)]
pub(super) struct Folding<'f> {
    pub(super) family: &'f Family,
    pub(super) seat: &'f Seat,
    pub(super) list: &'f str,
    pub(super) id: &'f str,
    pub(super) measure: Measure<'f>,
}

/// What tells whether the log has all of what a resource was.
#[derive(Debug)]
pub(super) enum Measure<'f> {
    /// The fields of the resource as it is.
    Itself(Fields),
    /// It is gone: the fields that all of its kind have that are there, where there are any.
    Others(Option<&'f Fields>),
}

impl Folding<'_> {
    /// What it was before the first of the steps, given what it is after the last.
    pub(super) fn before(&self, now: Form, steps: &[Step<'_>]) -> Form {
        steps.iter().rev().fold(now, |after, step| match step {
            Step::Made => Form::Absent,
            Step::Unlogged(at) => {
                Form::Unknown(format!("it was written at {}, which no log has", at.strftime("%F %H:%M:%SZ")))
            }
            Step::Written(event) => self.before_write(after, event),
        })
    }

    /// What it was when the window began at `since`, given what it was before all writes of the window that are known.
    ///
    /// What then says of itself that it was written in the window was put there by a write that the log does not name, a
    /// batch or an import. `explains` says of a time whether something else made it say so.
    pub(super) fn at_start(form: Form, since: Timestamp, explains: impl Fn(Timestamp) -> bool) -> Form {
        let Form::There(item, _) = &form else { return form };
        if item.created.is_some_and(|at| at >= since) {
            return Form::Absent;
        }
        match item.modified.filter(|at| *at >= since && !explains(*at)) {
            Some(at) => Form::Unknown(format!(
                "the oldest that the log has of it was itself written at {}, and not what was there before",
                at.strftime("%F %H:%M:%SZ")
            )),
            None => form,
        }
    }

    fn before_write(&self, after: Form, event: &AuditEvent) -> Form {
        match self.old(event) {
            Some(old) => self.was(after, old),
            None if self.makes(event) => Form::Absent,
            None => Form::Unknown(format!(
                "the log does not say what it was before it was written at {}",
                event.at.strftime("%F %H:%M:%SZ")
            )),
        }
    }

    /// What the log has of what it was before a write. Of a write of many, or of a part, that is something else, unless it
    /// names this.
    pub(super) fn old<'e>(&self, event: &'e AuditEvent) -> Option<&'e Value> {
        // What has no id is the only one of its list, by whatever id the log calls it.
        let is_named = self.id.is_empty() || event.resource_id.as_deref() == Some(self.id);
        let is_last = |path: &str| path.rsplit('/').next() == Some(self.id);
        let is_whole = event.path().is_none_or(|path| is_last(path) || (path == self.list && is_named));
        let is_it = |old: &Value| !self.id.is_empty() && self.family.id_of(old) == self.id;
        event.before.as_ref().filter(|old| is_whole || is_it(old))
    }

    /// Whether it is this that a write made. What is the only one of its seat is set, and is always there; what is made
    /// below it makes no new one.
    fn makes(&self, event: &AuditEvent) -> bool {
        let is_named = event.resource_id.as_deref() == Some(self.id)
            || event.path().is_some_and(|path| path.rsplit('/').next() == Some(self.id));
        let is_below = event.path().is_some_and(|path| is_under(path, self.list, self.id));
        !self.id.is_empty() && event.action == "create" && is_named && !is_below
    }

    /// What the log's old value says that it was. It may hold the whole or only what was written; then what it was after
    /// the write, where that is known, says the rest.
    fn was(&self, after: Form, old: &Value) -> Form {
        const PART: &str = "the log has only a part of what it was";
        let told = Item { id: self.id.to_owned(), ..self.family.item(self.seat, old.clone()) };
        let (Value::Object(old_fields), Value::Object(fields)) = (old, &told.value) else {
            return Form::There(told, Some(PART.to_owned()));
        };
        let mut known = fields.clone();
        let made_up = self.family.made_up.iter().filter(|(source, _)| !old_fields.contains_key(*source));
        made_up.flat_map(|(_, made)| *made).for_each(|field| {
            known.shift_remove(*field);
        });
        let is_made_up = known.len() < fields.len();
        let known = Value::Object(known);
        let says = |pointer: &str| pointer.is_empty() || at(old, pointer).is_some();
        let has_clock = !self.family.created.is_empty() || !self.family.modified.is_empty();
        // What an answer of the API always has is there.
        let is_answer = says(self.family.created) && says(self.family.modified) && !is_made_up;
        let part = match &self.measure {
            Measure::Itself(whole) if whole.are_not_all_in(&known) => PART,
            Measure::Others(_) if !is_answer => PART,
            Measure::Others(Some(whole)) if whole.are_not_all_in(&known) => {
                "the log has less of it than others of its kind have"
            }
            Measure::Others(None) if !has_clock => "none of its kind is there to tell whether the log has all of it",
            _ => return Form::There(told, None),
        };
        let part = Some(part.to_owned());
        let Form::There(rest, _) = after else { return Form::There(Item { value: known, ..told }, part) };
        let times = (told.created.or(rest.created), told.modified);
        let mut item = match (self.family.overlaid)(&rest.value, old) {
            Some(raw) => Item { id: rest.id, ..self.family.item(self.seat, raw) },
            None => {
                let mut value = rest.value.clone();
                if let (Value::Object(value), Value::Object(known)) = (&mut value, known) {
                    value.extend(known);
                }
                Item { value, ..rest }
            }
        };
        (item.created, item.modified) = times;
        Form::There(item, part)
    }
}

/// How well a form is known, and why it is not known better.
pub(super) fn certainty(form: &Form) -> (Certainty, String) {
    match form {
        Form::Absent | Form::There(_, None) => (Certainty::Exact, String::new()),
        Form::There(_, Some(why)) => (Certainty::Approximate, why.clone()),
        Form::Unknown(why) => (Certainty::Unknown, why.clone()),
    }
}
