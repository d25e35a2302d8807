//! The patient's pages: what is asked for, the code, yes or no, and afterwards what was seen and taking it back.
//!
//! Plain HTML and forms, in Chinese and English at once, so that an old telephone shows them. A link is opened by a press of a button:
//! messengers load links to show what is behind them. The secret of the page is in a cookie that no script reads.

pub(super) mod markup;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};

use self::markup::{Asked, Page};
use super::courier::now;
use super::patient::{
    Entry, Peer, allow_code, by, code_to, cookie, malformed, page, problem_of, refused, remember, to_page, unheard,
};
use super::report::{Form, Format};
use super::requests::{has_set_contact, reached};
use super::{Sharing, random};
use crate::audit::{Action, Actor, ConsentId, Event, Outcome, Refusal};
use crate::consent::{Consent, LINK_LIFE, Secret};
use crate::server::asked::{self, Filled};
use crate::server::error::ApiError;
use crate::store::{By, ConsentStep, PatientPage, StoredConsent};

/// What a patient's link leads to.
pub(super) fn routes() -> Router<Sharing> {
    Router::new()
        .route("/d/{consent}/{secret}", get(landing).post(open))
        .route("/d/{consent}", get(show))
        .route("/d/{consent}/code", post(another_code))
        .route("/d/{consent}/yes", post(yes))
        .route("/d/{consent}/no", post(no))
        .route("/d/{consent}/withdraw", post(withdraw))
        .route("/d/{consent}/report", get(report))
        .route("/d/{consent}/fhir", get(fhir))
}

/// Before a link is opened it says whose it is and no more.
async fn landing(State(sharing): State<Sharing>, Path((consent, secret)): Path<(String, String)>) -> Result<Response, ApiError> {
    let found = find(&sharing, &consent).await?;
    let clinic = found.as_ref().map(|stored| stored.about.owner_name.as_str());
    let action = format!("/d/{consent}/{secret}");
    Ok(page(StatusCode::OK, &markup::landing(clinic.unwrap_or("診所 Clinic"), &action)))
}

