//! Ids: random or keyed bytes of a fixed length. None has room for a word that somebody wrote.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::AuditError;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $bytes:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name([u8; $bytes]);

        impl $name {
            /// The id of these bytes.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; $bytes]) -> Self {
                Self(bytes)
            }

            /// The bytes.
            #[must_use]
            pub fn bytes(&self) -> &[u8; $bytes] {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = AuditError;

            fn try_from(text: String) -> Result<Self, AuditError> {
                let bytes = URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| bytes.try_into().ok());
                bytes.map(Self).ok_or(AuditError::BadId { bytes: $bytes })
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.to_string()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }
    };
}

id!(
    /// A person who signs in, whatever their roles.
    PersonId,
    16
);
id!(
    /// A role of one person in one organisation.
    RoleId,
    16
);
id!(
    /// A hospital, a clinic or a practice.
    OrganisationId,
    16
);
id!(
    /// An enrolled device or program.
    DeviceId,
    16
);
id!(
    /// A consent, from its request on.
    ConsentId,
    16
);
id!(
    /// A note, a recording, a share, an account: what an event is about.
    RecordId,
    16
);
id!(
    /// A patient as the log knows them: a keyed hash, which tells nothing without the key.
    Pseudonym,
    32
);

/// The longest id of a policy, in characters.
const LONGEST_POLICY: usize = 48;

/// A policy that decided, as the file of policies names it: small letters, digits and hyphens.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PolicyId(String);

impl TryFrom<String> for PolicyId {
    type Error = AuditError;

    fn try_from(text: String) -> Result<Self, AuditError> {
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let is_one = (1..=LONGEST_POLICY).contains(&text.len()) && text.chars().all(fits);
        if is_one { Ok(Self(text)) } else { Err(AuditError::BadPolicy) }
    }
}

impl From<PolicyId> for String {
    fn from(id: PolicyId) -> Self {
        id.0
    }
}

impl fmt::Display for PolicyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_one_text() {
        let id = ConsentId::from_bytes([0xfb; 16]);
        assert_eq!(id.to_string().len(), 22);
        assert_eq!(ConsentId::try_from(id.to_string()).unwrap(), id);
        let last_bits_set = format!("{}x", &id.to_string()[..21]);
        for wrong in ["", "diabetes", &last_bits_set, &format!("{id}="), &"A".repeat(43)] {
            assert!(ConsentId::try_from((*wrong).to_owned()).is_err(), "{wrong}");
        }
    }
}
