//! What an input may be, as the account has it: for looking up while somebody types.

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
}

impl Candidates {
    /// Those for inputs of this type; `None` where there are none to list, or no list could be read.
    pub(super) async fn of(ty: &InputType, connected: &Connected) -> Option<Self> {
        let (what, kind) = match ty {
            InputType::CloudflareToken => ("token", Named::Tokens),
            InputType::CloudflareZone => ("zone", Named::Zones),
            InputType::CloudflareMember => ("member", Named::Members),
            _ => return None,
        };
        let known = named(kind, &*connected.read).await;
        (!known.is_empty()).then_some(Self { what, known })
    }

    /// `?` and `? WORD` list them; a name that none bears is doubted once.
    ///
    /// # Errors
    /// What to say instead of taking the text.
    pub(super) fn look_up(&self, text: &str) -> Result<(), String> {
        if let Some(wanted) = text.strip_prefix('?') {
            return Err(self.listed(wanted.trim()));
        }
        if text.eq_ignore_ascii_case("unknown") || self.known.iter().any(|(name, id)| name == text || id == text) {
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

    fn listed(&self, wanted: &str) -> String {
        let wanted = wanted.to_lowercase();
        let fits = |(name, id): &&(String, String)| {
            let name = name.to_lowercase();
            name.contains(&wanted) || id.starts_with(&wanted) || strsim::jaro_winkler(&name, &wanted) > NEAR
        };
        let found: Vec<&(String, String)> = self.known.iter().filter(fits).collect();
        let mut lines: Vec<String> = found
            .iter()
            .take(SHOWN)
            .map(|(name, id)| format!("- {} ({})", escape::terminal(name), escape::terminal(id)))
            .collect();
        match found.len() {
            0 => lines.push(format!("no {} fits", self.what)),
            more if more > SHOWN => lines.push(format!("and {} more: `? WORD` narrows", more - SHOWN)),
            _ => {}
        }
        lines.join("\n")
    }
}
