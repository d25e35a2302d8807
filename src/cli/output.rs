//! Standard output: the result alone, whole or with an error.

use std::io::{ErrorKind, Write};

use anyhow::Context;

/// Writes a result to standard output.
///
/// A reader that went away (`| head`) is no error; a full disk is.
pub fn print(result: &str) -> anyhow::Result<()> {
    print_bytes(result.as_bytes())
}

/// The same of what is no text.
pub fn print_bytes(result: &[u8]) -> anyhow::Result<()> {
    let mut output = std::io::stdout().lock();
    let written = output.write_all(result).and_then(|()| output.flush());
    match written {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written.context("cannot write to standard output"),
    }
}

/// An error and its causes, each said once: a cause that the error before it already tells is left out.
pub fn explain(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if text.is_empty() {
            text = cause;
        } else if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}
