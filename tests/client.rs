//! The client of `listen.md` against a socket that breaks whenever it likes: not a sample is lost, doubled or out of place.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs, reason = "tests")]

#[path = "support/breaking.rs"]
mod breaking;

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use breaking::{Breaking, Temper};
use cantoscribe::client::{Address, ClientError, Delivery, Event, Kept, Outbox, Pending, Terms, deliver};

fn terms() -> Terms {
    Terms { rate: 16_000, channels: 2, language: "yue".into(), speakers: vec!["doctor".into(), "patient".into()] }
}

/// Interleaved samples that repeat nowhere within a few seconds.
fn sound(frames: usize) -> Vec<i16> {
    let mut state = 7u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 16) as i16
    };
    (0..frames * 2).map(|_| next()).collect()
}

fn bytes(samples: &[i16]) -> Vec<u8> {
    samples.iter().flat_map(|sample| sample.to_le_bytes()).collect()
}

fn begin(data: &Path, address: &Address) -> (Kept, Pending) {
    Outbox::open(data).unwrap().begin(address, terms(), 1_700_000_000).unwrap()
}

/// Speaks in odd chunks, faster than a mouth.
fn speak(kept: &mut Kept, samples: &[i16], pause: Duration) {
    for chunk in samples.chunks(2 * 977) {
        kept.push(chunk).unwrap();
        std::thread::sleep(pause);
    }
}

/// Delivers, and gives what was told.
fn delivered(address: &Address, pending: Pending) -> (Result<(), ClientError>, Vec<Event>) {
    let events = Arc::new(Mutex::new(Vec::new()));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let delivery = Delivery { address: address.clone(), pending };
    let told = Arc::clone(&events);
    let course = deliver(delivery, move |event| told.lock().unwrap().push(event));
    let result = runtime.block_on(async { tokio::time::timeout(Duration::from_secs(120), course).await.expect("no end") });
    let events = std::mem::take(&mut *events.lock().unwrap());
    (result, events)
}

