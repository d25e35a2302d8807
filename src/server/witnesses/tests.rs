//! Witnesses that do what they should, and such that do not.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;

use super::*;
use crate::audit::cosignature_tests::TestWitness;
use crate::audit::{Action, Actor, Cosigner, Hash, verify_consistency};
use crate::gateway::{Gateways, Settings, WitnessSettings};

/// How a witness behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// As the specification has it.
    Right,
    /// With this status and words that no witness says.
    Status(u16),
    /// Cosigns with another key, under its name and under its own.
    Others,
    /// Cosigns something else.
    Forged,
    /// Says each time that it saw one entry less than it is asked about.
    Unsteady,
}

struct There {
    address: SocketAddr,
    manner: Arc<Mutex<Manner>>,
    /// The size and the root that it saw last.
    saw: Arc<Mutex<(u64, Hash)>>,
}

const NAME: &str = "witness.example/w1";

fn witness() -> There {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let there = There {
        address: listener.local_addr().unwrap(),
        manner: Arc::new(Mutex::new(Manner::Right)),
        saw: Arc::new(Mutex::new((0, Hash::empty()))),
    };
    let (manner, saw) = (Arc::clone(&there.manner), Arc::clone(&there.saw));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let (mut first, mut length) = (String::new(), 0);
            reader.read_line(&mut first).unwrap();
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).unwrap();
                if line.trim().is_empty() {
                    break;
                }
                if let Some(found) = line.to_lowercase().strip_prefix("content-length: ") {
                    length = found.trim().parse().unwrap();
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            assert!(first.starts_with("POST /w/add-checkpoint "), "{first}");
            let manner = *manner.lock().unwrap();
            let (code, kind, text) = answer(manner, &String::from_utf8(body).unwrap(), &mut saw.lock().unwrap());
            let length = text.len();
            let _ = write!(
                stream,
                "HTTP/1.1 {code} Said\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{text}"
            );
        }
    });
    there
}

fn answer(manner: Manner, body: &str, saw: &mut (u64, Hash)) -> (u16, &'static str, String) {
    let (asked, note) = body.split_once("\n\n").unwrap();
    let mut asked = asked.split('\n');
    let old: u64 = asked.next().unwrap().strip_prefix("old ").unwrap().parse().unwrap();
    let proof: Vec<Hash> = asked.map(|line| Hash::parse(line).unwrap()).collect();
    let mut head = note.split('\n').skip(1);
    let size: u64 = head.next().unwrap().parse().unwrap();
    let root = Hash::parse(head.next().unwrap()).unwrap();
    let now = crate::store::By::now(Actor::System).at.0 / 1000;
    let ours = TestWitness::new(NAME, 1);
    match manner {
        Manner::Status(code) => return (code, "text/html", "99999\n".to_owned()),
        Manner::Unsteady => return (409, "text/x.tlog.size", format!("{}\n", old.saturating_sub(1))),
        Manner::Others => {
            let lines = [TestWitness::new(NAME, 2), TestWitness::new("another.example", 1)].map(|other| other.line(note, now));
            return (200, "text/plain", lines.concat());
        }
        Manner::Forged => return (200, "text/plain", ours.line(&note.replacen(&size.to_string(), "1", 1), now)),
        Manner::Right => {}
    }
    if old != saw.0 {
        return (409, "text/x.tlog.size", format!("{}\n", saw.0));
    }
    if verify_consistency(saw.0, saw.1, size, root, &proof).is_err() {
        return (422, "text/plain", String::new());
    }
    *saw = (size, root);
    (200, "text/plain", format!("{}{}", TestWitness::new("another.example", 3).line(note, now), ours.line(note, now)))
}

fn configured(there: &There) -> Vec<Witness> {
    let settings =
        WitnessSettings { key: TestWitness::new(NAME, 1).public(), url: format!("http://{}/w/", there.address), every: 1 };
    Gateways::new(Settings { witness: vec![settings], ..Settings::default() }).unwrap().witnesses
}

async fn begin(store: &Store, there: &There) -> Witnesses {
    Witnesses::begin(store, configured(there)).await
}

