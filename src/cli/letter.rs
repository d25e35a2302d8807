//! `cantoscribe letter`: a letter of a note document, to try its form. The page gives those of signed notes.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};

use super::output::print_bytes;
use crate::fonts;
use crate::identity::Date;
use crate::letter::{self, LetterKind, Patient, Request};
use crate::note::compose::Language;
use crate::note::{NOTE_SCHEMA, Note};
use crate::text::PatientText;

/// Arguments of `cantoscribe letter`.
#[derive(Args)]
pub struct LetterArguments {
    /// `referral`, `sick-leave` or `summary`
    kind: LetterKind,
    /// A note document, as `cantoscribe note --format json` writes it
    note: PathBuf,
    /// A page to print, or a PDF; standard output gets it
    #[arg(long, value_enum, default_value_t = Format::Html)]
    format: Format,
    /// `en` or `zh-Hant` [default: `zh-Hant` for a summary, `en` for the others]
    #[arg(long)]
    lang: Option<Language>,
    /// When the patient was seen
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = Date::parse)]
    seen: Date,
    /// The first day of sick leave
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = Date::parse)]
    from: Option<Date>,
    /// Who it is about
    #[arg(long, value_name = "NAME")]
    patient: Option<String>,
    /// Who writes it
    #[arg(long, value_name = "NAME", default_value = "")]
    doctor: String,
    /// The clinic's name and address: once for each line
    #[arg(long, value_name = "LINE")]
    clinic: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Html,
    Pdf,
}

/// Runs `cantoscribe letter`.
///
/// # Errors
/// A note that cannot be read or has nothing to write such a letter of; no font.
pub fn run(arguments: &LetterArguments) -> anyhow::Result<ExitCode> {
    let path = &arguments.note;
    let document = fs::read(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    let mut json = serde_json::Deserializer::from_slice(&document);
    // The path of a field, and not serde_json's message: that quotes what it read.
    let note: Note = serde_path_to_error::deserialize(&mut json)
        .map_err(|error| anyhow::anyhow!("`{}` is no note: it is wrong at `{}`", path.display(), error.path()))?;
    if note.schema != NOTE_SCHEMA {
        bail!("`{}` is no `{NOTE_SCHEMA}`", path.display());
    }
    let patient = Patient { name: arguments.patient.as_deref().map(PatientText::from), ..Patient::default() };
    let request = Request {
        note: &note,
        patient: &patient,
        clinician: &arguments.doctor,
        signed_at: None,
        institution: &arguments.clinic,
        seen: arguments.seen,
        leave_from: arguments.from,
        language: arguments.lang.unwrap_or(arguments.kind.usual_language()),
    };
    let letters = letter::letters(arguments.kind, &request)?;
    let written = match arguments.format {
        Format::Html => letter::to_html(&letters).into_bytes(),
        Format::Pdf => letter::to_pdf(&letters, &fonts::for_letters(&letters)?)?,
    };
    print_bytes(&written)?;
    Ok(ExitCode::SUCCESS)
}
