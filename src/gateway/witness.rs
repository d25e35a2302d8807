//! Witnesses of the audit log: <https://c2sp.org/tlog-witness>. What they get is a signed head, which names nobody.

use std::time::Duration;

use super::{GatewayError, WitnessSettings, http};
use crate::audit::{Cosigned, Cosigner, Submission, UnixMillis, read_size};

/// Sixteen signatures of the largest kind have room; a longer answer is not read.
const MOST_ANSWER: u64 = 128 << 10;
/// What a witness says the size in that it has seen.
const SIZE: &str = "text/x.tlog.size";
/// Seconds between two submissions: from every second to once a day.
const PACE: std::ops::RangeInclusive<u64> = 1..=86_400;

/// A witness.
pub struct Witness {
    agent: ureq::Agent,
    key: Cosigner,
    url: String,
    pace: Duration,
}

/// What a witness says to a submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It cosigned the head.
    Cosigned(Box<Cosigned>),
    /// The newest head that it saw has so many entries, not those that the proof begins with.
    Saw(u64),
    /// The head did not grow from the one that it saw.
    Inconsistent,
}

impl Witness {
    /// The witnesses of these settings.
    ///
    /// # Errors
    /// What of them is wrong; two with one key.
    pub(super) fn all(settings: Vec<WitnessSettings>) -> Result<Vec<Self>, GatewayError> {
        let mut witnesses: Vec<Self> = Vec::new();
        for settings in settings {
            let witness = Self::new(settings)?;
            if witnesses.iter().any(|other| other.key.path() == witness.key.path()) {
                return Err(GatewayError::Setting { field: "witness.key", what: "another witness has the same" });
            }
            witnesses.push(witness);
        }
        Ok(witnesses)
    }

    fn new(settings: WitnessSettings) -> Result<Self, GatewayError> {
        let wrong = |field, what| GatewayError::Setting { field, what };
        let what = "a witness's Ed25519 key in the form NAME+HASH+BASE64 is needed, of signature type 4";
        let key = Cosigner::parse(&settings.key).map_err(|_| wrong("witness.key", what))?;
        http::check(&settings.url, "witness.url", "an https address is needed: what a witness has seen must come from it")?;
        if !PACE.contains(&settings.every) {
            return Err(wrong("witness.every", "1 to 86400 seconds are possible"));
        }
        let url = format!("{}/add-checkpoint", settings.url.trim_end_matches('/'));
        Ok(Self { agent: http::agent(), key, url, pace: Duration::from_secs(settings.every) })
    }

    /// Its key.
    #[must_use]
    pub fn key(&self) -> &Cosigner {
        &self.key
    }

    /// How long there must be between two submissions.
    #[must_use]
    pub fn pace(&self) -> Duration {
        self.pace
    }

    /// Asks it to cosign a head. What it gives is checked with its key and for its time.
    ///
    /// # Errors
    /// When it does not answer, refuses for a reason that is not the log's growth, or gives no cosignature of its own on this head.
    pub fn submit(&self, submission: &Submission, now: impl Fn() -> UnixMillis) -> Result<Answer, GatewayError> {
        let request = self.agent.post(&self.url).header("Content-Type", "text/plain; charset=utf-8");
        let mut answer = request.send(submission.body()).map_err(|error| http::unreachable("witness", &error))?;
        let kind = answer.headers().get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let says_size = kind.split(';').next().is_some_and(|kind| kind.trim() == SIZE);
        let code = answer.status().as_u16();
        if !matches!(code, 200 | 409 | 422) {
            return Err(GatewayError::Refused { kind: "witness", code, wrong: false });
        }
        if code == 422 {
            return Ok(Answer::Inconsistent);
        }
        let text = answer.body_mut().with_config().limit(MOST_ANSWER).read_to_string();
        let text = text.map_err(|_| GatewayError::Answer { what: "it is not whole, too long or no text" })?;
        if code == 409 {
            let size = read_size(&text).filter(|_| says_size);
            // Of the size that it saw, and refused: it saw another root there.
            if submission.old == submission.head.size && size.is_none_or(|size| size == submission.old) {
                return Ok(Answer::Inconsistent);
            }
            return size.map(Answer::Saw).ok_or(GatewayError::Answer { what: "it says 409 and not what was seen" });
        }
        let cosigned = self.key.open(&format!("{}{text}", submission.note), &submission.log, now())?;
        let cosigned = cosigned.filter(|cosigned| cosigned.checkpoint == submission.head);
        let none = GatewayError::Answer { what: "it has no cosignature of its key on this head" };
        cosigned.map(|cosigned| Answer::Cosigned(Box::new(cosigned))).ok_or(none)
    }
}
