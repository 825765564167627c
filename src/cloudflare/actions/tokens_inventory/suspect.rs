use super::View;
use crate::action::StepError;
use crate::model::Gap;

/// The token that is reported as compromised.
#[derive(Debug)]
pub(super) struct Suspect {
    /// Its id.
    pub(super) id: String,
    /// Where it cannot be seen: that, and what it may mean.
    pub(super) gap: Option<Gap>,
}

impl View<'_> {
    /// The suspect by id or name; `None` where nobody knows it.
    pub(super) fn suspect(&self, wanted: &str) -> Result<Option<Suspect>, StepError> {
        if wanted.is_empty() || wanted.eq_ignore_ascii_case("unknown") {
            return Ok(None);
        }
        if let Some(token) = self.seen.get(wanted) {
            return Ok(Some(Suspect { id: token.id.clone(), gap: None }));
        }
        let id = match self.called(wanted).as_slice() {
            [id] => id.clone(),
            [] => return self.unheard_of(wanted),
            // An intruder may give its tokens the suspect's name, also after the first cut: that must stop nobody.
            several => match self.cut.iter().find(|token| several.contains(&token.id)) {
                Some(cut) => cut.id.clone(),
                None => {
                    return Err(StepError::new(format!("{} tokens are called `{wanted}`", several.len()))
                        .hint(format!("begin a new run that names one by its id: {}", several.join(", "))));
                }
            },
        };
        Ok(Some(Suspect { gap: self.unseen(&id, wanted), id }))
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

    /// An id is good enough to go on with: whoever can see the token may still cut it. A name may be a slip of the pen.
    fn unheard_of(&self, wanted: &str) -> Result<Option<Suspect>, StepError> {
        if wanted.len() == 32 && wanted.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Ok(Some(Suspect { id: wanted.to_owned(), gap: self.unseen(wanted, wanted) }));
        }
        if let Some(unread) = self.seen.unread() {
            return Err(StepError::new(format!("no token `{wanted}` is to be seen, but not every list is: {unread}"))
                .hint("give its id, or resume with a credential that may list these tokens"));
        }
        let near = self.seen.tokens.iter().map(|token| (strsim::jaro_winkler(&token.name, wanted), token));
        let near = near.filter(|(likeness, _)| *likeness > 0.8).max_by(|a, b| a.0.total_cmp(&b.0));
        let error = StepError::new(format!("neither the lists of tokens nor the log has a token `{wanted}`"));
        Err(match near {
            Some((_, token)) => error.hint(format!("did you mean `{}` ({})?", token.name, token.id)),
            None => error.hint(
                "give its id; if it is another member's own token, only that member or the member's removal can cut it",
            ),
        })
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
