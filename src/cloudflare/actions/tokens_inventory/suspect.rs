use super::View;
use crate::model::Gap;

/// Names this near are taken for slips of the pen.
const NEAR: f64 = 0.8;

/// What a name or an id that is reported leads to.
#[derive(Debug)]
pub(super) enum Meant {
    /// Nobody knows the suspect.
    Unknown,
    /// This one.
    One(Suspect),
    /// No token, but a person, by e-mail: whoever has their session or key needs no token of theirs.
    Person(String),
    /// The ids of those that bear the name. Which is meant, or whether all are, a person chooses among the candidates.
    Several(Vec<String>),
}

impl Meant {
    /// The suspect, where it is one.
    pub(super) const fn suspect(&self) -> Option<&Suspect> {
        match self {
            Self::One(suspect) => Some(suspect),
            Self::Unknown | Self::Several(_) | Self::Person(_) => None,
        }
    }

    /// The e-mail, where it is a person.
    pub(super) fn person(&self) -> Option<&str> {
        match self {
            Self::Person(email) => Some(email),
            Self::Unknown | Self::One(_) | Self::Several(_) => None,
        }
    }

    /// The name, where nothing bears it.
    pub(super) fn unheard(&self) -> Option<&Unheard> {
        self.suspect()?.unheard.as_ref()
    }

    /// Whether any token may be the suspect.
    pub(super) fn is_open(&self) -> bool {
        self.person().is_none() && self.suspect().is_none_or(|suspect| suspect.unheard.is_some())
    }

    /// What the name says of the token with this id, where it is not the only one of the name.
    pub(super) fn says_of(&self, id: &str) -> Option<&'static str> {
        match self {
            Self::Several(ids) => ids.iter().any(|it| it == id).then_some("it is called as the suspect is"),
            Self::Unknown | Self::One(_) | Self::Person(_) => {
                let is_near = self.unheard()?.near.as_deref() == Some(id);
                is_near.then_some("its name is nearly the suspect's")
            }
        }
    }
}

/// The token that is reported as compromised.
#[derive(Debug)]
pub(super) struct Suspect {
    /// Its id.
    pub(super) id: String,
    /// Where it cannot be seen: that, and what it may mean.
    pub(super) gap: Option<Gap>,
    /// Where neither a list nor the log has its name.
    pub(super) unheard: Option<Unheard>,
}

/// A name that nothing bears. It may be another member's own token, or a slip of the pen: it is followed as a suspect whose
/// id is not known, and what else may be meant is offered beside it.
#[derive(Debug)]
pub(super) struct Unheard {
    /// The name.
    pub(super) name: String,
    /// Id of the token whose name is the nearest to it.
    pub(super) near: Option<String>,
}

impl Unheard {
    /// Whether it stands in the place of this id.
    pub(super) fn is(&self, id: &str) -> bool {
        self.name == id
    }
}

impl View<'_> {
    /// The suspect by id or name.
    pub(super) fn meant(&self, wanted: &str) -> Meant {
        if wanted.is_empty() || wanted.eq_ignore_ascii_case("unknown") {
            return Meant::Unknown;
        }
        if let Some(token) = self.seen.get(wanted) {
            return Meant::One(Suspect { id: token.id.clone(), gap: None, unheard: None });
        }
        let id = match self.called(wanted).as_slice() {
            [id] => id.clone(),
            [] if self.is_person(wanted) => return Meant::Person(wanted.to_owned()),
            [] => return Meant::One(self.unheard_of(wanted)),
            // An intruder may give its tokens the suspect's name, also after the first cut: that must stop nobody.
            several => match self.cut.iter().find(|token| several.contains(&token.id)) {
                Some(cut) => cut.id.clone(),
                None => return Meant::Several(several.to_vec()),
            },
        };
        Meant::One(Suspect { gap: self.unseen(&id, wanted), id, unheard: None })
    }

    /// Ids of the tokens of this name or id, in the lists and in the log.
    fn called(&self, wanted: &str) -> Vec<String> {
        let listed = self.seen.tokens.iter().filter(|token| token.name == wanted).map(|token| &token.id);
        let used = self.events.iter().filter_map(|event| {
            let id = event.token_id.as_ref()?;
            (id == wanted || event.token_name.as_deref() == Some(wanted)).then_some(id)
        });
        let made = self.events.iter().filter_map(|event| event.resource_id.as_ref().filter(|id| *id == wanted));
        let mut ids: Vec<String> = Vec::new();
        for id in listed.chain(used).chain(made) {
            if !ids.contains(id) {
                ids.push(id.clone());
            }
        }
        ids
    }

    /// Whoever can see the token may still cut it. Of an id that is all there is to say. A name may be a slip of the pen: so
    /// it stands for the token until its id turns up, and what it is like is told.
    fn unheard_of(&self, wanted: &str) -> Suspect {
        let id = wanted.to_owned();
        let mut gap = self.unseen(wanted, wanted);
        if wanted.len() == 32 && wanted.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Suspect { id, gap, unheard: None };
        }
        let near = self.seen.tokens.iter().map(|token| (strsim::jaro_winkler(&token.name, wanted), token));
        let near = near.filter(|(likeness, _)| *likeness > NEAR).max_by(|a, b| a.0.total_cmp(&b.0));
        let near = near.map(|(_, token)| token);
        let mut more = Vec::new();
        if self.events.is_empty() {
            more.push("the audit log, which may know it, was not read".to_owned());
        }
        if let Some(token) = near {
            more.push(format!("did you mean `{}` ({})?", token.name, token.id));
        }
        more.push(
            "if the name is wrong, choose what is meant among the candidates of the next cut, or `quell do \
             cloudflare.token.disable --with tokens=ID`, and keep this as a wrong name"
                .to_owned(),
        );
        if let Some(gap) = &mut gap {
            gap.reason = format!("{}; {}", gap.reason, more.join("; "));
        }
        let near = near.map(|token| token.id.clone());
        Suspect { unheard: Some(Unheard { name: id.clone(), near }), id, gap }
    }

    fn unseen(&self, id: &str, wanted: &str) -> Option<Gap> {
        let is_known = self.seen.get(id).is_some() || self.seen.is_gone(id, self.owner(id).as_deref());
        (!is_known).then(|| Gap {
            family: "tokens".to_owned(),
            scope: wanted.to_owned(),
            reason: self.seen.why_unseen("the suspect"),
            permission: None,
        })
    }
}
