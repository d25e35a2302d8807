//! Bytes to a transcript: the JSON document, or plain text.
//!
//! serde_json's own messages quote the value that was wrong, which may be what a patient said. Messages are built here from the path,
//! the types and the place alone.

use std::collections::HashMap;

use serde::Deserialize;
use serde_path_to_error::Segment as Step;

use super::error::TranscriptError;
use super::{MAX_DOCUMENT_BYTES, TRANSCRIPT_SCHEMA, Transcript, plain};

/// The document's own field names: the only keys that an error's path may show.
const FIELDS: [&str; 16] = [
    "schema",
    "language",
    "model",
    "audio",
    "segments",
    "name",
    "sha256",
    "duration_ms",
    "id",
    "start_ms",
    "end_ms",
    "speaker",
    "text",
    "confidence",
    "words",
    "tokens",
];

/// Types of the document as serde names them, and as a message does.
const EXPECTED: [(&str, &str); 9] = [
    ("u64", "a whole number from 0"),
    ("u32", "a whole number from 0"),
    ("f64", "a number"),
    ("a string", "a string"),
    ("a sequence", "an array"),
    ("struct", "an object"),
    ("tuple", "an object"),
    ("option", "a value or null"),
    ("a map", "an object"),
];

/// Types of a JSON value as serde names them, and as a message does.
const FOUND: [(&str, &str); 8] = [
    ("string", "a string"),
    ("integer", "a whole number"),
    ("floating point", "a decimal number"),
    ("boolean", "a boolean"),
    ("null", "null"),
    ("unit", "null"),
    ("sequence", "an array"),
    ("map", "an object"),
];

/// Reads a transcript document or plain text, told apart by what is in it.
///
/// What starts with `{` (or as a JSON array of objects or strings would) is a document; anything else is text, a turn a line.
///
/// # Errors
/// [`TranscriptError`] says what and where, and quotes nothing of it.
pub fn read(bytes: &[u8]) -> Result<Transcript, TranscriptError> {
    let text = text_of(bytes)?;
    if looks_like_json(text) { document(text) } else { plain::turns(text) }
}

/// Reads a `cantoscribe/transcript/1` document. Unknown fields are ignored.
///
/// # Errors
/// [`TranscriptError`] says what and where (a JSON path), and quotes nothing of it.
pub fn read_document(bytes: &[u8]) -> Result<Transcript, TranscriptError> {
    document(text_of(bytes)?)
}

/// The text without its byte order mark.
fn text_of(bytes: &[u8]) -> Result<&str, TranscriptError> {
    if bytes.len() > MAX_DOCUMENT_BYTES {
        return Err(TranscriptError::TooLarge { size: bytes.len() });
    }
    let utf16 = bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]);
    let hint = if utf16 { " (it looks like UTF-16: save it as UTF-8)" } else { "" };
    let text = std::str::from_utf8(bytes).map_err(|e| TranscriptError::NotUtf8 { at: e.valid_up_to(), hint })?;
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    if text.trim().is_empty() { Err(TranscriptError::Empty) } else { Ok(text) }
}

/// A line of text may start with `[`, as in `[0:42] ...`; a JSON array that is no transcript goes on with a brace or a quote.
fn looks_like_json(text: &str) -> bool {
    let text = text.trim_start();
    let inside_array = text.strip_prefix('[').map(str::trim_start);
    text.starts_with('{') || inside_array.is_some_and(|rest| rest.starts_with(['{', '"', ']']))
}

#[derive(Deserialize)]
struct Head {
    schema: String,
}

fn document(text: &str) -> Result<Transcript, TranscriptError> {
    // The head alone skips the segments: where those are broken, reading them says where exactly.
    let head: Head = parse(text).or_else(|shallow| parse::<Transcript>(text).and(Err(shallow)))?;
    if head.schema != TRANSCRIPT_SCHEMA {
        return Err(TranscriptError::Schema { found: safe_schema(&head.schema) });
    }
    let transcript = parse(text)?;
    check(&transcript)?;
    Ok(transcript)
}

/// A schema of our own is named; anything else could be anything.
fn safe_schema(found: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '/' || c == '.';
    let ours = found.len() <= 64 && found.starts_with("cantoscribe/") && found.chars().all(plain);
    if ours { format!("`{found}`") } else { "something else".to_owned() }
}

