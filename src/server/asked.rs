//! Reading a request without ever quoting it: what is in it may be a patient's.

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::IntoResponse as _;
use serde::de::DeserializeOwned;

use super::error::ApiError;

/// The JSON of a body.
pub(super) struct Body<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    /// # Errors
    /// [`ApiError::Invalid`] with the place where it is not what is asked for; [`ApiError::TooLarge`].
    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let body = Bytes::from_request(request, state).await.map_err(|rejection| {
            let large = rejection.into_response().status() == StatusCode::PAYLOAD_TOO_LARGE;
            if large { ApiError::TooLarge } else { ApiError::Invalid("the body broke off".to_owned()) }
        })?;
        let read = serde_json::from_slice(&body).map_err(|error| {
            let what =
                if error.is_data() { "lacks a field, or has one that is of another kind or unknown" } else { "is no JSON" };
            ApiError::Invalid(format!("the body {what} (line {}, column {})", error.line(), error.column()))
        });
        read.map(Self)
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
    async fn what_cannot_be_read_is_told_in_our_own_form_and_not_quoted() {
        let bodies = [
            r#"{"version":"Secretive"}"#,
            r#"{"version":1,"Secretive":1}"#,
            r#"{"version":1,"kind":"Secretive"}"#,
            r#""Secretive""#,
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
