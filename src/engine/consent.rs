use crate::escape::is_hard_to_type;
use crate::model::{Danger, Digest, Effect};

/// What a person must type before anything is sent, sized to the harm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConsentMode {
    /// `y`, with no as the default.
    YesNo,
    /// The step's id.
    StepId(String),
    /// The target's name, its id, or where these cannot be typed safely a short code.
    Target {
        /// What is asked for.
        shown: String,
        /// All that is taken for it.
        accepted: Vec<String>,
    },
    /// Verb and number: `rotate 12`.
    Count {
        /// The verb.
        verb: String,
    },
}

impl ConsentMode {
    /// The mode for `effects` of the step `step_id`. `at_least` may ask for more than the danger does, never less.
    pub fn of(step_id: &str, verb: &str, effects: &[&Effect], at_least: Option<Danger>) -> Self {
        if effects.len() > 1 {
            return Self::Count { verb: verb.to_owned() };
        }
        let danger = effects
            .iter()
            .map(|effect| effect.danger)
            .max()
            .unwrap_or(Danger::Observe)
            .max(at_least.unwrap_or(Danger::Observe));
        match (danger, effects.first()) {
            (Danger::Irreversible, Some(effect)) => {
                let target = &effect.target;
                let code = short_code(&effect.digest());
                let shown = if target.ambiguous || is_hard_to_type(&target.name) { code } else { target.name.clone() };
                Self::Target { accepted: vec![shown.clone(), target.id.clone()], shown }
            }
            (Danger::Disruptive, _) => Self::StepId(step_id.to_owned()),
            _ => Self::YesNo,
        }
    }

    /// What to type, where `chosen` rows are chosen.
    pub fn phrase(&self, chosen: usize) -> String {
        match self {
            Self::YesNo => "y".to_owned(),
            Self::StepId(id) => id.clone(),
            Self::Target { shown, .. } => shown.clone(),
            Self::Count { verb } => format!("{verb} {chosen}"),
        }
    }

    /// Whether `typed` is consent to `chosen` rows.
    pub fn accepts(&self, typed: &str, chosen: usize) -> bool {
        let typed = typed.trim();
        match self {
            Self::YesNo => matches!(typed, "y" | "yes" | "Y"),
            Self::Target { accepted, .. } => accepted.iter().any(|wanted| wanted == typed),
            Self::StepId(_) | Self::Count { .. } => typed == self.phrase(chosen),
        }
    }
}

/// Six characters that stand for an effect whose target's name cannot be typed.
pub fn short_code(digest: &Digest) -> String {
    digest.as_str()[..6].to_uppercase()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::ConsentMode;
    use crate::model::{ByHand, Call, Danger, Effect, EffectKey, Radius, Target};

    fn effect(name: &str, danger: Danger, ambiguous: bool) -> Effect {
        Effect {
            key: EffectKey::new("k"),
            action: "a".into(),
            target: Target { kind: "token".into(), id: "id-1".into(), name: name.into(), ambiguous },
            summary: String::new(),
            danger,
            call: Call::Hand(ByHand::new("")),
            before: Value::Null,
            after: Value::Null,
            radius: Radius::default(),
            consequences: Vec::new(),
            facts: Vec::new(),
            preselected: true,
            undo: None,
            resolves: None,
        }
    }

    #[test]
    fn the_phrase_grows_with_the_danger() {
        for (danger, phrase) in
            [(Danger::Reversible, "y"), (Danger::Disruptive, "cut"), (Danger::Irreversible, "ci-deploy")]
        {
            assert_eq!(
                ConsentMode::of("cut", "disable", &[&effect("ci-deploy", danger, false)], None).phrase(1),
                phrase
            );
        }
        let stricter =
            ConsentMode::of("cut", "disable", &[&effect("ci", Danger::Reversible, false)], Some(Danger::Irreversible));
        assert_eq!(stricter.phrase(1), "ci");
    }

    #[test]
    fn a_name_that_cannot_be_typed_is_replaced_by_a_code() {
        for (name, ambiguous) in
            [("сi-deploy", false), ("a\u{1b}[2J", false), ("", false), ("twin", true), (" ci", false)]
        {
            let mode = ConsentMode::of("cut", "disable", &[&effect(name, Danger::Irreversible, ambiguous)], None);
            assert_eq!(mode.phrase(1).len(), 6, "{name}");
            assert!(mode.accepts(&mode.phrase(1), 1) && mode.accepts("id-1", 1) && !mode.accepts(name, 1));
        }
    }

    #[test]
    fn a_list_wants_verb_and_number() {
        let (one, two) = (effect("a", Danger::Reversible, false), effect("b", Danger::Irreversible, false));
        let mode = ConsentMode::of("rotate-now", "rotate", &[&one, &two], None);
        assert!(mode.accepts("rotate 2", 2) && mode.accepts(" rotate 1 ", 1));
        assert!(!mode.accepts("rotate 2", 1) && !mode.accepts("y", 2) && !mode.accepts("", 2));
    }
}
