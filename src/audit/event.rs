//! What is recorded of everything that somebody did, and its one form in bytes.

use core::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::AuditError;
use super::action::Action;
use super::id::{ConsentId, DeviceId, OrganisationId, PersonId, PolicyId, Pseudonym, RecordId, RoleId};

/// What the bytes of every event of this form begin with.
const SCHEMA: &str = "cantoscribe/event/1";

/// A time of day: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UnixMillis(pub u64);

impl UnixMillis {
    /// So many milliseconds later; the last time there is where that is beyond it.
    #[must_use]
    pub fn after(self, milliseconds: u64) -> Self {
        Self(self.0.saturating_add(milliseconds))
    }
}

/// Something that was done, or tried, and how it ended.
///
/// It has no field that a sentence fits into: ids are random or keyed bytes, all else is one of a closed set, a number, a time or an
/// address. So no clinical content can be in it, whoever makes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// When.
    pub at: UnixMillis,
    /// Who did it.
    pub actor: Actor,
    /// What was done.
    pub action: Action,
    /// How it ended.
    pub outcome: Outcome,
    /// The patient whom it concerns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patient: Option<Pseudonym>,
    /// What it was done to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<RecordId>,
    /// What for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<Purpose>,
    /// The consent that it rests on or concerns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent: Option<ConsentId>,
    /// Where the request came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<IpAddr>,
    /// The enrolled device that it came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<DeviceId>,
    /// The policies of roles that decided, where they did; none of them where nothing permits it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policies: Option<Vec<PolicyId>>,
}

/// The event as it stands in the log. The schema comes first.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written<E> {
    schema: String,
    event: E,
}

impl Event {
    /// An event that concerns no patient and nothing in particular.
    #[must_use]
    pub fn new(at: UnixMillis, actor: Actor, action: Action, outcome: Outcome) -> Self {
        let (patient, record, purpose, consent) = (None, None, None, None);
        let (address, device, policies) = (None, None, None);
        Self { at, actor, action, outcome, patient, record, purpose, consent, address, device, policies }
    }

    /// The same event, with where it came from.
    #[must_use]
    pub fn from(self, address: Option<IpAddr>, device: Option<DeviceId>) -> Self {
        Self { address, device, ..self }
    }

    /// The one form of an event in bytes: JSON without spaces, its fields in the order of this type, absent ones left out.
    ///
    /// # Errors
    /// [`AuditError::BadEvent`], which no event gives.
    pub fn encode(&self) -> Result<Vec<u8>, AuditError> {
        serde_json::to_vec(&Written { schema: SCHEMA.to_owned(), event: self }).map_err(|_| AuditError::BadEvent)
    }

    /// Reads an event in its one form.
    ///
    /// # Errors
    /// [`AuditError::BadEvent`] for anything that [`Self::encode`] does not write, another order of fields or a space included.
    pub fn decode(bytes: &[u8]) -> Result<Self, AuditError> {
        let written: Written<Self> = serde_json::from_slice(bytes).map_err(|_| AuditError::BadEvent)?;
        if written.event.encode()? == bytes { Ok(written.event) } else { Err(AuditError::BadEvent) }
    }
}

/// Who acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Actor {
    /// A person in one of their roles.
    Staff {
        /// The person.
        person: PersonId,
        /// The role of this session.
        role: RoleId,
        /// Whose role it is.
        organisation: OrganisationId,
    },
    /// The patient whom the event concerns.
    Patient,
    /// Who decides for the patient whom the event concerns: a parent, a guardian.
    SubstituteDecisionMaker,
    /// An enrolled device or program.
    Device {
        /// Which.
        device: DeviceId,
        /// Whose it is.
        organisation: OrganisationId,
    },
    /// The program itself: a timer, a start.
    System,
    /// Somebody who did not say, or not prove, who they are.
    Unknown,
}

/// What something is done for (HL7 v3 PurposeOfUse, as far as it is asked for here).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Treating the patient.
    Treatment,
    /// Another doctor's opinion.
    SecondOpinion,
    /// Handing the patient on.
    Referral,
    /// An emergency.
    Emergency,
    /// Research.
    Research,
    /// Teaching.
    Education,
    /// Paying and insuring.
    Payment,
    /// Running the organisation.
    Operations,
    /// Selling.
    Marketing,
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Outcome {
    /// It was done.
    Done,
    /// It was refused.
    Refused {
        /// Why.
        reason: Refusal,
    },
    /// It was allowed and did not work.
    Failed,
}

