//! Reading a request without ever quoting it: what is in it may be a patient's.

use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::extract::{Form, FromRequest, FromRequestParts, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse as _;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::caller::StillIn;
use super::error::ApiError;

/// How long a body may take that has at most some KiB.
const PATIENCE: Duration = Duration::from_secs(30);
/// After so long a session may have ended that was good when the head was read.
const SLOW: Duration = Duration::from_millis(250);

/// The whole of a short body. Whoever sent its head is looked at again where it took its time.
async fn whole<S: Send + Sync>(request: Request, state: &S, patience: Duration) -> Result<Bytes, ApiError> {
    let (still_in, begun) = (request.extensions().get::<StillIn>().cloned(), Instant::now());
    let read = timeout(patience, Bytes::from_request(request, state)).await.map_err(|_| ApiError::TooSlow)?;
    if let Some(still_in) = still_in.filter(|_| begun.elapsed() >= SLOW) {
        still_in.checked().await?;
    }
    read.map_err(|rejection| {
        let large = rejection.into_response().status() == StatusCode::PAYLOAD_TOO_LARGE;
        if large { ApiError::TooLarge } else { ApiError::Invalid("the body broke off".to_owned()) }
    })
}

/// Whether a body says that it is JSON, or nothing of what it is.
fn may_be_json(headers: &HeaderMap) -> bool {
    let kinds = headers.get_all(header::CONTENT_TYPE).iter();
    kinds
        .map(|kind| kind.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim().to_owned())
        .all(|kind| kind.eq_ignore_ascii_case("application/json"))
}

/// The JSON of a body.
pub(super) struct Body<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    /// # Errors
    /// [`ApiError::Invalid`] with the place where it is not what is asked for; [`ApiError::NotJson`], [`ApiError::TooLarge`],
    /// [`ApiError::TooSlow`].
    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let is_json = may_be_json(request.headers());
        let body = whole(request, state, PATIENCE).await?;
        if !is_json {
            return Err(ApiError::NotJson);
        }
        // A list would be taken for a thing by the order of its fields.
        if !body.trim_ascii_start().starts_with(b"{") && serde_json::from_slice::<serde::de::IgnoredAny>(&body).is_ok() {
            return Err(ApiError::Invalid("the body is no JSON object".to_owned()));
        }
        let read = serde_json::from_slice(&body).map_err(|error| {
            let what =
                if error.is_data() { "lacks a field, or has one that is of another kind or unknown" } else { "is no JSON" };
            ApiError::Invalid(format!("the body {what} (line {}, column {})", error.line(), error.column()))
        });
        read.map(Self)
    }
}

/// The fields of a page's form.
pub(super) struct Filled<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Filled<T> {
    type Rejection = ApiError;

    /// # Errors
    /// [`ApiError::Invalid`], [`ApiError::TooLarge`], [`ApiError::TooSlow`].
    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let (head, body) = request.into_parts();
        let body = whole(Request::from_parts(head.clone(), body), state, PATIENCE).await?;
        let form = Form::from_request(Request::from_parts(head, body.into()), state).await;
        form.map(|Form(filled)| Self(filled)).map_err(|_| ApiError::Invalid("the form lacks a field, or is none".to_owned()))
    }
}

/// What stands behind the question mark of an address.
pub(super) struct Asked<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = ApiError;

    /// # Errors
    /// [`ApiError::Invalid`].
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let what = "the address lacks a parameter, or has one that is of another kind or unknown";
        Query::try_from_uri(&parts.uri).map(|Query(asked)| Self(asked)).map_err(|_| ApiError::Invalid(what.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;
    use axum::http;
    use axum::response::IntoResponse;
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read")]
    struct Wanted {
        version: u64,
        #[serde(default)]
        kind: Kind,
    }

    #[derive(Deserialize, Default)]
    #[serde(rename_all = "lowercase")]
    enum Kind {
        #[default]
        One,
    }

    async fn answered(query: &str, body: &str) -> (StatusCode, String) {
        let request = http::Request::post(format!("/?{query}")).body(axum::body::Body::from(body.to_owned())).unwrap();
        let (mut parts, body) = request.into_parts();
        let asked = Asked::<Wanted>::from_request_parts(&mut parts, &()).await;
        let read = Body::<Wanted>::from_request(Request::from_parts(parts, body), &()).await;
        let response = asked.map(drop).and(read.map(drop)).into_response();
        let status = response.status();
        let said = to_bytes(response.into_body(), 10_000).await.unwrap();
        (status, String::from_utf8(said.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn a_body_that_does_not_come_is_not_waited_for() {
        let never = futures_util::stream::pending::<Result<Bytes, std::io::Error>>();
        let request = http::Request::post("/").body(axum::body::Body::from_stream(never)).unwrap();
        let read = whole(request, &(), Duration::from_millis(20)).await;
        assert!(matches!(read, Err(ApiError::TooSlow)), "{read:?}");
    }

    #[tokio::test]
    async fn what_says_that_it_is_no_json_is_not_read_as_json() {
        for (kind, taken) in [
            (None, true),
            (Some("application/json"), true),
            (Some("Application/JSON; charset=utf-8"), true),
            (Some("text/plain"), false),
            (Some("application/x-www-form-urlencoded"), false),
            (Some("text/plain; application/json"), false),
            (Some(""), false),
        ] {
            let mut request = http::Request::post("/");
            if let Some(kind) = kind {
                request = request.header(header::CONTENT_TYPE, kind);
            }
            let read = Body::<Wanted>::from_request(request.body(r#"{"version":1}"#.into()).unwrap(), &()).await;
            assert!(if taken { read.is_ok() } else { matches!(read, Err(ApiError::NotJson)) }, "{kind:?}");
        }
    }

    #[tokio::test]
    async fn what_cannot_be_read_is_told_in_our_own_form_and_not_quoted() {
        let bodies = [
            r#"{"version":"Secretive"}"#,
            r#"{"version":1,"Secretive":1}"#,
            r#"{"version":1,"kind":"Secretive"}"#,
            r#""Secretive""#,
            "[1]",
            "[1,\"one\"]",
            "Secretive",
            "",
        ];
        let queries = ["version=Secretive", "version=1&Secretive=1", "version=1&kind=Secretive", "Secretive", ""];
        let right = ("version=1", r#"{"version":1}"#);
        let wrong = bodies.map(|body| (right.0, body)).into_iter().chain(queries.map(|query| (query, right.1)));
        for (query, body) in wrong {
            let (status, said) = answered(query, body).await;
            assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{query} {body}");
            let document: serde_json::Value = serde_json::from_str(&said).unwrap();
            assert_eq!(document["error"]["code"], "invalid");
            assert!(!said.contains("Secretive"), "{said}");
        }
        // Axum's own limit is 2 MB.
        let (status, said) = answered(right.0, &"Secretive".repeat(300_000)).await;
        assert!(status == StatusCode::PAYLOAD_TOO_LARGE && said.contains("too_large") && !said.contains("Secretive"), "{said}");
        assert_eq!(answered(right.0, right.1).await.0, StatusCode::OK);
    }
}
