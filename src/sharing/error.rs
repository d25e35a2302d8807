//! Why nothing is shown.

use crate::audit::Refusal;

/// Why there is no view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SharingError {
    /// Not one permit was given.
    #[error("nothing is shared without a permit")]
    NoPermit,
    /// A permit is for another person, another record or another use.
    #[error("a permit is not for this person, this record and reading it")]
    OtherPermit,
    /// A permit holds no more.
    #[error("a permit holds no more")]
    Over,
    /// A watermark needs to say who looks.
    #[error("a view needs the name of who looks and of where they work")]
    NoName,
}

impl SharingError {
    /// How the log names it.
    #[must_use]
    pub fn refusal(self) -> Refusal {
        match self {
            Self::NoPermit => Refusal::NoConsent,
            Self::OtherPermit => Refusal::OtherRecipient,
            Self::Over => Refusal::Expired,
            Self::NoName => Refusal::Error,
        }
    }
}
