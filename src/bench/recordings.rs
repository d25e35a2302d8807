//! The recordings that are played, and what is said in them where that is known.

use std::fs;
use std::path::{Path, PathBuf};

use super::BenchError;
use crate::audio::{AudioFile, SAMPLE_RATE};
use crate::speech::model::Language;
use crate::text::PatientText;

/// A folder's manifest.
const MANIFEST: &str = "manifest.tsv";
/// Endings of recordings' names in a folder without a manifest.
const ENDINGS: [&str; 14] =
    ["wav", "flac", "mp3", "m4a", "mp4", "aac", "ogg", "oga", "opus", "webm", "aiff", "aif", "caf", "rf64"];

/// A recording that was named.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    /// Its file.
    pub path: PathBuf,
    /// What is said in it; absent where nobody asked for it.
    pub transcript: Option<PatientText>,
}

/// A recording in memory.
pub(super) struct Loaded {
    pub path: PathBuf,
    pub transcript: Option<PatientText>,
    /// 16 kHz.
    pub samples: Vec<f32>,
}

impl Loaded {
    pub fn seconds(&self) -> f64 {
        self.samples.len() as f64 / f64::from(SAMPLE_RATE)
    }
}

/// Finds the recordings at `place`: a manifest, or a folder that holds one, or a folder with a text file of the same name beside
/// each recording.
///
/// A manifest is a table with tabs and a header; `file` is relative to it, `transcript` is what is said, and where there is a
/// `language` only the rows in the asked one count. With `transcripts` false none is looked for.
///
/// # Errors
/// A place without a recording, a manifest that is none, a transcript that is missing or empty.
pub fn list(place: &Path, language: Option<Language>, transcripts: bool) -> Result<Vec<Listed>, BenchError> {
    let metadata = fs::metadata(place).map_err(BenchError::io("open", place))?;
    let listed = if metadata.is_file() {
        manifest(place, language, transcripts)?
    } else if place.join(MANIFEST).is_file() {
        manifest(&place.join(MANIFEST), language, transcripts)?
    } else {
        folder(place, transcripts)?
    };
    Ok(spread_out(listed))
}

/// Decodes recordings in their order until there are `seconds` of sound; the rest is left aside. One at least.
///
/// # Errors
/// The first recording that cannot be heard, by name.
pub(super) fn load(listed: &[Listed], seconds: f64) -> Result<Vec<Loaded>, BenchError> {
    let (mut loaded, mut length) = (Vec::new(), 0.0);
    for Listed { path, transcript } in listed {
        if length >= seconds {
            break;
        }
        let mut file = AudioFile::open(path)?;
        let mut samples = Vec::new();
        while file.read(&mut samples)? {}
        let recording = Loaded { path: path.clone(), transcript: transcript.clone(), samples };
        length += recording.seconds();
        loaded.push(recording);
    }
    Ok(loaded)
}

fn folder(folder: &Path, transcripts: bool) -> Result<Vec<Listed>, BenchError> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(BenchError::io("read", folder))? {
        let path = entry.map_err(BenchError::io("read", folder))?.path();
        let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
        if ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str())) && path.is_file() {
            paths.push(path);
        }
    }
    paths.sort();
    if paths.is_empty() {
        return Err(BenchError::NoRecordings { path: folder.to_owned(), expected: format!(".{}", ENDINGS.join(", .")) });
    }
    let with_transcript = |path: PathBuf| {
        let transcript = transcripts.then(|| beside(&path)).transpose()?;
        Ok(Listed { path, transcript })
    };
    paths.into_iter().map(with_transcript).collect()
}

/// The text file of the same name.
fn beside(recording: &Path) -> Result<PatientText, BenchError> {
    let transcript = recording.with_extension("txt");
    let text = match fs::read_to_string(&transcript) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(BenchError::NoTranscript { recording: recording.to_owned(), transcript });
        }
        read => read.map_err(BenchError::io("read", &transcript))?,
    };
    said(text.trim_start_matches('\u{feff}'), recording, &transcript)
}

fn said(text: &str, recording: &Path, transcript: &Path) -> Result<PatientText, BenchError> {
    let text = PatientText::from(text);
    if text.is_blank() {
        return Err(BenchError::EmptyTranscript { recording: recording.to_owned(), transcript: transcript.to_owned() });
    }
    Ok(text)
}

fn manifest(path: &Path, language: Option<Language>, transcripts: bool) -> Result<Vec<Listed>, BenchError> {
    let wrong = |line, problem: String| BenchError::Manifest { path: path.to_owned(), line, problem };
    let text = fs::read_to_string(path).map_err(BenchError::io("read", path))?;
    let mut lines = text.trim_start_matches('\u{feff}').lines().enumerate();
    let header: Vec<&str> = lines.next().map(|(_, header)| header.split('\t').collect()).unwrap_or_default();
    let column = |name: &str| header.iter().position(|column| *column == name);
    let needed = |name: &str| column(name).ok_or_else(|| wrong(1, format!("the header has no column `{name}`")));
    let file = needed("file")?;
    let transcript = transcripts.then(|| needed("transcript")).transpose()?;
    let spoken = column("language");
    let mut listed = Vec::new();
    for (index, line) in lines.filter(|(_, line)| !line.trim().is_empty()) {
        let fields: Vec<&str> = line.split('\t').collect();
        let field = |column: usize| fields.get(column).copied();
        if let (Some(asked), Some(column)) = (language, spoken)
            && field(column) != Some(asked.code())
        {
            continue;
        }
        let name = field(file).filter(|name| !name.is_empty()).ok_or_else(|| wrong(index + 1, "it names no file".into()))?;
        let recording = path.parent().unwrap_or(Path::new("")).join(name);
        let transcript = match transcript {
            Some(column) => Some(said(field(column).unwrap_or_default(), &recording, path)?),
            None => None,
        };
        listed.push(Listed { path: recording, transcript });
    }
    if listed.is_empty() {
        let which = language.filter(|_| spoken.is_some());
        let problem = match which {
            Some(language) => format!("no row has the language `{language}`; --language names another"),
            None => "it lists no recording".to_owned(),
        };
        return Err(wrong(1, problem));
    }
    Ok(listed)
}

/// The same recordings, neighbours apart: the first few are then a sample of all, whoever sorted them by speaker or length.
fn spread_out(listed: Vec<Listed>) -> Vec<Listed> {
    // Multiples of the golden section, which of all numbers spread most evenly.
    let place = |index: usize| (index as f64 * 0.618_033_988_749_895).fract();
    let mut placed: Vec<(f64, Listed)> = listed.into_iter().enumerate().map(|(index, one)| (place(index), one)).collect();
    placed.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    placed.into_iter().map(|(_, one)| one).collect()
}

#[cfg(test)]
mod tests;
