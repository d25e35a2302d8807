//! Matroska and WebM: whether the file holds the whole segment (RFC 8794 for the numbers, RFC 9559 for the elements).

use super::{Delay, Facts, Length};
use crate::audio::source::Source;
use crate::audio::{AudioError, Place};

/// The element that holds everything.
const SEGMENT: u64 = 0x1853_8067;
/// An element of the segment that holds a stretch of packets.
const CLUSTER: u64 = 0x1f43_b675;

/// Walks the elements. A live recorder, a browser's among them, leaves the sizes of segment and clusters unknown, which is no damage:
/// then the last element must end with the file.
pub(super) fn inspect(source: &mut Source) -> Result<Facts, AudioError> {
    let mut offset = 0;
    let mut length = Length::Unstated;
    while offset < source.length {
        let (id, after_id) = number(source, offset, false)?;
        let (size, body) = number(source, after_id, true)?;
        let Some(size) = size else {
            if !matches!(id, Some(SEGMENT | CLUSTER)) {
                let what = "an element of unknown size";
                return Err(AudioError::Corrupt { path: source.path.clone(), at: Place::Byte(offset), what });
            }
            length = Length::OpenEnd;
            offset = body;
            continue;
        };
        let end = body.saturating_add(size);
        if end > source.length {
            return Err(AudioError::EndsEarly { path: source.path.clone(), stated: end, found: source.length, unit: "bytes" });
        }
        if id == Some(SEGMENT) {
            break;
        }
        offset = end;
    }
    Ok(Facts { delay: Delay::OpusHeader, length, ..Facts::default() })
}

/// A variable-length number and the offset after it; with `value`, without its length marker, and nothing when all ones (unknown).
fn number(source: &mut Source, offset: u64, value: bool) -> Result<(Option<u64>, u64), AudioError> {
    let mut bytes = [0; 8];
    let read = source.read_at(offset, &mut bytes)?;
    let word = u64::from_be_bytes(bytes);
    let length = word.leading_zeros() + 1;
    if length > 8 || length as usize > read {
        let what = "an element has no valid size";
        return Err(AudioError::Corrupt { path: source.path.clone(), at: Place::Byte(offset), what });
    }
    let marked = word >> (64 - 8 * length);
    let ones = (1_u64 << (7 * length)) - 1;
    let number = match marked & ones {
        _ if !value => Some(marked),
        unmarked if unmarked == ones => None,
        unmarked => Some(unmarked),
    };
    Ok((number, offset + u64::from(length)))
}
