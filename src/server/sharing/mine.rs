//! The patient's way back to their own page, by the number that their clinic has: a link, a code, and then all that they share, with
//! who has seen it and taking it back.
//!
//! Whether a number is known is not told: the answer is the same, and comes before anybody has looked. As the pages of requests these
//! are plain HTML and forms.

mod markup;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;

use super::courier::now;
use super::patient::{
    Entry, Peer, allow_code, by, code_to, cookie, link_to, malformed, page, problem_of, refused, remember, to_page, unheard,
};
use super::report::{self, Form, Format};
use super::{Sharing, organisation_name, random, requests};
use crate::audit::{Action, ConsentId, Event, Outcome, Refusal};
use crate::consent::{LINK_LIFE, PAGE_LIFE, Secret, WayBack};
use crate::gateway::Address;
use crate::server::asked::{Asked, Filled};
use crate::server::error::ApiError;
use crate::store::{By, PatientPage, Side, WayChange};

/// Patients of one number who are written to: a family.
const MOST_PATIENTS: usize = 8;

/// What a patient asks for without a request of anybody's.
pub(in crate::server) fn routes() -> Router<Sharing> {
    Router::new()
        .route("/mine", get(form).post(ask))
        .route("/m/{way}/{secret}", get(landing).post(open))
        .route("/m/{way}", get(show))
        .route("/m/{way}/code", post(another_code))
        .route("/m/{way}/enter", post(enter))
        .route("/m/{way}/withdraw/{consent}", post(withdraw))
        .route("/m/{way}/consents/{consent}", get(fhir))
        .route("/m/{way}/report", get(show_report))
}

async fn form() -> Response {
    page(StatusCode::OK, &markup::form())
}

/// By which number the patient is known.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Number {
    number: String,
}

/// Has a link sent, if the number is known. The answer is the same, and given at once.
async fn ask(State(sharing): State<Sharing>, peer: Peer, number: Result<Filled<Number>, ApiError>) -> Result<Response, ApiError> {
    let by = by(peer);
    if let Err(refusal) = sharing.allow_answer(by.address, by.at) {
        return Ok(unheard(refusal));
    }
    let number = number.ok().and_then(|Filled(Number { number })| normal(&number));
    if let Some(number) = number.filter(|number| sharing.allow_way_back(number, by.at).is_ok()) {
        let sharing = sharing.clone();
        // Nobody waits for it, so that nobody can tell by the time whether the number is known.
        tokio::spawn(async move {
            if let Err(error) = send_links(&sharing, &number, &by).await {
                tracing::error!(%error, "no link to a patient's own page was sent");
            }
        });
    }
    Ok(page(StatusCode::OK, &markup::asked()))
}

/// A telephone number or a mailbox in the form in which contacts are kept.
fn normal(number: &str) -> Option<String> {
    match Address::phone(number).or_else(|_| Address::mail(number)).ok()? {
        Address::Phone(number) | Address::Mail(number) => Some(number),
    }
}

async fn send_links(sharing: &Sharing, number: &str, by: &By) -> Result<(), ApiError> {
    let store = sharing.store();
    let patients = store.patients_reached_by(number).await?;
    if patients.is_empty() && sharing.0.strangers.may_keep(by.address) {
        let outcome = Outcome::Refused { reason: Refusal::NotEntitled };
        store.keep_event(&Event { outcome, ..by.did_in_general(Action::PageAsk) }).await?;
    }
    for patient in patients.into_iter().take(MOST_PATIENTS) {
        let Some(owner) = store.owner_of_patient(&patient).await? else { continue };
        let Some(contact) = store.contact(&patient).await? else { continue };
        let clinic = organisation_name(store, owner.organisation).await?;
        let (id, link) = (ConsentId::from_bytes(random()?), Secret::of_random(random()?));
        let standing = requests::standing(store, Some(&patient)).await?;
        let made = WayBack::ask(id, store.pseudonym(&patient)?, standing, &link, by.at);
        let message = link_to(contact, &clinic, &format!("{}/m/{id}/{}", sharing.0.public, link.reveal()), by.at);
        store.keep_way_back((id, &patient), made, &clinic, message, by).await?;
    }
    Ok(())
}

/// The page that a way back leads to.
fn at(way: &str) -> String {
    format!("/m/{way}")
}

fn id(way: &str) -> Option<ConsentId> {
    ConsentId::try_from(way.to_owned()).ok()
}

/// Before a link is opened it says whose it is and no more.
async fn landing(State(sharing): State<Sharing>, Path((way, secret)): Path<(String, String)>) -> Result<Response, ApiError> {
    let found = match id(&way) {
        Some(id) => sharing.store().way_back(id).await?,
        None => None,
    };
    let clinic = found.as_ref().map_or("診所 Clinic", |(_, clinic, _)| clinic);
    Ok(page(StatusCode::OK, &markup::landing(clinic, &format!("/m/{way}/{secret}"))))
}

