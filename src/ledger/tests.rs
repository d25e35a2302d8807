//! Logs on a real disk: kills, cut-short appends, damage.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::*;
use crate::audit::{Action, Actor, Event, Fault, Outcome, UnixMillis, verify, verify_consistency, verify_inclusion};

/// Set for the child that is killed.
const APPEND_FOR_EVER: &str = "CANTOSCRIBE_TEST_APPEND_FOR_EVER";

fn test_signer() -> NoteSigner {
    NoteSigner::from_seed("log.example/audit", &[7; 32]).unwrap()
}

fn entry(number: u64) -> Vec<u8> {
    Event::new(UnixMillis(number), Actor::System, Action::View { count: 1 }, Outcome::Done).encode().unwrap()
}

fn entries(range: std::ops::Range<u64>) -> impl Iterator<Item = Vec<u8>> {
    range.map(entry)
}

fn open(path: &Path) -> Ledger {
    Ledger::open(path, test_signer()).unwrap()
}

fn faults(path: &Path) -> Vec<Fault> {
    verify(&LogFolder::new(path), &test_signer().verifier(), None).unwrap().faults
}

fn files(path: &Path) -> BTreeMap<String, Vec<u8>> {
    let folder = LogFolder::new(path);
    folder.paths().unwrap().into_iter().map(|name| (name.clone(), folder.read(&name).unwrap().unwrap())).collect()
}

/// The files of a log as they were listed some time ago: since then it has grown.
struct Listed(LogFolder, Vec<String>);

impl crate::audit::LogFiles for Listed {
    fn paths(&self) -> Result<Vec<String>, crate::audit::AuditError> {
        Ok(self.1.clone())
    }

    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, crate::audit::AuditError> {
        if path == CHECKPOINT { Ok(Some(std::fs::read(self.0.path().join("seen")).unwrap())) } else { self.0.read(path) }
    }
}

#[test]
fn a_log_that_grows_while_it_is_verified_is_intact() {
    let folder = tempfile::tempdir().unwrap();
    for (size, grown) in [(3, 256), (300, 520), (500, 1100), (255, 70_000)] {
        let path = folder.path().join(size.to_string());
        std::fs::create_dir(&path).unwrap();
        let mut log = open(&path);
        log.append(entries(0..size - 2)).unwrap();
        log.append(entries(size - 2..size)).unwrap();
        std::fs::copy(path.join(CHECKPOINT), path.join("seen")).unwrap();
        let listed = Listed(LogFolder::new(&path), LogFolder::new(&path).paths().unwrap());
        log.append(entries(size..grown)).unwrap();
        let report = verify(&listed, &test_signer().verifier(), None).unwrap();
        assert_eq!((report.checkpoint.size, report.faults), (size, vec![]));
        // What is wrong in the full tile is found all the same.
        let full = path.join("tile/entries/000");
        let mut bytes = std::fs::read(&full).unwrap();
        bytes[100] ^= 1;
        std::fs::write(&full, bytes).unwrap();
        assert_ne!(verify(&listed, &test_signer().verifier(), None).unwrap().faults, vec![]);
    }
}

#[test]
fn a_log_grows_is_read_and_goes_on_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let mut heads = vec![open(folder.path()).head().clone()];
    for size in [1, 2, 255, 256, 300, 1100] {
        let mut log = open(folder.path());
        heads.push(log.append(entries(log.size()..size)).unwrap().clone());
        assert_eq!(faults(folder.path()), []);
        let head = heads.last().unwrap();
        for number in [0, size / 2, size - 1] {
            let leaf = Hash::leaf(&entry(number));
            verify_inclusion(leaf, number, size, &log.inclusion(number).unwrap(), head.root).unwrap();
        }
        for old in &heads {
            verify_consistency(old.size, old.root, size, head.root, &log.consistency(old.size).unwrap()).unwrap();
        }
    }
    // What a full tile makes unnecessary is gone.
    let narrower: Vec<String> = files(folder.path()).into_keys().filter(|path| path.contains(".p/")).collect();
    assert_eq!(narrower, ["tile/0/004.p/76", "tile/1/000.p/1", "tile/1/000.p/4", "tile/entries/004.p/76"]);
    // One head at a time or all at once: the same log.
    let (at_once, mut log) = (tempfile::tempdir().unwrap(), None);
    let head = log.insert(open(at_once.path())).append(entries(0..1100)).unwrap();
    assert_eq!(Some(head), heads.last());
}

#[test]
fn an_append_that_was_cut_short_leaves_the_log_as_it_was() {
    for (from, to) in [(0, 1), (3, 5), (250, 256), (255, 600)] {
        let mut edge = Edge::default();
        let mut sheets = Vec::new();
        entries(0..from).for_each(|entry| edge.push(&entry, &mut sheets).unwrap());
        sheets.clear();
        // As it would have been with other entries, so that what is left behind is known.
        entries(9000..9000 + to - from).for_each(|entry| edge.push(&entry, &mut sheets).unwrap());
        sheets.extend(edge.partial(from));
        for count in 0..=sheets.len() {
            let folder = tempfile::tempdir().unwrap();
            let head = open(folder.path()).append(entries(0..from)).unwrap().clone();
            for sheet in &sheets[..count] {
                LogFolder::new(folder.path()).put(&sheet.path.to_string(), &sheet.bytes).unwrap();
            }
            fs::write(folder.path().join(".new"), b"half of a fi").unwrap();
            assert_eq!(faults(folder.path()), [], "{from} to {to}, {count} files");
            let mut log = open(folder.path());
            assert_eq!(*log.head(), head);
            log.append(entries(from..to)).unwrap();
            assert_eq!(faults(folder.path()), [], "{from} to {to}, {count} files");
        }
    }
}

