//! Reading the body of a request without ever quoting it: what is in it is a patient's.

use axum::body::Bytes;
use serde::de::DeserializeOwned;

use crate::server::error::ApiError;

/// The JSON of a body.
///
/// # Errors
/// [`ApiError::Invalid`] with the place where it is not what is asked for.
pub(super) fn read<T: DeserializeOwned>(body: &Bytes) -> Result<T, ApiError> {
    serde_json::from_slice(body).map_err(|error| {
        let what = if error.is_data() { "lacks a field, or has one that is of another kind or unknown" } else { "is no JSON" };
        ApiError::Invalid(format!("the body {what} (line {}, column {})", error.line(), error.column()))
    })
}