fn parse<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, TranscriptError> {
    let mut json = serde_json::Deserializer::from_str(text);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|e| explain(safe_path(e.path()), e.inner()))?;
    json.end().map_err(|e| explain("the end".to_owned(), &e))?;
    Ok(value)
}

/// The path with every key that is not the document's own left out: a stranger's key could be what somebody said.
fn safe_path(path: &serde_path_to_error::Path) -> String {
    let mut shown = String::new();
    for step in path.iter() {
        match step {
            Step::Seq { index } => shown.push_str(&format!("[{index}]")),
            Step::Map { key } if FIELDS.contains(&key.as_str()) => push_key(&mut shown, key),
            Step::Map { .. } | Step::Enum { .. } | Step::Unknown => push_key(&mut shown, "?"),
        }
    }
    if shown.is_empty() { "document".to_owned() } else { shown }
}

fn push_key(path: &mut String, key: &str) {
    if !path.is_empty() {
        path.push('.');
    }
    path.push_str(key);
}

/// What serde_json says, less anything that it quotes.
fn explain(path: String, error: &serde_json::Error) -> TranscriptError {
    let (line, column) = (error.line(), error.column());
    let place = format!(" at line {line} column {column}");
    let message = error.to_string();
    let message = message.strip_suffix(&place).unwrap_or(&message);
    match error.classify() {
        serde_json::error::Category::Eof => TranscriptError::Truncated { path, line, column },
        serde_json::error::Category::Syntax | serde_json::error::Category::Io => {
            TranscriptError::Syntax { path, problem: message.to_owned(), line, column }
        }
        serde_json::error::Category::Data => wrong_data(path, message, line, column),
    }
}

fn wrong_data(path: String, message: &str, line: usize, column: usize) -> TranscriptError {
    let named = |prefix: &str| {
        let name = message.strip_prefix(prefix)?.strip_suffix('`')?;
        FIELDS.iter().find(|field| **field == name)
    };
    let below = |field: &str| if path == "document" { field.to_owned() } else { format!("{path}.{field}") };
    if let Some(field) = named("missing field `") {
        return TranscriptError::Missing { path: below(field), line, column };
    }
    if let Some(field) = named("duplicate field `") {
        return TranscriptError::Repeated { path: below(field), line, column };
    }
    let value = message.split_once(": ").map_or("", |(_, rest)| rest);
    let wanted = message.rsplit_once(", expected ").map_or("", |(_, wanted)| wanted);
    let look_up = |table: &[(&str, &'static str)], text: &str, otherwise| {
        table.iter().find(|(prefix, _)| text.starts_with(prefix)).map_or(otherwise, |(_, said)| *said)
    };
    let out_of_range = message.starts_with("invalid value: integer");
    let found = if out_of_range { "out of range" } else { look_up(&FOUND, value, "something else") };
    let expected = look_up(&EXPECTED, wanted, "what the document needs there");
    TranscriptError::WrongType { path, found, expected, line, column }
}

/// What the types cannot hold: ids that name one segment each, times in order, confidences that are probabilities.
fn check(transcript: &Transcript) -> Result<(), TranscriptError> {
    let mut seen: HashMap<u64, usize> = HashMap::with_capacity(transcript.segments.len());
    for (index, segment) in transcript.segments.iter().enumerate() {
        if let Some(first) = seen.insert(segment.id, index) {
            return Err(TranscriptError::DuplicateId { id: segment.id, index, first });
        }
        let path = format!("segments[{index}]");
        if let (Some(start_ms), Some(end_ms)) = (segment.start_ms, segment.end_ms) {
            check_order(&path, start_ms, end_ms)?;
        }
        check_confidence(&path, segment.confidence)?;
        for (index, word) in segment.words.iter().flatten().enumerate() {
            let path = format!("{path}.words[{index}]");
            check_order(&path, word.start_ms, word.end_ms)?;
            check_confidence(&path, word.confidence)?;
        }
    }
    Ok(())
}

fn check_order(path: &str, start_ms: u64, end_ms: u64) -> Result<(), TranscriptError> {
    if end_ms < start_ms {
        Err(TranscriptError::EndBeforeStart { path: format!("{path}.end_ms"), start_ms, end_ms })
    } else {
        Ok(())
    }
}

fn check_confidence(path: &str, confidence: Option<f64>) -> Result<(), TranscriptError> {
    match confidence {
        Some(value) if !(0.0..=1.0).contains(&value) => {
            Err(TranscriptError::Confidence { path: format!("{path}.confidence"), value })
        }
        _ => Ok(()),
    }
}
