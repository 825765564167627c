/// `1 token`, `2 tokens`, `3 families`.
pub fn count(number: usize, one: &str) -> String {
    if number == 1 {
        return format!("1 {one}");
    }
    match one.strip_suffix('y') {
        Some(stem) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{number} {stem}ies"),
        _ => format!("{number} {one}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::count;

    #[test]
    fn one_is_one_and_more_are_many() {
        let told = [(1, "family"), (0, "family"), (2, "day"), (1, "token"), (12, "token")].map(|(n, it)| count(n, it));
        assert_eq!(told, ["1 family", "0 families", "2 days", "1 token", "12 tokens"]);
    }
}
