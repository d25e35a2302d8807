//! A number of a patient, as requests name it.

use serde::Deserialize;
use utoipa::ToSchema;

use super::error::ApiError;
use crate::visit::{GivenNumber, Identifier};

/// A number that a patient is known by.
#[derive(Deserialize, ToSchema)]
#[schema(as = GivenNumber)]
#[serde(deny_unknown_fields)]
pub(super) struct PatientNumber {
    /// `hkid`, `passport`, `hospital`, `clinic` or `other`.
    kind: String,
    /// An identity card's number needs the right check digit.
    value: String,
    /// The institution that issued a `hospital`, `clinic` or `other` number: a short name or code, up to 80 characters; case and width make no
    /// difference. Null where it is the own number of the organisation that enters it or is asked, and for a state's number.
    #[serde(default)]
    issuer: Option<String>,
}

impl PatientNumber {
    /// As it was given.
    pub fn given(&self) -> GivenNumber<'_> {
        GivenNumber { kind: &self.kind, value: &self.value, issuer: self.issuer.as_deref() }
    }

    /// The number, if it is one.
    ///
    /// # Errors
    /// [`ApiError::Field`].
    pub fn identifier(&self) -> Result<Identifier, ApiError> {
        Ok(Identifier::new(&self.given())?)
    }
}
