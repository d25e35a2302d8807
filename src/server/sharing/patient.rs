//! What the patient's pages have in common: from where they are asked, the secret in the browser, what is wrong with an answer, and the
//! messages that lead to them.

use std::net::SocketAddr;

use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use serde::Deserialize;

use super::Sharing;
use super::decision::markup;
use super::words::{code_message, contact_message, link_message, refusal as told};
use crate::audit::{Actor, Event, Outcome, Refusal, UnixMillis};
use crate::consent::{Decider, LINK_LIFE, Secret};
use crate::server::error::ApiError;
use crate::server::refused::Unheard;
use crate::store::{By, Contact, MessageKind, Outgoing};
use crate::text::PatientText;

/// The pages load one style sheet of ours and send forms to us.
const POLICY: &str = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
/// A form of a page that names no referrer at all says `Origin: null`, which no guard can tell from a foreign one. So the origin is told,
/// and never the address, which has the link's secret.
const REFERRER: &str = "strict-origin";
/// The cookie with the page's secret.
const COOKIE: &str = "page";

/// From where a request came, as far as is known.
pub(super) type Peer = Option<axum::Extension<ConnectInfo<SocketAddr>>>;

/// What a patient did, from where.
pub(super) fn by(peer: Peer) -> By {
    let address = peer.map(|axum::Extension(ConnectInfo(address))| address.ip());
    By { address, ..By::now(Actor::Unknown) }
}

/// The code of a message, and who gives it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    pub code: String,
    pub decider: Decider,
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

/// The secret that the browser has for this page.
pub(super) fn cookie(headers: &HeaderMap) -> Option<Secret> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut values = cookies.flat_map(|cookies| cookies.split(';')).filter_map(|pair| pair.trim().split_once('='));
    values.find(|(name, _)| *name == COOKIE).map(|(_, value)| Secret::from_client(value.to_owned()))
}

/// The message with a link that leads to a page of the patient's.
pub(super) fn link_to(contact: Contact, clinic: &str, address: &str, now: UnixMillis) -> Outgoing {
    let text = link_message(clinic, address);
    message(MessageKind::Link, contact, clinic, text, now.after(LINK_LIFE))
}

/// The message with a code, which is worth nothing after `until`.
pub(super) fn code_to(contact: Contact, clinic: &str, code: &str, until: UnixMillis) -> Outgoing {
    message(MessageKind::Code, contact, clinic, code_message(clinic, code), until)
}

/// The messages to where a patient was reached before.
pub(super) fn contact_changed(known: &Contact, clinic: &str, now: UnixMillis) -> Vec<Outgoing> {
    let to = |phone, mail| Contact { phone, mail, incapable: known.incapable };
    let known = [known.phone.clone().map(|phone| to(Some(phone), None)), known.mail.clone().map(|mail| to(None, Some(mail)))];
    let told = |contact| message(MessageKind::Contact, contact, clinic, contact_message(clinic), now.after(LINK_LIFE));
    known.into_iter().flatten().map(told).collect()
}

fn message(kind: MessageKind, contact: Contact, clinic: &str, text: String, until: UnixMillis) -> Outgoing {
    let Contact { phone, mail, .. } = contact;
    Outgoing { kind, told: None, phone, mail, subject: clinic.to_owned(), text: PatientText::from(text), until }
}

/// Whether one more code may go to this number; where not, `event` is kept as refused.
pub(super) async fn allow_code(sharing: &Sharing, contact: &Contact, event: Event) -> Result<Result<(), Refusal>, ApiError> {
    let to = [&contact.phone, &contact.mail].into_iter().flatten().next().map_or("", PatientText::reveal);
    let Err(reason) = sharing.allow_code(to, event.at) else { return Ok(Ok(())) };
    sharing.store().keep_event(&Event { outcome: Outcome::Refused { reason }, ..event }).await?;
    Ok(Err(reason))
}

/// As [`refused`], where no event of it was written: one is before the answer is sent.
pub(super) fn unheard(refusal: Refusal) -> Response {
    Unheard::mark(Some(refusal), refused(refusal))
}

/// Back to the page at this path after a form that was none.
pub(super) fn malformed(path: &str) -> Response {
    Unheard::mark(Some(Refusal::Malformed), to_page(path, Some(Refusal::WrongCode)))
}

/// The answer to what was refused, and is an event.
pub(super) fn refused(refusal: Refusal) -> Response {
    let status = if refusal == Refusal::TooManyTries { StatusCode::TOO_MANY_REQUESTS } else { StatusCode::FORBIDDEN };
    page(status, &markup::problem(told(refusal)))
}

/// Back to the page at this path, which says what was wrong.
pub(super) fn to_page(path: &str, problem: Option<Refusal>) -> Response {
    let query = problem.map(|refusal| format!("?{}", code_of(refusal))).unwrap_or_default();
    (StatusCode::SEE_OTHER, [(header::LOCATION, format!("{path}{query}"))]).into_response()
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

fn code_of(refusal: Refusal) -> &'static str {
    PROBLEMS.iter().find(|(_, known)| *known == refusal).map_or("failed", |(code, _)| code)
}

pub(super) fn problem_of(code: &str) -> Option<Refusal> {
    PROBLEMS.iter().find(|(known, _)| *known == code).map(|(_, refusal)| *refusal)
}

pub(super) fn page(status: StatusCode, html: &str) -> Response {
    let policies = [(header::CONTENT_SECURITY_POLICY, POLICY), (header::REFERRER_POLICY, REFERRER)];
    (status, policies, Html(html.to_owned())).into_response()
}
