//! Which of the two techniques on DNS records an act or a difference is.

use serde_json::Value;

use crate::cloudflare::dns::{Difference as Compared, Record, judge};
use crate::hunt::{AuditEvent, Difference, Item};

/// What the judgement of a difference calls a record that proves control of a name to others.
const OWNERSHIP: &str = "CF-T08";

/// A record that proves control of a name to others, or lets others certify it.
pub(super) fn is_ownership(difference: &Difference) -> bool {
    let record = |item: &Option<Item>| item.as_ref().and_then(|item| Record::read(&item.value["image"]));
    let zone = difference.item().map(|item| item.seat.name.clone()).unwrap_or_default();
    let compared = Compared { before: record(&difference.before), after: record(&difference.after) };
    judge(&compared, &zone).technique == OWNERSHIP
}

/// Any other record.
pub(super) fn is_record(difference: &Difference) -> bool {
    !is_ownership(difference)
}

/// The same of an act, by the record that the log shows.
pub(super) fn of_ownership(event: &AuditEvent) -> bool {
    let zone = event.zone.clone().unwrap_or_default();
    let record = |value: &Option<Value>| value.as_ref().and_then(Record::read);
    let compared = Compared { before: record(&event.before), after: record(&event.after) };
    compared.record().is_some() && judge(&compared, &zone).technique == OWNERSHIP
}

/// Any other record, and acts on many records at once.
pub(super) fn of_record(event: &AuditEvent) -> bool {
    !of_ownership(event)
}
