//! Takes messages to the gateways, tries again what they did not take, and ends consents whose time is over.
//!
//! What waits is in the database, so nothing is lost while a gateway, or this program, is down.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt as _;
use tokio::sync::watch;

use crate::audit::{Actor, UnixMillis};
use crate::gateway::{Address, GatewayError, Gateways, Message, next_try, next_try_of_wrong};
use crate::store::{By, NotTaken, OutboxMessage, Store, StoreError};
use crate::text::PatientText;

/// Messages that are looked at in one go, and how many of them are on their way at once.
const BATCH: u32 = 64;
const AT_ONCE: usize = 8;
/// The longest between two looks, and after an error.
const PAUSE: Duration = Duration::from_secs(15);
/// The shortest, where nobody calls.
const LEAST: Duration = Duration::from_millis(20);

/// Milliseconds for which a message is tried that its gateway calls wrong while it takes others. Where it takes none its settings may be wrong: then
/// it is tried until its time is over, as while a gateway is down.
const WRONG: u64 = 2 * 3_600_000;

/// When the gateways took a message last: that for telephones, and that for mailboxes.
#[derive(Default)]
pub(super) struct Taken(Mutex<HashMap<bool, UnixMillis>>);

impl Taken {
    fn note(&self, message: &OutboxMessage, at: UnixMillis) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(message.message.phone.is_some(), at);
    }

    /// Whether a message's gateway took another since this time.
    fn since(&self, message: &OutboxMessage, at: UnixMillis) -> bool {
        let taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        taken.get(&message.message.phone.is_some()).is_some_and(|taken| *taken > at)
    }
}

/// How messages leave.
pub(super) enum Way {
    /// By the gateways of the installation.
    Gateways(Arc<Gateways>, Taken),
    /// Not at all: the trial's outbox page shows them.
    Page,
}

impl Way {
    /// Whether the words are kept for the outbox page.
    pub(super) fn is_page(&self) -> bool {
        matches!(self, Self::Page)
    }

    /// Where a message to this telephone and this mailbox can go: those of them that a gateway goes to. Nothing where none does.
    pub(super) fn to(
        &self,
        phone: Option<PatientText>,
        mail: Option<PatientText>,
    ) -> Option<(Option<PatientText>, Option<PatientText>)> {
        let goes = |address: Result<Address, GatewayError>| match self {
            Self::Gateways(gateways, _) => address.is_ok_and(|address| gateways.reach(&address)),
            Self::Page => true,
        };
        let phone = phone.filter(|phone| goes(Address::phone(phone.reveal())));
        let mail = mail.filter(|mail| goes(Address::mail(mail.reveal())));
        (phone.is_some() || mail.is_some()).then_some((phone, mail))
    }

