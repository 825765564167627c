//! The page of what is read is written from the table.

use std::fs;
use std::path::Path;

use quell::cloudflare::KINDS;
use quell::cloudflare::families::families;
use quell::hunt::{Family, Reach};

const HEAD: &str = "# What quell reads of a Cloudflare account

Written from the table in `src/cloudflare/families/` by a test; `QUELL_WRITE_DOCS=1 cargo test --test it families::page`
writes it anew. Every request is held against the published schema. Default filters that hide something are lifted.
Endpoints that answer with a live secret are never called; what a list holds of secrets is masked before it is kept.

What is read *for each of* another family is read once for each of its items. Where more requests than one are named, all
are sent.

A list that moves while it is read, by its counts or by an item that comes on two pages, is read once more; where it moves
again, that is a gap. Of two to five numbered pages all but the last are read twice. What that does not show: of a longer
list, that one item was removed from a page that had been read and another added within the same seconds, so that the count
is as before and the item that moved up past the edge of a page is not seen. Lists with cursors do not move like that.

Read nowhere are: settings of zones beyond those that `zone_settings` names, bot management, notifications that were sent,
logins through Access, and the audit log of a parent organization. What SCIM provisions is read as members and groups.
";

fn page() -> String {
    let mut page = HEAD.to_owned();
    for kind in KINDS {
        page.push_str(&format!("\n## {}\n\n", capital(kind.name)));
        let rows: Vec<String> = families().filter(|entry| entry.kind == kind.name).map(row).collect();
        if rows.is_empty() {
            page.push_str("No list shows it.\n");
        } else {
            page.push_str("| family | what | read | permission |\n|---|---|---|---|\n");
            page.push_str(&rows.concat());
        }
    }
    page
}

fn row(entry: &Family) -> String {
    let mut reads: Vec<String> = entry
        .variants
        .iter()
        .map(|variant| {
            let query: Vec<String> = variant.query.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
            let headers: String = variant.headers.iter().map(|(name, value)| format!(" (`{name}: {value}`)")).collect();
            format!("`{}{query}`{headers}", entry.path.replace("{part}", variant.part))
        })
        .collect();
    reads.extend(entry.detail.map(|detail| format!("then `{detail}`")));
    if let Reach::Of(parent) = entry.reach {
        reads.push(format!("for each of `{parent}`"));
    }
    reads.extend(entry.retired.map(|since| format!("retired {since}")));
    format!("| `{}` | {} | {} | {} |\n", entry.name, entry.title, reads.join("<br>"), entry.permission)
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

#[test]
fn the_page_is_as_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/families.md");
    let page = page();
    if std::env::var_os("QUELL_WRITE_DOCS").is_some() {
        fs::write(&path, &page).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(written == page, "docs/families.md is not as the table; QUELL_WRITE_DOCS=1 writes it");
}
