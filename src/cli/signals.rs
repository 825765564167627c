//! Ctrl-C and hang-up: once to stop at the next safe point, twice to leave at once.

use std::sync::Arc;

use super::console::Screen;
use super::exit::Exit;
use crate::engine::{Halt, Interrupt};
use rustix::process::Signal;
use tokio::signal::unix::{SignalKind, signal};

/// Arms the signals. The first raises the interrupt; the second ends the process, and what was in flight is in doubt. A
/// terminal that is gone is no second wish to leave. What `sends` nothing has no safe points and nothing in flight: it
/// leaves without a word on them.
pub(crate) fn arm(screen: Arc<Screen>, sends: bool) -> std::io::Result<Interrupt> {
    let (raise, interrupt) = Interrupt::channel();
    let mut interrupts = signal(SignalKind::interrupt())?;
    let mut hangups = signal(SignalKind::hangup())?;
    let mut terminations = signal(SignalKind::terminate())?;
    let mut continues = signal(SignalKind::from_raw(Signal::CONT.as_raw()))?;
    tokio::spawn(async move {
        let mut raised = false;
        loop {
            let halt = tokio::select! {
                _ = interrupts.recv() => Halt::Keys,
                _ = terminations.recv() => Halt::Terminate,
                _ = hangups.recv() => Halt::HangUp,
                // After Ctrl-Z and `fg`.
                _ = continues.recv() => {
                    screen.prompt_again();
                    continue;
                }
            };
            if raised && halt != Halt::HangUp {
                if sends {
                    screen.tell("left at once: what was in flight is in doubt; `quell resume` settles it");
                }
                std::process::exit(i32::from(Exit::Interrupted as u8));
            }
            if !raised {
                raise.send_replace(Some(halt));
            }
            raised = true;
            if sends && halt != Halt::HangUp {
                screen
                    .say("stopping at the next safe point; once more leaves at once, with what is in flight in doubt");
            }
        }
    });
    Ok(interrupt)
}