    /// A gateway blocks: it has a thread of its own.
    async fn hand_over(&self, kept: &OutboxMessage) -> Result<(), GatewayError> {
        let Self::Gateways(gateways, _) = self else { return Ok(()) };
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

    fn took(&self, kept: &OutboxMessage, at: UnixMillis) {
        if let Self::Gateways(_, taken) = self {
            taken.note(kept, at);
        }
    }

    /// When a message is tried again that was not taken.
    fn next_try(&self, kept: &OutboxMessage, error: &GatewayError, at: UnixMillis) -> Option<UnixMillis> {
        let (tries, until) = (kept.tries.saturating_add(1), kept.message.until);
        if error.is_final() {
            return None;
        }
        if error.called_wrong().is_none() {
            return next_try(tries, at, until);
        }
        let takes_others = |since| matches!(self, Self::Gateways(_, taken) if taken.since(kept, since));
        let is_given_up = kept.refused_at.is_some_and(|since| at >= since.after(WRONG) && takes_others(since));
        if is_given_up { None } else { next_try_of_wrong(tries, at, until) }
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
            Ok(next) => next.map_or(PAUSE, |next| Duration::from_millis(next.0.saturating_sub(now().0)).clamp(LEAST, PAUSE)),
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
        return store.message_not_taken(&message, NotTaken::default(), clock()).await;
    }
    match way.hand_over(&message).await {
        Ok(()) => {
            way.took(&message, clock());
            store.message_handed_over(&message, way.is_page(), clock()).await.map(drop)
        }
        Err(error) => {
            let next = way.next_try(&message, &error, clock());
            tracing::warn!(message = %message.id, %error, again = next.is_some(), "a message was not taken");
            store.message_not_taken(&message, NotTaken { next, wrong: error.called_wrong() }, clock()).await
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
    use crate::audit::OrganisationId;
    use crate::consent::LINK_LIFE;
    use crate::gateway::{Settings, SmsSettings};
    use crate::server::sharing::tests::{asked, store_with_patient};
    use crate::store::{Delivered, OutboxState};

    /// A provider that takes messages only while it is up, all or those whose number is right, and counts them by their ids.
    struct Provider {
        address: SocketAddr,
        up: Arc<AtomicBool>,
        /// What it answers else.
        says: Arc<Mutex<&'static str>>,
        /// A number that it calls wrong while it is up.
        wrong: Arc<Mutex<Option<&'static str>>>,
        taken: Arc<Mutex<BTreeMap<String, usize>>>,
        tries: Arc<AtomicU64>,
    }

    fn provider() -> Provider {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (up, taken, tries) = (Arc::default(), Arc::default(), Arc::default());
        let (says, wrong) = (Arc::new(Mutex::new("503 Down")), Arc::new(Mutex::new(None::<&str>)));
        let provider = Provider {
            address,
            up: Arc::clone(&up),
            says: Arc::clone(&says),
            wrong: Arc::clone(&wrong),
            taken: Arc::clone(&taken),
            tries: Arc::clone(&tries),
        };
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
                let mut body = vec![0; length];
                reader.read_exact(&mut body).unwrap();
                let body = String::from_utf8(body).unwrap();
                tries.fetch_add(1, Ordering::SeqCst);
                let is_wrong = wrong.lock().unwrap().is_some_and(|number| body.contains(number));
                let status = if up.load(Ordering::SeqCst) && !is_wrong {
                    *taken.lock().unwrap().entry(id).or_default() += 1;
                    "202 Accepted"
                } else {
                    *says.lock().unwrap()
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
        let gateways = Gateways::new(Settings { sms: Some(settings), ..Settings::default() }).unwrap();
        Way::Gateways(Arc::new(gateways), Taken::default())
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

    /// Works from try to try until this time.
    async fn work_until(store: &Store, way: &Way, clock: &AtomicU64, end: UnixMillis) {
        while clock.load(Ordering::SeqCst) < end.0 {
            let next = work(store, way, || UnixMillis(clock.load(Ordering::SeqCst))).await.unwrap();
            clock.store(next.map_or(end.0, |next| next.0.min(end.0)), Ordering::SeqCst);
        }
    }

    #[tokio::test]
    async fn a_gateway_that_answers_wrongly_for_a_day_loses_no_message_and_is_seen() {
        for status in ["400 Bad Request", "404 Not Found", "422 Unprocessable"] {
            let (_folder, store, patient) = store_with_patient().await;
            for _ in 0..3 {
                asked(&store, Some(&patient)).await;
            }
            let provider = provider();
            *provider.says.lock().unwrap() = status;
            let way = way(&provider);
            let (start, clock) = (now(), AtomicU64::new(now().0));
            work_until(&store, &way, &clock, start.after(24 * 3_600_000)).await;
            let tries = provider.tries.load(Ordering::SeqCst);
            assert!((3 * 100..3 * 160).contains(&tries), "{tries} tries in a day");
            let seen = store.delivered(None, start).await.unwrap();
            assert_eq!(seen, Delivered { waiting: 3, refused: 3, failed: 0 }, "{status}");
            assert_eq!(store.delivered(Some(OrganisationId::from_bytes([9; 16])), start).await.unwrap(), Delivered::default());
            *provider.says.lock().unwrap() = "503 Down";
            work_until(&store, &way, &clock, start.after(25 * 3_600_000)).await;
            assert_eq!(
                store.delivered(None, start).await.unwrap(),
                Delivered { waiting: 3, refused: 0, failed: 0 },
                "it is down"
            );
            provider.up.store(true, Ordering::SeqCst);
            work_until(&store, &way, &clock, start.after(26 * 3_600_000)).await;
            assert_eq!(provider.taken.lock().unwrap().len(), 3, "each once somebody mended it");
            assert_eq!(store.delivered(None, start).await.unwrap(), Delivered::default());
        }
    }

    #[tokio::test]
    async fn a_wrong_number_is_given_up_after_hours_while_others_are_taken() {
        let (_folder, store, patient) = store_with_patient().await;
        asked(&store, Some(&patient)).await;
        let provider = provider();
        let number = store.messages(1).await.unwrap().remove(0).message.phone.unwrap().reveal().to_owned();
        *provider.wrong.lock().unwrap() = Some(number.trim_start_matches('+').to_owned().leak());
        *provider.says.lock().unwrap() = "400 Bad Request";
        provider.up.store(true, Ordering::SeqCst);
        let way = way(&provider);
        let (start, clock) = (now(), AtomicU64::new(now().0));
        let hours = |hours: u64| start.after(hours * 3_600_000);
        work_until(&store, &way, &clock, hours(3)).await;
        assert_eq!(
            store.delivered(None, start).await.unwrap(),
            Delivered { waiting: 1, refused: 1, failed: 0 },
            "it took no other"
        );
        let taken = store.messages(1).await.unwrap().remove(0);
        way.took(&taken, hours(3));
        work_until(&store, &way, &clock, hours(4)).await;
        assert_eq!(store.delivered(None, start).await.unwrap(), Delivered { waiting: 0, refused: 0, failed: 1 });
        assert_eq!(store.messages(1).await.unwrap()[0].state, OutboxState::Failed);
    }

    #[tokio::test]
    async fn a_message_without_a_way_fails_at_its_end_and_a_request_ends_with_it() {
        let (_folder, store, patient) = store_with_patient().await;
        let id = asked(&store, Some(&patient)).await;
        let way = Way::Gateways(Arc::new(Gateways::new(Settings::default()).unwrap()), Taken::default());
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