/// The child's part: run by the test below in a process of its own.
#[test]
fn append_for_ever_where_asked_to() {
    let Some(folder) = std::env::var_os(APPEND_FOR_EVER).map(PathBuf::from) else { return };
    let mut log = open(&folder);
    for step in 1.. {
        let size = log.append(entries(log.size()..log.size() + step % 40 + 1)).unwrap().size;
        println!("\nsafe {size}");
    }
}

#[test]
fn a_kill_at_any_moment_loses_nothing_that_was_safe() {
    let folder = tempfile::tempdir().unwrap();
    let mut safe = 0;
    for round in 0..12_u64 {
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", "ledger::tests::append_for_ever_where_asked_to", "--nocapture"]);
        let mut child = child.env(APPEND_FOR_EVER, folder.path()).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut numbers = lines.map_while(Result::ok).filter_map(|line| line.strip_prefix("safe ")?.parse::<u64>().ok());
        safe = numbers.next().expect("the child appends");
        std::thread::sleep(Duration::from_millis(7 + 23 * round % 60));
        child.kill().unwrap();
        child.wait().unwrap();
        safe = numbers.last().unwrap_or(safe);
        let report = verify(&LogFolder::new(folder.path()), &test_signer().verifier(), None).unwrap();
        assert_eq!(report.faults, [], "round {round}");
        assert!(report.checkpoint.size >= safe, "{} entries, {safe} were safe", report.checkpoint.size);
        let log = open(folder.path());
        let root = log.head().root;
        let last = log.size() - 1;
        verify_inclusion(Hash::leaf(&entry(last)), last, log.size(), &log.inclusion(last).unwrap(), root).unwrap();
    }
    assert!(safe > 12);
}

#[test]
fn a_database_is_caught_up_with_and_held_against_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = open(folder.path());
    log.catch_up(0, entries(0..300)).unwrap();
    // A kill between the commit and the tiles: the rows are given again, some of them known.
    assert_eq!(log.catch_up(200, entries(200..600)).unwrap().size, 600);
    assert_eq!(log.catch_up(0, entries(0..600)).unwrap().size, 600);
    assert!(matches!(log.catch_up(601, entries(601..602)), Err(LedgerError::Gap { size: 600, first: 601 })));
    let changed = entries(0..600).enumerate().map(|(number, row)| if number == 270 { entry(9999) } else { row });
    assert!(matches!(log.catch_up(0, changed), Err(LedgerError::Differs { entry: 270 })));
    assert_eq!(log.size(), 600);
    // The whole folder lost: it follows from the rows, head and all.
    let (head, again) = (log.head().clone(), tempfile::tempdir().unwrap());
    assert_eq!(*open(again.path()).catch_up(0, entries(0..600)).unwrap(), head);
}

#[test]
fn a_log_without_its_head_or_with_a_foreign_one_is_not_appended_to() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = open(folder.path());
    log.append(entries(0..3)).unwrap();
    assert!(matches!(Ledger::open(folder.path(), test_signer()), Err(LedgerError::InUse { .. })));
    assert!(matches!(log.append([vec![0; 70_000]]), Err(LedgerError::Audit(audit::AuditError::EntryTooLarge { .. }))));
    assert_eq!(log.append(entries(3..4)).unwrap().size, 4);
    drop(log);
    let other = NoteSigner::from_seed("log.example/audit", &[8; 32]).unwrap();
    assert!(matches!(Ledger::open(folder.path(), other), Err(LedgerError::Audit(audit::AuditError::NotSigned { .. }))));
    let tile = folder.path().join("tile/0/000.p/4");
    let whole = fs::read(&tile).unwrap();
    let mut changed = whole.clone();
    changed[0] ^= 1;
    fs::write(&tile, changed).unwrap();
    assert!(Ledger::open(folder.path(), test_signer()).is_err());
    fs::write(&tile, whole).unwrap();
    fs::remove_file(folder.path().join(CHECKPOINT)).unwrap();
    assert!(matches!(Ledger::open(folder.path(), test_signer()), Err(LedgerError::NoHead { .. })));
}

#[test]
fn after_a_head_that_may_be_on_the_disk_nothing_is_appended() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = open(folder.path());
    log.append(entries(0..3)).unwrap();
    // A folder in the checkpoint's place takes no file.
    let checkpoint = folder.path().join(CHECKPOINT);
    fs::rename(&checkpoint, folder.path().join("kept")).unwrap();
    fs::create_dir(&checkpoint).unwrap();
    assert!(matches!(log.append(entries(3..5)), Err(LedgerError::Uncertain { .. })));
    fs::remove_dir(&checkpoint).unwrap();
    fs::rename(folder.path().join("kept"), &checkpoint).unwrap();
    assert!(matches!(log.append(entries(3..5)), Err(LedgerError::Uncertain { .. })));
    drop(log);
    assert_eq!(open(folder.path()).append(entries(3..5)).unwrap().size, 5);
    assert_eq!(faults(folder.path()), []);
}

#[test]
fn the_key_is_made_once_and_is_its_owners_alone() {
    let folder = tempfile::tempdir().unwrap();
    let made = signer(folder.path(), "log.example/audit").unwrap().verifier();
    assert_eq!(signer(folder.path(), "log.example/audit").unwrap().verifier(), made);
    let public = fs::read_to_string(folder.path().join("audit.pub")).unwrap();
    assert_eq!(audit::NoteVerifier::parse(&public).unwrap(), made);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(folder.path().join("audit.key"), fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(signer(folder.path(), "x"), Err(LedgerError::Exposed { .. })));
    }
}
