//! From the model to Markdown.

use super::model::ReportModel;
use super::{TEMPLATE, blocks, template};
use crate::escape;

/// Why a report could not be written. Nothing is lost: the earlier report is not touched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReportError {
    /// The template cannot be read, or names what the report does not have.
    #[error("the template fails{}: {what}", place(*at))]
    Template {
        /// Line and column, from 1, where they are known.
        at: Option<(usize, usize)>,
        /// What is wrong.
        what: String,
    },
    /// People's blocks in the earlier report, or in what the template wrote, cannot be told apart.
    #[error("line {line} of {whose}: {what}")]
    Blocks {
        /// `the earlier report` or `the new report`.
        whose: &'static str,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        what: String,
    },
}

fn place(at: Option<(usize, usize)>) -> String {
    at.map(|(line, column)| format!(" at line {line}, column {column}")).unwrap_or_default()
}

/// Writes `model` through `template`, or [`TEMPLATE`]. What people wrote into the blocks of `previous` is kept.
pub fn render(model: &ReportModel, template: Option<&str>, previous: Option<&str>) -> Result<String, ReportError> {
    let context = serde_json::to_value(model)
        .map_err(|error| ReportError::Template { at: None, what: format!("the report cannot be read: {error}") })?;
    let body = template::fill(template.unwrap_or(TEMPLATE), &context)?;
    let unreadable =
        |whose| move |fault: blocks::Unreadable| ReportError::Blocks { whose, line: fault.line, what: fault.what };
    blocks::check(&body).map_err(unreadable("the new report"))?;
    let body = match previous {
        Some(previous) => blocks::keep(&body, previous).map_err(unreadable("the earlier report"))?,
        None => body,
    };
    Ok(frame(model, &body))
}

/// Puts around the body what no template may leave out.
fn frame(model: &ReportModel, body: &str) -> String {
    let watermark = model.rehearsal.as_ref().map(|scenario| {
        format!(
            "> **REHEARSAL — NOT A REAL INCIDENT.** Scenario {}. Nothing outside this machine was touched.\n",
            escape::markdown_code(scenario)
        )
    });
    let mut out = String::new();
    if let Some(watermark) = &watermark {
        out.push_str(watermark);
        out.push('\n');
    }
    if !model.damage.is_empty() {
        out.push_str("> **WARNING: THE RECORD OF THIS INCIDENT IS DAMAGED.** Entries or evidence were changed,\n");
        out.push_str(
            "> removed or added, or cannot be read. Nothing below can be relied on until that is explained.\n>\n",
        );
        for damage in &model.damage {
            out.push_str(&format!("> * {}: {}\n", escape::markdown(&damage.kind), escape::markdown(&damage.detail)));
        }
        out.push('\n');
    }
    out.push_str(body.trim_end());
    out.push('\n');
    if let Some(watermark) = &watermark {
        out.push('\n');
        out.push_str(watermark);
    }
    out
}
