//! The only clock of the server's documents.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::interop::fhir::Instant;

/// Seconds since 1970.
pub(super) fn seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// The time of day, for what a person did: never for the order or the length of anything.
pub(super) fn now() -> Instant {
    Instant::from_unix_seconds(i64::try_from(seconds()).unwrap_or(i64::MAX))
}
