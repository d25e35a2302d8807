//! Takes messages to the gateways, tries again what they did not take, and ends consents whose time is over.
//!
//! What waits is in the database, so nothing is lost while a gateway, or this program, is down.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use tokio::sync::watch;

use crate::audit::{Actor, UnixMillis};
use crate::gateway::{Address, GatewayError, Gateways, Message, next_try};
use crate::store::{By, OutboxMessage, Store, StoreError};

/// Messages that are looked at in one go, and how many of them are on their way at once.
const BATCH: u32 = 64;
const AT_ONCE: usize = 8;
/// The longest between two looks, and after an error.
const PAUSE: Duration = Duration::from_secs(15);

/// How messages leave.
pub(super) enum Way {
    /// By the gateways of the installation.
    Gateways(Arc<Gateways>),
    /// Not at all: the trial's outbox page shows them.
    Page,
}

impl Way {
    /// Whether the words are kept for the outbox page.
    pub(super) fn is_page(&self) -> bool {
        matches!(self, Self::Page)
    }

    /// A gateway blocks: it has a thread of its own.
    async fn hand_over(&self, kept: &OutboxMessage) -> Result<(), GatewayError> {
        let Self::Gateways(gateways) = self else { return Ok(()) };
        let words = &kept.message;
        let to = match (&words.phone, &words.mail) {
            (Some(phone), _) => Address::phone(phone.reveal())?,
            (None, Some(mail)) => Address::mail(mail.reveal())?,
            (None, None) => return Err(GatewayError::Address { expected: "a telephone number" }),
        };
        let text = words.text.reveal().to_owned().into();
        let message = Message { id: kept.id, to, subject: words.subject.clone(), text };
        let gateways = Arc::clone(gateways);
        let handed = tokio::task::spawn_blocking(move || gateways.hand_over(&message)).await;
        handed.unwrap_or(Err(GatewayError::Unreachable { kind: "message", what: "it broke down" }))
    }
}

/// The time of day.
pub(super) fn now() -> UnixMillis {
    By::now(Actor::System).at
}

/// Delivers until the server closes.
pub(super) async fn run(store: &Store, way: &Way, mut closing: watch::Receiver<bool>) {
    loop {
        let next = match work(store, way, now).await {
            Ok(next) => next.map_or(PAUSE, |next| Duration::from_millis(next.0.saturating_sub(now().0)).min(PAUSE)),
            Err(error) => {
                tracing::error!(%error, "messages wait");
                PAUSE
            }
        };
        tokio::select! {
            () = store.more_messages() => {}
            () = tokio::time::sleep(next) => {}
            () = async { let _ = closing.wait_for(|closing| *closing).await; } => return,
        }
    }
}

/// Tries each message that is due once, ends what has run out, and says when the next message is due.
async fn work(store: &Store, way: &Way, clock: impl Fn() -> UnixMillis + Clone) -> Result<Option<UnixMillis>, StoreError> {
    let begun = clock();
    for id in store.consents_run_out(begun, BATCH).await? {
        let by = By { at: begun, ..By::now(Actor::System) };
        store.change_consent(id, &by, |consent, _| consent.expire(begun).into()).await?;
    }
    loop {
        // What is tried now is due again later than this.
        let due = store.messages_due(begun, BATCH).await?;
        if due.is_empty() {
            return store.next_message().await;
        }
        let tries = futures_util::stream::iter(due).map(|message| attempt(store, way, message, clock.clone()));
        let mut done = tries.buffer_unordered(AT_ONCE);
        while let Some(tried) = done.next().await {
            tried?;
        }
    }
}

