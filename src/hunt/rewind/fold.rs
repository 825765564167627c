//! Writes taken back one by one, the newest first.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::Value;

use super::Certainty;
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
    /// What a whole one is known to have: the fields of the resource as it is. None where it is gone.
    pub(super) fields: Option<BTreeSet<String>>,
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
        let part = || Some(PART.to_owned());
        let told = Item { id: self.id.to_owned(), ..self.family.item(self.seat, old.clone()) };
        let (Value::Object(old_fields), Some(fields)) = (old, told.value.as_object()) else {
            return Form::There(told, part());
        };
        let is_made_up = |field: &str| {
            let mut made_up = self.family.made_up.iter();
            made_up.any(|(source, made)| made.contains(&field) && !old_fields.contains_key(*source))
        };
        let is_known = |field: &String| fields.contains_key(field) && !is_made_up(field);
        let says = |pointer: &str| pointer.is_empty() || at(old, pointer).is_some();
        let is_whole = match &self.fields {
            Some(whole) => whole.iter().all(is_known),
            // What an answer of the API always has is there.
            None => says(self.family.created) && says(self.family.modified) && fields.keys().all(is_known),
        };
        if is_whole {
            return Form::There(told, None);
        }
        let known = fields.iter().filter(|(field, _)| !is_made_up(field));
        let Form::There(rest, _) = after else {
            let value = known.map(|(field, was)| (field.clone(), was.clone())).collect();
            return Form::There(Item { value: Value::Object(value), ..told }, part());
        };
        if let Some(raw) = (self.family.overlaid)(&rest.value, old) {
            return Form::There(Item { id: rest.id, ..self.family.item(self.seat, raw) }, part());
        }
        let mut value = rest.value.clone();
        if let Some(value) = value.as_object_mut() {
            for (field, was) in known {
                value.insert(field.clone(), was.clone());
            }
        }
        Form::There(Item { value, ..rest }, part())
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
