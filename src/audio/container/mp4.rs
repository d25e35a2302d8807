//! MP4 and M4A: boxes whole, and the edit list that says where the sound begins (ISO/IEC 14496-12).

use super::{Delay, Facts, Length};
use crate::audio::source::Source;
use crate::audio::{AudioError, Place};

/// A box's type and the byte range of its content.
struct Atom {
    kind: [u8; 4],
    start: u64,
    end: u64,
}

/// What a track's boxes say.
#[derive(Default)]
struct Track {
    sound: bool,
    ticks_a_second: Option<u32>,
    edits: Vec<Edit>,
}

/// One entry of an edit list.
#[derive(Clone, Copy)]
struct Edit {
    /// Ticks of the movie's clock.
    duration: u64,
    /// Where in the track it starts, in ticks of the track's clock; nothing for an empty edit.
    start: Option<u64>,
}

/// Walks the top-level boxes and reads the first sound track's edit list.
pub(super) fn inspect(source: &mut Source) -> Result<Facts, AudioError> {
    let mut movie = None;
    let mut fragmented = false;
    let mut offset = 0;
    while offset < source.length {
        let atom = read_atom(source, offset, source.length)?;
        match &atom.kind {
            b"moov" if movie.is_none() => movie = Some(read_movie(source, &atom)?),
            b"moof" => fragmented = true,
            _ => {}
        }
        offset = atom.end;
    }
    let Some((movie_ticks, track)) = movie else {
        return Err(AudioError::NoEnd { path: source.path.clone(), missing: "the `moov` box" });
    };
    let track = track.ok_or_else(|| AudioError::NoAudioTrack { path: source.path.clone() })?;
    let mut edits = track.edits.iter().filter_map(|edit| edit.start.map(|start| (start, edit.duration)));
    // With several edits there is no one start and end: then all of the track is heard.
    let edit = edits.next().filter(|_| edits.next().is_none());
    Ok(match (edit, track.ticks_a_second) {
        (Some((start, duration)), Some(ticks)) => Facts {
            delay: Delay::Ticks(start, ticks),
            length: if fragmented { Length::Unstated } else { Length::Edited(duration, movie_ticks) },
            ..Facts::default()
        },
        _ => Facts { length: if fragmented { Length::Unstated } else { Length::Track }, ..Facts::default() },
    })
}

/// The movie's ticks a second, and its first track of sound.
fn read_movie(source: &mut Source, movie: &Atom) -> Result<(u32, Option<Track>), AudioError> {
    let mut ticks = 0;
    let mut sound = None;
    each(source, movie, &mut |source, atom| {
        match &atom.kind {
            b"mvhd" => ticks = read_clock(source, atom)?.unwrap_or_default(),
            b"trak" if sound.is_none() => {
                let mut track = Track::default();
                read_track(source, atom, &mut track)?;
                sound = Some(track).filter(|track| track.sound);
            }
            _ => {}
        }
        Ok(())
    })?;
    Ok((ticks, sound))
}

/// Reads what `parent` holds of a track; the boxes of interest are at most two levels down.
fn read_track(source: &mut Source, parent: &Atom, track: &mut Track) -> Result<(), AudioError> {
    each(source, parent, &mut |source, atom| {
        match &atom.kind {
            // The handler's type follows version, flags and a reserved word.
            b"hdlr" => track.sound |= source.bytes_at(atom.start + 8)? == Some(*b"soun"),
            b"mdhd" => track.ticks_a_second = read_clock(source, atom)?.filter(|ticks| *ticks > 0),
            b"elst" => track.edits = read_edits(source, atom)?,
            b"mdia" | b"edts" if &parent.kind == b"trak" => read_track(source, atom, track)?,
            _ => {}
        }
        Ok(())
    })
}

/// Ticks a second of an `mvhd` or `mdhd` box: after two times, which are 32 bits wide in version 0 and 64 in version 1.
fn read_clock(source: &mut Source, atom: &Atom) -> Result<Option<u32>, AudioError> {
    let wide = source.bytes_at::<1>(atom.start)? == Some([1]);
    Ok(source.bytes_at(atom.start + if wide { 20 } else { 12 })?.map(u32::from_be_bytes))
}

/// The edits; no more than the first few, which decide whether there is exactly one.
fn read_edits(source: &mut Source, atom: &Atom) -> Result<Vec<Edit>, AudioError> {
    const ENOUGH: u32 = 16;
    let wide = source.bytes_at::<1>(atom.start)? == Some([1]);
    let count = source.bytes_at(atom.start + 4)?.map_or(0, u32::from_be_bytes).min(ENOUGH);
    let mut edits = Vec::new();
    let mut offset = atom.start + 8;
    for _ in 0..count {
        let (duration, start) = if wide {
            (source.bytes_at(offset)?.map(u64::from_be_bytes), source.bytes_at(offset + 8)?.map(i64::from_be_bytes))
        } else {
            let start = source.bytes_at(offset + 4)?.map(i32::from_be_bytes);
            (source.bytes_at(offset)?.map(u32::from_be_bytes).map(u64::from), start.map(i64::from))
        };
        let (Some(duration), Some(start)) = (duration, start) else { break };
        edits.push(Edit { duration, start: u64::try_from(start).ok() });
        offset += if wide { 20 } else { 12 };
    }
    Ok(edits)
}

/// Runs `visit` over the boxes inside `parent`.
fn each(
    source: &mut Source,
    parent: &Atom,
    visit: &mut dyn FnMut(&mut Source, &Atom) -> Result<(), AudioError>,
) -> Result<(), AudioError> {
    let mut offset = parent.start;
    while offset + 8 <= parent.end {
        let atom = read_atom(source, offset, parent.end)?;
        visit(source, &atom)?;
        offset = atom.end;
    }
    Ok(())
}

/// The box at `offset`, which must end by `limit`.
fn read_atom(source: &mut Source, offset: u64, limit: u64) -> Result<Atom, AudioError> {
    let path = source.path.clone();
    let ends_early = |stated| AudioError::EndsEarly { path: path.clone(), stated, found: limit, unit: "bytes" };
    let Some([s0, s1, s2, s3, kind @ ..]) = source.bytes_at::<8>(offset)? else {
        return Err(ends_early(offset + 8));
    };
    let (header, size) = match u32::from_be_bytes([s0, s1, s2, s3]) {
        0 => (8, limit - offset),
        1 => (16, source.bytes_at(offset + 8)?.map(u64::from_be_bytes).ok_or_else(|| ends_early(offset + 16))?),
        size => (8, u64::from(size)),
    };
    if size < header {
        let what = "a box is smaller than its header";
        return Err(AudioError::Corrupt { path, at: Place::Byte(offset), what });
    }
    match offset.checked_add(size) {
        Some(end) if end <= limit => Ok(Atom { kind, start: offset + header, end }),
        end => Err(ends_early(end.unwrap_or(u64::MAX))),
    }
}
