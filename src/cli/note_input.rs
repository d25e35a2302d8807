//! What `cantoscribe note INPUT` was given: a transcript, plain text, or a recording.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::interop::fhir::Instant;
use crate::speech::transcript::{Transcript, TranscriptError, read, read_document};

/// What an input is.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// A transcript document, or plain text as one.
    Transcript(Transcript),
    /// A recording, to be transcribed first.
    Audio,
}

/// Endings of recordings: what bears one is a recording, whatever is in it, so that a text file called `.wav` is an error.
const AUDIO_ENDINGS: [&str; 12] = ["wav", "flac", "mp3", "m4a", "mp4", "aac", "ogg", "oga", "opus", "aiff", "aif", "caf"];

/// Endings of texts: what bears one is never tried as a recording.
const TEXT_ENDINGS: [&str; 2] = ["json", "txt"];

/// First bytes of recordings that could be UTF-8 text all the same.
const AUDIO_STARTS: [&[u8]; 6] = [b"fLaC", b"OggS", b"ID3", b"RF64", b"caff", b"FORM"];

/// Tells a transcript from a recording by what is in it, and by the ending of its name where that is clear.
///
/// `name` is the file's name, or `-`. Bytes that are no UTF-8 are a recording.
///
/// # Errors
/// [`TranscriptError`] for a text or a document that cannot be read; it quotes nothing of it.
pub fn read_input(bytes: &[u8], name: &str) -> Result<Input, TranscriptError> {
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_lowercase()).unwrap_or_default();
    let text = TEXT_ENDINGS.contains(&ending.as_str());
    if AUDIO_ENDINGS.contains(&ending.as_str()) || !text && starts_as_audio(bytes) {
        return Ok(Input::Audio);
    }
    match if ending == "json" { read_document(bytes) } else { read(bytes) } {
        Err(TranscriptError::NotUtf8 { hint: "", .. }) if !text => Ok(Input::Audio),
        read => read.map(Input::Transcript),
    }
}

fn starts_as_audio(bytes: &[u8]) -> bool {
    let at = |from: usize, what: &[u8]| bytes.get(from..).is_some_and(|rest| rest.starts_with(what));
    AUDIO_STARTS.iter().any(|start| at(0, start)) || at(0, b"RIFF") && at(8, b"WAVE") || at(4, b"ftyp")
}

/// A file's time as FHIR writes it: when a consultation was, where nobody says so with `--at`.
#[must_use]
pub fn instant_of(time: SystemTime) -> Instant {
    let seconds = match time.duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_secs()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_secs()).map_or(i64::MIN, |seconds| -seconds),
    };
    Instant::from_unix_seconds(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn is_audio(bytes: &[u8], name: &str) -> bool {
        read_input(bytes, name).unwrap() == Input::Audio
    }

    #[test]
    fn recordings_are_told_by_content_and_by_name() {
        for start in [
            &b"RIFF\x24\0\0\0WAVEfmt "[..],
            b"fLaC\0",
            b"OggS\0",
            b"ID3\x04",
            b"\0\0\0\x20ftypM4A ",
            b"\xFF\xFB\x90\0",
            b"\xFF\xF1",
        ] {
            assert!(is_audio(start, "-"));
        }
        assert!(is_audio("not a recording".as_bytes(), "x.WAV"));
        assert!(is_audio(b"", "x.mp3"));
    }

    #[test]
    fn texts_and_documents_are_told_by_content_and_by_name() {
        let Input::Transcript(text) = read_input("doctor: 血壓高\n".as_bytes(), "-").unwrap() else { panic!("a recording") };
        assert_eq!(text.segments[0].speaker.as_deref(), Some("doctor"));
        assert!(matches!(read_input(b"\xA6\xE5\xC0\xA3", "big5.txt"), Err(TranscriptError::NotUtf8 { at: 0, .. })));
        assert!(matches!(read_input(b"\xFF\xFEa\0", "-"), Err(TranscriptError::NotUtf8 { .. })));
        assert!(matches!(read_input(b"not json", "x.json"), Err(TranscriptError::Syntax { .. })));
        assert!(matches!(read_input(b"ID3 was said", "x.txt"), Ok(Input::Transcript(_))));
        assert_eq!(read_input(b" \n", "-"), Err(TranscriptError::Empty));
    }

    #[test]
    fn file_times_become_instants() {
        assert_eq!(instant_of(UNIX_EPOCH + Duration::from_millis(1500)).as_str(), "1970-01-01T00:00:01Z");
        assert_eq!(instant_of(UNIX_EPOCH - Duration::from_secs(1)).as_str(), "1969-12-31T23:59:59Z");
    }
}
