//! The only clock of the server's documents.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::identity::{Date, IdentityError};
use crate::interop::fhir::Instant;

/// Hong Kong is eight hours ahead of UTC all year round.
const HONG_KONG: i64 = 8 * 3600;

/// Seconds since 1970.
pub(super) fn seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// The time of day, for what a person did: never for the order or the length of anything.
pub(super) fn now() -> Instant {
    Instant::from_unix_seconds(i64::try_from(seconds()).unwrap_or(i64::MAX))
}

/// A time of the documents as the clocks of Hong Kong have it, still written with a `Z`.
pub(super) fn local(at: &Instant) -> Instant {
    Instant::from_unix_seconds(at.unix_seconds() + HONG_KONG)
}

/// The day in Hong Kong, by which ages are counted.
pub(super) fn today() -> Result<Date, IdentityError> {
    Date::parse(local(&now()).as_str().get(..10).unwrap_or_default())
}
