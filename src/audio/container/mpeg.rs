//! MP3 and ADTS AAC: bare frames, each saying how long it is, so that damage shows as a frame that is not where it must be.
//!
//! Tables: ISO/IEC 11172-3 and 13818-3 (MP3), 14496-3 (ADTS). The Xing and LAME fields are as LAME writes them.

use super::{Delay, Facts, Length};
use crate::audio::source::{Source, View};
use crate::audio::{AudioError, Place};

/// Samples that every MP3 decoder adds before the encoder's own delay (528, and one for the filter bank).
const MP3_DECODER_DELAY: u64 = 529;
/// Samples of an AAC frame.
const AAC_SAMPLES: u64 = 1024;

/// What one frame's header says.
#[derive(Clone, Copy)]
struct Frame {
    /// The header bits that are the same in all frames of a file.
    constant: u32,
    /// Length in bytes, header included.
    bytes: u64,
    /// Samples a channel.
    samples: u64,
    /// Where a Xing tag would be, from the start of the frame.
    tag_offset: u64,
}

/// Walks all frames after an ID3v2 tag, up to the end or to trailing tags.
pub(super) fn inspect(source: &mut Source) -> Result<Facts, AudioError> {
    let start = after_id3(source)?;
    if source.bytes_at(start)? == Some(*b"fLaC") {
        let view = View { start, ..View::default() };
        return Ok(Facts { view, delay: Delay::Track, length: Length::Track });
    }
    let unknown = AudioError::UnknownFormat { path: source.path.clone() };
    let Some(first) = read_frame(source, start)? else { return Err(unknown) };
    // Two bytes look like a frame easily; two frames in a row do not.
    let second = start + first.bytes;
    if second < source.length && !matches!(read_frame(source, second)?, Some(next) if next.constant == first.constant) {
        return Err(if is_tail(source, second)? { unknown } else { lost(source, second) });
    }
    let tag = if first.tag_offset > 0 { Tag::read(source, start + first.tag_offset)? } else { None };
    let sound = if tag.is_some() { start + first.bytes } else { start };
    let (mut offset, mut frames, mut samples) = (sound, 0_u64, 0_u64);
    while offset < source.length {
        match read_frame(source, offset)?.filter(|frame| frame.constant == first.constant) {
            Some(frame) => {
                offset += frame.bytes;
                frames += 1;
                samples += frame.samples;
            }
            None if is_tail(source, offset)? => break,
            None => return Err(lost(source, offset)),
        }
    }
    if offset > source.length {
        let (path, found) = (source.path.clone(), source.length);
        return Err(AudioError::EndsEarly { path, stated: offset, found, unit: "bytes" });
    }
    match tag.and_then(|tag| tag.frames).map(u64::from) {
        Some(stated) if frames < stated => {
            Err(AudioError::EndsEarly { path: source.path.clone(), stated, found: frames, unit: "frames" })
        }
        _ => Ok(facts(tag, samples, View { start: sound, end: Some(offset), ..View::default() })),
    }
}

fn facts(tag: Option<Tag>, samples: u64, view: View) -> Facts {
    let (delay, length) = match tag.and_then(|tag| tag.gap) {
        Some((delay, padding)) => {
            let delay = u64::from(delay) + MP3_DECODER_DELAY;
            let padding = u64::from(padding).saturating_sub(MP3_DECODER_DELAY);
            (Delay::Samples(delay), samples.saturating_sub(delay + padding))
        }
        None => (Delay::None, samples),
    };
    Facts { view, delay, length: Length::Samples(length) }
}

fn lost(source: &Source, offset: u64) -> AudioError {
    let what = "no audio frame where one must be";
    AudioError::Corrupt { path: source.path.clone(), at: Place::Byte(offset), what }
}

/// The offset after the ID3v2 tags at the start, if any: ten bytes, the length in four of seven bits.
fn after_id3(source: &mut Source) -> Result<u64, AudioError> {
    let mut offset = 0;
    while let Some([b'I', b'D', b'3', _, _, flags, a, b, c, d]) = source.bytes_at::<10>(offset)? {
        let length = [a, b, c, d].iter().fold(0, |length, byte| (length << 7) | u64::from(byte & 0x7f));
        let footer = if flags & 0x10 == 0 { 0 } else { 10 };
        offset += 10 + length + footer;
    }
    Ok(offset)
}

/// Whether only tags or zeros follow: ID3v1, APE, Lyrics3, or the zeros that some recorders fill a block with.
fn is_tail(source: &mut Source, offset: u64) -> Result<bool, AudioError> {
    let mut bytes = [0; 4096];
    let read = source.read_at(offset, &mut bytes)?;
    let bytes = bytes.get(..read).unwrap_or_default();
    let tagged = [&b"TAG"[..], b"APETAGEX", b"LYRICSBEGIN", b"ID3"].iter().any(|tag| bytes.starts_with(tag));
    Ok(tagged || (bytes.iter().all(|byte| *byte == 0) && source.length - offset <= 4096))
}

