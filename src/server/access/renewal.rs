//! The next token of a session, on its way to the answer's cookie.

use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;

use super::CookieForm;
use crate::room::Token;
use crate::store::Store;

/// Where a request's answer takes its session's next token from.
#[derive(Clone, Default)]
pub(in crate::server) struct Renewal(Arc<Mutex<Option<HeaderValue>>>);

impl Renewal {
    /// Offers a token in the place of the one that was shown. Where that fails the old one is good still, and the next request is offered one.
    pub async fn offer(&self, store: &Store, cookie: &CookieForm, shown: &Token, at: i64) {
        let Ok(next) = Token::generate() else { return };
        match store.offer_token(&shown.hash(), &next.hash(), at).await {
            Ok(true) => *self.0.lock().unwrap_or_else(PoisonError::into_inner) = cookie.give(&next),
            Ok(false) => {}
            Err(error) => tracing::error!(%error, "a session could not be offered its next token"),
        }
    }

    fn take(&self) -> Option<HeaderValue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Gives an answer the cookie of its session's next token, unless it has a cookie of its own: that of another session, or of none.
pub(in crate::server) async fn renew(mut request: Request, next: Next) -> Response {
    let renewal = Renewal::default();
    request.extensions_mut().insert(renewal.clone());
    let mut response = next.run(request).await;
    if let Some(cookie) = renewal.take() {
        response.headers_mut().entry(header::SET_COOKIE).or_insert(cookie);
    }
    response
}
