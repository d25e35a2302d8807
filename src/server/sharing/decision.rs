//! The patient's pages: what is asked for, the code, yes or no, and afterwards what was seen and taking it back.
//!
//! Plain HTML and forms, in Chinese and English at once, so that an old telephone shows them. A link is opened by a press of a button:
//! messengers load links to show what is behind them. The secret of the page is in a cookie that no script reads.

pub(super) mod markup;

use std::net::SocketAddr;

use axum::Router;
use axum::extract::{ConnectInfo, Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;

use self::markup::{Asked, Page};
use super::courier::now;
use super::words::{code_message, refusal as told};
use super::{Sharing, random};
use crate::audit::{Action, Actor, ConsentId, Event, Outcome, Refusal};
use crate::consent::{Consent, Decider, LINK_LIFE, Secret};
use crate::server::asked::Filled;
use crate::server::error::ApiError;
use crate::store::{By, ConsentStep, MessageKind, Outgoing, PatientPage, StoredConsent};
use crate::text::PatientText;

/// The pages load one style sheet of ours and send forms to us.
const POLICY: &str = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
/// A form of a page that names no referrer at all says `Origin: null`, which no guard can tell from a foreign one. So the origin is told,
/// and never the address, which has the link's secret.
const REFERRER: &str = "strict-origin";
/// The cookie with the page's secret.
const COOKIE: &str = "page";

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

/// From where a request came, as far as is known.
pub(super) type Peer = Option<axum::Extension<ConnectInfo<SocketAddr>>>;

/// What a patient did, from where.
pub(super) fn by(peer: Peer) -> By {
    let address = peer.map(|axum::Extension(ConnectInfo(address))| address.ip());
    By { address, ..By::now(Actor::Unknown) }
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
) -> Result<Response, ApiError> {
    let by = by(peer);
    let Some(id) = id(&consent) else { return Ok(refused(Refusal::NotSignedIn)) };
    if let Err(refusal) = sharing.allow_answer(by.address, by.at) {
        return turned_away(&sharing, &by, id, refusal).await;
    }
    let (link, page_secret) = (Secret::from_client(secret), Secret::of_random(random()?));
    let opened = sharing.store().change_consent(id, &by, |consent, _| consent.open(&link, &page_secret, by.at).into()).await?;
    let Some(opened) = opened else { return turned_away(&sharing, &by, id, Refusal::NotSignedIn).await };
    if let Err(refusal) = opened.outcome {
        return Ok(refused(refusal));
    }
    // A code that cannot be sent is asked for again on the page.
    let _ = send_code(&sharing, id, &page_secret, &by).await?;
    Ok(remember(&sharing, to_page(&consent, ""), &format!("/d/{consent}"), &page_secret, LINK_LIFE))
}

/// The answer after which the browser has the secret of the page at this path for so many milliseconds.
pub(super) fn remember(sharing: &Sharing, mut response: Response, path: &str, secret: &Secret, life: u64) -> Response {
    let secure = if sharing.0.public.starts_with("https:") { "; Secure" } else { "" };
    let age = life / 1000;
    let cookie = format!("{COOKIE}={}; Path={path}; Max-Age={age}; HttpOnly; SameSite=Strict{secure}", secret.reveal());
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

/// The opened page, in whatever state its consent is.
async fn show(
    State(sharing): State<Sharing>,
    Path(consent): Path<String>,
    headers: HeaderMap,
    query: axum::extract::RawQuery,
) -> Result<Response, ApiError> {
    let Some((stored, secret)) = opened(&sharing, &consent, &headers).await? else { return Ok(refused(Refusal::NotSignedIn)) };
    let mine = sharing.store().patient_page(&secret, now()).await?;
    let problem = query.0.as_deref().and_then(problem_of);
    let asked = Asked::of(&sharing, &stored).await?;
    let is_mine = mine.is_some_and(|page| Some(&page.patient) == stored.patient.as_ref());
    // Who opened it in another browser, or has the link alone, sees nothing of what is asked for.
    if !is_mine && !may_read(&stored.consent, &secret) {
        return Ok(refused(Refusal::NotSignedIn));
    }
    Ok(page(StatusCode::OK, &markup::decision(&Page { consent: &consent, stored: &stored, asked: &asked, is_mine, problem })))
}

/// The consent that is answered and the secret of its page, where there are both and the address may try once more; else the answer.
async fn answering(
    sharing: &Sharing,
    consent: &str,
    headers: &HeaderMap,
    by: &By,
) -> Result<Result<(ConsentId, Secret), Response>, ApiError> {
    let (Some(id), Some(secret)) = (id(consent), cookie(headers)) else { return Ok(Err(refused(Refusal::NotSignedIn))) };
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
        Ok(()) => to_page(&consent, ""),
        Err(refusal) => not_taken(&consent, refusal),
    })
}

