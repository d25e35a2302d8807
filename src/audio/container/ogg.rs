//! Ogg: every page checked, and the last one there (RFC 3533; RFC 7845 for Opus).

use super::{Delay, Facts, Length};
use crate::audio::source::Source;
use crate::audio::{AudioError, Place};

/// Bytes of a page header before its segment table.
const HEADER: u64 = 27;
/// Granule position of a page on which no packet ends.
const NO_GRANULE: u64 = u64::MAX;

/// The logical stream of sound.
struct Stream {
    serial: u32,
    opus: bool,
    next_page: u32,
    last_granule: u64,
    ended: bool,
}

/// One page.
struct Page {
    flags: u8,
    granule: u64,
    serial: u32,
    sequence: u32,
    bytes: Vec<u8>,
    body: usize,
}

impl Page {
    fn begins_stream(&self) -> bool {
        self.flags & 2 != 0
    }

    fn ends_stream(&self) -> bool {
        self.flags & 4 != 0
    }

    fn body(&self) -> &[u8] {
        self.bytes.get(self.body..).unwrap_or_default()
    }
}

/// Walks the pages: each whole, unharmed and in order, up to the one that ends the stream.
pub(super) fn inspect(source: &mut Source) -> Result<Facts, AudioError> {
    let mut offset = 0;
    let mut stream: Option<Stream> = None;
    while offset < source.length {
        let page = read_page(source, offset)?;
        let corrupt = |what| AudioError::Corrupt { path: source.path.clone(), at: Place::Byte(offset), what };
        if page.begins_stream() {
            match &stream {
                Some(stream) if stream.ended => {
                    let what = "more than one Ogg stream, one after the other";
                    return Err(AudioError::Unsupported { path: source.path.clone(), what });
                }
                Some(_) => {}
                None => stream = begin(&page),
            }
        } else if let Some(stream) = stream.as_mut().filter(|stream| stream.serial == page.serial) {
            if page.sequence != stream.next_page {
                return Err(corrupt("pages of the Ogg stream are missing or out of order"));
            }
            stream.next_page = page.sequence.wrapping_add(1);
            if page.granule != NO_GRANULE {
                stream.last_granule = page.granule;
            }
            stream.ended |= page.ends_stream();
        }
        offset += page.bytes.len() as u64;
    }
    let stream = stream.ok_or_else(|| AudioError::NoAudioTrack { path: source.path.clone() })?;
    if !stream.ended {
        return Err(AudioError::NoEnd { path: source.path.clone(), missing: "the page that ends the Ogg stream" });
    }
    Ok(Facts {
        delay: if stream.opus { Delay::OpusHeader } else { Delay::None },
        length: Length::LastGranule(stream.last_granule),
        ..Facts::default()
    })
}

/// The stream a first page begins, when it is one of sound.
fn begin(page: &Page) -> Option<Stream> {
    let head = page.body();
    let opus = head.starts_with(b"OpusHead");
    (opus || head.starts_with(b"\x01vorbis") || head.starts_with(b"\x7fFLAC")).then(|| Stream {
        serial: page.serial,
        opus,
        next_page: page.sequence.wrapping_add(1),
        last_granule: 0,
        ended: page.ends_stream(),
    })
}

/// The page at `offset`, at most 65307 bytes, its checksum verified.
fn read_page(source: &mut Source, offset: u64) -> Result<Page, AudioError> {
    let path = source.path.clone();
    let ends_early = |stated, found| AudioError::EndsEarly { path: path.clone(), stated, found, unit: "bytes" };
    let corrupt = |what| AudioError::Corrupt { path: path.clone(), at: Place::Byte(offset), what };
    let found = source.length;
    let Some(head) = source.bytes_at::<27>(offset)? else { return Err(ends_early(offset + HEADER, found)) };
    let [
        b'O',
        b'g',
        b'g',
        b'S',
        0,
        flags,
        g0,
        g1,
        g2,
        g3,
        g4,
        g5,
        g6,
        g7,
        s0,
        s1,
        s2,
        s3,
        n0,
        n1,
        n2,
        n3,
        c0,
        c1,
        c2,
        c3,
        segments,
    ] = head
    else {
        return Err(corrupt("no Ogg page where one must be"));
    };
    let mut table = vec![0; usize::from(segments)];
    source.read_at(offset + HEADER, &mut table)?;
    let body = HEADER + u64::from(segments);
    let length = body + table.iter().map(|length| u64::from(*length)).sum::<u64>();
    let mut bytes = vec![0; usize::try_from(length).unwrap_or(usize::MAX)];
    if source.read_at(offset, &mut bytes)? < bytes.len() {
        return Err(ends_early(offset + length, found));
    }
    if let Some(checksum) = bytes.get_mut(22..26) {
        checksum.fill(0);
    }
    if checksum(&bytes) != u32::from_le_bytes([c0, c1, c2, c3]) {
        return Err(corrupt("the checksum of an Ogg page is wrong"));
    }
    Ok(Page {
        flags,
        granule: u64::from_le_bytes([g0, g1, g2, g3, g4, g5, g6, g7]),
        serial: u32::from_le_bytes([s0, s1, s2, s3]),
        sequence: u32::from_le_bytes([n0, n1, n2, n3]),
        bytes,
        body: usize::try_from(body).unwrap_or(usize::MAX),
    })
}

/// CRC-32 of RFC 3533: polynomial 0x04c11db7, start 0, not reflected.
fn checksum(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = table();
    bytes.iter().fold(0, |crc: u32, byte| {
        let [top, ..] = crc.to_be_bytes();
        (crc << 8) ^ TABLE.get(usize::from(top ^ byte)).copied().unwrap_or_default()
    })
}

#[expect(clippy::indexing_slicing, reason = "the index is below the length; iterators are not const")]
const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut index = 0;
    while index < table.len() {
        let mut crc = (index as u32) << 24;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc >> 31 == 1 { (crc << 1) ^ 0x04c1_1db7 } else { crc << 1 };
            bit += 1;
        }
        table[index] = crc;
        index += 1;
    }
    table
}
