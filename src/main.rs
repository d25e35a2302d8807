//! The binary `cantoscribe`: parse, run, exit code.

use std::io::Read;

use cantoscribe::{note::extract::extract, speech::Transcript, terminology::Lexicon};

/// Reads a transcript document from standard input and writes its note.
fn main() -> anyhow::Result<()> {
    let mut input = String::new();
    std::io::stdin().read_to_string(&mut input)?;
    let transcript: Transcript = serde_json::from_str(&input)?;
    println!("{}", serde_json::to_string(&extract(&transcript, &Lexicon::builtin()?))?);
    Ok(())
}
