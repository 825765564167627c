/// The names behind `root` in the paths of a text: for `steps`, that is `cut` in `{{len steps.cut.rows}}`. Finds every
/// one, and also what only looks like a path.
pub fn named<'t>(root: &str, text: &'t str) -> impl Iterator<Item = &'t str> {
    text.match_indices(root).filter_map(|(at, root)| {
        let rest = text[at + root.len()..].strip_prefix(['.', '/'])?;
        let rest = rest.strip_prefix('[').unwrap_or(rest);
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_')));
        Some(&rest[..end.unwrap_or(rest.len())]).filter(|name| !name.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use super::named;

    #[test]
    fn every_way_to_write_a_path_is_found() {
        let text = r#"{{#if steps.cut.done}}{{@root.steps/look/x}} {{steps.[ask-1].y}}{{/if}} steps. inputs.who {"from":"steps.a"}"#;
        assert_eq!(named("steps", text).collect::<Vec<_>>(), ["cut", "look", "ask-1", "a"]);
        assert_eq!(named("inputs", text).collect::<Vec<_>>(), ["who"]);
    }
}