fn files(data: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        std::fs::read_dir(data.join("outbox")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn speaking_to(server: &Breaking, seconds: f64, pause: Duration) -> (Result<(), ClientError>, Vec<Event>, Vec<i16>) {
    let data = tempfile::tempdir().unwrap();
    let address: Address = server.address().parse().unwrap();
    let samples = sound((seconds * 16_000.0) as usize);
    let (mut kept, pending) = begin(data.path(), &address);
    let said = samples.clone();
    let speaker = std::thread::spawn(move || {
        speak(&mut kept, &said, pause);
        kept.finish().unwrap();
    });
    let (result, events) = delivered(&address, pending);
    speaker.join().unwrap();
    if result.is_ok() {
        assert_eq!(files(data.path()), ["key"], "what was delivered is deleted");
    }
    (result, events, samples)
}

#[test]
fn a_steady_server_gets_every_sample_once_and_its_words_come_back() {
    let server = Breaking::start(Temper::steady());
    let (result, events, samples) = speaking_to(&server, 3.0, Duration::from_millis(5));
    result.unwrap();
    assert_eq!(server.heard(), bytes(&samples));
    assert_eq!(server.connections(), 1);
    assert!(
        server.url().contains("rate=16000&channels=2&format=pcm_s16le&language=yue&speakers=doctor,patient"),
        "{}",
        server.url()
    );
    assert!(matches!(events.first(), Some(Event::Ready { samples: 0, .. })));
    assert!(matches!(events.last(), Some(Event::End { .. })));
    assert!(events.iter().any(|event| matches!(event, Event::Final(_))));
    assert!(events.iter().any(|event| matches!(event, Event::Safe { samples: 48_000 })));
}

#[test]
fn a_server_that_breaks_at_any_moment_gets_every_sample_once() {
    for seed in 0..4 {
        let server = Breaking::start(Temper { seed, breaks: 8, ..Temper::steady() });
        let (result, events, samples) = speaking_to(&server, 4.0, Duration::from_millis(20));
        result.unwrap();
        assert_eq!(server.heard(), bytes(&samples), "seed {seed}");
        assert_eq!(server.connections(), 9, "seed {seed}");
        assert_eq!(events.iter().filter(|event| matches!(event, Event::Broken { .. })).count(), 8);
        assert!(matches!(events.last(), Some(Event::End { .. })));
    }
}

#[test]
fn what_a_killed_client_kept_is_sent_by_the_next() {
    let server = Breaking::start(Temper::steady());
    let address: Address = server.address().parse().unwrap();
    let data = tempfile::tempdir().unwrap();
    let samples = sound(30_000);
    let (mut kept, _) = begin(data.path(), &address);
    std::thread::sleep(Duration::from_millis(250));
    kept.push(&samples).unwrap();
    // While it is being kept, no other run takes it.
    assert!(Outbox::open(data.path()).unwrap().left(&address).unwrap().pending.is_empty());
    drop(kept);
    let elsewhere: Address = "http://127.0.0.1:1".parse().unwrap();
    let outbox = Outbox::open(data.path()).unwrap();
    let left = outbox.left(&elsewhere).unwrap();
    assert_eq!((left.pending.len(), left.elsewhere, left.damaged.len()), (0, 1, 0));
    let mut left = outbox.left(&address).unwrap();
    assert_eq!((left.pending.len(), left.elsewhere, left.damaged.len()), (1, 0, 0));
    let pending = left.pending.remove(0);
    assert_eq!((pending.samples(), pending.begun_at, pending.terms()), (30_000, 1_700_000_000, &terms()));
    assert!(outbox.left(&address).unwrap().pending.is_empty(), "two runs would send it twice");
    delivered(&address, pending).0.unwrap();
    assert_eq!(server.heard(), bytes(&samples));
    assert_eq!(files(data.path()), ["key"]);
}

#[test]
fn a_client_killed_while_sending_resumes_its_recording() {
    let server = Breaking::start(Temper { seed: 3, breaks: 1, ..Temper::steady() });
    let address: Address = server.address().parse().unwrap();
    let data = tempfile::tempdir().unwrap();
    let samples = sound(60_000);
    let (mut kept, pending) = begin(data.path(), &address);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let said = samples.clone();
    let speaker = std::thread::spawn(move || speak(&mut kept, &said, Duration::from_millis(10)));
    let delivery = Delivery { address: address.clone(), pending };
    let cut = runtime.block_on(async { tokio::time::timeout(Duration::from_millis(300), deliver(delivery, |_| {})).await });
    assert!(cut.is_err(), "it was not cut off");
    speaker.join().unwrap();
    let mut left = Outbox::open(data.path()).unwrap().left(&address).unwrap();
    let pending = left.pending.remove(0);
    let whole = pending.samples();
    delivered(&address, pending).0.unwrap();
    assert_eq!(server.recordings(), 1, "it began a second recording");
    assert_eq!(server.heard(), bytes(&samples[..whole as usize * 2]));
    // What was in memory when it was killed: at most what waits for the next sync.
    assert!(whole >= 60_000 - 16_000, "{whole}");
}

#[test]
fn a_server_that_is_not_there_yet_is_waited_for() {
    let server = Breaking::start(Temper { seed: 1, deaf_for: Duration::from_millis(1200), ..Temper::steady() });
    let (result, events, samples) = speaking_to(&server, 1.0, Duration::from_millis(1));
    result.unwrap();
    assert!(matches!(events.first(), Some(Event::Broken { .. })));
    assert_eq!(server.heard(), bytes(&samples));
}

#[test]
fn what_the_server_refuses_is_kept() {
    for (code, close, error) in [
        ("refused", 1008, "the server refused the recording: said so"),
        ("replaced", 1008, "another client has taken over the recording"),
        ("finished", 1008, "the recording was finished on the server before all of it was sent"),
        ("too_large", 1009, "the server refused the recording: said so"),
        ("", 1003, "the server refused the recording: said so"),
    ] {
        let server = Breaking::start(Temper { refuses: Some((code, close)), ..Temper::steady() });
        let data = tempfile::tempdir().unwrap();
        let address: Address = server.address().parse().unwrap();
        let (mut kept, pending) = begin(data.path(), &address);
        kept.push(&sound(1000)).unwrap();
        kept.finish().unwrap();
        let (result, _) = delivered(&address, pending);
        assert_eq!(result.unwrap_err().to_string(), error);
        drop(kept);
        assert_eq!(Outbox::open(data.path()).unwrap().left(&address).unwrap().pending.len(), 1, "{code}");
    }
}

#[test]
fn what_was_erased_on_the_server_is_erased_here() {
    let server = Breaking::start(Temper { erases: true, ..Temper::steady() });
    let data = tempfile::tempdir().unwrap();
    let address: Address = server.address().parse().unwrap();
    let (mut kept, pending) = begin(data.path(), &address);
    kept.push(&sound(1000)).unwrap();
    kept.finish().unwrap();
    assert!(matches!(delivered(&address, pending).0, Err(ClientError::Erased)));
    assert_eq!(files(data.path()), ["key"]);
}

#[test]
fn nothing_said_and_no_token_lies_open_on_the_disk() {
    let server = Breaking::start(Temper { refuses: Some(("replaced", 1008)), ..Temper::steady() });
    let data = tempfile::tempdir().unwrap();
    let address: Address = server.address().parse().unwrap();
    let (mut kept, pending) = begin(data.path(), &address);
    let samples = sound(20_000);
    kept.push(&samples).unwrap();
    kept.finish().unwrap();
    delivered(&address, pending).0.unwrap_err();
    let said = bytes(&samples);
    for name in files(data.path()) {
        let file = std::fs::read(data.path().join("outbox").join(&name)).unwrap();
        assert!(!file.windows(16).any(|part| part == &said[4096..4112]), "{name} holds sound");
        assert!(!file.windows(9).any(|part| part == b"token of "), "{name} holds the token");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::metadata(data.path().join("outbox").join(&name)).unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0, "{name} can be read by others");
        }
    }
}

