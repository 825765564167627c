//! What holds for every entry, whatever it lists.

use std::collections::BTreeSet;

use quell::cloudflare::KINDS;
use quell::cloudflare::families::{families, family};
use quell::hunt::{Part, Reach, Shape, none_of};
use quell::provider::Paging;

#[test]
fn names_and_titles_are_unique_and_fit_their_places() {
    let mut names = BTreeSet::new();
    let mut titles = BTreeSet::new();
    for entry in families() {
        let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        assert!(!entry.name.is_empty() && entry.name.chars().all(is_word), "{}", entry.name);
        assert!(names.insert(entry.name), "{} is there twice", entry.name);
        assert!(!entry.title.is_empty() && titles.insert(entry.title), "{}: {}", entry.name, entry.title);
        assert!(!entry.permission.is_empty(), "{} says not who may read it", entry.name);
    }
    assert!(names.len() > 130, "only {} families", names.len());
    assert!(family("dns_records").is_some() && family("nothing").is_none());
}

#[test]
fn what_belongs_to_another_comes_after_it() {
    let mut seen = BTreeSet::new();
    for entry in families() {
        if let Reach::Of(parent) = entry.reach {
            assert!(seen.contains(parent), "{} comes before its parent {parent}", entry.name);
            assert!(family(parent).unwrap().shape != Shape::One, "{} belongs to an item without id", entry.name);
        }
        seen.insert(entry.name);
    }
}

/// The zone in which an entry sits, itself or by its parents.
fn is_in_zone(reach: Reach) -> bool {
    match reach {
        Reach::Zone => true,
        Reach::Of(parent) => is_in_zone(family(parent).unwrap().reach),
        Reach::User | Reach::Account => false,
    }
}

#[test]
fn every_brace_is_known_and_filled() {
    for entry in families() {
        let texts = [entry.path].into_iter().chain(entry.detail);
        let values = entry.variants.iter().flat_map(|variant| variant.query).map(|(_, value)| *value);
        for text in texts.chain(values) {
            let mut rest = text.replace("{account}", "");
            if is_in_zone(entry.reach) {
                rest = rest.replace("{zone}", "");
            }
            if matches!(entry.reach, Reach::Of(_)) {
                rest = rest.replace("{parent}", "");
            }
            if Some(text) == entry.detail {
                rest = rest.replace("{id}", "");
            }
            if entry.variants.iter().all(|variant| !variant.part.is_empty()) {
                rest = rest.replace("{part}", "");
            }
            assert!(none_of(&rest), "{}: what fills {text}?", entry.name);
        }
        assert!(!entry.variants.is_empty(), "{} asks nothing", entry.name);
        assert!(entry.path.starts_with('/') && !entry.path.ends_with('/'), "{}", entry.path);
        if matches!(entry.reach, Reach::Of(_)) {
            assert!(entry.path.contains("{parent}"), "{} does not ask for its parent", entry.name);
        }
        if entry.reach == Reach::Zone {
            let names_it = entry.variants.iter().flat_map(|variant| variant.query).any(|(_, value)| *value == "{zone}");
            assert!(entry.path.contains("{zone}") || names_it, "{} does not ask for its zone", entry.name);
        }
    }
}

#[test]
fn keys_and_pointers_are_well_formed() {
    for entry in families() {
        assert!(entry.kin <= entry.key.len(), "{}", entry.name);
        let has_items = matches!(entry.shape, Shape::List(_));
        assert!(!has_items || !entry.id.is_empty() || !entry.key.is_empty(), "{} tells no two apart", entry.name);
        let parts = entry.key.iter().filter_map(|part| match part {
            Part::At(pointer) => Some(*pointer),
            Part::All => None,
        });
        for pointer in parts.chain([entry.id, entry.created, entry.modified]).chain(entry.label.iter().copied()) {
            assert!(pointer.is_empty() || pointer.starts_with('/'), "{}: {pointer}", entry.name);
        }
        let page = match entry.shape {
            Shape::List(Paging::Pages { per_page } | Paging::CursorAfter { per_page }) => per_page,
            Shape::List(Paging::Cursor { size: (_, size) }) => size,
            _ => 1,
        };
        assert!(page > 0, "{}", entry.name);
        assert!(entry.detail.is_none() || !entry.id.is_empty(), "{} has a detail of what?", entry.name);
    }
}

#[test]
fn every_family_belongs_to_a_kind_and_every_listed_kind_has_one() {
    for entry in families() {
        let kind = KINDS.iter().find(|kind| kind.name == entry.kind);
        assert!(kind.is_some_and(|kind| kind.is_listed), "{} is of no kind: {}", entry.name, entry.kind);
    }
    for kind in KINDS.iter().filter(|kind| kind.is_listed) {
        assert!(families().any(|entry| entry.kind == kind.name), "nothing lists {}", kind.name);
    }
    let names: BTreeSet<&str> = KINDS.iter().map(|kind| kind.name).collect();
    assert_eq!(names.len(), KINDS.len());
}
