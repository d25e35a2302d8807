//! `cantoscribe transcribe`: recordings to transcripts.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum};

use super::hear::{Ear, HearArguments};
use super::output::{explain, print};
use crate::speech::Transcript;
use crate::speech::transcript::{to_json, to_srt, to_text, to_vtt};

/// Arguments of `cantoscribe transcribe`.
#[derive(Args)]
pub struct TranscribeArguments {
    /// Recordings: WAV, FLAC, MP3, AAC/M4A, Ogg Vorbis or Opus
    #[arg(required = true, value_name = "AUDIO")]
    recordings: Vec<PathBuf>,
    #[command(flatten)]
    hear: HearArguments,
    /// With several recordings, `json` and `text` give a line a recording; `srt` and `vtt` take one recording
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Who is on which channel of the recordings, such as `doctor,patient` [default: the channels are mixed]
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    speakers: Vec<String>,
    /// One greedy pass over the whole file, without voice activity, guards or script conversion, for comparing with a reference
    #[arg(long, conflicts_with_all = ["context", "beam", "prompt", "bias", "numbers", "speakers", "aligner"])]
    raw: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
    Srt,
    Vtt,
}

/// Runs `cantoscribe transcribe`.
///
/// # Errors
/// A model that cannot be loaded, or an output that cannot be written. A recording that cannot be used is reported, the others are
/// still done.
pub fn run(arguments: &TranscribeArguments, models_folder: &Path) -> anyhow::Result<ExitCode> {
    let several = arguments.recordings.len() > 1;
    if several && matches!(arguments.format, Format::Srt | Format::Vtt) {
        eprintln!("cantoscribe: subtitles are made of one recording at a time");
        return Ok(ExitCode::from(2));
    }
    let open = if arguments.raw { Ear::open_raw } else { Ear::open };
    let ear = open(&arguments.hear, models_folder)?;
    let mut failed = false;
    for recording in &arguments.recordings {
        let heard = if arguments.raw { ear.hear_raw(recording) } else { ear.hear(recording, &arguments.speakers) };
        match heard.and_then(|transcript| written(&transcript, arguments.format)) {
            Ok(text) => print(&text)?,
            Err(error) => {
                eprintln!("cantoscribe: {}", explain(&error));
                failed = true;
                // Its line stays, empty: the next recording's words must not stand in its place.
                if several && arguments.format == Format::Text {
                    print("\n")?;
                }
            }
        }
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn written(transcript: &Transcript, format: Format) -> anyhow::Result<String> {
    Ok(match format {
        Format::Text => to_text(transcript) + "\n",
        Format::Json => to_json(transcript)? + "\n",
        Format::Srt => to_srt(transcript)?,
        Format::Vtt => to_vtt(transcript)?,
    })
}
