//! What an input may be, as the account has it: for looking up while somebody types.

use serde_json::Value;

use super::zone_names::ZoneNames;
use crate::cli::prompt::is_plain;
use crate::cloudflare::api::Connected;
use crate::cloudflare::{Named, named};
use crate::escape;
use crate::runbook::InputType;

/// More of them than this fill a screen.
const SHOWN: usize = 15;

/// Names this near are taken for slips of the pen.
const NEAR: f64 = 0.8;

/// Objects of the account that an input may name.
pub(super) struct Candidates {
    what: &'static str,
    /// Name and id.
    known: Vec<(String, String)>,
    /// E-mails of members, where a person may be meant as well.
    people: Vec<String>,
    /// Zones, where all are known: then no other name is one.
    zones: Option<ZoneNames>,
}

impl Candidates {
    /// Those for inputs of this type; `None` where there are none to list, or no list could be read.
    pub(super) async fn of(ty: &InputType, connected: &Connected) -> Option<Self> {
        let mut zones = None;
        let (what, kind) = match ty {
            InputType::CloudflareToken => ("token", Named::Tokens),
            InputType::CloudflareZone | InputType::CloudflareZones => {
                zones = ZoneNames::whole(connected).await;
                ("zone", Named::Zones)
            }
            InputType::CloudflareMember => ("member", Named::Members),
            _ => return None,
        };
        let known = match &zones {
            Some(zones) => zones.known(),
            None => named(kind, &*connected.read).await,
        };
        let people = match ty {
            InputType::CloudflareToken => named(Named::Members, &*connected.read).await,
            _ => Vec::new(),
        };
        let people = people.into_iter().map(|(email, _)| email).collect();
        (!known.is_empty()).then_some(Self { what, known, people, zones })
    }

    /// What `?` and `? WORD` ask for.
    pub(super) fn asked_for(&self, text: &str) -> Option<String> {
        text.strip_prefix('?').map(|wanted| self.listed(wanted.trim()))
    }

    /// Refuses what names a zone that is none of them all, however often it is typed: no step would find it.
    ///
    /// # Errors
    /// What to say instead of taking the value.
    pub(super) fn require(&self, value: &Value) -> Result<(), String> {
        let Some(zones) = self.zones.as_ref().filter(|_| !value.is_null()) else { return Ok(()) };
        zones
            .require(value)
            .map_err(|(message, hint)| format!("{}\n`?` lists them", escape::terminal(&format!("{message}; {hint}"))))
    }

    /// A name that none bears is doubted once.
    ///
    /// # Errors
    /// What to say instead of taking the text.
    pub(super) fn look_up(&self, text: &str) -> Result<(), String> {
        let is_person = self.people.iter().any(|email| email.eq_ignore_ascii_case(text));
        if is_person
            || text.eq_ignore_ascii_case("unknown")
            || self.known.iter().any(|(name, id)| name == text || id == text)
        {
            return Ok(());
        }
        let near = self.known.iter().map(|(name, id)| (strsim::jaro_winkler(name, text), name, id));
        let near = near.filter(|(likeness, ..)| *likeness > NEAR).max_by(|a, b| a.0.total_cmp(&b.0));
        let meant = near.map_or_else(String::new, |(_, name, id)| {
            format!("; did you mean `{}` ({})?", escape::terminal(name), escape::terminal(id))
        });
        Err(format!(
            "no {} that this credential sees is called that{meant}\ntype it once more to keep it, or `?` for a list",
            self.what
        ))
    }

    /// A name that several bear does not say which is meant, however often it is typed.
    ///
    /// # Errors
    /// Which they are, and that an id is wanted.
    pub(super) fn refuse_several(&self, text: &str) -> Result<(), String> {
        let twins: Vec<&(String, String)> = self.known.iter().filter(|(name, _)| name == text).collect();
        if twins.len() < 2 || self.known.iter().any(|(_, id)| id == text) {
            return Ok(());
        }
        let lines = twins.iter().map(|twin| self.line(twin)).collect::<Vec<_>>().join("\n");
        Err(format!("{} {}s are called that; type the id of the one that is meant\n{lines}", twins.len(), self.what))
    }

    fn listed(&self, wanted: &str) -> String {
        let wanted = wanted.to_lowercase();
        // The nearer, the further up.
        let nearness = |(name, id): &(String, String)| {
            let name = name.to_lowercase();
            if name.contains(&wanted) || id.starts_with(&wanted) {
                Some(0)
            } else if strsim::jaro_winkler(&name, &wanted) > NEAR {
                Some(1)
            } else {
                in_order(&wanted, &name).then_some(2)
            }
        };
        let mut found: Vec<_> = self.known.iter().filter_map(|it| Some((nearness(it)?, it))).collect();
        found.sort_by_key(|(nearness, _)| *nearness);
        let mut lines: Vec<String> = found.iter().take(SHOWN).map(|(_, it)| self.line(it)).collect();
        match found.len() {
            0 => lines.push(format!("no {} fits", self.what)),
            more if more > SHOWN => lines.push(format!("and {} more: `? WORD` narrows", more - SHOWN)),
            _ => {}
        }
        lines.join("\n")
    }

    /// One of them, with a word where its name does not tell which it is.
    fn line(&self, (name, id): &(String, String)) -> String {
        let twins = self.known.iter().filter(|(other, _)| other == name).count();
        let warning = match (twins, is_plain(name)) {
            (2.., _) => ": another bears the same name; go by the id",
            (_, false) => ": the name is not plain ASCII and may look like another; go by the id",
            _ => "",
        };
        format!("- {} ({}){warning}", escape::terminal(name), escape::terminal(id))
    }
}

/// Whether the letters of `wanted` stand in `name` in this order, with anything between them.
fn in_order(wanted: &str, name: &str) -> bool {
    let mut letters = name.chars();
    wanted.chars().all(|wanted| letters.any(|letter| letter == wanted))
}

#[cfg(test)]
mod tests {
    use super::{Candidates, in_order};

    #[test]
    fn letters_are_looked_for_in_their_order() {
        for (wanted, found) in [("cdply", true), ("", true), ("ci-deploy", true), ("yc", false), ("ddd", false)] {
            assert_eq!(in_order(wanted, "ci-deploy"), found, "{wanted}");
        }
    }

    #[test]
    fn what_a_name_does_not_tell_is_said_beside_it() {
        let known = [("twin", "1"), ("twin", "2"), ("f\u{43e}rwarder", "3"), ("ci-deploy", "4")];
        let known = known.map(|(name, id)| (name.to_owned(), id.to_owned())).to_vec();
        let candidates = Candidates { what: "token", known, people: vec!["eve@a.example".to_owned()], zones: None };
        assert_eq!(
            candidates.listed(""),
            "- twin (1): another bears the same name; go by the id\n\
             - twin (2): another bears the same name; go by the id\n\
             - f\u{43e}rwarder (3): the name is not plain ASCII and may look like another; go by the id\n\
             - ci-deploy (4)"
        );
        assert_eq!(candidates.listed("cdply"), "- ci-deploy (4)");
        assert!(candidates.refuse_several("twin").unwrap_err().starts_with("2 tokens are called that; type the id"));
        assert!(candidates.look_up("Eve@a.example").is_ok() && candidates.look_up("eva@a.example").is_err());
        assert!(candidates.refuse_several("1").is_ok() && candidates.refuse_several("ci-deploy").is_ok());
    }
}