async fn attempt(store: &Store, way: &Way, message: OutboxMessage, clock: impl Fn() -> UnixMillis) -> Result<(), StoreError> {
    let until = message.message.until;
    if clock() >= until {
        return store.message_not_taken(&message, None, clock()).await;
    }
    match way.hand_over(&message).await {
        Ok(()) => store.message_handed_over(&message, way.is_page(), clock()).await.map(drop),
        Err(error) => {
            let next = if error.is_final() { None } else { next_try(message.tries.saturating_add(1), clock(), until) };
            tracing::warn!(message = %message.id, %error, again = next.is_some(), "a message was not taken");
            store.message_not_taken(&message, next, clock()).await
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::io::{BufRead as _, BufReader, Read as _, Write as _};
    use std::net::{SocketAddr, TcpListener};
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

    use super::*;
    use crate::consent::LINK_LIFE;
    use crate::gateway::{Settings, SmsSettings};
    use crate::server::sharing::tests::{asked, store_with_patient};
    use crate::store::OutboxState;

    /// A provider that takes messages only while it is up, and counts them by their ids.
    struct Provider {
        address: SocketAddr,
        up: Arc<AtomicBool>,
        taken: Arc<Mutex<BTreeMap<String, usize>>>,
        tries: Arc<AtomicU64>,
    }

    fn provider() -> Provider {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (up, taken, tries) = (Arc::default(), Arc::default(), Arc::default());
        let provider = Provider { address, up: Arc::clone(&up), taken: Arc::clone(&taken), tries: Arc::clone(&tries) };
        std::thread::spawn(move || {
            for stream in listener.incoming() {
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
                    if let Some(found) = lower.strip_prefix("idempotency-key: ") {
                        found.clone_into(&mut id);
                    }
                    if let Some(found) = lower.strip_prefix("content-length: ") {
                        length = found.parse().unwrap();
                    }
                }
                reader.read_exact(&mut vec![0; length]).unwrap();
                tries.fetch_add(1, Ordering::SeqCst);
                let status = if up.load(Ordering::SeqCst) {
                    *taken.lock().unwrap().entry(id).or_default() += 1;
                    "202 Accepted"
                } else {
                    "503 Down"
                };
                write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").unwrap();
            }
        });
        provider
    }

    fn way(provider: &Provider) -> Way {
        let settings = SmsSettings {
            url: format!("http://{}/", provider.address),
            headers: BTreeMap::new(),
            body: "to={{to}}&text={{text}}".into(),
            kind: serde_json::from_str("\"form\"").unwrap(),
        };
        Way::Gateways(Arc::new(Gateways::new(Settings { sms: Some(settings), ..Settings::default() }).unwrap()))
    }

    #[tokio::test]
    async fn a_gateway_that_is_down_for_an_hour_loses_no_message() {
        let (_folder, store, patient) = store_with_patient().await;
        for _ in 0..5 {
            asked(&store, Some(&patient)).await;
        }
        let provider = provider();
        let way = way(&provider);
        let (start, clock) = (now(), AtomicU64::new(now().0));
        let hour = start.after(3_600_000);
        while clock.load(Ordering::SeqCst) < hour.0 {
            let next = work(&store, &way, || UnixMillis(clock.load(Ordering::SeqCst))).await.unwrap().unwrap();
            assert!(next.0 > clock.load(Ordering::SeqCst));
            clock.store(next.0, Ordering::SeqCst);
        }
        let tries = provider.tries.load(Ordering::SeqCst);
        assert!((5 * 30..5 * 40).contains(&tries), "{tries} tries in an hour");
        assert!(provider.taken.lock().unwrap().is_empty());
        provider.up.store(true, Ordering::SeqCst);
        assert_eq!(work(&store, &way, || UnixMillis(clock.load(Ordering::SeqCst))).await.unwrap(), None);
        let taken = provider.taken.lock().unwrap().clone();
        assert_eq!((taken.len(), taken.values().sum::<usize>()), (5, 5), "each once, under its own id");
        let states = store.messages(10).await.unwrap();
        assert!(states.iter().all(|message| message.state == OutboxState::HandedOver && message.message.text.is_blank()));
    }

    #[tokio::test]
    async fn a_message_without_a_way_fails_at_its_end_and_a_request_ends_with_it() {
        let (_folder, store, patient) = store_with_patient().await;
        let id = asked(&store, Some(&patient)).await;
        let way = Way::Gateways(Arc::new(Gateways::new(Settings::default()).unwrap()));
        assert!(work(&store, &way, now).await.unwrap().is_some());
        let late = now().after(LINK_LIFE + 60_000);
        assert_eq!(work(&store, &way, || late).await.unwrap(), None);
        assert_eq!(store.messages(1).await.unwrap()[0].state, OutboxState::Failed);
        assert!(store.consent(id).await.unwrap().unwrap().consent.is_over());
    }

    #[tokio::test]
    async fn a_trial_shows_what_it_cannot_send() {
        let (_folder, store, patient) = store_with_patient().await;
        asked(&store, Some(&patient)).await;
        work(&store, &Way::Page, now).await.unwrap();
        let shown = store.messages(1).await.unwrap().remove(0);
        assert_eq!(shown.state, OutboxState::HandedOver);
        assert!(shown.message.text.reveal().contains("/d/"));
    }
}
