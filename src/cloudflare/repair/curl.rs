use super::Request;
use crate::model::World;

/// A command line for a POSIX shell that makes the request with the token in `$CLOUDFLARE_API_TOKEN`; where the run acts with
/// a token that it made itself, whose id is `own`, with that one: what the environment has may be cut, or be the intruder's.
/// Without its value the shell says how to come by it, and sends nothing.
///
/// It goes where `$CLOUDFLARE_BASE_URL` says; without that to Cloudflare, if that is the world that was looked at, and
/// nowhere otherwise: what was rehearsed must not be tried on a real account.
pub fn curl(request: &Request, world: &World, own: Option<&str>) -> String {
    let base = match world {
        World::Live(host) if host == "api.cloudflare.com" => ":-https://api.cloudflare.com/client/v4",
        _ => ":?must name the API that was looked at",
    };
    let bearer = match own.filter(|own| own.bytes().all(|byte| byte.is_ascii_alphanumeric())) {
        Some(own) => {
            format!("${{QUELL_RUN_TOKEN:?is to hold the token of this run, which quell secrets reveal {own} shows}}")
        }
        None => "$CLOUDFLARE_API_TOKEN".to_owned(),
    };
    let mut command = format!(
        "curl -sS -X {} \"${{CLOUDFLARE_BASE_URL{base}}}\"{} -H \"Authorization: Bearer {bearer}\"",
        request.method,
        quoted(&request.path),
    );
    if let Some(body) = &request.body {
        command.push_str(" -H 'Content-Type: application/json' --data-raw ");
        command.push_str(&quoted(&ascii(&body.to_string())));
    }
    command
}

/// One word for a POSIX shell, whatever it holds.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// JSON in printable ASCII, so that it can be shown, copied and pasted without loss.
fn ascii(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if c == ' ' || c.is_ascii_graphic() {
            out.push(c);
        } else {
            // Such characters stand only inside strings: everything else in JSON is ASCII.
            c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| out.push_str(&format!("\\u{unit:04x}")));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::{Request, curl};
    use crate::model::World;

    /// What a shell makes of a command line: the words that curl would get.
    fn words(command: &str) -> Vec<String> {
        let script = format!("curl() {{ printf '%s\\0' \"$@\"; }}; {command}");
        let done = Command::new("sh")
            .args(["-c", &script])
            .env("CLOUDFLARE_API_TOKEN", "secret")
            .env_remove("CLOUDFLARE_BASE_URL")
            .output();
        let words = done.map(|done| String::from_utf8_lossy(&done.stdout).into_owned()).unwrap_or_default();
        words.split_terminator('\0').map(str::to_owned).collect()
    }

    fn command(body: Value) -> String {
        let request = Request { method: "PATCH", path: "/zones/z/dns_records/r".into(), body: Some(body) };
        curl(&request, &World::Live("api.cloudflare.com".into()), None)
    }

    #[test]
    fn the_command_is_what_the_documentation_shows() {
        let expected = "curl -sS -X PATCH \"${CLOUDFLARE_BASE_URL:-https://api.cloudflare.com/client/v4}\"'/zones/z/dns_records/r' \
                        -H \"Authorization: Bearer $CLOUDFLARE_API_TOKEN\" -H 'Content-Type: application/json' \
                        --data-raw '{\"content\":\"192.0.2.31\"}'";
        assert_eq!(command(json!({ "content": "192.0.2.31" })), expected);
        let words = words(expected);
        assert_eq!(words[3], "https://api.cloudflare.com/client/v4/zones/z/dns_records/r");
        assert_eq!(words[5], "Authorization: Bearer secret");
    }

    #[test]
    fn a_rehearsed_command_goes_nowhere_by_itself() {
        let request = Request { method: "DELETE", path: "/zones/z".into(), body: None };
        let command = curl(&request, &World::Rehearsal("leaked-token".into()), None);
        assert!(!command.contains("api.cloudflare.com"));
        assert!(words(&command).is_empty());
    }

    #[test]
    fn a_run_that_acts_with_a_token_of_its_own_names_that_one_and_how_to_come_by_it() {
        let request = Request { method: "DELETE", path: "/zones/z".into(), body: None };
        let command = curl(&request, &World::Live("api.cloudflare.com".into()), Some("8a186ff6"));
        assert!(!command.contains("CLOUDFLARE_API_TOKEN"), "{command}");
        let shell = |value: Option<&str>| {
            let mut shell = Command::new("sh");
            shell
                .args(["-c", &format!("curl() {{ printf '%s\\n' \"$@\"; }}; {command}")])
                .env_remove("QUELL_RUN_TOKEN");
            shell.envs(value.map(|value| ("QUELL_RUN_TOKEN", value)));
            let done = shell.output().unwrap_or_else(|error| panic!("{error}"));
            [done.stdout, done.stderr].map(|text| String::from_utf8_lossy(&text).into_owned())
        };
        let [sent, said] = shell(None);
        assert!(sent.is_empty() && said.contains("quell secrets reveal 8a186ff6"), "{sent}{said}");
        assert!(shell(Some("new"))[0].contains("Authorization: Bearer new\n"));
    }

    #[test]
    fn nothing_in_a_value_runs() {
        for evil in ["'; touch /tmp/x; '", "$(id)`id`", "a\nb\u{1b}[2J\u{202e}", "\\'\\", "-H @/etc/passwd", "😀'"] {
            let body = json!({ "content": evil });
            let command = command(body.clone());
            assert!(command.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()), "{command}");
            let words = words(&command);
            assert_eq!(words.len(), 10, "{words:?}");
            assert_eq!(words.last().and_then(|word| serde_json::from_str(word).ok()), Some(body));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn every_value_arrives_as_it_is(text in any::<String>()) {
            let body = json!({ "comment": text });
            let words = words(&command(body.clone()));
            prop_assert_eq!(words.last().and_then(|word| serde_json::from_str::<Value>(word).ok()), Some(body));
        }
    }
}