async fn grow(store: &Store, count: usize) {
    for _ in 0..count {
        store.keep_event(&By::now(Actor::System).did_in_general(Action::Report)).await.unwrap();
    }
    store.write_log().await.unwrap();
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target)
        } else {
            std::fs::copy(entry.path(), target).map(drop).unwrap()
        }
    }
}

#[tokio::test]
async fn a_growing_log_is_cosigned_kept_and_cosigned_on_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let (store, there) = (Store::open(folder.path()).await.unwrap(), witness());
    let key = Cosigner::parse(&TestWitness::new(NAME, 1).public()).unwrap();
    let witnesses = begin(&store, &there).await;
    assert_eq!(witnesses.said(), [Said { witness: NAME.to_owned(), entries: 0, at: None, alarm: None }]);
    for count in [3, 0, 1, 300, 5] {
        grow(&store, count).await;
        assert_eq!(witnesses.0[0].work(&store).await.unwrap(), Spoken::Cosigned);
        let (size, said) = (store.log_head().size, &witnesses.said()[0]);
        assert_eq!((said.entries, there.saw.lock().unwrap().0, &said.alarm), (size, size, &None));
        let kept = std::fs::read_to_string(folder.path().join("audit").join(key.path())).unwrap();
        assert_eq!(kept.lines().count(), 6, "only the log's signature and the witness's are kept: {kept}");
    }
    // The answer was lost, or the kept file: the witness says what it saw, and is shown how the log grew from it.
    std::fs::remove_file(folder.path().join("audit").join(key.path())).unwrap();
    grow(&store, 2).await;
    let again = begin(&store, &there).await;
    assert_eq!(again.said()[0].entries, 0);
    assert_eq!(again.0[0].work(&store).await.unwrap(), Spoken::Cosigned);
    assert_eq!(again.said()[0].entries, store.log_head().size);
    let third = begin(&store, &there).await;
    assert_eq!(third.said(), again.said());
    // What was kept is no cosigned checkpoint any more: it is asked for anew.
    std::fs::write(folder.path().join("audit").join(key.path()), "nonsense").unwrap();
    let fourth = begin(&store, &there).await;
    assert_eq!((fourth.said()[0].entries, fourth.0[0].work(&store).await.unwrap()), (0, Spoken::Cosigned));
}

#[tokio::test]
async fn what_is_no_answer_of_the_witness_counts_as_none_and_is_no_alarm() {
    let folder = tempfile::tempdir().unwrap();
    let (store, there) = (Store::open(folder.path()).await.unwrap(), witness());
    grow(&store, 7).await;
    let witnesses = begin(&store, &there).await;
    let strange = [404, 403, 500, 503, 302, 204, 409].map(Manner::Status);
    for manner in strange.into_iter().chain([Manner::Others, Manner::Forged, Manner::Unsteady]) {
        *there.manner.lock().unwrap() = manner;
        let error = witnesses.0[0].work(&store).await.unwrap_err();
        assert!(matches!(error, ServerError::Gateway(_)), "{manner:?}: {error}");
        let said = &witnesses.said()[0];
        assert_eq!((said.entries, &said.alarm), (0, &None), "{manner:?}");
    }
    assert!(!folder.path().join("audit/witnessed").exists());
    *there.manner.lock().unwrap() = Manner::Right;
    assert_eq!(witnesses.0[0].work(&store).await.unwrap(), Spoken::Cosigned);
    // A refusal of the size that it saw says that it saw another root there, whether it names the size or not.
    *there.manner.lock().unwrap() = Manner::Status(409);
    let again = begin(&store, &there).await;
    assert_eq!(again.0[0].work(&store).await.unwrap(), Spoken::Alarm);
}

