//! `cantoscribe note`: a transcript, a text or a recording to the structured note.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};

use super::hear::{Ear, HearArguments};
use super::output::print;
use crate::interop::fhir::{self, Instant, Party};
use crate::note::compose::{Language, sections, to_text};
use crate::note::{Note, extract};
use crate::speech::Transcript;
use crate::speech::transcript::{self, MAX_DOCUMENT_BYTES};
use crate::terminology::Lexicon;

/// Bytes looked at to tell text from a recording.
const PROBE: usize = 64 * 1024;
/// Names that promise a recording, whatever is in it.
const RECORDINGS: [&str; 13] = ["wav", "flac", "mp3", "m4a", "mp4", "aac", "ogg", "oga", "opus", "webm", "mka", "aiff", "caf"];

/// Arguments of `cantoscribe note`.
#[derive(Debug, Args)]
pub struct NoteArguments {
    /// A transcript document, a plain text (a turn a line, `doctor:` or `patient:` before it) or a recording; `-` reads text or
    /// a document from standard input
    input: String,
    /// `text` quotes below each line the words it rests on; of a recording it gives the transcript first
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Language of the note's sections
    #[arg(long, value_enum, default_value_t = Tongue::En)]
    lang: Tongue,
    /// With `fhir`, the patient: `SYSTEM|NUMBER`, or a number or name
    #[arg(long, value_name = "PATIENT")]
    patient: Option<String>,
    /// With `fhir`, the author: `SYSTEM|NUMBER`, or a number or name
    #[arg(long, value_name = "AUTHOR")]
    author: Option<String>,
    /// With `fhir`, when the consultation was, in RFC 3339 [default: the input's own time]
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    #[command(flatten)]
    hear: HearArguments,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Json,
    Fhir,
    Text,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Tongue {
    En,
    #[value(name = "zh-Hant")]
    ZhHant,
}

/// What `INPUT` turned out to be.
struct Input {
    transcript: Transcript,
    /// It was heard from a recording by this run.
    heard: bool,
    /// Seconds since 1970.
    time: i64,
}

/// Runs `cantoscribe note`.
///
/// # Errors
/// An input that cannot be used, or an output that cannot be written.
pub fn run(arguments: &NoteArguments, models_folder: &Path) -> anyhow::Result<ExitCode> {
    let language = match arguments.lang {
        Tongue::En => Language::English,
        Tongue::ZhHant => Language::TraditionalChinese,
    };
    let party = |given: &Option<String>, role| given.as_deref().map(|given| Party::parse(given, role)).transpose();
    let (patient, author) = (party(&arguments.patient, "patient")?, party(&arguments.author, "author")?);
    let at = arguments.at.as_deref().map(Instant::parse).transpose()?;
    let Input { transcript, heard, time } = read(arguments, models_folder)?;
    let mut note = extract::extract(&transcript, &Lexicon::builtin()?);
    if heard {
        note.made_by.precision = Some(arguments.hear.precision().to_owned());
    }
    note.sections = sections(&note, language);
    let text = match arguments.format {
        Format::Json => serde_json::to_string(&note)? + "\n",
        Format::Fhir => {
            let at = at.unwrap_or_else(|| Instant::from_unix_seconds(time));
            let bundle = fhir::document(&note, Some(&transcript), &fhir::Options { patient, author, at, language })?;
            serde_json::to_string_pretty(&bundle)? + "\n"
        }
        Format::Text => rendered(&note, &transcript, heard, language),
    };
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn rendered(note: &Note, transcript: &Transcript, heard: bool, language: Language) -> String {
    let note = to_text(note, transcript, language);
    if !heard {
        return note;
    }
    let lines: String = transcript
        .segments
        .iter()
        .map(|segment| {
            let seconds = segment.start_ms.unwrap_or_default() / 1000;
            format!("  [{}:{:02}] {}\n", seconds / 60, seconds % 60, segment.text.reveal())
        })
        .collect();
    let (said, written) = match language {
        Language::English => ("TRANSCRIPT", "NOTE"),
        Language::TraditionalChinese => ("談話", "病歷"),
    };
    format!("{said}\n{lines}\n{written}\n{note}")
}

fn read(arguments: &NoteArguments, models_folder: &Path) -> anyhow::Result<Input> {
    if arguments.input == "-" {
        let bytes = bounded(std::io::stdin().lock(), "standard input")?;
        if !is_text(&bytes) {
            bail!("standard input is no text: name a recording by its file");
        }
        let transcript = transcript::read(&bytes).context("cannot use standard input")?;
        return Ok(Input { transcript, heard: false, time: seconds(SystemTime::now()) });
    }
    let path = Path::new(&arguments.input);
    let unusable = || format!("cannot use `{}`", path.display());
    let mut file = File::open(path).with_context(unusable)?;
    let time = file.metadata().and_then(|metadata| metadata.modified()).map(seconds).with_context(unusable)?;
    let mut probe = Vec::new();
    file.by_ref().take(PROBE as u64).read_to_end(&mut probe).with_context(unusable)?;
    let extension = path.extension().and_then(|extension| extension.to_str()).map(str::to_ascii_lowercase);
    let named_recording = extension.is_some_and(|extension| RECORDINGS.contains(&extension.as_str()));
    if named_recording || !is_text(&probe) {
        let transcript = Ear::open(&arguments.hear, models_folder)?.hear(path)?;
        return Ok(Input { transcript, heard: true, time });
    }
    let bytes = bounded(probe.as_slice().chain(file), &arguments.input)?;
    let transcript = transcript::read(&bytes).with_context(unusable)?;
    Ok(Input { transcript, heard: false, time })
}

/// All of it, unless it is longer than any transcript.
fn bounded(reader: impl std::io::Read, name: &str) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = reader.take(MAX_DOCUMENT_BYTES as u64 + 1).read_to_end(&mut bytes);
    read.with_context(|| format!("cannot read `{name}`"))?;
    Ok(bytes)
}

/// Whether these bytes begin a text: no NUL, and UTF-8 up to a character that was cut at the end.
fn is_text(bytes: &[u8]) -> bool {
    let utf8 = match std::str::from_utf8(bytes) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none(),
    };
    utf8 && !bytes.contains(&0)
}

fn seconds(time: SystemTime) -> i64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_secs()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_secs()).map_or(i64::MIN, |seconds| -seconds),
    }
}
