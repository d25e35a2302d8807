//! What is wrong with an identity. No message holds the number or the name.

use thiserror::Error;

/// Why something is no identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum IdentityError {
    /// Not the form of an identity card number.
    #[error("an identity card number is one or two letters, six digits and a check digit: `A123456(3)`")]
    HkidShape,
    /// A slip: the check digit does not fit.
    #[error("the check digit of the identity card number does not fit: look for a slip")]
    HkidDigit,
    /// A day that there is not.
    #[error("there is no such date")]
    Date,
    /// A hash could not be made, which no value gives.
    #[error("a hash could not be made")]
    Hash,
    /// The policies of roles and rights.
    #[error("the policies of roles and rights cannot be used")]
    Policies,
    /// Two patients that are one already, or a merge of others.
    #[error("these patients cannot be merged, or were not merged so")]
    Merge,
}
