//! Truncation, damage, splices and failed writes, on real files.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use proptest::prelude::*;

use super::frame::{HEADER, PREAMBLE};
use super::*;

const ID: &str = "recording-1";

fn key() -> Key {
    Key::from_bytes([7; 32])
}

/// A folder, and the path of a spool in it.
fn place() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audio");
    (folder, path)
}

/// Audio records of these lengths, a sync after each, each of two frames; ends of the records in bytes.
fn written(path: &Path, lengths: &[usize]) -> Vec<u64> {
    let mut writer = SpoolWriter::create(path, &key(), ID).unwrap();
    let mut ends = Vec::new();
    for (number, length) in lengths.iter().enumerate() {
        let frame = vec![number as u8; *length];
        writer.append(RecordKind::Audio, *length as u64, &[&frame, b"second"]).unwrap();
        writer.sync().unwrap();
        ends.push(writer.safe_bytes());
    }
    ends
}

/// Everything up to the end or the first error.
fn read(path: &Path) -> (Vec<Record>, Option<SpoolError>) {
    let mut reader = match SpoolReader::open(path, &key(), ID) {
        Ok(reader) => reader,
        Err(error) => return (Vec::new(), Some(error)),
    };
    let mut records = Vec::new();
    loop {
        match reader.next() {
            Ok(Some(record)) => records.push(record),
            Ok(None) => return (records, None),
            Err(error) => return (records, Some(error)),
        }
    }
}

#[test]
fn what_was_written_is_read() {
    let (_folder, path) = place();
    let mut writer = SpoolWriter::create(&path, &key(), ID).unwrap();
    writer.append(RecordKind::Audio, 3, &[b"abc", b"", b"d"]).unwrap();
    assert_eq!((writer.samples(), writer.safe_samples()), (3, 0));
    writer.append(RecordKind::Break, 0, &[]).unwrap();
    assert_eq!(writer.sync().unwrap(), 3);
    writer.append(RecordKind::Audio, 2, &[b"ef"]).unwrap();
    writer.append(RecordKind::Finish, 0, &[]).unwrap();
    assert_eq!(writer.sync().unwrap(), 5);
    assert!(matches!(writer.append(RecordKind::Audio, 1, &[b"g"]), Err(SpoolError::Finished { .. })));
    let (records, error) = read(&path);
    assert!(error.is_none());
    let seen: Vec<_> = records.iter().map(|r| (r.kind, r.sequence, r.start, r.samples)).collect();
    let expected =
        [(RecordKind::Audio, 0, 0, 3), (RecordKind::Break, 1, 3, 0), (RecordKind::Audio, 2, 3, 2), (RecordKind::Finish, 3, 5, 0)];
    assert_eq!(seen, expected);
    let frames: Vec<Vec<&[u8]>> = records.iter().map(|record| record.frames().collect()).collect();
    let expected: [&[&[u8]]; 4] = [&[b"abc", b"", b"d"], &[], &[b"ef"], &[]];
    assert_eq!(frames, expected);
    drop(writer);
    assert!(SpoolWriter::open(&path, &key(), ID).unwrap().finished());
}

#[test]
fn a_reader_follows_a_writer_and_can_stop_at_what_is_safe() {
    let (_folder, path) = place();
    let mut writer = SpoolWriter::create(&path, &key(), ID).unwrap();
    let mut reader = SpoolReader::open(&path, &key(), ID).unwrap();
    assert_eq!(reader.next().unwrap(), None);
    for number in 0..5_u64 {
        writer.append(RecordKind::Audio, 1, &[&[number as u8]]).unwrap();
        assert_eq!(reader.next_before(writer.safe_bytes()).unwrap(), None);
        writer.sync().unwrap();
        let record = reader.next_before(writer.safe_bytes()).unwrap().unwrap();
        assert_eq!((record.sequence, record.start), (number, number));
        assert_eq!(reader.next().unwrap(), None);
    }
}

#[test]
fn only_the_owner_can_read_the_file_and_only_one_can_write_it() {
    let (_folder, path) = place();
    let writer = SpoolWriter::create(&path, &key(), ID).unwrap();
    #[cfg(unix)]
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&path).unwrap().permissions()) & 0o777, 0o600);
    assert!(matches!(SpoolWriter::open(&path, &key(), ID), Err(SpoolError::InUse { .. })));
    drop(writer);
    assert!(matches!(SpoolWriter::create(&path, &key(), ID), Err(SpoolError::Io { .. })), "it is there already");
    SpoolWriter::open(&path, &key(), ID).unwrap();
}

