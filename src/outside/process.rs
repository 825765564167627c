//! The one place where a program is started.

use std::os::unix::process::ExitStatusExt;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin};
use tokio::task::JoinHandle;
// A program lives in real time, so it is this and not the run's clock that says when it has had enough of it.
use tokio::time::{sleep, timeout};

use crate::provider::{Answer, Ended, Ending};
use crate::secret::{Redactor, Secret, SecretBytes};

/// Bytes that are kept of each of the two outputs.
const MOST_KEPT: usize = 1 << 20;

/// Where an output was cut, the end of what was kept may be the beginning of a secret, which no mask recognises. No
/// variable is longer than this. Bytes.
const UNSAFE_END: usize = 128 << 10;

/// Characters that are kept of the last line of standard error.
const MOST_LAST_WORDS: usize = 200;

/// Between the request to end and the kill.
const GRACE: Duration = Duration::from_secs(5);

/// How often it is looked whether the program has followed the request.
const STEP: Duration = Duration::from_millis(20);

/// How long outputs are read on after the program has ended: something that it left running may hold them open.
const LINGER: Duration = Duration::from_secs(1);

/// A program to run, with its secrets.
pub(super) struct Command {
    pub(super) argv: Vec<String>,
    /// All that it gets; of two with one name the later counts.
    pub(super) env: Vec<(String, Secret)>,
    pub(super) stdin: Option<Secret>,
    pub(super) cwd: Option<String>,
    /// Seconds.
    pub(super) timeout: u64,
    pub(super) redactor: Arc<Redactor>,
}

/// Runs a program in a process group of its own, to its end or to its timeout.
pub(super) async fn run(command: Command) -> Answer {
    let mut child = match start(&command) {
        Ok(child) => child,
        Err(why) => return Answer::NotSent(why),
    };
    let feeding = child.stdin.take().zip(command.stdin).map(|(pipe, text)| tokio::spawn(feed(pipe, text)));
    let stdout = child.stdout.take().map(Draining::start);
    let stderr = child.stderr.take().map(Draining::start);
    let how = match timeout(Duration::from_secs(command.timeout), child.wait()).await {
        Ok(Ok(status)) => ending(status),
        Ok(Err(error)) => Ending::Unknown(format!("its end could not be seen: {error}")),
        Err(_) => {
            end_group(&mut child).await;
            Ending::Killed(command.timeout)
        }
    };
    if let Some(feeding) = feeding {
        feeding.abort();
    }
    let (stdout, stdout_cut) = Draining::finish(stdout, &command.redactor).await;
    let (stderr, stderr_cut) = Draining::finish(stderr, &command.redactor).await;
    let last_words = last_words(&command.redactor, &stderr);
    let cut = stdout_cut || stderr_cut;
    Answer::Ended(Ended { how, stdout: SecretBytes::new(stdout), stderr: SecretBytes::new(stderr), last_words, cut })
}

/// An error means that nothing was run.
fn start(command: &Command) -> Result<Child, String> {
    let [program, arguments @ ..] = command.argv.as_slice() else {
        return Err("there is no program to run".to_owned());
    };
    let mut process = tokio::process::Command::new(program);
    process
        .args(arguments)
        .env_clear()
        .envs(command.env.iter().map(|(name, value)| (name, value.expose())))
        .process_group(0)
        .stdin(if command.stdin.is_some() { Stdio::piped() } else { Stdio::null() })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if let Some(dir) = &command.cwd {
        process.current_dir(dir);
    }
    process.spawn().map_err(|error| {
        let place = command.cwd.as_ref().map(|dir| format!(" in `{dir}`")).unwrap_or_default();
        format!("cannot start `{program}`{place}: {error}")
    })
}

fn ending(status: ExitStatus) -> Ending {
    match (status.code(), status.signal()) {
        (Some(code), _) => Ending::Code(code),
        (None, Some(signal)) => Ending::Signal(signal),
        (None, None) => Ending::Unknown(format!("it ended with {status}")),
    }
}

/// A program that does not read all of it may have done its work all the same.
async fn feed(mut pipe: ChildStdin, text: Secret) {
    let _ = pipe.write_all(text.expose().as_bytes()).await;
}

/// Ends the program and all that it started, as far as that has stayed in its group.
async fn end_group(child: &mut Child) {
    let id = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    if let Some(group) = id {
        // Whoever is gone already needs no signal.
        let _ = kill_process_group(group, Signal::TERM);
        let asked = timeout(GRACE, async {
            while !has_ended(group) {
                sleep(STEP).await;
            }
        });
        let _ = asked.await;
        // The leader has not been waited for, so the group's number cannot have passed to somebody else.
        let _ = kill_process_group(group, Signal::KILL);
    }
    let _ = timeout(GRACE, child.wait()).await;
}

/// Whether a child has ended; leaves it to be waited for.
fn has_ended(child: Pid) -> bool {
    let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    !matches!(waitid(WaitId::Pid(child), look), Ok(None))
}

/// Reads an output to its end, so that the program never waits for room, and keeps the beginning.
struct Draining {
    kept: Arc<Mutex<Kept>>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Kept {
    bytes: Vec<u8>,
    cut: bool,
}

impl Draining {
    fn start(mut pipe: impl AsyncRead + Unpin + Send + 'static) -> Self {
        let kept = Arc::new(Mutex::new(Kept::default()));
        let shared = kept.clone();
        let task = tokio::spawn(async move {
            let mut buffer = vec![0; 16 << 10];
            while let Ok(read @ 1..) = pipe.read(&mut buffer).await {
                let mut kept = shared.lock().unwrap_or_else(PoisonError::into_inner);
                let room = MOST_KEPT - kept.bytes.len();
                kept.cut |= read > room;
                kept.bytes.extend_from_slice(&buffer[..read.min(room)]);
            }
        });
        Self { kept, task }
    }

    /// What was kept, and whether there was more.
    async fn finish(draining: Option<Self>, redactor: &Redactor) -> (Vec<u8>, bool) {
        let Some(Self { kept, mut task }) = draining else { return Default::default() };
        let whole = timeout(LINGER, &mut task).await.is_ok();
        task.abort();
        let Kept { bytes, cut } = std::mem::take(&mut *kept.lock().unwrap_or_else(PoisonError::into_inner));
        if whole && !cut {
            return (bytes, false);
        }
        let mut masked = redactor.redact_bytes(&bytes);
        if cut {
            masked.truncate(masked.len().saturating_sub(UNSAFE_END));
        }
        (masked, true)
    }
}

/// The last line with something in it, masked before it is shortened.
fn last_words(redactor: &Redactor, stderr: &[u8]) -> String {
    let text = redactor.redact_bytes(stderr);
    let text = String::from_utf8_lossy(&text);
    let line = text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
    line.trim().chars().take(MOST_LAST_WORDS).collect()
}
