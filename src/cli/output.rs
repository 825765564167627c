//! Data for stdout: one writer, which ends quietly where nobody reads any more.

use std::io::{self, Write};

use serde_json::Value;

use super::errors::CliError;
use super::exit::Exit;

/// Writes text to stdout. A closed pipe is no failure: whoever read had enough.
pub(crate) fn write(text: &str) -> Result<(), CliError> {
    let mut stdout = anstream::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(CliError::new(Exit::Usage, "stdout", "cannot write to standard output").because(&error))
        }
        _ => Ok(()),
    }
}

/// Writes one JSON document to stdout.
pub(crate) fn document(value: &Value) -> Result<(), CliError> {
    write(&format!("{value:#}\n"))
}