/// Opens the page and has the code sent.
async fn open(
    State(sharing): State<Sharing>,
    peer: Peer,
    Path((way, secret)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    let by = by(peer);
    let Some(id) = id(&way) else { return Ok(unheard(Refusal::NotSignedIn)) };
    let (link, opened) = (Secret::from_client(secret), Secret::of_random(random()?));
    // The right link always opens: what others at the same address try counts for them alone.
    let found = sharing.store().way_back(id).await?;
    let opens = found.is_some_and(|(mut way, ..)| way.open(&link, &opened, by.at).0.is_ok());
    if !opens && let Err(refusal) = sharing.allow_answer(by.address, by.at) {
        return Ok(unheard(refusal));
    }
    let changed = sharing.store().change_way_back(id, &by, |way, _| {
        let (outcome, event) = way.open(&link, &opened, by.at);
        WayChange { outcome, event, message: None, page: None }
    });
    match changed.await? {
        Some(Ok(())) => {}
        Some(Err(refusal)) => return Ok(refused(refusal)),
        None => return Ok(unheard(Refusal::NotSignedIn)),
    }
    // A code that cannot be sent is asked for again on the page.
    let _ = send_code(&sharing, id, &opened, &by).await?;
    Ok(remember(&sharing, to_page(&at(&way), None), &at(&way), &opened, LINK_LIFE))
}

/// Makes a code and puts it into the outbox.
async fn send_code(sharing: &Sharing, id: ConsentId, secret: &Secret, by: &By) -> Result<Result<(), Refusal>, ApiError> {
    let store = sharing.store();
    let Some((way, _, patient)) = store.way_back(id).await? else { return Ok(Err(Refusal::NotSignedIn)) };
    if !way.is_page(secret, by.at) {
        return Ok(Err(Refusal::NotSignedIn));
    }
    let event = by.did_for(Action::ConsentCode, store.pseudonym(&patient)?);
    let Some(contact) = store.contact(&patient).await? else {
        let reason = Refusal::NotEntitled;
        store.keep_event(&Event { outcome: Outcome::Refused { reason }, ..event }).await?;
        return Ok(Err(reason));
    };
    if let Err(refusal) = allow_code(sharing, &contact, event).await? {
        return Ok(Err(refusal));
    }
    let (key, random) = (&sharing.0.code_key, random()?);
    let changed = store.change_way_back(id, by, |way, clinic| {
        let (issued, event) = way.issue_code(key, secret, random, by.at);
        let code = issued.as_ref().ok();
        let message = code.map(|code| code_to(contact.clone(), clinic, code.reveal(), way.runs_out()));
        WayChange { outcome: issued.map(drop), event, message, page: None }
    });
    Ok(changed.await?.unwrap_or(Err(Refusal::NotSignedIn)))
}

/// Sends another code.
async fn another_code(
    State(sharing): State<Sharing>,
    peer: Peer,
    Path(way): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let by = by(peer);
    if let Err(refusal) = sharing.allow_answer(by.address, by.at) {
        return Ok(unheard(refusal));
    }
    let (Some(id), Some(secret)) = (id(&way), cookie(&headers)) else { return Ok(unheard(Refusal::NotSignedIn)) };
    Ok(match send_code(&sharing, id, &secret, &by).await? {
        // Before the way was asked.
        Err(Refusal::NotSignedIn) => unheard(Refusal::NotSignedIn),
        sent => to_page(&at(&way), sent.err()),
    })
}

/// The patient comes in with the code.
async fn enter(
    State(sharing): State<Sharing>,
    peer: Peer,
    Path(way): Path<String>,
    headers: HeaderMap,
    entry: Result<Filled<Entry>, ApiError>,
) -> Result<Response, ApiError> {
    let by = by(peer);
    if let Err(refusal) = sharing.allow_answer(by.address, by.at) {
        return Ok(unheard(refusal));
    }
    let (Some(id), Some(secret)) = (id(&way), cookie(&headers)) else { return Ok(unheard(Refusal::NotSignedIn)) };
    let Ok(Filled(Entry { code, decider })) = entry else { return Ok(malformed(&at(&way))) };
    let key = &sharing.0.code_key;
    // The page has a secret of its own from here on: the one before the code is worth nothing there.
    let inside = Secret::of_random(random()?);
    let changed = sharing.store().change_way_back(id, &by, |way, _| {
        let (outcome, event) = way.enter(key, &secret, &code, decider, by.at);
        let page = outcome.is_ok().then(|| (inside.clone(), decider, by.at.after(PAGE_LIFE)));
        WayChange { outcome, event, message: None, page }
    });
    match changed.await? {
        Some(Ok(())) => Ok(remember(&sharing, to_page(&at(&way), None), &at(&way), &inside, PAGE_LIFE)),
        Some(Err(refusal)) => Ok(to_page(&at(&way), Some(refusal))),
        None => Ok(unheard(Refusal::NotSignedIn)),
    }
}

/// Whose page this browser has come into, if it has and the way led to that patient.
async fn inside(sharing: &Sharing, way: &str, headers: &HeaderMap) -> Result<Option<PatientPage>, ApiError> {
    let (Some(id), Some(secret)) = (id(way), cookie(headers)) else { return Ok(None) };
    let Some(found) = sharing.store().patient_page(&secret, now()).await? else { return Ok(None) };
    let way = sharing.store().way_back(id).await?;
    Ok(way.filter(|(.., patient)| *patient == found.patient).map(|_| found))
}

/// The patient's own page, or the question for the code.
async fn show(
    State(sharing): State<Sharing>,
    peer: Peer,
    Path(way): Path<String>,
    headers: HeaderMap,
    query: axum::extract::RawQuery,
) -> Result<Response, ApiError> {
    let problem = query.0.as_deref().and_then(problem_of);
    if let Some(mine) = inside(&sharing, &way, &headers).await? {
        let by = By { actor: mine.decider.actor(), ..by(peer) };
        let store = sharing.store();
        let consents = store.consents(Side::Patient(&mine.patient)).await?;
        let count = u32::try_from(consents.len()).unwrap_or(u32::MAX);
        store.keep_event(&by.did_for(Action::View { count }, store.pseudonym(&mine.patient)?)).await?;
        return Ok(page(StatusCode::OK, &markup::own(&way, &consents, problem)));
    }
    let (Some(id), Some(secret)) = (id(&way), cookie(&headers)) else { return Ok(unheard(Refusal::NotSignedIn)) };
    match sharing.store().way_back(id).await? {
        Some((found, clinic, _)) if found.is_page(&secret, now()) => {
            Ok(page(StatusCode::OK, &markup::code(&way, &clinic, found.standing(), problem)))
        }
        _ => Ok(unheard(Refusal::NotSignedIn)),
    }
}

/// The patient takes a consent back, or says no to what they have not answered: what is open elsewhere closes at once.
async fn withdraw(
    State(sharing): State<Sharing>,
    peer: Peer,
    Path((way, consent)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let by = by(peer);
    let Some(mine) = inside(&sharing, &way, &headers).await? else { return Ok(unheard(Refusal::NotSignedIn)) };
    let Some(consent) = own_consent(&sharing, &mine, &consent).await? else { return Ok(unheard(Refusal::NotSignedIn)) };
    let actor = mine.decider.actor();
    let changed = sharing.store().change_consent(consent, &by, |consent, _| consent.withdraw(actor, by.at).into());
    Ok(to_page(&at(&way), changed.await?.and_then(|changed| changed.outcome.err())))
}

/// A consent of this patient.
async fn own_consent(sharing: &Sharing, mine: &PatientPage, consent: &str) -> Result<Option<ConsentId>, ApiError> {
    let Some(id) = id(consent) else { return Ok(None) };
    let stored = sharing.store().consent(id).await?;
    let Some(patient) = stored.and_then(|stored| stored.patient) else { return Ok(None) };
    let theirs = patient == mine.patient || sharing.store().same_person(&mine.patient).await?.contains(&patient);
    Ok(theirs.then_some(id))
}

/// A consent as a FHIR document, for the patient.
async fn fhir(
    State(sharing): State<Sharing>,
    peer: Peer,
    Path((way, consent)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let Some(mine) = inside(&sharing, &way, &headers).await? else { return Ok(unheard(Refusal::NotSignedIn)) };
    let Some(consent) = own_consent(&sharing, &mine, &consent).await? else { return Ok(unheard(Refusal::NotSignedIn)) };
    let by = By { actor: mine.decider.actor(), ..by(peer) };
    match sharing.store().consent(consent).await? {
        Some(stored) => super::fhir::answer(&sharing, &stored, &by).await,
        None => Ok(unheard(Refusal::NotSignedIn)),
    }
}

/// Who saw what of the patient.
async fn show_report(
    State(sharing): State<Sharing>,
    peer: Peer,
    Path(way): Path<String>,
    headers: HeaderMap,
    Asked(form): Asked<Form>,
) -> Result<Response, ApiError> {
    let Some(mine) = inside(&sharing, &way, &headers).await? else { return Ok(unheard(Refusal::NotSignedIn)) };
    let by = By { actor: mine.decider.actor(), ..by(peer) };
    if let Err(refusal) = sharing.allow_answer(by.address, by.at) {
        return Ok(unheard(refusal));
    }
    let report = report::of_patient(&sharing, &mine.patient, &by).await?;
    let format = form.format.unwrap_or(Format::Html);
    report.answer(format, |html| page(StatusCode::OK, &html)).await
}

#[cfg(test)]
mod tests;
