use std::io;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rustix::io::{Errno, ioctl_fionread};
use rustix::termios::{QueueSelector, tcflush, tcgetattr};
use tokio::sync::Mutex;
use tokio::sync::mpsc as channel;

use crate::provider::BoxFuture;

/// What came from whoever types.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Typed {
    /// A line, without its end. Bytes that are not UTF-8 are replaced.
    Line(String),
    /// The end of input: Ctrl-D.
    End,
    /// The terminal is gone.
    Gone,
}

/// Where typed lines come from. A port, so that dialogues can be tested without a terminal.
pub trait TypedLines: Send + Sync {
    /// Throws away what was typed and not yet read.
    fn discard(&self);

    /// Waits for a line. Dropping the future loses nothing: the line goes to the next call.
    fn line(&self) -> BoxFuture<'_, Typed>;

    /// Waits a moment and says whether more than the line just read has come: several lines were pasted.
    fn more(&self) -> BoxFuture<'_, bool>;
}

/// The terminal's own line editing, on stdin.
///
/// Lines are read as the kernel gives them: backspace, Ctrl-U and Ctrl-W work on any terminal, at any width, without
/// a single escape sequence. Ctrl-D on an empty line is the end. Ctrl-C is a signal and none of this type's business.
///
/// One thread reads, and only when asked to. A wait that was given up leaves it reading; what it then gets goes to the
/// next wait, so no two readers ever compete for a line.
pub struct Keyboard {
    reader: Mutex<Reader>,
}

struct Reader {
    ask: mpsc::Sender<()>,
    lines: channel::UnboundedReceiver<Typed>,
    is_reading: bool,
}

/// Longest wait for the rest of a paste: the terminal hands it over at once, SSH in a few packets.
const PASTE: Duration = Duration::from_millis(40);

impl Keyboard {
    /// Reads stdin, which must be a terminal; fails where no thread can be had.
    pub fn stdin() -> io::Result<Self> {
        let (ask, asked) = mpsc::channel::<()>();
        let (line, lines) = channel::unbounded_channel();
        thread::Builder::new().name("keyboard".into()).spawn(move || {
            while asked.recv().is_ok() {
                if line.send(read_line()).is_err() {
                    return;
                }
            }
        })?;
        Ok(Self { reader: Mutex::new(Reader { ask, lines, is_reading: false }) })
    }
}

impl TypedLines for Keyboard {
    fn discard(&self) {
        // Not a terminal any more: then there is nothing to throw away either.
        let _ = tcflush(io::stdin(), QueueSelector::IFlush);
        if let Ok(mut reader) = self.reader.try_lock() {
            while reader.lines.try_recv().is_ok() {
                reader.is_reading = false;
            }
        }
    }

    fn line(&self) -> BoxFuture<'_, Typed> {
        Box::pin(async {
            let mut reader = self.reader.lock().await;
            if !reader.is_reading {
                if reader.ask.send(()).is_err() {
                    return Typed::End;
                }
                reader.is_reading = true;
            }
            let typed = reader.lines.recv().await.unwrap_or(Typed::End);
            reader.is_reading = false;
            typed
        })
    }

    fn more(&self) -> BoxFuture<'_, bool> {
        Box::pin(async {
            tokio::time::sleep(PASTE).await;
            ioctl_fionread(io::stdin()).is_ok_and(|bytes| bytes > 0)
        })
    }
}

/// One line. In the terminal's line mode a read ends at the line's end, so nothing beyond it is taken.
fn read_line() -> Typed {
    let mut line = Vec::new();
    let mut chunk = [0; 1024];
    loop {
        match rustix::io::read(io::stdin(), &mut chunk) {
            Ok(0) if line.is_empty() && tcgetattr(io::stdin()).is_err() => return Typed::Gone,
            Ok(0) if line.is_empty() => return Typed::End,
            Ok(0) => break,
            Ok(length) => line.extend_from_slice(&chunk[..length]),
            Err(Errno::INTR) => {}
            Err(_) => return Typed::Gone,
        }
        if line.ends_with(b"\n") {
            break;
        }
    }
    Typed::Line(String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned())
}
