//! Sends the audit log to its receivers while it grows.
//!
//! The log is its own outbox: how far a receiver is stands in the database, so nothing is lost while it, or this program, is down. Only what
//! is under the log's signed head is sent.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::watch;

use super::ServerError;
use crate::audit::{Event, UnixMillis};
use crate::gateway::{Begin, Feed, GatewayError, LogEntry, next_try};
use crate::store::{Store, StoreError};

/// Entries that are handed over in one go.
const BATCH: usize = 64;
/// How often it is looked whether there are more.
const LOOK: Duration = Duration::from_millis(500);

/// The receivers of this installation.
#[derive(Clone, Default)]
pub(super) struct Feeds(Arc<[Receiver]>);

#[derive(Clone)]
struct Receiver {
    feed: Arc<Feed>,
    name: String,
    /// The entry that it gets next.
    next: Arc<AtomicU64>,
}

impl Feeds {
    /// Each receiver at the entry that it gets next.
    ///
    /// # Errors
    /// When the database cannot say which.
    pub(super) async fn begin(store: &Store, feeds: Vec<Feed>) -> Result<Self, StoreError> {
        let mut receivers = Vec::new();
        for feed in feeds {
            let name = feed.name();
            let first = if feed.begin() == Begin::Start { 0 } else { store.log_head().size };
            let next = Arc::new(AtomicU64::new(store.feed_next(&name, first).await?));
            receivers.push(Receiver { feed: Arc::new(feed), name, next });
        }
        Ok(Self(receivers.into()))
    }

    /// Sends until the server closes, to each at its own pace.
    pub(super) fn run(&self, store: &Store, closing: &watch::Sender<bool>) {
        for receiver in self.0.iter().cloned() {
            tokio::spawn(run(store.clone(), receiver, closing.subscribe()));
        }
    }

    /// The kind of each, and the entry that it gets next.
    pub(super) fn positions(&self) -> Vec<(&'static str, u64)> {
        self.0.iter().map(|receiver| (receiver.feed.kind(), receiver.next.load(Ordering::Relaxed))).collect()
    }
}

async fn run(store: Store, receiver: Receiver, mut closing: watch::Receiver<bool>) {
    let mut tries = 0;
    loop {
        let before = receiver.next.load(Ordering::Relaxed);
        let pause = match receiver.work(&store).await {
            Ok(()) => {
                tries = 0;
                LOOK
            }
            Err(error) => {
                // A receiver that took some is there.
                tries = if receiver.next.load(Ordering::Relaxed) > before { 1 } else { tries + 1 };
                let pause = pause(tries);
                tracing::warn!(feed = receiver.name, %error, ?pause, "entries of the audit log wait");
                pause
            }
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = async { let _ = closing.wait_for(|closing| *closing).await; } => return,
        }
    }
}

/// How long to wait after so many tries that failed one after another.
pub(super) fn pause(tries: u32) -> Duration {
    let next = next_try(tries, UnixMillis(0), UnixMillis(u64::MAX));
    Duration::from_millis(next.map_or(0, |UnixMillis(after)| after))
}