/// An answer.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    code: String,
    decider: Decider,
}

/// The patient says yes with the code.
async fn yes(
    State(sharing): State<Sharing>,
    peer: Peer,
    Path(consent): Path<String>,
    headers: HeaderMap,
    answer: Result<Filled<Answer>, ApiError>,
) -> Result<Response, ApiError> {
    let by = by(peer);
    let (id, secret) = match answering(&sharing, &consent, &headers, &by).await? {
        Ok(found) => found,
        Err(response) => return Ok(response),
    };
    let Ok(Filled(Answer { code, decider })) = answer else { return Ok(to_page(&consent, code_of(Refusal::WrongCode))) };
    let key = &sharing.0.code_key;
    let changed = sharing.store().change_consent(id, &by, |consent, _| {
        // The page is the patient's as long as what it shares.
        let ends = consent.scope().end();
        let taken = consent.confirm(key, &secret, &code, decider, by.at);
        let page = taken.outcome.is_ok().then(|| (secret.clone(), decider, ends));
        ConsentStep { page, ..taken.into() }
    });
    let Some(changed) = changed.await? else { return Ok(refused(Refusal::NotSignedIn)) };
    if let Err(refusal) = changed.outcome {
        return Ok(not_taken(&consent, refusal));
    }
    let response = to_page(&consent, "");
    // For as long as there is something to take back.
    let life = changed.stored.consent.scope().end().0.saturating_sub(by.at.0);
    Ok(remember(&sharing, response, &format!("/d/{consent}"), &secret, life))
}

