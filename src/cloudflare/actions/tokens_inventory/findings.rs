use serde_json::Value;

use super::View;
use crate::cloudflare::tokens::{ACCOUNT, Grip, Held, Provisioner, Tampering, Token, TokenRef};
use crate::hunt::{AuditEvent, attribute};
use crate::model::{Attribution, Change, Digest, Finding, FindingStatus, Resource, Severity, Source};

impl View<'_> {
    /// What is wrong with the tokens that the intruder holds or changed, and with those that came back.
    pub(super) fn findings(&self, held: &Held<'_>, revived: &[TokenRef], evidence: &[Digest]) -> Vec<Finding> {
        let gripped = held.tokens.iter().map(|grip| match (grip.made, grip.used) {
            (Some(made), _) => self.child_finding(grip, made, held),
            (None, Some(used)) => self.used_finding(grip, used),
            (None, None) => self.suspect_finding(grip, held),
        });
        let tampered = held.tampered.iter().map(|tampering| self.tampering_finding(tampering));
        let revived = revived.iter().map(|token| self.revival_finding(token));
        let findings = gripped.chain(tampered).chain(revived);
        findings.map(|finding| Finding { evidence: evidence.to_vec(), ..finding }).collect()
    }

    /// Names a token in the intruder's hands for the steps that cut it.
    pub(super) fn suspected(&self, grip: &Grip<'_>, held: &Held<'_>) -> TokenRef {
        let mut why = match grip.made {
            None if grip.used.is_some() => "used from where only the intruder is".to_owned(),
            None if self.is_reported(&grip.id) => "reported".to_owned(),
            None => "chosen in this incident as the intruder's".to_owned(),
            Some(made) if grip.sure => format!("made by {}", maker(made)),
            Some(made) if made.token_id.is_some() => {
                format!("made by {}, of which nobody can say who used it then", maker(made))
            }
            Some(made) if is_intruders(made, held) => "made without a token from the intruder's address".to_owned(),
            Some(_) => "made without a token from where the intruder's was used, nobody can say by whom".to_owned(),
        };
        if self.is_revived(&grip.id) {
            why.push_str(", cut, and active again");
        }
        if let Some(provisioner) = self.provisioner(&grip.id) {
            why.push_str(&format!(", minted by {provisioner}"));
        }
        TokenRef { sure: grip.sure, ..self.reference(&grip.id, why, finding_id(self.technique(grip), &grip.id)) }
    }

    /// Names a token that the intruder changed.
    pub(super) fn tampered(&self, tampering: &Tampering<'_>) -> TokenRef {
        let (technique, done) = done_to(tampering);
        let why = match tampering.sure {
            true => format!("{done} by the intruder"),
            false => format!("{done} with a token of the intruder's, of which nobody can say who used it then"),
        };
        let reference = self.reference(&tampering.id, why, finding_id(technique, &tampering.id));
        // Without a token only the address speaks for the intruder.
        TokenRef { sure: tampering.sure && tampering.act.token_id.is_some(), ..reference }
    }

    /// Names a token that was cut and is active again.
    pub(super) fn revived(&self, token: &TokenRef) -> TokenRef {
        self.reference(&token.id, "active again".to_owned(), revival_id(&token.id))
    }

    /// Whether somebody named this token at the start, and it was not chosen from the candidates.
    fn is_reported(&self, id: &str) -> bool {
        id == self.reported || self.name(id) == self.reported
    }

    fn reference(&self, id: &str, why: String, finding: String) -> TokenRef {
        // What brought it back is dealt with by cutting it again; its first finding is contained already.
        let finding = if self.is_revived(id) { revival_id(id) } else { finding };
        TokenRef { owner: self.owner(id), why: Some(why), finding: Some(finding), ..TokenRef::new(id, &self.name(id)) }
    }

    fn provisioner(&self, id: &str) -> Option<&Provisioner> {
        self.seen.get(id)?.provisioner.as_ref()
    }

    fn technique(&self, grip: &Grip<'_>) -> &'static str {
        match (grip.made, self.owner(&grip.id).as_deref()) {
            (None, _) => "CF-I01",
            (Some(_), None | Some(ACCOUNT)) => "CF-I03",
            (Some(_), Some(_)) => "CF-I02",
        }
    }

    fn suspect_finding(&self, grip: &Grip<'_>, held: &Held<'_>) -> Finding {
        let principal = held.principals.iter().find(|principal| principal.token_id == grip.id);
        let (hostile, honest) = principal.map_or((&[][..], &[][..]), |it| (&it.hostile_ips, &it.honest_ips));
        let (mixed, open) = principal.map_or((&[][..], &[][..]), |it| (&it.mixed_ips, &it.open_ips));
        let used = self.events.iter().filter(|event| {
            event.token_id.as_ref() == Some(&grip.id) && event.ip.as_ref().is_some_and(|ip| hostile.contains(ip))
        });
        let used: Vec<&AuditEvent> = used.collect();
        let first = used.iter().min_by_key(|event| event.at).copied();
        let whence = match self.is_reported(&grip.id) {
            true => "is reported as compromised",
            false => "was chosen in this incident as the intruder's",
        };
        let mut detail = match used.len() {
            0 if self.events.is_empty() => {
                format!("The token {whence}; the audit log was not read, so where it was used is not known.")
            }
            0 => format!("The token {whence}; the log shows no use of it that is surely the intruder's."),
            count => format!("The token was used {count} times from {}.", hostile.join(", ")),
        };
        if !used.is_empty() && !honest.is_empty() {
            detail.push_str(&format!(" It was in honest use from {} as well.", honest.join(", ")));
        }
        if !mixed.is_empty() {
            detail.push_str(&format!(
                " It was new at {}, where others worked before: ask who used it there.",
                mixed.join(", ")
            ));
        }
        if !open.is_empty() {
            let why = match honest {
                [] if self.before.is_empty() => {
                    "What was usual before the window is not known (`seen_before` tells it), so that nothing tells the \
                     intruder's use from that of others"
                }
                [] => "No earlier use of it is known, so that nothing tells the intruder's use from that of others",
                _ => "It was used as ever, if from new addresses",
            };
            detail.push_str(&format!(" {why}: ask who used it from {}.", open.join(", ")));
        }
        let attribution = match (used.is_empty(), mixed.is_empty() && open.is_empty()) {
            (false, _) => Attribution::Intruder,
            (true, false) => Attribution::Shared,
            (true, true) => Attribution::Unattributed,
        };
        Finding { attribution, ..self.finding("CF-I01", &grip.id, Severity::Critical, Change::Changed, detail, first) }
    }

    fn used_finding(&self, grip: &Grip<'_>, used: &AuditEvent) -> Finding {
        let ip = used.ip.as_deref().unwrap_or_default();
        let detail = format!(
            "The token was used from {ip}, where only the intruder is known to have been: whoever holds the reported one \
             holds it as well. Ask its owner."
        );
        self.finding("CF-I01", &grip.id, Severity::Critical, Change::Changed, detail, Some(used))
    }

    fn child_finding(&self, grip: &Grip<'_>, made: &AuditEvent, held: &Held<'_>) -> Finding {
        let is_intruders = grip.sure || is_intruders(made, held);
        let (severity, mut detail) = if grip.sure {
            (Severity::Critical, format!("The token was made by {}, which the intruder holds.", maker(made)))
        } else if made.token_id.is_some() {
            let detail = format!(
                "The token was made by {}, which the intruder holds. No earlier use of that is known, so that nothing tells \
                 whether it was the intruder: ask who made it.",
                maker(made)
            );
            (Severity::High, detail)
        } else if is_intruders {
            let detail = "The token was made without a token from an address of the intruder. The address may be shared: ask \
                          who made it.";
            (Severity::High, detail.to_owned())
        } else {
            let detail = "The token was made without a token, from an address where one was used that the intruder holds. No \
                          earlier use of that is known, so that nothing tells whether it was the intruder: ask who made it.";
            (Severity::High, detail.to_owned())
        };
        if let Some(provisioner) = self.provisioner(&grip.id) {
            detail.push_str(&format!(" It was minted by {provisioner}: no list shows who consented to that."));
        }
        let finding = self.finding(self.technique(grip), &grip.id, severity, Change::Added, detail, Some(made));
        let attribution = if is_intruders { Attribution::Intruder } else { Attribution::Shared };
        Finding { attribution, ..finding }
    }

    fn tampering_finding(&self, tampering: &Tampering<'_>) -> Finding {
        let (technique, done) = done_to(tampering);
        let (severity, detail) = match tampering.rolled {
            _ if !tampering.sure => {
                let detail = format!(
                    "The token was {done} with a token that the intruder holds. No earlier use of that is known, so that \
                     nothing tells whether it was the intruder: ask who did it."
                );
                (Severity::High, detail)
            }
            Some(at) => {
                let detail = format!(
                    "The intruder rolled the token at {at}: it holds the secret since, and its consumers do not."
                );
                (Severity::Critical, detail)
            }
            None => {
                let detail =
                    "The intruder changed what the token may do. A roll keeps that: its policies must be put back.";
                (Severity::High, detail.to_owned())
            }
        };
        let attribution = if tampering.sure { Attribution::Intruder } else { Attribution::Shared };
        let finding = self.finding(technique, &tampering.id, severity, Change::Changed, detail, Some(tampering.act));
        Finding { attribution, ..finding }
    }

    fn revival_finding(&self, token: &TokenRef) -> Finding {
        let detail = "The token was disabled in this incident and is active again: somebody who may edit tokens brought it \
                      back.";
        let mut finding =
            self.finding("CF-I04", &token.id, Severity::Critical, Change::Changed, detail.to_owned(), None);
        finding.id = revival_id(&token.id);
        finding.sources = vec![Source::Diff];
        // Each time that it comes back is news.
        if let (Some(after), Some(token)) = (&mut finding.after, self.seen.get(&token.id)) {
            after["modified_on"] = token.modified_on.map(|at| at.to_string()).into();
        }
        finding
    }

    fn finding(
        &self,
        technique: &str,
        id: &str,
        severity: Severity,
        change: Change,
        detail: String,
        act: Option<&AuditEvent>,
    ) -> Finding {
        Finding {
            id: finding_id(technique, id),
            technique: technique.to_owned(),
            severity,
            status: FindingStatus::Open,
            family: "tokens".to_owned(),
            change,
            resource: Resource { id: id.to_owned(), name: self.name(id), zone: None },
            actor: act.map(AuditEvent::actor).unwrap_or_default(),
            attribution: Attribution::Intruder,
            detail,
            at: act.map(|event| event.at),
            before: None,
            after: self.seen.get(id).map(without_status),
            evidence: Vec::new(),
            sources: vec![Source::Audit],
        }
    }
}

