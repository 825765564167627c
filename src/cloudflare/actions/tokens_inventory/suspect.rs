use super::View;
use crate::action::StepError;
use crate::model::Gap;

/// Names this near are taken for slips of the pen.
const NEAR: f64 = 0.8;

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
    /// The suspect by id or name; `None` where nobody knows it.
    pub(super) fn suspect(&self, wanted: &str) -> Result<Option<Suspect>, StepError> {
        if wanted.is_empty() || wanted.eq_ignore_ascii_case("unknown") {
            return Ok(None);
        }
        if let Some(token) = self.seen.get(wanted) {
            return Ok(Some(Suspect { id: token.id.clone(), gap: None, unheard: None }));
        }
        let id = match self.called(wanted).as_slice() {
            [id] => id.clone(),
            [] => return Ok(Some(self.unheard_of(wanted))),
            // An intruder may give its tokens the suspect's name, also after the first cut: that must stop nobody.
            several => match self.cut.iter().find(|token| several.contains(&token.id)) {
                Some(cut) => cut.id.clone(),
                None => {
                    return Err(StepError::new(format!("{} tokens are called `{wanted}`", several.len()))
                        .hint(format!("begin a new run that names one by its id: {}", several.join(", "))));
                }
            },
        };
        Ok(Some(Suspect { gap: self.unseen(&id, wanted), id, unheard: None }))
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
