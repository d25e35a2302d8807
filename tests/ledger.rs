//! The audit log through its public interface and the command line, as another program meets them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs, reason = "tests")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use cantoscribe::audit::{Action, Actor, CHECKPOINT, Event, Outcome, Pseudonym, UnixMillis};
use cantoscribe::ledger::{self, Ledger};

/// A log of 700 events whose head was signed four times, `audit.pub` and the older heads as `seen-SIZE`.
fn write_log(folder: &Path) -> PathBuf {
    let log_folder = folder.join("log");
    let mut log = Ledger::open(&log_folder, ledger::signer(folder, "log.example/audit").unwrap()).unwrap();
    for size in [3, 200, 520, 700] {
        let events = (log.size()..size).map(|number| {
            let event =
                Event::new(UnixMillis(1_771_000_000_000 + number), Actor::System, Action::View { count: 1 }, Outcome::Done);
            Event { patient: Some(Pseudonym::from_bytes([number as u8; 32])), ..event }.encode().unwrap()
        });
        log.append(events).unwrap();
        fs::copy(log_folder.join(CHECKPOINT), folder.join(format!("seen-{size}"))).unwrap();
    }
    log_folder
}

/// `scripts/check-audit` gives the folder; without it there is nothing to do here that the other tests do not.
#[test]
fn a_log_for_other_programs() {
    let kept = std::env::var_os("CANTOSCRIBE_WRITE_LOG").map(PathBuf::from);
    let scratch = tempfile::tempdir().unwrap();
    let log = write_log(kept.as_deref().unwrap_or(scratch.path()));
    assert!(log.join(CHECKPOINT).is_file() && log.join("tile/entries/001").is_file());
}

fn verify(arguments: &[&Path]) -> (i32, String) {
    let Output { status, stdout, stderr } = Command::new(env!("CARGO_BIN_EXE_cantoscribe"))
        .args(["audit".as_ref(), "verify".as_ref()].iter().chain(arguments))
        .output()
        .unwrap();
    (status.code().unwrap(), String::from_utf8([stdout, stderr].concat()).unwrap())
}

#[test]
fn the_command_says_what_is_wrong_and_exits_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let log = write_log(folder.path());
    let (key, flag, seen) = (folder.path().join("audit.pub"), Path::new("--key"), Path::new("--seen"));
    let (code, text) = verify(&[&log, flag, &key]);
    assert!(
        code == 0 && text.starts_with("log.example/audit: 700 entries, root ") && text.ends_with(": intact\n"),
        "{code} {text}"
    );
    for size in [3, 200, 520, 700] {
        assert_eq!(verify(&[&log, flag, &key, seen, &folder.path().join(format!("seen-{size}"))]).0, 0, "{size}");
    }

    // Rolled back to an older head: nothing in it is wrong but what somebody else saw.
    let newest = fs::read(log.join(CHECKPOINT)).unwrap();
    fs::copy(folder.path().join("seen-520"), log.join(CHECKPOINT)).unwrap();
    let (code, text) = verify(&[&log, flag, &key, seen, &folder.path().join("seen-700")]);
    assert!(code == 1 && text.contains("rolled back: it has 520 entries, and had 700"), "{code} {text}");
    fs::write(log.join(CHECKPOINT), newest).unwrap();

    let bundle = log.join("tile/entries/000");
    let mut bytes = fs::read(&bundle).unwrap();
    let at = bytes.windows(9).position(|window| window == b"\"count\":1").unwrap();
    bytes[at + 8] = b'9';
    fs::write(&bundle, bytes).unwrap();
    let (code, text) = verify(&[&log, flag, &key]);
    assert!(
        code == 1 && text.contains("entry 0 in `tile/entries/000` was changed") && text.contains("NOT INTACT"),
        "{code} {text}"
    );

    for (arguments, says) in [
        (vec![folder.path(), flag, &key], "there is no checkpoint"),
        (vec![&log, flag, &log.join(CHECKPOINT)], "no Ed25519 key"),
        (vec![&log, flag, &folder.path().join("none")], "cannot read"),
        (vec![&log, flag, &key, seen, &key], "no signed note"),
    ] {
        let (code, text) = verify(&arguments);
        assert!(code == 1 && text.contains(says), "{says}: {code} {text}");
    }
}
