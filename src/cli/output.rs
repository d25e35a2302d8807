//! Standard output: the result alone, whole or with an error.

use std::io::{ErrorKind, Write};

use anyhow::Context;

/// Writes a result to standard output.
///
/// A reader that went away (`| head`) is no error; a full disk is.
pub fn print(result: &str) -> anyhow::Result<()> {
    let mut output = std::io::stdout().lock();
    let written = output.write_all(result.as_bytes()).and_then(|()| output.flush());
    match written {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written.context("cannot write to standard output"),
    }
}