#[test]
fn nothing_of_the_sound_is_on_the_disk_in_the_clear() {
    let (_folder, path) = place();
    let sound = b"something that was said in the room";
    let mut writer = SpoolWriter::create(&path, &key(), ID).unwrap();
    writer.append(RecordKind::Audio, 1, &[sound]).unwrap();
    writer.append(RecordKind::Audio, 1, &[sound]).unwrap();
    let bytes = fs::read(&path).unwrap();
    assert!(!bytes.windows(8).any(|window| sound.windows(8).any(|part| part == window)));
    let body = sound.len() + 4 + 16;
    let second = PREAMBLE + 2 * HEADER + body;
    assert_ne!(bytes[PREAMBLE + HEADER..][..body], bytes[second..], "the same sound twice is sealed differently");
    assert_eq!(format!("{:?}", key()), "Key(..)");
    assert_eq!(format!("{:?}", read(&path).0[1]), "Record(Audio 1, 1 samples from 1, 39 bytes)");
}

/// Another recording's file, another key, and a file that is none.
#[test]
fn a_foreign_file_is_refused_and_left_alone() {
    let (_folder, path) = place();
    written(&path, &[10, 10]);
    let before = fs::read(&path).unwrap();
    let foreign = |result: Result<(), SpoolError>| assert!(matches!(result, Err(SpoolError::Foreign { .. })), "{result:?}");
    foreign(SpoolReader::open(&path, &key(), "recording-2").map(|_| ()));
    foreign(SpoolReader::open(&path, &Key::from_bytes([8; 32]), ID).map(|_| ()));
    foreign(SpoolWriter::open(&path, &key(), "recording-2").map(|_| ()));
    foreign(SpoolWriter::open(&path, &Key::from_bytes([8; 32]), ID).map(|_| ()));
    assert_eq!(fs::read(&path).unwrap(), before);
    fs::write(&path, vec![b'x'; 1000]).unwrap();
    foreign(SpoolWriter::open(&path, &key(), ID).map(|_| ()));
    assert_eq!(fs::read(&path).unwrap(), vec![b'x'; 1000]);
}

#[test]
fn every_truncation_gives_the_records_that_are_whole_and_can_be_gone_on_with() {
    let (_folder, path) = place();
    let ends = written(&path, &[5, 0, 40]);
    let (all, _) = read(&path);
    let bytes = fs::read(&path).unwrap();
    for length in 0..bytes.len() {
        fs::write(&path, &bytes[..length]).unwrap();
        let whole = ends.iter().filter(|end| **end <= length as u64).count();
        assert_eq!(read(&path).0, all[..whole], "cut at {length}");
        assert!(read(&path).1.is_none(), "cut at {length}");
        let mut writer = SpoolWriter::open(&path, &key(), ID).unwrap();
        let samples: u64 = all[..whole].iter().map(|record| record.samples).sum();
        assert_eq!((writer.samples(), writer.safe_samples()), (samples, samples));
        writer.append(RecordKind::Audio, 2, &[b"on"]).unwrap();
        assert_eq!(writer.sync().unwrap(), samples + 2);
        let (records, error) = read(&path);
        assert!(error.is_none());
        assert_eq!((&records[..whole], records.len()), (&all[..whole], whole + 1), "cut at {length}");
    }
}

/// A power cut can leave the file longer than what was written of it.
#[test]
fn a_tail_of_zeros_or_noise_is_cut() {
    let (_folder, path) = place();
    written(&path, &[100, 100]);
    let bytes = fs::read(&path).unwrap();
    for noise in [0_u8, 0xa5] {
        for length in [1, 3, 64, 65, 70_000] {
            let mut torn = bytes.clone();
            torn.extend(vec![noise; length]);
            fs::write(&path, &torn).unwrap();
            assert_eq!(read(&path).0.len(), 2);
            drop(SpoolWriter::open(&path, &key(), ID).unwrap());
            assert_eq!(fs::read(&path).unwrap(), bytes);
        }
    }
}

/// Two records of one sync, of which the first did not reach the disk: neither was acknowledged.
#[test]
fn a_hole_in_what_was_never_synced_is_a_torn_tail() {
    let (_folder, path) = place();
    let mut writer = SpoolWriter::create(&path, &key(), ID).unwrap();
    for _ in 0..3 {
        writer.append(RecordKind::Audio, 1, &[&[1; 100]]).unwrap();
    }
    drop(writer);
    let mut bytes = fs::read(&path).unwrap();
    let record = (bytes.len() - PREAMBLE) / 3;
    bytes[PREAMBLE + record..][..record].fill(0);
    fs::write(&path, &bytes).unwrap();
    let (records, error) = read(&path);
    assert!(error.is_none());
    assert_eq!(records.len(), 1);
    assert_eq!(SpoolWriter::open(&path, &key(), ID).unwrap().samples(), 1);
}