#[cfg(unix)]
#[test]
fn a_key_that_others_can_read_and_a_key_that_is_none_are_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let data = tempfile::tempdir().unwrap();
    drop(Outbox::open(data.path()).unwrap());
    let key = data.path().join("outbox/key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(matches!(Outbox::open(data.path()), Err(ClientError::Key { .. })));
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::write(&key, b"short").unwrap();
    assert!(matches!(Outbox::open(data.path()), Err(ClientError::Key { .. })));
}

#[test]
fn a_damaged_description_is_told_and_the_rest_still_sent() {
    let data = tempfile::tempdir().unwrap();
    let address: Address = "http://127.0.0.1:9".parse().unwrap();
    for _ in 0..2 {
        let (mut kept, _) = begin(data.path(), &address);
        kept.finish().unwrap();
    }
    let about = files(data.path()).into_iter().find(|name| name.ends_with(".about")).unwrap();
    let path = data.path().join("outbox").join(about);
    let mut sealed = std::fs::read(&path).unwrap();
    let middle = sealed.len() / 2;
    sealed[middle] ^= 1;
    std::fs::write(&path, sealed).unwrap();
    let left = Outbox::open(data.path()).unwrap().left(&address).unwrap();
    assert_eq!((left.pending.len(), left.damaged.len()), (1, 1));
    assert!(left.damaged[0].to_string().contains(".about"));
}

#[test]
fn what_nobody_wants_any_more_can_be_deleted() {
    let data = tempfile::tempdir().unwrap();
    let address: Address = "http://127.0.0.1:9".parse().unwrap();
    let (mut kept, pending) = begin(data.path(), &address);
    kept.push(&sound(1000)).unwrap();
    kept.finish().unwrap();
    pending.erase().unwrap();
    assert_eq!(files(data.path()), ["key"]);
}
