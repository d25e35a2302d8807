//! The audit log through its public interface and the command line, as another program meets them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs, reason = "tests")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cantoscribe::audit::{Action, Actor, CHECKPOINT, Cosigner, Event, Outcome, Pseudonym, UnixMillis};
use cantoscribe::ledger::{self, Ledger};
use ed25519_dalek::{Signer as _, SigningKey};
use sha2::{Digest as _, Sha256};

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

/// The public key of a witness with this secret, and its cosignature on a note.
fn cosign(seed: u8, note: &str, seconds: u64) -> (String, String) {
    let (name, key) = ("witness.example/w1", SigningKey::from_bytes(&[seed; 32]));
    let public = [&[4_u8][..], key.verifying_key().as_bytes()].concat();
    let id = &Sha256::digest([name.as_bytes(), b"\n", &public].concat())[..4];
    let hex: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
    let text = note.split_once("\n\n").unwrap().0;
    let signature = key.sign(format!("cosignature/v1\ntime {seconds}\n{text}\n").as_bytes());
    let line = STANDARD.encode([id, &seconds.to_be_bytes(), &signature.to_bytes()].concat());
    (format!("{name}+{hex}+{}\n", STANDARD.encode(public)), format!("\u{2014} {name} {line}\n"))
}

#[test]
fn the_command_asks_for_a_witness_and_says_how_far_it_saw() {
    let folder = tempfile::tempdir().unwrap();
    let (log, seen) = (write_log(folder.path()), folder.path().join("seen"));
    let (key, flag, by) = (folder.path().join("audit.pub"), Path::new("--key"), Path::new("--witness"));
    let (public, other) = (folder.path().join("witness.pub"), folder.path().join("other.pub"));
    let note = |size: u64| fs::read_to_string(folder.path().join(format!("seen-{size}"))).unwrap();
    let cosigned = |size, seconds| format!("{}{}", note(size), cosign(1, &note(size), seconds).1);
    fs::write(&public, cosign(1, &note(3), 1).0).unwrap();
    fs::write(&other, cosign(2, &note(3), 1).0).unwrap();
    let asks = |witness: &Path| verify(&[&log, flag, &key, by, witness]);

    let (code, text) = asks(&public);
    assert!(code == 1 && text.contains("has cosigned no checkpoint of this log"), "{text}");
    // Kept beside the log's; then on the log's own; then elsewhere.
    let kept = log.join(Cosigner::parse(&fs::read_to_string(&public).unwrap()).unwrap().path());
    fs::create_dir(kept.parent().unwrap()).unwrap();
    fs::write(&kept, cosigned(520, 1_771_000_000)).unwrap();
    let (code, text) = asks(&public);
    assert!(code == 0 && text.starts_with("witness.example/w1: cosigned 520 of 700 entries, 2026-02-13T16:26:40Z\n"), "{text}");
    assert!(text.ends_with(": intact\n") && verify(&[&log, flag, &key]).0 == 0, "{text}");
    assert_eq!(asks(&other).0, 1);
    fs::write(log.join(CHECKPOINT), cosigned(700, 1_771_000_009)).unwrap();
    assert!(asks(&public).1.starts_with("witness.example/w1: cosigned 700 of 700 entries, 2026-02-13T16:26:49Z\n"));
    fs::write(log.join(CHECKPOINT), note(520)).unwrap();
    fs::write(&seen, cosigned(700, 1_771_000_009)).unwrap();
    for arguments in [vec![Path::new("--seen"), &seen], vec![Path::new("--seen"), &seen, by, &public]] {
        let (code, text) = verify(&[vec![log.as_path(), flag, &key], arguments].concat());
        assert!(code == 1 && text.contains("rolled back: it has 520 entries, and had 700"), "{text}");
    }
    // Its own file alone tells of a roll-back.
    fs::write(&kept, cosigned(700, 1_771_000_009)).unwrap();
    assert!(asks(&public).1.contains("rolled back"));

    for (note, says) in [
        (format!("{}{}", note(520), cosign(1, &note(200), 1_771_000_000).1), "not made with the witness's key"),
        (format!("{0}{1}{1}", note(520), cosign(1, &note(520), 1_771_000_000).1), "there are two"),
        (cosigned(520, 0), "it has no time"),
        (cosigned(520, 40_000_000_000), "its time has not come yet"),
        (cosign(1, &note(520), 1_771_000_000).1, "no signed note"),
    ] {
        fs::write(&kept, note).unwrap();
        let (code, text) = asks(&public);
        assert!(code == 1 && text.contains(says) && text.contains("witnessed/witness_example_w1-"), "{says}: {text}");
    }
    assert!(asks(&key).1.contains("no witness's Ed25519 key"));
    assert!(asks(&folder.path().join("none")).1.contains("cannot read"));
}
