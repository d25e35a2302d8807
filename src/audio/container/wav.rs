//! WAV, and its forms for more than 4 GiB: RF64 and BW64 (EBU Tech 3306, ITU-R BS.2088).

use super::{Delay, Facts, Length};
use crate::audio::source::{Source, View};
use crate::audio::{AudioError, MAX_CHANNELS, Place, SAMPLE_RATES};

/// What a recorder writes as a size that it cannot know yet; in RF64 the size is then in the `ds64` chunk.
const UNKNOWN: u32 = u32::MAX;

/// The demuxer reads that many blocks at once and fails when the last such packet is not whole.
const BLOCKS_A_PACKET: u64 = 1152;

/// The longest `fmt ` chunk there is: `WAVE_FORMAT_EXTENSIBLE`, and as much again for codecs with tables.
const LONGEST_FORMAT: u32 = 80;

/// The `fmt ` chunk, which says how the data chunk is laid out.
struct Format {
    tag: u16,
    channels: u16,
    rate: u32,
    block_bytes: u16,
    /// The chunk itself, header included.
    chunk: Vec<u8>,
}

impl Format {
    /// Reads the chunk whose header is at `offset`.
    fn read(source: &mut Source, offset: u64, size: u32) -> Result<Self, AudioError> {
        let path = source.path.clone();
        let corrupt = |what| AudioError::Corrupt { path: path.clone(), at: Place::Byte(offset), what };
        if size > LONGEST_FORMAT {
            return Err(corrupt("the `fmt ` chunk is too long"));
        }
        let mut chunk = vec![0; 8 + size as usize];
        let read = source.read_at(offset, &mut chunk)?;
        let fields = source.bytes_at::<14>(offset + 8)?.filter(|_| size >= 14 && read == chunk.len());
        let [t0, t1, c0, c1, r0, r1, r2, r3, _, _, _, _, b0, b1] =
            fields.ok_or_else(|| corrupt("the `fmt ` chunk is cut off"))?;
        let format = Self {
            tag: u16::from_le_bytes([t0, t1]),
            channels: u16::from_le_bytes([c0, c1]),
            rate: u32::from_le_bytes([r0, r1, r2, r3]),
            block_bytes: u16::from_le_bytes([b0, b1]),
            chunk,
        };
        if !SAMPLE_RATES.contains(&format.rate) {
            return Err(AudioError::SampleRate { path, rate: format.rate });
        }
        if format.channels == 0 || u32::from(format.channels) > MAX_CHANNELS {
            return Err(AudioError::Channels { path, channels: u32::from(format.channels) });
        }
        if format.block_bytes < format.channels && !format.is_adpcm() {
            return Err(corrupt("a block holds less than a byte a channel"));
        }
        Ok(format)
    }

    /// ADPCM packs a number of samples into a block that only its decoder can tell.
    fn is_adpcm(&self) -> bool {
        matches!(self.tag, 0x0002 | 0x0011)
    }
}

/// Finds format and data, settles the data's true size, and has the demuxer see these two alone.
pub(super) fn inspect(source: &mut Source) -> Result<Facts, AudioError> {
    let riff_size = u32::from_le_bytes(source.bytes_at(4)?.unwrap_or_default());
    let mut offset = 12;
    let mut format = None;
    let mut size_64 = None;
    loop {
        let Some([i0, i1, i2, i3, s0, s1, s2, s3]) = source.bytes_at::<8>(offset)? else {
            return Err(AudioError::NoEnd { path: source.path.clone(), missing: "the data chunk" });
        };
        let size = u32::from_le_bytes([s0, s1, s2, s3]);
        let body = offset + 8;
        match &[i0, i1, i2, i3] {
            b"fmt " => format = Some(Format::read(source, offset, size)?),
            b"ds64" => size_64 = source.bytes_at(body + 8)?.map(u64::from_le_bytes),
            b"data" => {
                let Some(format) = format else {
                    let what = "the data chunk comes before the `fmt ` chunk";
                    return Err(AudioError::Corrupt { path: source.path.clone(), at: Place::Byte(offset), what });
                };
                let bytes = data_bytes(source, body, size, size_64, riff_size)?;
                return Ok(facts(format, body, bytes));
            }
            _ => {}
        }
        offset = body + u64::from(size) + u64::from(size % 2);
    }
}

/// The data chunk's true size: as stated, or to the end of the file where a recorder could not state it.
fn data_bytes(source: &Source, start: u64, size: u32, size_64: Option<u64>, riff_size: u32) -> Result<u64, AudioError> {
    let left = source.length - start;
    let honestly_empty = size == 0 && u64::from(riff_size) + 8 == source.length;
    let stated = match size_64 {
        Some(size_64) if size == UNKNOWN => size_64,
        _ if size == UNKNOWN || (size == 0 && !honestly_empty) => left,
        _ => u64::from(size),
    };
    if stated > left {
        return Err(AudioError::EndsEarly { path: source.path.clone(), stated, found: left, unit: "bytes of samples" });
    }
    Ok(stated)
}

/// The facts, with a header for the demuxer that has format and data alone, sized as they are.
fn facts(format: Format, start: u64, bytes: u64) -> Facts {
    let block = u64::from(format.block_bytes).max(1);
    let data_size = u32::try_from(bytes).unwrap_or(UNKNOWN);
    // A size of UNKNOWN makes the demuxer read whole packets only: the zeros let it, and `length` cuts them off again.
    let padding = if data_size == UNKNOWN { BLOCKS_A_PACKET * block } else { 0 };
    let length = if format.is_adpcm() { Length::Unstated } else { Length::Samples(bytes / block) };
    let mut head = [&b"RIFF"[..], &UNKNOWN.to_le_bytes(), b"WAVE"].concat();
    head.extend(format.chunk);
    head.extend(b"data");
    head.extend(data_size.to_le_bytes());
    Facts { view: View { head, start, end: Some(start + bytes + padding) }, delay: Delay::None, length }
}
