//! What cannot be consented to at all.

use thiserror::Error;

/// Why something is no request for a consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ConsentError {
    /// It ends before it begins.
    #[error("a consent ends after it begins")]
    NoTime,
    /// It would last too long.
    #[error("a consent lasts at most a year")]
    TooLong,
    /// No record or no domain is named.
    #[error("a consent names at least one record and one domain of data")]
    Nothing,
    /// It is for something else than treating the patient.
    #[error("a consent is for treatment, a second opinion or a referral; research and other purposes need another kind")]
    Purpose,
    /// Who asks is no member of staff.
    #[error("only a person in a role can ask for a consent")]
    NotStaff,
    /// Nothing is said where a reason must be.
    #[error("seeing a record without consent needs its reason in words")]
    NoReason,
    /// A code could not be bound to its scope, which no scope gives.
    #[error("a code could not be made")]
    NoCode,
}
