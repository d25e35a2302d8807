//! Sharing under consent: requests, the patient's pages, what is shared, and the messages in between.
//!
//! Invariant: nothing is shown that no permit allows at that moment; what is asked for about somebody whom a clinic does not know is
//! answered like any other request.

mod courier;
mod decision;
mod emergencies;
mod fhir;
mod mine;
mod owner;
mod patient;
mod report;
mod requests;
mod restricted;
mod staff;
mod views;
mod words;

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::FromRef;
use sha2::{Digest as _, Sha256};
use tokio::sync::watch;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::App;
use super::access::Strangers;
use super::error::ApiError;
use crate::audit::{Actor, ConsentId, OrganisationId, Refusal, RoleId, UnixMillis};
use crate::consent::{CodeKey, RateLimit};
use crate::gateway::Gateways;
use crate::store::{Store, StoreError};

use courier::{Taken, Way};
pub(super) use requests::standing;
pub(super) use staff::works_here;
use views::Views;
pub(super) use words::{minute, reason};

/// Codes to one telephone in an hour, whatever they are for.
const CODES: (usize, u64) = (12, 3_600_000);
/// Links to their own pages that one number may ask for in an hour.
const WAYS_BACK: (usize, u64) = (4, 3_600_000);
/// What one address may open and answer in ten minutes: a waiting room behind one address is more than one patient.
const ANSWERS: (usize, u64) = (120, 600_000);

/// Requests of one role in an hour: each may send a message in another clinic's name.
const REQUESTS: (usize, u64) = (30, 3_600_000);

/// How often the log takes that the list of one role left restricted data of one consent out: the page looks every few seconds.
const LEFT_OUT: (usize, u64) = (1, 3_600_000);

/// What sharing needs.
#[derive(Clone)]
pub(super) struct Sharing(Arc<Shared>);

struct Shared {
    store: Store,
    way: Way,
    code_key: CodeKey,
    /// What links begin with: `https://clinic.example`.
    public: String,
    views: Views,
    by_phone: Mutex<RateLimit>,
    by_address: Mutex<RateLimit>,
    by_asker: Mutex<RateLimit>,
    by_number: Mutex<RateLimit>,
    left_out: Mutex<RateLimit>,
    /// What the log takes of whom nobody knows.
    strangers: Arc<Strangers>,
}

impl FromRef<App> for Sharing {
    fn from_ref(app: &App) -> Self {
        app.sharing.clone()
    }
}

impl Sharing {
    /// Over this store. Without gateways messages are shown on the outbox page, which is for a trial.
    ///
    /// # Errors
    /// When the key of codes cannot be made.
    pub(super) fn new(store: Store, gateways: Option<Gateways>, public: String) -> Result<Self, StoreError> {
        let way = gateways.map_or(Way::Page, |gateways| Way::Gateways(Arc::new(gateways), Taken::default()));
        let code_key = store.code_key()?;
        let limit = |(most, stretch)| Mutex::new(RateLimit::new(most, stretch));
        let (by_phone, by_address) = (limit(CODES), limit(ANSWERS));
        let (by_asker, by_number) = (limit(REQUESTS), limit(WAYS_BACK));
        let (left_out, views, strangers) = (limit(LEFT_OUT), Views::default(), Arc::default());
        let shared =
            Shared { store, way, code_key, public, views, by_phone, by_address, by_asker, by_number, left_out, strangers };
        Ok(Self(Arc::new(shared)))
    }

    /// Delivers messages until the server closes.
    pub(super) async fn deliver(self, closing: watch::Receiver<bool>) {
        courier::run(&self.0.store, &self.0.way, closing).await;
    }

    /// What the log takes of whom nobody knows.
    pub(super) fn strangers(&self) -> Arc<Strangers> {
        Arc::clone(&self.0.strangers)
    }

    fn store(&self) -> &Store {
        &self.0.store
    }

    /// Counts a code to a telephone or mailbox.
    fn allow_code(&self, to: &str, at: UnixMillis) -> Result<(), Refusal> {
        allow(&self.0.by_phone, to.as_bytes(), at)
    }

    /// Counts a link to the own page of who is reached by this number.
    fn allow_way_back(&self, number: &str, at: UnixMillis) -> Result<(), Refusal> {
        allow(&self.0.by_number, number.as_bytes(), at)
    }