impl Receiver {
    /// Hands over what there is, until there is no more or it is not taken.
    async fn work(&self, store: &Store) -> Result<(), ServerError> {
        loop {
            let (next, head) = (self.next.load(Ordering::Relaxed), store.log_head());
            let more = usize::try_from(head.size.saturating_sub(next)).unwrap_or(BATCH).min(BATCH);
            if more == 0 {
                return Ok(());
            }
            let mut entries = Vec::new();
            for (number, bytes) in (next..).zip(store.events(next, more).await?) {
                let event = Event::decode(&bytes).map_err(StoreError::Audit)?;
                entries.push(LogEntry { number, bytes, event });
            }
            let feed = Arc::clone(&self.feed);
            let handed = tokio::task::spawn_blocking(move || feed.hand_over(&head.origin, &entries)).await;
            let broken = GatewayError::Unreachable { kind: self.feed.kind(), what: "it broke down" };
            let (taken, error) = handed.unwrap_or((0, Some(broken)));
            if taken > 0 {
                let next = next + taken as u64;
                store.feed_has(&self.name, next).await?;
                self.next.store(next, Ordering::Relaxed);
            }
            if let Some(error) = error {
                return Err(error.into());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader, Read as _, Write as _};
    use std::net::{SocketAddr, TcpListener};
    use std::sync::Mutex;
    use std::sync::atomic::AtomicBool;

    use super::*;
    use crate::audit::{Action, Actor};
    use crate::gateway::{Gateways, Settings, WebhookSettings};
    use crate::store::By;

    /// A receiver that can be down, and that takes every third request without saying so.
    struct Hospital {
        address: SocketAddr,
        up: Arc<AtomicBool>,
        taken: Arc<Mutex<Vec<String>>>,
    }

    fn hospital() -> Hospital {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (up, taken) = (Arc::new(AtomicBool::new(false)), Arc::<Mutex<Vec<String>>>::default());
        let there = Hospital { address, up: Arc::clone(&up), taken: Arc::clone(&taken) };
        std::thread::spawn(move || {
            for (number, stream) in listener.incoming().enumerate() {
                let mut stream = stream.unwrap();
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let (mut id, mut length) = (String::new(), 0);
                loop {
                    let mut line = String::new();
                    reader.read_line(&mut line).unwrap();
                    let lower = line.trim().to_lowercase();
                    if lower.is_empty() {
                        break;
                    }
                    if let Some(found) = lower.strip_prefix("webhook-id: ") {
                        found.clone_into(&mut id);
                    }
                    if let Some(found) = lower.strip_prefix("content-length: ") {
                        length = found.parse().unwrap();
                    }
                }
                reader.read_exact(&mut vec![0; length]).unwrap();
                if !up.load(Ordering::SeqCst) {
                    let _ = write!(stream, "HTTP/1.1 503 Down\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
                    continue;
                }
                taken.lock().unwrap().push(id);
                if number % 3 != 0 {
                    let _ = write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
                }
            }
        });
        there
    }

    fn feed(hospital: &Hospital, begin: Begin) -> Vec<Feed> {
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned();
        let webhook = WebhookSettings { url: format!("http://{}/log", hospital.address), secret, begin };
        Gateways::new(Settings { webhook: Some(webhook), ..Settings::default() }).unwrap().feeds
    }

    async fn store_with_events(folder: &std::path::Path, count: usize) -> Store {
        let store = Store::open(folder).await.unwrap();
        for _ in 0..count {
            store.keep_event(&By::now(Actor::System).did_in_general(Action::Report)).await.unwrap();
        }
        store.write_log().await.unwrap();
        store
    }

    #[tokio::test]
    async fn a_receiver_that_is_down_for_an_hour_gets_every_entry_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let store = store_with_events(folder.path(), 150).await;
        let size = store.log_head().size;
        let hospital = hospital();
        let feeds = Feeds::begin(&store, feed(&hospital, Begin::Start)).await.unwrap();
        let (mut waited, mut tries) = (Duration::ZERO, 0);
        while waited < Duration::from_secs(3600) {
            assert!(feeds.0[0].work(&store).await.is_err());
            tries += 1;
            waited += pause(tries);
        }
        assert!((30..40).contains(&tries), "{tries} tries in an hour");
        hospital.up.store(true, Ordering::SeqCst);
        while feeds.positions() != [("webhook", size)] {
            // What was taken without an answer is an error, and is sent again.
            let _ = feeds.0[0].work(&store).await;
        }
        let mut ids = hospital.taken.lock().unwrap().clone();
        assert!(ids.len() > 150, "doubles were sent");
        // Each was repeated at once or not at all: without doubles they are the log, in its order.
        ids.dedup();
        let origin = store.log_head().origin;
        let rows = store.events(0, usize::try_from(size).unwrap()).await.unwrap();
        let expected = (0..).zip(rows).map(|(entry, bytes)| {
            let event = Event::decode(&bytes).unwrap();
            let resource = crate::interop::fhir::audit_event(&event, entry, &origin).unwrap();
            resource["id"].as_str().unwrap().to_owned()
        });
        assert_eq!(ids, expected.collect::<Vec<_>>());
        // Another start goes on where this one was; an address that is new may begin with what comes.
        let again = Feeds::begin(&store, feed(&hospital, Begin::Start)).await.unwrap();
        assert_eq!(again.positions(), [("webhook", size)]);
        let other = self::hospital();
        assert_eq!(Feeds::begin(&store, feed(&other, Begin::Now)).await.unwrap().positions(), [("webhook", size)]);
    }
}
