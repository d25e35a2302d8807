//! The framing of an Opus packet (RFC 6716, section 3), checked as strictly as the reference decoder does.

/// The longest packet: 120 ms at 48 kHz.
const LONGEST: usize = 5760;
/// The most bytes of one frame.
const MOST_BYTES: usize = 1275;

const WRONG: &str = "it is not an Opus packet";

/// Samples of 48 kHz, of each channel, that a packet decodes to.
pub(super) fn samples(packet: &[u8]) -> Result<u64, &'static str> {
    let (&toc, rest) = packet.split_first().ok_or(WRONG)?;
    let frames = match toc & 3 {
        0 => one_size(rest.len(), 1)?,
        1 => one_size(rest.len(), 2)?,
        2 => {
            let (first, rest) = size(rest)?;
            let second = rest.len().checked_sub(first).ok_or(WRONG)?;
            1 + one_size(second, 1)?
        }
        _ => any_number(rest)?,
    };
    let samples = frames * frame_samples(toc);
    if samples > LONGEST {
        return Err("its Opus packet is longer than 120 ms");
    }
    Ok(samples as u64)
}

/// Samples of one frame, from the packet's first byte (table 2).
fn frame_samples(toc: u8) -> usize {
    let size = usize::from((toc >> 3) & 3);
    match toc >> 3 {
        0..12 => [480, 960, 1920, 2880].get(size).copied().unwrap_or(LONGEST),
        12..16 => 480 << (size & 1),
        _ => 120 << size,
    }
}

/// So many frames that share these bytes equally.
fn one_size(bytes: usize, frames: usize) -> Result<usize, &'static str> {
    let whole = frames > 0 && bytes.is_multiple_of(frames) && bytes / frames <= MOST_BYTES;
    whole.then_some(frames).ok_or(WRONG)
}

/// Code 3: a number of frames, padding, and perhaps a size for each frame but the last.
fn any_number(packet: &[u8]) -> Result<usize, &'static str> {
    let (&count, mut rest) = packet.split_first().ok_or(WRONG)?;
    let frames = usize::from(count & 0x3f);
    if frames == 0 {
        return Err(WRONG);
    }
    if count & 0x40 != 0 {
        let mut padding = 0;
        loop {
            let (&more, after) = rest.split_first().ok_or(WRONG)?;
            rest = after;
            padding += usize::from(more.min(254));
            if more < 255 {
                break;
            }
        }
        rest = rest.get(..rest.len().checked_sub(padding).ok_or(WRONG)?).ok_or(WRONG)?;
    }
    if count & 0x80 == 0 {
        return one_size(rest.len(), frames);
    }
    let mut stated = 0;
    for _ in 1..frames {
        let (bytes, after) = size(rest)?;
        stated += bytes;
        rest = after;
    }
    let last = rest.len().checked_sub(stated).ok_or(WRONG)?;
    one_size(last, 1)?;
    Ok(frames)
}

/// A frame's size in one or two bytes, and what follows.
fn size(bytes: &[u8]) -> Result<(usize, &[u8]), &'static str> {
    match bytes {
        [first @ 0..252, rest @ ..] => Ok((usize::from(*first), rest)),
        [first, second, rest @ ..] => Ok((usize::from(*first) + 4 * usize::from(*second), rest)),
        _ => Err(WRONG),
    }
}
