//! `cantoscribe note`: a transcript, a text or a recording to the structured note.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::SystemTime;

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};

use super::hear::{Ear, HearArguments};
use super::note_input::{Input, instant_of, read_input};
use super::output::print;
use super::reword::Rewording;
use super::terminology::lexicon;
use crate::interop::fhir::{self, Instant, Party};
use crate::note::compose::{Language, sections, text_of};
use crate::note::explain::explain;
use crate::note::{Note, Quotes, Template, extract};
use crate::speech::Transcript;
use crate::speech::transcript::MAX_DOCUMENT_BYTES;
use crate::terminology::Lexicon;

/// Arguments of `cantoscribe note`.
#[derive(Args)]
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
    /// With `text`, say below the note for each condition which rule made its assertion, and of which words
    #[arg(long)]
    explain: bool,
    /// A clinician's own form of the sections: a text with named fields (README)
    #[arg(long, value_name = "FILE")]
    template: Option<PathBuf>,
    /// A language model (a Qwen3 as a GGUF file) that puts the note's sentences in other words; a sentence of its that says anything else
    /// than the findings is dropped. Off unless named
    #[arg(long, value_name = "MODEL.gguf", conflicts_with = "template")]
    reword: Option<PathBuf>,
    /// With `fhir`, the patient: `SYSTEM|NUMBER`, or a number or name
    #[arg(long, value_name = "PATIENT")]
    patient: Option<String>,
    /// With `fhir`, the author: `SYSTEM|NUMBER`, or a number or name
    #[arg(long, value_name = "AUTHOR")]
    author: Option<String>,
    /// With `fhir`, when the consultation was, in RFC 3339 [default: the input's own time]
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// Who is on which channel of a recording, such as `doctor,patient` [default: the channels are mixed]
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    speakers: Vec<String>,
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

/// What `INPUT` came to.
struct Heard {
    transcript: Transcript,
    /// From a recording, in this run.
    by_us: bool,
    /// The input's own.
    time: SystemTime,
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
    if arguments.explain && arguments.format != Format::Text {
        bail!("--explain goes with --format text");
    }
    let party = |given: &Option<String>, role| given.as_deref().map(|given| Party::parse(given, role)).transpose();
    let (patient, author) = (party(&arguments.patient, "patient")?, party(&arguments.author, "author")?);
    let at = arguments.at.as_deref().map(Instant::parse).transpose()?;
    let template = arguments.template.as_deref().map(read_template).transpose()?;
    let rewording = arguments.reword.as_deref().map(|path| Rewording::open(path, language)).transpose()?;
    let Heard { transcript, by_us, time } = read(arguments, models_folder)?;
    let lexicon = lexicon()?;
    let mut note = extract::extract(&transcript, &lexicon);
    if by_us {
        note.made_by.precision = Some(arguments.hear.precision().to_owned());
    }
    note.sections = match &template {
        Some(template) => template.sections(&note, language),
        None => sections(&note, language),
    };
    if let Some(rewording) = &rewording {
        rewording.run(&mut note, &lexicon);
    }
    let text = match arguments.format {
        Format::Json => serde_json::to_string(&note)? + "\n",
        Format::Fhir => {
            let at = at.unwrap_or_else(|| instant_of(time));
            let bundle = fhir::document(&note, Some(&transcript), &fhir::Options { patient, author, at, language })?;
            serde_json::to_string_pretty(&bundle)? + "\n"
        }
        Format::Text => {
            let why = if arguments.explain { explained(&note, &transcript, &lexicon) } else { String::new() };
            rendered(&note, &transcript, by_us, language) + &why
        }
    };
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn read_template(path: &Path) -> anyhow::Result<Template> {
    let unusable = || format!("cannot use `{}`", path.display());
    let bytes = bounded(File::open(path).with_context(unusable)?, &path.display().to_string())?;
    let text = std::str::from_utf8(&bytes).with_context(unusable)?;
    text.parse().with_context(unusable)
}

fn rendered(note: &Note, transcript: &Transcript, by_us: bool, language: Language) -> String {
    let note = text_of(note, &note.sections, transcript, language);
    if !by_us {
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

/// A line a condition: its name, its assertion, and each rule with the words that it read.
fn explained(note: &Note, transcript: &Transcript, lexicon: &Lexicon) -> String {
    let quotes = Quotes::new(transcript);
    let mut text = "\nWHY\n".to_owned();
    for (condition, why) in note.conditions.iter().zip(explain(note, transcript, lexicon)) {
        let assertion = format!("{:?}", condition.assertion).to_lowercase();
        let rules = why.iter().map(|why| {
            let words = quotes.get(why.words).map(|quote| quote.text.reveal().to_owned()).unwrap_or_default();
            format!("{} 「{words}」", why.rule)
        });
        let rules: Vec<String> = rules.collect();
        text += &format!("  {} is {assertion}: {}\n", condition.display.en, rules.join("; "));
    }
    text
}

fn read(arguments: &NoteArguments, models_folder: &Path) -> anyhow::Result<Heard> {
    if arguments.input == "-" {
        let bytes = bounded(std::io::stdin().lock(), "standard input")?;
        let Input::Transcript(transcript) = read_input(&bytes, "-").context("cannot use standard input")? else {
            bail!("standard input holds no text: name a recording by its file");
        };
        return Ok(Heard { transcript, by_us: false, time: SystemTime::now() });
    }
    let path = Path::new(&arguments.input);
    let unusable = || format!("cannot use `{}`", path.display());
    let file = File::open(path).with_context(unusable)?;
    let time = file.metadata().and_then(|metadata| metadata.modified()).with_context(unusable)?;
    let bytes = bounded(file, &arguments.input)?;
    match read_input(&bytes, &arguments.input).with_context(unusable)? {
        Input::Transcript(transcript) => Ok(Heard { transcript, by_us: false, time }),
        Input::Audio => {
            drop(bytes);
            let transcript = Ear::open(&arguments.hear, models_folder)?.hear(path, &arguments.speakers)?;
            Ok(Heard { transcript, by_us: true, time })
        }
    }
}

/// All of it, unless it is longer than any transcript.
fn bounded(reader: impl std::io::Read, name: &str) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = reader.take(MAX_DOCUMENT_BYTES as u64 + 1).read_to_end(&mut bytes);
    read.with_context(|| format!("cannot read `{name}`"))?;
    Ok(bytes)
}