/// Opens the page and has the code sent.
async fn open(
    State(sharing): State<Sharing>,
    peer: Peer,
    Path((consent, secret)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let by = by(peer);
    let Some(id) = id(&consent) else { return Ok(unheard(Refusal::NotSignedIn)) };
    // Who has the page of this patient already keeps it: what can be taken back there can be, whatever is answered to one more question.
    let kept = mine(&sharing, &consent, &headers).await?.and_then(|_| cookie(&headers));
    let is_kept = kept.is_some();
    let (link, page_secret) = (Secret::from_client(secret), kept.map_or_else(|| random().map(Secret::of_random), Ok)?);
    // The right link always opens: what others at the same address try counts for them alone.
    let found = find(&sharing, &consent).await?;
    let opens = found.is_some_and(|stored| stored.consent.open(&link, &page_secret, by.at).outcome.is_ok());
    if !opens && let Err(refusal) = sharing.allow_answer(by.address, by.at) {
        return turned_away(&sharing, &by, id, refusal).await;
    }
    let opened = sharing.store().change_consent(id, &by, |consent, _| consent.open(&link, &page_secret, by.at).into()).await?;
    let Some(opened) = opened else { return turned_away(&sharing, &by, id, Refusal::NotSignedIn).await };
    if let Err(refusal) = opened.outcome {
        return Ok(refused(refusal));
    }
    // A code that cannot be sent is asked for again on the page.
    let _ = send_code(&sharing, id, &page_secret, &by).await?;
    let response = to_page(&at(&consent), None);
    Ok(if is_kept { response } else { remember(&sharing, response, &at(&consent), &page_secret, LINK_LIFE) })
}

/// The opened page, in whatever state its consent is.
async fn show(
    State(sharing): State<Sharing>,
    Path(consent): Path<String>,
    headers: HeaderMap,
    query: axum::extract::RawQuery,
) -> Result<Response, ApiError> {
    let Some((stored, secret)) = opened(&sharing, &consent, &headers).await? else { return Ok(unheard(Refusal::NotSignedIn)) };
    let mine = sharing.store().patient_page(&secret, now()).await?;
    let problem = query.0.as_deref().and_then(problem_of);
    let asked = Asked::of(&sharing, &stored).await?;
    let is_asked = may_read(&stored.consent, &secret);
    let is_mine = mine.is_some_and(|page| Some(&page.patient) == stored.patient.as_ref());
    // Who opened it in another browser, or has the link alone, sees nothing of what is asked for.
    if !is_mine && !is_asked {
        return Ok(unheard(Refusal::NotSignedIn));
    }
    Ok(page(
        StatusCode::OK,
        &markup::decision(&Page { consent: &consent, stored: &stored, asked: &asked, is_mine, is_asked, problem }),
    ))
}

/// The consent that is answered and the secret of its page, where there are both and the address may try once more; else the answer.
async fn answering(
    sharing: &Sharing,
    consent: &str,
    headers: &HeaderMap,
    by: &By,
) -> Result<Result<(ConsentId, Secret), Response>, ApiError> {
    let (Some(id), Some(secret)) = (id(consent), cookie(headers)) else { return Ok(Err(unheard(Refusal::NotSignedIn))) };
    match sharing.allow_answer(by.address, by.at) {
        Ok(()) => Ok(Ok((id, secret))),
        Err(refusal) => turned_away(sharing, by, id, refusal).await.map(Err),
    }
}

/// Sends another code.
async fn another_code(
    State(sharing): State<Sharing>,
    peer: Peer,
    Path(consent): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let by = by(peer);
    let (id, secret) = match answering(&sharing, &consent, &headers, &by).await? {
        Ok(found) => found,
        Err(response) => return Ok(response),
    };
    Ok(match send_code(&sharing, id, &secret, &by).await? {
        Ok(()) => to_page(&at(&consent), None),
        // Before the consent was asked.
        Err(Refusal::NotSignedIn) => unheard(Refusal::NotSignedIn),
        Err(refusal) => to_page(&at(&consent), Some(refusal)),
    })
}

/// The patient says yes with the code.
async fn yes(
    State(sharing): State<Sharing>,
    peer: Peer,
    Path(consent): Path<String>,
    headers: HeaderMap,
    entry: Result<Filled<Entry>, ApiError>,
) -> Result<Response, ApiError> {
    let by = by(peer);
    let (id, secret) = match answering(&sharing, &consent, &headers, &by).await? {
        Ok(found) => found,
        Err(response) => return Ok(response),
    };
    let Ok(Filled(Entry { code, decider })) = entry else { return Ok(malformed(&at(&consent))) };
    let key = &sharing.0.code_key;
    let changed = sharing.store().change_consent(id, &by, |consent, _| {
        // To the request, or to restricted data. The page is the patient's as long as what it shares.
        let ends = consent.scope().end();
        let taken = consent.confirm(key, &secret, &code, decider, by.at);
        let page = taken.outcome.is_ok().then(|| (secret.clone(), decider, ends));
        ConsentStep { page, ..taken.into() }
    });
    let Some(changed) = changed.await? else { return Ok(unheard(Refusal::NotSignedIn)) };
    if let Err(refusal) = changed.outcome {
        return Ok(not_taken(&consent, refusal));
    }
    let response = to_page(&at(&consent), None);
    // For as long as there is something to take back.
    let life = changed.stored.consent.scope().end().0.saturating_sub(by.at.0);
    Ok(remember(&sharing, response, &at(&consent), &secret, life))
}

/// The patient says no, to the request or to restricted data: that takes no code.
async fn no(
    State(sharing): State<Sharing>,
    peer: Peer,
    Path(consent): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let by = by(peer);
    let (id, secret) = match answering(&sharing, &consent, &headers, &by).await? {
        Ok(found) => found,
        Err(response) => return Ok(response),
    };
    let changed =
        sharing.store().change_consent(id, &by, |consent, _| consent.refuse(Actor::Patient, Some(&secret), by.at).into()).await?;
    let Some(changed) = changed else { return Ok(unheard(Refusal::NotSignedIn)) };
    Ok(match changed.outcome {
        Ok(()) => page(StatusCode::OK, &markup::said_no(&changed.stored)),
        Err(refusal) => not_taken(&consent, refusal),
    })
}

/// The patient takes it back: what is open elsewhere closes at once.
async fn withdraw(
    State(sharing): State<Sharing>,
    peer: Peer,
    Path(consent): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let by = by(peer);
    let Some((id, mine)) = mine(&sharing, &consent, &headers).await? else { return Ok(unheard(Refusal::NotSignedIn)) };
    let changed =
        sharing.store().change_consent(id, &by, |consent, _| consent.withdraw(mine.decider.actor(), by.at).into()).await?;
    Ok(to_page(&at(&consent), changed.and_then(|changed| changed.outcome.err())))
}

/// Who saw what of the patient.
async fn report(
    State(sharing): State<Sharing>,
    peer: Peer,
    Path(consent): Path<String>,
    headers: HeaderMap,
    asked::Asked(form): asked::Asked<Form>,
) -> Result<Response, ApiError> {
    let by = by(peer);
    let Some((_, mine)) = mine(&sharing, &consent, &headers).await? else { return Ok(unheard(Refusal::NotSignedIn)) };
    let by = By { actor: mine.decider.actor(), ..by };
    if let Err(refusal) = sharing.allow_answer(by.address, by.at) {
        return Ok(unheard(refusal));
    }
    let report = super::report::of_patient(&sharing, &mine.patient, &by).await?;
    let format = form.format.unwrap_or(Format::Html);
    report.answer(format, |html| page(StatusCode::OK, &html)).await
}

/// The consent as a FHIR document, for the patient.
async fn fhir(
    State(sharing): State<Sharing>,
    peer: Peer,
    Path(consent): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let Some((_, mine)) = mine(&sharing, &consent, &headers).await? else { return Ok(unheard(Refusal::NotSignedIn)) };
    let by = By { actor: mine.decider.actor(), ..by(peer) };
    match find(&sharing, &consent).await? {
        Some(stored) => super::fhir::answer(&sharing, &stored, &by).await,
        None => Ok(unheard(Refusal::NotSignedIn)),
    }
}

/// Makes a code and puts it into the outbox.
async fn send_code(sharing: &Sharing, id: ConsentId, secret: &Secret, by: &By) -> Result<Result<(), Refusal>, ApiError> {
    let Some(stored) = sharing.store().consent(id).await? else { return Ok(Err(Refusal::NotSignedIn)) };
    // Before anything that differs from patient to patient, or counts.
    if !may_read(&stored.consent, secret) {
        return Ok(Err(Refusal::NotSignedIn));
    }
    let contact = match &stored.patient {
        Some(patient) => reached(sharing.store(), patient).await?,
        None => None,
    };
    let event = Event { consent: Some(id), ..by.did_in_general(Action::ConsentCode) };
    let Some(contact) = contact else {
        let reason = Refusal::NotEntitled;
        sharing.store().keep_event(&Event { outcome: Outcome::Refused { reason }, ..event }).await?;
        return Ok(Err(reason));
    };
    // Since the request was made, too.
    if let Some(patient) = &stored.patient
        && has_set_contact(sharing.store(), *stored.consent.requester(), patient, by.at).await?
    {
        let reason = Refusal::OwnContact;
        sharing.store().keep_event(&Event { outcome: Outcome::Refused { reason }, ..event }).await?;
        return Ok(Err(reason));
    }
    if let Err(refusal) = allow_code(sharing, &contact, event).await? {
        return Ok(Err(refusal));
    }
    let (key, random) = (&sharing.0.code_key, random()?);
    let changed = sharing.store().change_consent(id, by, |consent, about| {
        let until = consent.answered_until();
        let taken = consent.issue_code(key, secret, random, by.at);
        let code = taken.outcome.as_ref().ok();
        let message = code.map(|code| code_to(contact.clone(), &about.owner_name, code.reveal(), until));
        ConsentStep { message, ..taken.into() }
    });
    Ok(changed.await?.map_or(Err(Refusal::NotSignedIn), |changed| changed.outcome.map(drop)))
}

/// The consent of this text, if there is one.
async fn find(sharing: &Sharing, consent: &str) -> Result<Option<StoredConsent>, ApiError> {
    let Some(id) = id(consent) else { return Ok(None) };
    Ok(sharing.store().consent(id).await?)
}

/// The page of a consent.
fn at(consent: &str) -> String {
    format!("/d/{consent}")
}

fn id(consent: &str) -> Option<ConsentId> {
    ConsentId::try_from(consent.to_owned()).ok()
}

/// A consent with the secret that the browser has for it.
async fn opened(sharing: &Sharing, consent: &str, headers: &HeaderMap) -> Result<Option<(StoredConsent, Secret)>, ApiError> {
    let Some(secret) = cookie(headers) else { return Ok(None) };
    Ok(find(sharing, consent).await?.map(|stored| (stored, secret)))
}

/// The page of a patient who gave the code, and the consent of the same patient that it is about.
async fn mine(sharing: &Sharing, consent: &str, headers: &HeaderMap) -> Result<Option<(ConsentId, PatientPage)>, ApiError> {
    let Some((stored, secret)) = opened(sharing, consent, headers).await? else { return Ok(None) };
    let page = sharing.store().patient_page(&secret, now()).await?;
    Ok(page.filter(|page| Some(&page.patient) == stored.patient.as_ref()).map(|page| (stored.consent.id(), page)))
}

/// Whether this is the page that the link opened.
fn may_read(consent: &Consent, secret: &Secret) -> bool {
    consent.is_page(secret, now())
}

/// Refused before a consent was touched: that is an event too, of which a flood does not fill the log.
async fn turned_away(sharing: &Sharing, by: &By, id: ConsentId, refusal: Refusal) -> Result<Response, ApiError> {
    if sharing.0.strangers.may_keep(by.address) {
        let event = Event { consent: Some(id), ..by.did_in_general(Action::SignIn) };
        sharing.store().keep_event(&Event { outcome: Outcome::Refused { reason: refusal }, ..event }).await?;
    }
    Ok(refused(refusal))
}

/// Back to the page, but for who has not the page's secret: to them it is as if there were no such request.
fn not_taken(consent: &str, refusal: Refusal) -> Response {
    if refusal == Refusal::NotSignedIn { refused(refusal) } else { to_page(&at(consent), Some(refusal)) }
}

#[cfg(test)]
pub(super) mod tests;
