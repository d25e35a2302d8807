//! Requests of the library's, sent as all others of this program are.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use openidconnect::{HttpRequest, HttpResponse};
use ureq::http::{Method, header};
use ureq::tls::{PemItem, RootCerts, parse_pem};

use super::OpenIdError;
use crate::gateway::{GatewayError, http};

/// Bytes of the longest answer: a provider's keys are some KiB.
const LONGEST: u64 = 1 << 20;

/// Why no answer came.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub(super) struct HttpError {
    /// In words that hold nothing of what was sent.
    pub what: &'static str,
}

/// Who asks a provider, which certificates of this file vouch for, or of the usual authorities.
pub(super) fn agent(authority: Option<&Path>) -> Result<ureq::Agent, OpenIdError> {
    let Some(path) = authority else { return Ok(http::agent()) };
    let pem = fs::read(path).map_err(|source| GatewayError::Read { path: path.to_owned(), source })?;
    let read = parse_pem(&pem).filter_map(|item| match item {
        Ok(PemItem::Certificate(certificate)) => Some(Ok(certificate)),
        Ok(_) => None,
        Err(error) => Some(Err(error)),
    });
    let wrong = GatewayError::Setting { field: "provider.authority", what: "it has no certificates in PEM" };
    match read.collect::<Result<Vec<_>, _>>() {
        Ok(certificates) if !certificates.is_empty() => Ok(http::agent_trusting(RootCerts::Specific(Arc::new(certificates)))),
        _ => Err(wrong.into()),
    }
}

/// Sends one request. No redirect is followed.
pub(super) fn send(agent: &ureq::Agent, request: HttpRequest) -> Result<HttpResponse, HttpError> {
    let failed = |error: ureq::Error| HttpError { what: http::why(&error) };
    let (head, body) = request.into_parts();
    // What a provider names may be elsewhere than the provider is.
    if http::check(&head.uri.to_string(), "", "").is_err() {
        return Err(HttpError { what: "it names an address that is no https" });
    }
    let sent = if head.method == Method::POST {
        let mut post = agent.post(&head.uri);
        for (name, value) in &head.headers {
            post = post.header(name, value);
        }
        post.send(&body)
    } else {
        let mut get = agent.get(&head.uri);
        for (name, value) in &head.headers {
            get = get.header(name, value);
        }
        get.call()
    };
    let mut answer = sent.map_err(failed)?;
    let read = answer.body_mut().with_config().limit(LONGEST).read_to_vec().map_err(failed)?;
    let mut response = HttpResponse::new(read);
    *response.status_mut() = answer.status();
    if let Some(kind) = answer.headers().get(header::CONTENT_TYPE) {
        response.headers_mut().insert(header::CONTENT_TYPE, kind.clone());
    }
    Ok(response)
}
