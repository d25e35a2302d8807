//! A number of a patient, as requests name it.

use serde::{Deserialize, Deserializer};
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
    /// difference. Null where it is the own number of the organisation that enters it or is asked, and for a state's number. Where a change
    /// leaves it out, that of the same number stays.
    #[serde(default, deserialize_with = "told")]
    #[schema(value_type = Option<String>)]
    issuer: Option<Option<String>>,
}

/// What is there, be it null.
fn told<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

impl PatientNumber {
    /// As it was given.
    pub fn given(&self) -> GivenNumber<'_> {
        GivenNumber { kind: &self.kind, value: &self.value, issuer: self.issuer.as_ref().and_then(Option::as_deref) }
    }

    /// Whether nothing is said of who issued it: who asks may not know that there are issuers.
    pub const fn leaves_issuer_out(&self) -> bool {
        self.issuer.is_none()
    }

    /// The number, if it is one.
    ///
    /// # Errors
    /// [`ApiError::Field`].
    pub fn identifier(&self) -> Result<Identifier, ApiError> {
        Ok(Identifier::new(&self.given())?)
    }
}