#[test]
fn damage_of_what_was_safe_is_an_error_and_the_writer_cuts_nothing() {
    let (_folder, path) = place();
    // The middle record is longer than the window in which the next one is looked for.
    let ends = written(&path, &[10, 200_000, 10]);
    let good = fs::read(&path).unwrap();
    for offset in [ends[0], ends[0] + 4, ends[0] + 5, ends[0] + 37, ends[0] + 50, ends[0] + 100_000, ends[1] - 1] {
        let mut bytes = good.clone();
        bytes[offset as usize] ^= 0x40;
        fs::write(&path, &bytes).unwrap();
        let (records, error) = read(&path);
        assert_eq!(records.len(), 1);
        assert!(matches!(error, Some(SpoolError::Damaged { sequence: 1, .. })), "{offset}: {error:?}");
        assert!(matches!(SpoolWriter::open(&path, &key(), ID), Err(SpoolError::Damaged { sequence: 1, .. })));
        assert_eq!(fs::read(&path).unwrap(), bytes);
    }
}

#[test]
fn records_out_of_their_place_are_refused() {
    let (_folder, path) = place();
    written(&path, &[10, 10, 10, 10]);
    let bytes = fs::read(&path).unwrap();
    let records: Vec<&[u8]> = bytes[PREAMBLE..].chunks((bytes.len() - PREAMBLE) / 4).collect();
    let (all, _) = read(&path);
    for (order, whole) in [(vec![1, 0, 2, 3], 0), (vec![0, 2, 1, 3], 1), (vec![0, 1, 1, 2], 2), (vec![0, 1, 3], 2), (vec![3], 0)]
    {
        let spliced = order.iter().map(|number| records[*number]).collect::<Vec<_>>().concat();
        fs::write(&path, [&bytes[..PREAMBLE], &spliced].concat()).unwrap();
        let (read, error) = read(&path);
        assert_eq!(read, all[..whole], "{order:?}");
        assert!(matches!(error, Some(SpoolError::Damaged { .. })), "{order:?}");
    }
}

#[test]
fn records_of_another_recording_are_refused() {
    let (folder, path) = place();
    written(&path, &[10, 10]);
    let other = folder.path().join("other");
    let mut writer = SpoolWriter::create(&other, &key(), "recording-2").unwrap();
    for _ in 0..3 {
        writer.append(RecordKind::Audio, 10, &[&[9; 10], b"second"]).unwrap();
        writer.sync().unwrap();
    }
    let (mine, theirs) = (fs::read(&path).unwrap(), fs::read(&other).unwrap());
    let (records, _) = read(&path);
    assert_eq!(mine.len() - PREAMBLE, (theirs.len() - PREAMBLE) / 3 * 2);
    fs::write(&path, [&mine, &theirs[mine.len()..]].concat()).unwrap();
    assert_eq!(read(&path).0, records, "a foreign record at the end is never read");
    fs::write(&path, [&mine[..PREAMBLE], &theirs[PREAMBLE..]].concat()).unwrap();
    assert!(read(&path).0.is_empty());
}

#[test]
fn a_sample_is_found_without_reading_what_is_before_it() {
    let (_folder, path) = place();
    let mut writer = SpoolWriter::create(&path, &key(), ID).unwrap();
    for (kind, samples) in [(RecordKind::Audio, 10), (RecordKind::Break, 0), (RecordKind::Audio, 5), (RecordKind::Audio, 1)] {
        writer.append(kind, samples, &[&[1; 50]]).unwrap();
        writer.sync().unwrap();
    }
    let mut reader = SpoolReader::open(&path, &key(), ID).unwrap();
    for (sample, sequence) in [(0, 0), (9, 0), (10, 2), (14, 2), (15, 3), (3, 0)] {
        reader.seek_to_sample(sample).unwrap();
        assert_eq!(reader.next().unwrap().unwrap().sequence, sequence, "sample {sample}");
    }
    reader.seek_to_sample(16).unwrap();
    assert_eq!(reader.next().unwrap(), None);
    writer.append(RecordKind::Audio, 1, &[b"later"]).unwrap();
    assert_eq!(reader.next().unwrap().unwrap().sequence, 4);
    let mut bytes = fs::read(&path).unwrap();
    bytes[PREAMBLE + 5] ^= 1;
    fs::write(&path, &bytes).unwrap();
    assert!(matches!(reader.seek_to_sample(15), Err(SpoolError::Damaged { .. })));
}