/// Why something was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// Nobody is signed in, or the proof of who it is failed.
    NotSignedIn,
    /// The role does not allow it.
    NotAllowed,
    /// There is no consent in force.
    NoConsent,
    /// The person said no.
    SaidNo,
    /// The consent, link, code or role has run out.
    Expired,
    /// The consent is not in force yet.
    NotYet,
    /// The consent was withdrawn.
    Withdrawn,
    /// The consent is for somebody else.
    OtherRecipient,
    /// The consent is of another patient.
    OtherPatient,
    /// The consent is for another purpose.
    OtherPurpose,
    /// A purpose that no consent to treatment covers, or that is not known.
    PurposeNotCovered,
    /// A note that the consent does not name.
    OtherRecord,
    /// Data that the consent leaves out.
    OtherDomain,
    /// Restricted data without its extra consent.
    Restricted,
    /// Printing, passing on or download, which the consent leaves out.
    UseNotGranted,
    /// The code was wrong.
    WrongCode,
    /// The code or link was used before, or another took its place.
    AlreadyUsed,
    /// Too many tries.
    TooManyTries,
    /// Who answers may not decide for this patient.
    NotEntitled,
    /// Who asks has lately set how the patient is reached: the patient's answer could be their own.
    OwnContact,
    /// It is on legal hold.
    OnHold,
    /// The patient is merged with another: each is erased apart.
    Merged,
    /// It is no more what was shown to who decided.
    Changed,
    /// The clock is before what was already recorded.
    ClockBackwards,
    /// The request is none that there is: of another form, or too slow.
    Malformed,
    /// The request is larger than is taken.
    TooLarge,
    /// The request comes from another site's page, or names another host.
    Foreign,
    /// Something failed, so the answer is no.
    Error,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event() -> Event {
        let staff = Actor::Staff {
            person: PersonId::from_bytes([1; 16]),
            role: RoleId::from_bytes([2; 16]),
            organisation: OrganisationId::from_bytes([3; 16]),
        };
        let event = Event::new(UnixMillis(1_771_234_567_890), staff, Action::View { count: 2 }, Outcome::Done);
        Event { patient: Some(Pseudonym::from_bytes([4; 32])), purpose: Some(Purpose::Referral), ..event }
            .from(Some("2001:db8::1".parse().unwrap()), Some(DeviceId::from_bytes([5; 16])))
    }

    /// What is in a log for ever must be read for ever: this text changes only with the schema.
    #[test]
    fn the_form_is_this() {
        let expected = concat!(
            r#"{"schema":"cantoscribe/event/1","event":{"at":1771234567890,"actor":{"staff":{"person":"AQEBAQEBAQEBAQEBAQEBAQ","#,
            r#""role":"AgICAgICAgICAgICAgICAg","organisation":"AwMDAwMDAwMDAwMDAwMDAw"}},"action":{"view":{"count":2}},"#,
            r#""outcome":"done","patient":"BAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQ","purpose":"referral","#,
            r#""address":"2001:db8::1","device":"BQUFBQUFBQUFBQUFBQUFBQ"}}"#
        );
        assert_eq!(String::from_utf8(event().encode().unwrap()).unwrap(), expected);
    }

    #[test]
    fn the_policies_that_decided_have_room_for_nothing_else() {
        let decided = |ids: &[&str]| {
            let ids = ids.iter().map(|id| PolicyId::try_from((*id).to_owned()).unwrap()).collect();
            Event { policies: Some(ids), ..event() }
        };
        for (event, form) in
            [(decided(&[]), r#","policies":[]}}"#), (decided(&["role-ended"]), r#","policies":["role-ended"]}}"#)]
        {
            let bytes = event.encode().unwrap();
            assert!(String::from_utf8(bytes.clone()).unwrap().ends_with(form));
            assert_eq!(Event::decode(&bytes).unwrap(), event);
        }
        for wrong in ["", "Chan", "a b", "\u{9673}", "a_b", &"a".repeat(49)] {
            assert!(PolicyId::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
        let wrong = String::from_utf8(decided(&["role-ended"]).encode().unwrap()).unwrap().replace("role-ended", "has a fever");
        assert!(Event::decode(wrong.as_bytes()).is_err());
    }

    #[test]
    fn an_event_has_one_form() {
        let bytes = event().encode().unwrap();
        assert_eq!(Event::decode(&bytes).unwrap(), event());
        let text = String::from_utf8(bytes).unwrap();
        for wrong in [
            text.replace("{\"count\":2}", "{ \"count\":2}"),
            text.replace("\"count\":2", "\"count\":2,\"count\":2"),
            text.replace("event/1", "event/2"),
            text.replace("\"purpose\":\"referral\",", "\"purpose\":null,"),
            text.replace("\"purpose\":\"referral\"", "\"purpose\":\"curiosity\""),
            text.replace("\"outcome\"", "\"diagnosis\":\"x\",\"outcome\""),
            text.replace("2001:db8::1", "2001:db8:0::1"),
            format!("{text}\n"),
            String::new(),
        ] {
            assert!(matches!(Event::decode(wrong.as_bytes()), Err(AuditError::BadEvent)), "{wrong}");
        }
    }

    #[test]
    fn every_flipped_bit_gives_another_event_or_none() {
        let bytes = event().encode().unwrap();
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut flipped = bytes.clone();
                flipped[at] ^= 1 << bit;
                assert!(Event::decode(&flipped).map_or(true, |other| other != event()), "byte {at}, bit {bit}");
            }
        }
    }
}