/// The status changes by what quell itself does, and must not make the same finding a new one.
fn without_status(token: &Token) -> Value {
    let mut image = token.image();
    if let Some(map) = image.as_object_mut() {
        map.remove("status");
    }
    image
}

/// The technique that was used on a token of somebody else, and what was done in a word.
const fn done_to(tampering: &Tampering<'_>) -> (&'static str, &'static str) {
    if tampering.rolled.is_some() { ("CF-I05", "rolled") } else { ("CF-I04", "changed") }
}

/// Whether the log tells that it was the intruder.
fn is_intruders(act: &AuditEvent, held: &Held<'_>) -> bool {
    attribute(act, &held.principals) == Attribution::Intruder
}

fn maker(made: &AuditEvent) -> String {
    let named = made.token_name.as_ref().or(made.token_id.as_ref()).or(made.email.as_ref());
    named.map_or_else(|| "somebody".to_owned(), |name| format!("`{name}`"))
}

/// Whether a finding is of a token of somebody else that the intruder changed or rolled.
pub(super) fn is_of_tampering(id: &str) -> bool {
    ["CF-I04:tokens:", "CF-I05:tokens:"].iter().any(|begin| id.starts_with(begin)) && !id.ends_with(":revived")
}

fn finding_id(technique: &str, id: &str) -> String {
    format!("{technique}:tokens:{id}")
}

fn revival_id(id: &str) -> String {
    format!("CF-I04:tokens:{id}:revived")
}
