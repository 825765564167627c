//! What the language's words mean, for its reference. That none is missing is a test's business.

/// Types of inputs, each with its values.
pub const INPUT_TYPES: &[(&str, &str)] = &[
    ("string", "a line of text"),
    ("bool", "`true` or `false`; at a prompt also `yes` and `no`"),
    ("integer", "a whole number"),
    ("timestamp", "a moment: `2026-11-23T14:05:00Z`, `2026-11-23 14:05Z`, or `20m ago`; kept in UTC"),
    ("duration", "a length of time: `15m`, `1h 30m`"),
    ("ip", "an IP address, version 4 or 6"),
    ("cidr", "a range of IP addresses: `192.0.2.0/24`, `2001:db8::/32`"),
    ("email", "an e-mail address"),
    ("choice", "one of `choices`"),
    ("list", "several texts; from text, separated by commas"),
    ("path", "a file or directory of this machine, whether it is there or not"),
    ("file", "a file that is there; its value is the full path, and the run is bound to what is in it"),
    ("secret", "typed without echo, or from the environment; kept nowhere, masked everywhere"),
    (
        "cloudflare.token",
        "a token, by its name or id, or `unknown`; `value`: a leaked one is pasted; `?`, `? WORD` list what there is",
    ),
    ("cloudflare.zone", "a zone, by its name or id; looked up likewise, and refused like those of `cloudflare.zones`"),
    (
        "cloudflare.zones",
        "zones, by their names or ids, separated by commas; one that is not in the account's whole list is refused before a \
         run begins",
    ),
    ("cloudflare.member", "a member, by the e-mail address; looked up likewise"),
];

/// Helpers of templates and conditions, each as it is called and with what it gives.
pub const HELPERS: &[(&str, &str)] = &[
    (
        "{{#if VALUE}} … {{else}} … {{/if}}",
        "the first part where the value counts as yes, else the second, which may be left out",
    ),
    ("{{#unless VALUE}} … {{/unless}}", "the part where it counts as no"),
    (
        "{{#each LIST}} … {{/each}}",
        "the part once for each item: inside it `this` is the item, `name` its field, `@index` its place, and paths from \
         the root begin with `@root.`",
    ),
    ("{{#with VALUE}} … {{/with}}", "the part with the value's fields at hand"),
    ("(lookup VALUE KEY)", "a field or item whose name is itself a value"),
    ("(eq A B)", "whether the two are the same"),
    ("(ne A B)", "whether they differ"),
    ("(gt A B)", "whether the number `A` is greater"),
    ("(gte A B)", "greater or the same"),
    ("(lt A B)", "less"),
    ("(lte A B)", "less or the same"),
    ("(and A B …)", "whether all count as yes"),
    ("(or A B …)", "whether one does"),
    ("(not A)", "whether it counts as no"),
    (
        "(any A B …)",
        "whether one counts as yes; what has no value, since its step failed or was skipped, counts as no and is no error",
    ),
    ("(len VALUE)", "how many items a list has, fields a table, characters a text"),
    ("{{json VALUE}}", "the value as JSON: the way to write a list or a table into text"),
    ("{{md VALUE}}", "the value as text in which nothing acts as Markdown"),
    ("{{join LIST \", \"}}", "the items with the separator between; a comma without one"),
    ("{{default VALUE \"OTHER\"}}", "the value, or the other one where there is none"),
    (
        "{{time MOMENT \"72h\"}}",
        "the moment as `2026-11-23 14:05 UTC`, so much later; `\"-30m\"` is earlier, and without a length it is as it stands",
    ),
];

#[cfg(test)]
mod tests {
    use super::{HELPERS, INPUT_TYPES};
    use crate::runbook::{input, template};

    #[test]
    fn every_type_and_every_helper_is_explained() {
        let types: Vec<&str> = INPUT_TYPES.iter().map(|(name, _)| *name).collect();
        assert_eq!(types, input::NAMES);
        let word = |usage: &str| {
            usage.trim_start_matches(['{', '#', '(']).split([' ', '}', ')']).next().unwrap_or_default().to_owned()
        };
        let helpers: Vec<String> = HELPERS.iter().map(|(usage, _)| word(usage)).collect();
        assert_eq!(helpers, template::HELPERS);
    }
}