/// The patient says no: that takes no code.
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
    let Some(changed) = changed else { return Ok(refused(Refusal::NotSignedIn)) };
    Ok(match changed.outcome {
        Ok(()) => page(StatusCode::OK, &markup::said_no(&changed.stored.about.owner_name)),
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
    let Some((id, mine)) = mine(&sharing, &consent, &headers).await? else { return Ok(refused(Refusal::NotSignedIn)) };
    let changed =
        sharing.store().change_consent(id, &by, |consent, _| consent.withdraw(mine.decider.actor(), by.at).into()).await?;
    let problem = changed.and_then(|changed| changed.outcome.err()).map_or("", code_of);
    Ok(to_page(&consent, problem))
}

/// Who saw what of the patient.
async fn report(
    State(sharing): State<Sharing>,
    peer: Peer,
    Path(consent): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let by = by(peer);
    let Some((_, mine)) = mine(&sharing, &consent, &headers).await? else { return Ok(refused(Refusal::NotSignedIn)) };
    let by = By { actor: mine.decider.actor(), ..by };
    if let Err(refusal) = sharing.allow_answer(by.address, by.at) {
        return Ok(refused(refusal));
    }
    let report = super::report::of_patient(&sharing, &mine.patient, &by).await?;
    Ok(page(StatusCode::OK, &report.html()))
}

/// The consent as a FHIR document, for the patient.
async fn fhir(
    State(sharing): State<Sharing>,
    peer: Peer,
    Path(consent): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let Some((_, mine)) = mine(&sharing, &consent, &headers).await? else { return Ok(refused(Refusal::NotSignedIn)) };
    let by = By { actor: mine.decider.actor(), ..by(peer) };
    match find(&sharing, &consent).await? {
        Some(stored) => super::fhir::answer(&sharing, &stored, &by).await,
        None => Ok(refused(Refusal::NotSignedIn)),
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
        Some(patient) => sharing.store().contact(patient).await?,
        None => None,
    };
    let Some(contact) = contact else { return Ok(Err(Refusal::NotEntitled)) };
    let to = [&contact.phone, &contact.mail].into_iter().flatten().next().map_or("", PatientText::reveal).to_owned();
    if let Err(refusal) = sharing.allow_code(&to, by.at) {
        let event = Event { consent: Some(id), ..by.did_in_general(Action::ConsentCode) };
        sharing.store().keep_event(&Event { outcome: Outcome::Refused { reason: refusal }, ..event }).await?;
        return Ok(Err(refusal));
    }
    let (key, random) = (&sharing.0.code_key, random()?);
    let changed = sharing.store().change_consent(id, by, |consent, about| {
        let until = consent.runs_out();
        let taken = consent.issue_code(key, secret, random, by.at);
        let text = taken.outcome.as_ref().ok().map(|code| code_message(&about.owner_name, code.reveal()));
        let message = text.map(|text| Outgoing {
            kind: MessageKind::Code,
            phone: contact.phone.clone(),
            mail: contact.mail.clone(),
            subject: about.owner_name.clone(),
            text: PatientText::from(text),
            until,
        });
        ConsentStep { message, ..taken.into() }
    });
    Ok(changed.await?.map_or(Err(Refusal::NotSignedIn), |changed| changed.outcome.map(drop)))
}

/// The consent of this text, if there is one.
async fn find(sharing: &Sharing, consent: &str) -> Result<Option<StoredConsent>, ApiError> {
    let Some(id) = id(consent) else { return Ok(None) };
    Ok(sharing.store().consent(id).await?)
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

pub(super) fn cookie(headers: &HeaderMap) -> Option<Secret> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut values = cookies.flat_map(|cookies| cookies.split(';')).filter_map(|pair| pair.trim().split_once('='));
    values.find(|(name, _)| *name == COOKIE).map(|(_, value)| Secret::from_client(value.to_owned()))
}

/// Refused before a consent was touched: that is an event too, of which a flood does not fill the log.
async fn turned_away(sharing: &Sharing, by: &By, id: ConsentId, refusal: Refusal) -> Result<Response, ApiError> {
    if sharing.0.strangers.may_keep() {
        let event = Event { consent: Some(id), ..by.did_in_general(Action::SignIn) };
        sharing.store().keep_event(&Event { outcome: Outcome::Refused { reason: refusal }, ..event }).await?;
    }
    Ok(refused(refusal))
}

pub(super) fn refused(refusal: Refusal) -> Response {
    let status = if refusal == Refusal::TooManyTries { StatusCode::TOO_MANY_REQUESTS } else { StatusCode::FORBIDDEN };
    page(status, &markup::problem(told(refusal)))
}

/// Back to the page, but for who has not the page's secret: to them it is as if there were no such request.
fn not_taken(consent: &str, refusal: Refusal) -> Response {
    if refusal == Refusal::NotSignedIn { refused(refusal) } else { to_page(consent, code_of(refusal)) }
}

/// Back to the page, which says what was wrong.
fn to_page(consent: &str, problem: &str) -> Response {
    let query = if problem.is_empty() { String::new() } else { format!("?{problem}") };
    (StatusCode::SEE_OTHER, [(header::LOCATION, format!("/d/{consent}{query}"))]).into_response()
}

/// What an address may say of why an answer was not taken.
const PROBLEMS: [(&str, Refusal); 8] = [
    ("wrong", Refusal::WrongCode),
    ("late", Refusal::Expired),
    ("early", Refusal::NotYet),
    ("many", Refusal::TooManyTries),
    ("used", Refusal::AlreadyUsed),
    ("entitled", Refusal::NotEntitled),
    ("link", Refusal::NotSignedIn),
    ("failed", Refusal::Error),
];

pub(super) fn code_of(refusal: Refusal) -> &'static str {
    PROBLEMS.iter().find(|(_, known)| *known == refusal).map_or("failed", |(code, _)| code)
}

pub(super) fn problem_of(code: &str) -> Option<Refusal> {
    PROBLEMS.iter().find(|(known, _)| *known == code).map(|(_, refusal)| *refusal)
}

pub(super) fn page(status: StatusCode, html: &str) -> Response {
    let policies = [(header::CONTENT_SECURITY_POLICY, POLICY), (header::REFERRER_POLICY, REFERRER)];
    (status, policies, Html(html.to_owned())).into_response()
}

#[cfg(test)]
pub(super) mod tests;