/// The frame at `offset`, when there is one.
fn read_frame(source: &mut Source, offset: u64) -> Result<Option<Frame>, AudioError> {
    let mut head = [0; 7];
    let read = source.read_at(offset, &mut head)?;
    let frame = match head {
        [0xff, b1, ..] if b1 & 0xf6 == 0xf0 && read == head.len() => adts(head),
        [0xff, b1, b2, b3, ..] if b1 & 0xe0 == 0xe0 && read >= 4 => mp3(u32::from_be_bytes([0xff, b1, b2, b3])),
        _ => None,
    };
    Ok(frame)
}

fn adts(head: [u8; 7]) -> Option<Frame> {
    let [h0, h1, h2, h3, h4, h5, h6] = head;
    let bytes = (u64::from(h3 & 3) << 11) | (u64::from(h4) << 3) | u64::from(h5 >> 5);
    let rate_index = (h2 >> 2) & 15;
    let header = if h1 & 1 == 1 { 7 } else { 9 };
    (rate_index < 13 && bytes > header).then(|| Frame {
        // Sync, version, protection, profile, rate, channels: not the private and copyright bits.
        constant: u32::from_be_bytes([h0, h1, h2 & 0xfd, h3 & 0xc0]),
        bytes,
        samples: AAC_SAMPLES * (u64::from(h6 & 3) + 1),
        tag_offset: 0,
    })
}

fn mp3(head: u32) -> Option<Frame> {
    /// Kilobits a second of layer III: of MPEG-1, and of MPEG-2 and 2.5.
    const RATES_1: [u64; 16] = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0];
    const RATES_2: [u64; 16] = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0];
    const SAMPLE_RATES: [u64; 4] = [44_100, 48_000, 32_000, 0];
    let field = |shift: u32, mask: u32| ((head >> shift) & mask) as usize;
    let (version, layer) = (field(19, 3), field(17, 3));
    let first_version = version == 3;
    let kilobits = *(if first_version { RATES_1 } else { RATES_2 }).get(field(12, 15))?;
    let divisor = match version {
        3 => 1,
        2 => 2,
        0 => 4,
        _ => return None,
    };
    let rate = SAMPLE_RATES.get(field(10, 3))? / divisor;
    if layer != 1 || kilobits == 0 || rate == 0 {
        return None;
    }
    let samples = if first_version { 1152 } else { 576 };
    let mono = field(6, 3) == 3;
    let side_bytes = match (first_version, mono) {
        (true, false) => 32,
        (true, true) | (false, false) => 17,
        (false, true) => 9,
    };
    Some(Frame {
        // Sync, version, layer and rate; and whether mono, which is a mode of its own.
        constant: (head & 0xfffe_0c00) | u32::from(mono),
        bytes: samples / 8 * kilobits * 1000 / rate + field(9, 1) as u64,
        samples,
        tag_offset: 4 + side_bytes,
    })
}

/// The Xing or Info tag in the first frame of an MP3, which is then no sound.
#[derive(Clone, Copy)]
struct Tag {
    frames: Option<u32>,
    /// Delay and padding in samples, as the encoder states them.
    gap: Option<(u16, u16)>,
}

impl Tag {
    fn read(source: &mut Source, offset: u64) -> Result<Option<Self>, AudioError> {
        let Some([n0, n1, n2, n3, flags @ ..]) = source.bytes_at::<8>(offset)? else { return Ok(None) };
        if !matches!(&[n0, n1, n2, n3], b"Xing" | b"Info") {
            return Ok(None);
        }
        let flags = u32::from_be_bytes(flags);
        let frames = if flags & 1 == 0 { None } else { source.bytes_at(offset + 8)?.map(u32::from_be_bytes) };
        // Frames, bytes, table of contents and quality, each there when its flag is.
        let sizes = [(1, 4), (2, 4), (4, 100), (8, 4)];
        let fields: u64 = sizes.iter().filter(|(flag, _)| flags & flag != 0).map(|(_, size)| size).sum();
        let encoder = offset + 8 + fields;
        let named = matches!(source.bytes_at(encoder)?, Some([b'L', b'A', b'M', b'E'] | [b'L', b'a', b'v', b'c' | b'f']));
        let gap = if named { source.bytes_at::<3>(encoder + 21)? } else { None };
        let gap = gap.map(|[a, b, c]| {
            let delay = (u16::from(a) << 4) | u16::from(b >> 4);
            (delay, (u16::from(b & 15) << 8) | u16::from(c))
        });
        Ok(Some(Self { frames, gap }))
    }
}