    /// Counts a request of a role.
    fn allow_request(&self, role: RoleId, at: UnixMillis) -> Result<(), Refusal> {
        allow(&self.0.by_asker, role.to_string().as_bytes(), at)
    }

    /// Whether it is time again to keep that restricted data of this consent were left out of the list of a role.
    fn keeps_left_out(&self, role: RoleId, consent: ConsentId, at: UnixMillis) -> bool {
        allow(&self.0.left_out, format!("{role} {consent}").as_bytes(), at).is_ok()
    }

    /// Counts a try from an address. Of IPv6 a whole site counts as one.
    fn allow_answer(&self, from: Option<IpAddr>, at: UnixMillis) -> Result<(), Refusal> {
        let key = match from.map(|address| address.to_canonical()) {
            None => Vec::new(),
            Some(IpAddr::V4(address)) => address.octets().to_vec(),
            Some(IpAddr::V6(address)) => address.octets().into_iter().take(8).collect(),
        };
        allow(&self.0.by_address, &key, at)
    }
}

fn allow(limit: &Mutex<RateLimit>, key: &[u8], at: UnixMillis) -> Result<(), Refusal> {
    let key = Sha256::digest(key).into();
    limit.lock().unwrap_or_else(PoisonError::into_inner).allow(key, at)
}

/// What an answer waits for a multiple of that must not tell by its time what was found: more than looking up a patient of many visits takes.
const EVEN: Duration = Duration::from_millis(500);

/// Does something that takes longer for what there is than for what there is not, and ends at the same time after its beginning either way.
async fn evenly<T>(work: impl Future<Output = T>) -> T {
    let begun = Instant::now();
    let done = work.await;
    let over = begun.elapsed().as_nanos() % EVEN.as_nanos();
    let left = EVEN.as_nanos().saturating_sub(over);
    tokio::time::sleep(Duration::from_nanos(u64::try_from(left).unwrap_or_default())).await;
    done
}

/// Random bytes for a secret.
fn random<const N: usize>() -> Result<[u8; N], ApiError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| ApiError::internal(&StoreError::Random))?;
    Ok(bytes)
}

/// Who a person in a role is and where they work, by name.
#[derive(Debug, Clone)]
struct Names {
    person: String,
    organisation: String,
}

impl Names {
    async fn of(store: &Store, actor: Actor) -> Result<Self, ApiError> {
        let Actor::Staff { role, organisation, .. } = actor else { return Err(ApiError::Denied(Refusal::NotAllowed)) };
        let found = store.role(role).await?.ok_or(ApiError::Denied(Refusal::NotAllowed))?;
        Ok(Self { person: found.person.card.name, organisation: organisation_name(store, organisation).await? })
    }
}

/// Both names of an organisation: `山頂診所 Peak Clinic`.
pub(super) async fn organisation_name(store: &Store, id: OrganisationId) -> Result<String, ApiError> {
    let found = store.organisation(id).await?.ok_or(ApiError::NoOrganisation)?;
    Ok(match found.chinese_name {
        Some(chinese) => format!("{chinese} {}", found.name),
        None => found.name,
    })
}

/// What patients open: pages without scripts.
pub(super) fn pages() -> Router<Sharing> {
    decision::routes().merge(mine::routes())
}

/// What staff ask for.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(requests::organisations))
        .routes(routes!(requests::list, requests::ask))
        .routes(routes!(requests::attest))
        .routes(routes!(requests::cancel))
        .routes(routes!(restricted::ask))
        .routes(routes!(views::list::shared))
        .routes(routes!(views::open))
        .routes(routes!(views::shown::page))
        .routes(routes!(views::shown::picture))
        .routes(routes!(views::shown::watch))
        .routes(routes!(views::copies::take))
        .routes(routes!(emergencies::list, emergencies::open))
        .routes(routes!(emergencies::announced))
        .routes(routes!(emergencies::view))
        .routes(routes!(owner::contact, owner::set_contact))
        .routes(routes!(owner::consents))
        .routes(routes!(owner::withdraw))
        .routes(routes!(fhir::show))
        .routes(routes!(owner::outbox))
        .routes(routes!(report::show))
}

#[cfg(test)]
mod contact_tests;
#[cfg(test)]
mod tests;
