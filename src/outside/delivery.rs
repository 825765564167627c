//! Secrets on their way to where the team keeps them.

use std::fs;
use std::io;
use std::path::Path;

use super::process::{self, Command};
use super::{Handed, Hindrance};
use crate::durable;
use crate::model::{Outcome, Verdict};
use crate::provider::Answer;
use crate::secret::Secret;

/// Nothing that is said of a command shows that the secret has arrived.
pub(super) const UNSEEN: &str = "quell cannot look whether it arrived";

/// A delivery with what it needs.
pub(super) enum Ready {
    Command(Command),
    File(std::path::PathBuf),
}

/// What speaks against writing a new file at `path`.
pub(super) fn check_file(path: &Path) -> Result<(), Hindrance> {
    match path.symlink_metadata() {
        Ok(_) => {
            let why = format!("there is a file already at {}", path.display());
            return Err(Hindrance::new(
                why,
                "nothing is ever overwritten: move it away, or name another file in the sink",
            ));
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => {
            let why = format!("cannot look at {}: {error}", path.display());
            return Err(Hindrance::new(why, "mend the permissions, or name another file in the sink"));
        }
    }
    match durable::parent(path) {
        Ok(dir) if dir.is_dir() => Ok(()),
        _ => {
            let dir = path.parent().unwrap_or(path).display();
            Err(Hindrance::new(format!("there is no directory {dir}"), format!("make it: `mkdir -m 700 {dir}`")))
        }
    }
}

/// Whether the file at `path` is the secret, byte for byte.
pub(super) fn is_there(path: &Path, secret: &Secret) -> Verdict {
    match fs::read(path) {
        Ok(bytes) if bytes == secret.expose().as_bytes() => Verdict::Holds("read back: it is there".to_owned()),
        Ok(_) => Verdict::DoesNotHold("what is there is something else".to_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Verdict::DoesNotHold("there is no such file".to_owned())
        }
        Err(error) => Verdict::CannotTell(format!("it cannot be read: {error}")),
    }
}

/// Carries a delivery out, once.
pub(super) async fn carry_out(ready: Ready, secret: Secret) -> Handed {
    match ready {
        Ready::Command(command) => told(process::run(Command { stdin: Some(secret), ..command }).await),
        Ready::File(path) => {
            let writing = tokio::task::spawn_blocking(move || write(&path, &secret));
            writing.await.unwrap_or_else(|error| unknown(format!("the task that wrote it ended early: {error}")))
        }
    }
}

/// A new file is wholly there or not at all.
fn write(path: &Path, secret: &Secret) -> Handed {
    match durable::write_new(path, secret.expose().as_bytes(), 0o600) {
        Ok(()) => Handed { outcome: Outcome::Applied, seen: is_there(path, secret).detail().to_owned() },
        Err(error) => Handed {
            outcome: Outcome::NotSent(format!("cannot write {}: {error}", path.display())),
            seen: String::new(),
        },
    }
}

fn told(answer: Answer) -> Handed {
    match answer {
        Answer::Ended(ended) => match ended.outcome(&[0]) {
            Outcome::Applied => {
                Handed { outcome: Outcome::Applied, seen: format!("it ended with exit code 0; {UNSEEN}") }
            }
            outcome => Handed { outcome, seen: String::new() },
        },
        Answer::NotSent(why) => Handed { outcome: Outcome::NotSent(why), seen: String::new() },
        Answer::Lost(why) => unknown(why),
        Answer::Received { .. } | Answer::CutOff { .. } | Answer::Simulated(_) => {
            unknown("something else than a command answered".to_owned())
        }
    }
}

fn unknown(why: String) -> Handed {
    Handed { outcome: Outcome::Unknown(why), seen: String::new() }
}

#[cfg(test)]
mod tests {
    use super::{Verdict, check_file, is_there};
    use crate::secret::Secret;

    #[test]
    fn a_file_is_looked_at_before_and_after() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        let secret = Secret::new("a secret");
        assert_eq!(check_file(&path), Ok(()));
        assert!(check_file(&dir.path().join("gone/token")).unwrap_err().hint.contains("mkdir -m 700"));
        assert!(matches!(is_there(&path, &secret), Verdict::DoesNotHold(_)));
        std::fs::write(&path, "a secret").unwrap();
        assert!(matches!(is_there(&path, &secret), Verdict::Holds(_)));
        assert!(check_file(&path).unwrap_err().why.contains("already"));
        std::fs::write(&path, "a secret\n").unwrap();
        assert!(matches!(is_there(&path, &secret), Verdict::DoesNotHold(_)));
        std::os::unix::fs::symlink("nowhere", dir.path().join("link")).unwrap();
        assert!(check_file(&dir.path().join("link")).is_err(), "a link that leads nowhere is something too");
    }
}
