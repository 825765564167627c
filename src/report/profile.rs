//! For whom a report is: with everything, or without what only the team should read.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use regex::Regex;
use serde_json::Value;

use super::ReportModel;
use crate::model::{plain_address, plain_email};

/// The report as others may read it. One thing has one stand-in throughout, so that the text still says what happened.
///
/// What people write between the marks of the report is theirs, and is not looked at.
///
/// # Errors
/// The report cannot be rewritten; then nothing of it must be shown.
pub(super) fn public(model: &ReportModel) -> Result<ReportModel, PublicError> {
    let mut hidden = Hidden::new(model)?;
    let mut value = serde_json::to_value(model)?;
    hidden.rewrite(&mut value);
    Ok(serde_json::from_value(value)?)
}

/// Why a report cannot be made fit for others.
#[derive(Debug, thiserror::Error)]
pub enum PublicError {
    /// It does not survive being rewritten.
    #[error("the report cannot be rewritten: {0}")]
    Shape(#[from] serde_json::Error),
    /// A name makes no pattern.
    #[error("a name cannot be looked for: {0}")]
    Name(#[from] regex::Error),
}

struct Hidden {
    /// What stands for whom.
    people: Vec<(Regex, String)>,
    email: Regex,
    id: Regex,
    address: Regex,
    home: Regex,
    /// Addresses that stay: they are what others must look for.
    hostile: BTreeSet<String>,
    /// Stand-ins that were given, by kind and what they stand for.
    given: BTreeMap<(&'static str, String), usize>,
}

impl Hidden {
    fn new(model: &ReportModel) -> Result<Self, regex::Error> {
        let mut names: Vec<&str> =
            model.incident.people.iter().map(|who| who.split(" (").next().unwrap_or(who)).collect();
        names.extend(model.incident.attested_by.iter().map(String::as_str));
        names.extend(model.incident.accepted_by.iter().map(String::as_str));
        names.extend(model.incident.accepted_before.iter().map(String::as_str));
        names.push(&model.incident.opened_by);
        let mut seen = BTreeSet::new();
        names.retain(|name| !name.trim().is_empty() && seen.insert(*name));
        let mut people: Vec<(usize, Regex, String)> = Vec::new();
        for (at, name) in names.iter().enumerate() {
            // At the edge of a word, where the name has one.
            let edge = |c: Option<char>| if c.is_some_and(char::is_alphanumeric) { r"\b" } else { "" };
            let pattern =
                format!("{}{}{}", edge(name.chars().next()), regex::escape(name), edge(name.chars().next_back()));
            people.push((name.len(), Regex::new(&pattern)?, format!("responder {}", at + 1)));
        }
        // A longer name may hold a shorter one.
        people.sort_by_key(|(length, ..)| std::cmp::Reverse(*length));
        Ok(Self {
            people: people.into_iter().map(|(_, name, stand_in)| (name, stand_in)).collect(),
            email: Regex::new(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")?,
            id: Regex::new(r"\b[0-9a-f]{32}\b")?,
            address: Regex::new(r"[0-9A-Fa-f:.]*[0-9A-Fa-f:]")?,
            home: Regex::new(r"(?:/home|/Users)/[^/\s]+|/root\b")?,
            hostile: model.radius.addresses.iter().map(|address| plain_address(address)).collect(),
            given: BTreeMap::new(),
        })
    }

    fn rewrite(&mut self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.text(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.rewrite(item)),
            Value::Object(fields) => fields.values_mut().for_each(|field| self.rewrite(field)),
            _ => {}
        }
    }

    fn text(&mut self, text: &str) -> String {
        let mut text = text.to_owned();
        for (name, stand_in) in &self.people {
            text = name.replace_all(&text, stand_in.as_str()).into_owned();
        }
        let (email, id, home) = (self.email.clone(), self.id.clone(), self.home.clone());
        text = email
            .replace_all(&text, |found: &regex::Captures<'_>| self.stand_in("mailbox", &plain_email(&found[0])))
            .into_owned();
        text = id.replace_all(&text, |found: &regex::Captures<'_>| self.stand_in("id", &found[0])).into_owned();
        text = home.replace_all(&text, "~").into_owned();
        let address = self.address.clone();
        let stand_in = |found: &regex::Captures<'_>| {
            // Most of what is made of these characters is a number or a time.
            let is_own = found[0].parse::<IpAddr>().is_ok() && !self.hostile.contains(&plain_address(&found[0]));
            if is_own { self.stand_in("address", &plain_address(&found[0])) } else { found[0].to_owned() }
        };
        address.replace_all(&text, stand_in).into_owned()
    }

    fn stand_in(&mut self, kind: &'static str, of: &str) -> String {
        let next = 1 + self.given.keys().filter(|(known, _)| *known == kind).count();
        format!("{kind}-{}", self.given.entry((kind, of.to_owned())).or_insert(next))
    }
}

#[cfg(test)]
mod tests {
    use super::public;
    use crate::report::{IncidentFacts, Radius, ReportModel};

    #[test]
    fn people_mailboxes_ids_and_own_addresses_have_one_stand_in_each() {
        let id = "8a186ff66f91651bf74db1820580a0ef";
        let model = ReportModel {
            incident: IncidentFacts {
                people: vec!["Sam (scribe)".into(), "Samira".into()],
                ..IncidentFacts::default()
            },
            radius: Radius { addresses: vec!["203.0.113.9".into()], ..Radius::default() },
            summary: vec![
                format!("Samira and Sam saw the Same token {id} used from 203.0.113.9, 198.51.100.7 and 2001:db8::1"),
                format!("at 14:05:00 in version 0.1.0: {id} of maya@harborlane.example, from /home/samira/incidents"),
                format!("198.51.100.7 again; digest {id}{id}"),
            ],
            ..ReportModel::default()
        };
        let shown = public(&model).unwrap();
        assert_eq!(
            shown.summary,
            [
                "responder 2 and responder 1 saw the Same token id-1 used from 203.0.113.9, address-1 and address-2"
                    .to_owned(),
                "at 14:05:00 in version 0.1.0: id-1 of mailbox-1, from ~/incidents".to_owned(),
                format!("address-1 again; digest {id}{id}"),
            ]
        );
        assert_eq!(shown.incident.people, ["responder 1 (scribe)", "responder 2"]);
    }
}
