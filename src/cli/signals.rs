//! Ctrl-C and hang-up: once to stop at the next safe point, twice to leave at once.

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use std::sync::Arc;

use super::console::Screen;
use super::exit::Exit;
use crate::engine::Interrupt;

/// Arms the signals. The first raises the interrupt; the second ends the process, and what was in flight is in doubt.
pub(crate) fn arm(screen: Arc<Screen>) -> std::io::Result<Interrupt> {
    let (raise, interrupt) = Interrupt::channel();
    let mut interrupts = signal(SignalKind::interrupt())?;
    let mut hangups = signal(SignalKind::hangup())?;
    let mut terminations = signal(SignalKind::terminate())?;
    tokio::spawn(async move {
        let mut raised = false;
        loop {
            let hangup = tokio::select! {
                _ = interrupts.recv() => false,
                _ = terminations.recv() => false,
                _ = hangups.recv() => true,
            };
            if raised && !hangup {
                screen.tell("left at once: what was in flight is in doubt; `quell resume` settles it");
                std::process::exit(i32::from(Exit::Interrupted as u8));
            }
            raised = true;
            notify(&raise);
            if !hangup {
                screen
                    .say("stopping at the next safe point; once more leaves at once, with what is in flight in doubt");
            }
        }
    });
    Ok(interrupt)
}

fn notify(raise: &watch::Sender<bool>) {
    raise.send_replace(true);
}