#[test]
fn too_much_for_one_record_is_refused_before_it_is_written() {
    let (_folder, path) = place();
    let mut writer = SpoolWriter::create(&path, &key(), ID).unwrap();
    let most = vec![0; MOST_BYTES - 4];
    assert!(matches!(writer.append(RecordKind::Audio, 1, &[&most, b""]), Err(SpoolError::TooLarge { .. })));
    writer.append(RecordKind::Audio, 1, &[&most]).unwrap();
    assert_eq!(writer.sync().unwrap(), 1);
    assert_eq!(read(&path).0.len(), 1);
}

/// Set for the child process whose files must not grow.
const SMALL_FILES: &str = "CANTOSCRIBE_TEST_SMALL_FILES";

/// The system itself refuses the write: the test runs again as a child whose files end at 64 KiB.
#[cfg(unix)]
#[test]
fn a_failed_write_leaves_the_file_as_it_was() {
    if std::env::var_os(SMALL_FILES).is_some() {
        return append_until_it_fails();
    }
    let script = "trap '' XFSZ; ulimit -f 128 || exit 3; exec \"$0\" --exact \"$1\"";
    let name = "spool::tests::a_failed_write_leaves_the_file_as_it_was";
    let mut child = Command::new("sh");
    child.args(["-c", script]).arg(std::env::current_exe().unwrap()).arg(name).env(SMALL_FILES, "1");
    let output = child.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

fn append_until_it_fails() {
    let (_folder, path) = place();
    let mut writer = SpoolWriter::create(&path, &key(), ID).unwrap();
    let frame = vec![5; 10_000];
    let appended = (0..100).take_while(|_| writer.append(RecordKind::Audio, 10, &[&frame]).is_ok()).count() as u64;
    assert!((1..100).contains(&appended), "{appended} of 100 were written");
    let length = fs::metadata(&path).unwrap().len();
    assert!(length < 65_536 - 100, "what was written of the failed record is gone");
    assert_eq!((writer.samples(), writer.sync().unwrap()), (appended * 10, appended * 10));
    assert!(writer.append(RecordKind::Audio, 10, &[&frame]).is_err());
    writer.append(RecordKind::Audio, 1, &[b"small"]).unwrap();
    assert_eq!(writer.sync().unwrap(), appended * 10 + 1);
    let (records, error) = read(&path);
    assert!(error.is_none());
    assert_eq!(records.len() as u64, appended + 1);
    assert_eq!(records.last().unwrap().frames().collect::<Vec<_>>(), [b"small"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// A flipped byte is an error or a shorter prefix, never another record.
    #[test]
    fn a_flipped_byte_never_gives_a_wrong_record(
        lengths in prop::collection::vec(0_usize..300, 1..6),
        at in any::<prop::sample::Index>(),
        flip in 1_u8..,
    ) {
        let (_folder, path) = place();
        let ends = written(&path, &lengths);
        let (all, _) = read(&path);
        prop_assert_eq!(all.len(), lengths.len());
        let mut bytes = fs::read(&path).unwrap();
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        fs::write(&path, &bytes).unwrap();
        let (records, error) = read(&path);
        let before = ends.iter().filter(|end| **end <= at as u64).count();
        prop_assert_eq!(&records[..], &all[..before]);
        // Only in the last record can it be taken for a torn tail.
        prop_assert_eq!(error.is_some(), at < PREAMBLE || before + 1 < lengths.len());
    }

    /// Any bytes in the place of any stretch: a prefix of what was written, or an error.
    #[test]
    fn no_bytes_make_a_record_that_was_not_written(
        lengths in prop::collection::vec(0_usize..300, 1..6),
        from in any::<prop::sample::Index>(),
        to in any::<prop::sample::Index>(),
        instead in prop::collection::vec(any::<u8>(), 0..400),
    ) {
        let (_folder, path) = place();
        written(&path, &lengths);
        let (all, _) = read(&path);
        let mut bytes = fs::read(&path).unwrap();
        let (from, to) = (from.index(bytes.len()), to.index(bytes.len()));
        bytes.splice(from.min(to)..from.max(to), instead);
        fs::write(&path, &bytes).unwrap();
        let (records, _) = read(&path);
        prop_assert!(all.starts_with(&records));
    }
}