#[tokio::test]
async fn a_log_that_was_rolled_back_or_rewritten_sounds_the_alarm_and_goes_on_sounding_it() {
    let folder = tempfile::tempdir().unwrap();
    let (old, now, there) = (folder.path().join("old"), folder.path().join("now"), witness());
    let store = Store::open(&old).await.unwrap();
    grow(&store, 5).await;
    store.close().await;
    copy(&old, &now);
    let store = Store::open(&now).await.unwrap();
    grow(&store, 20).await;
    assert_eq!(begin(&store, &there).await.0[0].work(&store).await.unwrap(), Spoken::Cosigned);
    let (saw, kept) = (store.log_head().size, now.join("audit/witnessed"));
    store.close().await;

    // Rolled back as a whole: nothing here knows it.
    let store = Store::open(&old).await.unwrap();
    let witnesses = begin(&store, &there).await;
    assert_eq!(witnesses.said()[0].alarm, None);
    assert_eq!(witnesses.0[0].work(&store).await.unwrap(), Spoken::Alarm);
    let alarm = format!("the audit log was rolled back: it has {} entries, and the witness saw {saw}", store.log_head().size);
    assert_eq!(witnesses.said()[0].alarm, Some(alarm));
    // It grows beyond what the witness saw, with other entries: they cannot be passed off as those.
    grow(&store, 30).await;
    assert_eq!(witnesses.0[0].work(&store).await.unwrap(), Spoken::Alarm);
    assert!(witnesses.said()[0].alarm.as_ref().unwrap().contains("rewritten"));
    // A witness that forgot does not take the alarm back before the next start.
    *there.saw.lock().unwrap() = (0, Hash::empty());
    assert_eq!(witnesses.0[0].work(&store).await.unwrap(), Spoken::Cosigned);
    assert!(witnesses.said()[0].alarm.is_some());
    store.close().await;

    // Where what it cosigned was not rolled back with the log, the start alone tells, though the witness is down.
    let older = folder.path().join("older");
    let store = Store::open(&older).await.unwrap();
    store.close().await;
    for name in ["audit.key", "audit.pub"] {
        std::fs::copy(now.join(name), older.join(name)).unwrap();
    }
    std::fs::remove_dir_all(older.join("audit")).unwrap();
    copy(&kept, &older.join("audit/witnessed"));
    let store = Store::open(&older).await.unwrap();
    *there.manner.lock().unwrap() = Manner::Status(503);
    let witnesses = begin(&store, &there).await;
    assert!(witnesses.said()[0].alarm.as_ref().unwrap().contains("rolled back"));
    assert!(witnesses.0[0].work(&store).await.is_err());
    // And a shorter head that it cosigns after it forgot does not replace the longer one.
    (*there.manner.lock().unwrap(), *there.saw.lock().unwrap()) = (Manner::Right, (0, Hash::empty()));
    assert_eq!(witnesses.0[0].work(&store).await.unwrap(), Spoken::Cosigned);
    assert_eq!(begin(&store, &there).await.said()[0].entries, saw);
    // A log that was written anew and is as long, or longer, is told by the start too.
    let size = store.log_head().size;
    grow(&store, usize::try_from(saw - size).unwrap()).await;
    for more in [0, 7] {
        grow(&store, more).await;
        let witnesses = begin(&store, &there).await;
        assert!(witnesses.said()[0].alarm.as_ref().unwrap().contains("rewritten"), "{more}");
    }
}

#[test]
fn settings_that_do_not_fit_are_named() {
    let good = TestWitness::new(NAME, 1).public();
    let settings = |key: &str, url: &str, every| WitnessSettings { key: key.to_owned(), url: url.to_owned(), every };
    let read = |witness| Gateways::new(Settings { witness, ..Settings::default() });
    assert!(
        read(vec![settings(&good, "https://w.example/x", 1), settings(&TestWitness::new("b", 1).public(), "http://[::1]:1", 60)])
            .is_ok()
    );
    for (field, wrong) in [
        ("witness.key", vec![settings("w+1+1", "https://w.example", 1)]),
        ("witness.url", vec![settings(&good, "http://w.example", 1)]),
        ("witness.url", vec![settings(&good, "w", 1)]),
        ("witness.every", vec![settings(&good, "https://w.example", 0)]),
        ("witness.key", vec![settings(&good, "https://w.example", 1), settings(&good, "https://v.example", 1)]),
    ] {
        let error = read(wrong).err().unwrap();
        assert!(matches!(error, GatewayError::Setting { field: named, .. } if named == field), "{field}: {error}");
    }
}
