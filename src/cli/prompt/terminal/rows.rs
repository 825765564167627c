//! Consent to a list: choose rows, say verb and number, account for the rest.

use std::sync::PoisonError;

use super::Terminal;
use super::dialogue::{Judged, Prompted, answer};
use crate::cli::console::count;
use crate::cli::prompt::consent::{consented, typed_phrase};
use crate::cli::prompt::list::disposition;
use crate::cli::prompt::{Command, Selection, chosen_text, list_text};
use crate::engine::{Chosen, ConsentRequest, Reply};
use crate::journal::Left;
use crate::model::{Digest, Disposition, Effect};

impl Terminal {
    pub(super) async fn consent_to_rows(&self, request: &ConsentRequest<'_>) -> Reply<Chosen> {
        let effects = &request.effects;
        let shown: Vec<Digest> = effects.iter().map(|effect| effect.digest()).collect();
        let mut selection = match self.remembered.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some((among, selection)) if among == shown => selection,
            _ => Selection::proposed(effects),
        };
        self.screen.say(&list_text(request, &selection, &self.screen.style()));
        let prompted = Prompted::consent(request.step.path.as_str(), effects.clone()).of(request.step);
        let judge = |line: &str| {
            let number = selection.number();
            match (consented(&request.mode, line, number), selection.command(line)) {
                (Some(_), _) if number == 0 && !request.proposed.account_for_rest => {
                    Judged::Again("no row is chosen; to leave them all, type `none`".to_owned())
                }
                (Some(phrase), _) => Judged::Take(phrase),
                // Said where none is chosen, it is the answer.
                (None, Some(Ok(Command::None))) if number == 0 && !request.proposed.account_for_rest => {
                    Judged::Take(String::new())
                }
                (None, Some(Ok(command))) => {
                    selection.apply(&command);
                    let text = if command == Command::List { list_text } else { chosen_text };
                    Judged::Again(text(request, &selection, &self.screen.style()))
                }
                (None, Some(Err(why))) => Judged::Again(why),
                // A number behind the verb says how many, and is easily taken for the row.
                (None, None) if number == 0 && !request.proposed.account_for_rest => Judged::Again(
                    "nothing was done: no row is chosen; type the row's number first, or `none` to leave them all"
                        .to_owned(),
                ),
                (None, None) if number == 0 => Judged::Again(format!(
                    "nothing was done: no row is chosen; type the row's number first, or `{}` to say of every row what \
                     becomes of it",
                    typed_phrase(&request.mode, 0)
                )),
                (None, None) => {
                    let phrase = typed_phrase(&request.mode, number);
                    Judged::Again(format!("nothing was done; {number} chosen, so type `{phrase}` to do it"))
                }
            }
        };
        let phrase = match answer(self.talk(&prompted, judge).await) {
            Ok(phrase) => phrase,
            Err(other) => {
                if matches!(other, Reply::Note(..)) {
                    *self.remembered.lock().unwrap_or_else(PoisonError::into_inner) = Some((shown, selection));
                }
                return other;
            }
        };
        let (chosen, rest): (Vec<_>, Vec<_>) = effects.iter().enumerate().partition(|(at, _)| selection.has(*at));
        let left = if request.proposed.account_for_rest {
            match answer(self.account_for(request.step.path.as_str(), &rest).await) {
                Ok(left) => left,
                Err(other) => return other,
            }
        } else {
            let let_be = || Disposition::Keep { reason: Disposition::NOT_CHOSEN.to_owned() };
            rest.iter().map(|(_, effect)| Left { effect: effect.key.clone(), disposition: let_be() }).collect()
        };
        let effects = chosen.into_iter().map(|(_, effect)| effect.key.clone()).collect();
        Reply::Go(Chosen { effects, left, phrase })
    }

    /// Asks of every row that is left who sees to it, or why it stays.
    async fn account_for(&self, id: &str, rest: &[(usize, &&Effect)]) -> Reply<Vec<Left>> {
        let mut left = Vec::new();
        let mut for_all: Option<Disposition> = None;
        if !rest.is_empty() {
            let each = format!(
                "{} not chosen; nothing is sent before each has an owner or a reason",
                count(rest.len(), "row")
            );
            self.say(&each);
        }
        let expected = "type `later OWNER` or `keep REASON`; add `for all` to say it of all that are left";
        for (at, effect) in rest {
            let disposition = match &for_all {
                Some(disposition) => disposition.clone(),
                None => {
                    self.say(&format!("row {}: {} ({})", at + 1, effect.target.name, effect.target.id));
                    self.say(expected);
                    let prompted = Prompted::plain(id, vec![effect]);
                    let judge = |line: &str| match disposition(line) {
                        Some(said) => Judged::Take(said),
                        None => Judged::Again(expected.to_owned()),
                    };
                    match answer(self.talk(&prompted, judge).await) {
                        Ok((disposition, all)) => {
                            if all {
                                for_all = Some(disposition.clone());
                            }
                            disposition
                        }
                        // Skipping a row that is not chosen can only mean to keep it.
                        Err(Reply::Skip(reason)) => Disposition::Keep { reason },
                        Err(other) => return other,
                    }
                }
            };
            left.push(Left { effect: effect.key.clone(), disposition });
        }
        Reply::Go(left)
    }
}
