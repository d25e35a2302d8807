//! What a file's own headers say about its sound, checked against the file before anything is decoded.
//!
//! The demuxers are made for players: they resume after damage and take the end of the file for the end of the music. A consultation
//! must be whole or refused, so each container is walked once here, in constant memory, and what it states is held against what the
//! decoder then gives.

mod matroska;
mod mp4;
mod mpeg;
mod ogg;
mod wav;

use super::AudioError;
use super::source::{Source, View};

/// What the headers state.
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// What to show the demuxer in place of the file's own header.
    pub(super) view: View,
    /// What the encoder put before the sound.
    pub(super) delay: Delay,
    /// How much sound follows.
    pub(super) length: Length,
}

/// Samples a channel at the start of the decoder's output that are not part of the recording.
#[derive(Debug, Default, Clone, Copy)]
pub(super) enum Delay {
    /// None stated.
    #[default]
    None,
    /// As many samples.
    Samples(u64),
    /// The pre-skip field of the track's Opus header.
    OpusHeader,
    /// As the demuxer read it from the track's header.
    Track,
    /// So many ticks of a clock with so many ticks a second.
    Ticks(u64, u32),
}

/// Samples a channel that follow the delay.
#[derive(Debug, Default, Clone, Copy)]
pub(super) enum Length {
    /// Not stated: until the end.
    #[default]
    Unstated,
    /// Not stated: until the end, which the demuxer of a live recording takes for a cut.
    OpenEnd,
    /// Exactly so many.
    Samples(u64),
    /// The granule position of the last Ogg page, which counts the pre-skip and any offset of the stream's start.
    LastGranule(u64),
    /// As the demuxer read it from the track's header.
    Track,
    /// As the demuxer read it, delay included, and by the edit list so many ticks of a clock with so many ticks a second.
    Edited(u64, u32),
}

/// Tells the format by its content and walks it.
///
/// # Errors
/// When the content is of no known format, contradicts itself, or ends before its headers say.
pub(super) fn inspect(source: &mut Source) -> Result<Facts, AudioError> {
    if source.length == 0 {
        return Err(AudioError::Empty { path: source.path.clone() });
    }
    let mut head = [0; 12];
    source.read_at(0, &mut head)?;
    match &head {
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'A', b'V', b'E']
        | [b'R', b'F', b'6', b'4', _, _, _, _, b'W', b'A', b'V', b'E']
        | [b'B', b'W', b'6', b'4', _, _, _, _, b'W', b'A', b'V', b'E'] => wav::inspect(source),
        [b'O', b'g', b'g', b'S', ..] => ogg::inspect(source),
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => mp4::inspect(source),
        [0x1a, 0x45, 0xdf, 0xa3, ..] => matroska::inspect(source),
        [b'f', b'L', b'a', b'C', ..]
        | [b'c', b'a', b'f', b'f', ..]
        | [b'F', b'O', b'R', b'M', _, _, _, _, b'A', b'I', b'F', b'F' | b'C'] => {
            Ok(Facts { delay: Delay::Track, length: Length::Track, ..Facts::default() })
        }
        _ => mpeg::inspect(source),
    }
}
