//! What a consent is about: whose data, for whom, what for, which, and from when to when.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::ConsentError;
use crate::audit::{Actor, OrganisationId, Pseudonym, Purpose, RecordId, Refusal, RoleId, UnixMillis};

/// The longest that one consent may last: a year, in milliseconds.
pub const LONGEST: u64 = 366 * 24 * 3600 * 1000;

/// The domains of sharable data, as Hong Kong's electronic health record has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Domain {
    /// Name, date of birth, sex, how to reach them.
    Demographics,
    /// Allergies and adverse reactions.
    Allergies,
    /// Diagnoses, procedures and medication.
    DiagnosesAndMedication,
    /// Encounters and appointments.
    Encounters,
    /// Notes and summaries.
    Notes,
    /// Birth and immunisation.
    BirthAndImmunisation,
    /// Laboratory and radiology results.
    LaboratoryAndRadiology,
    /// Other investigations.
    OtherInvestigations,
    /// Referrals.
    Referrals,
}

/// For whom a consent is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recipient {
    /// One person in one of their roles.
    Role(RoleId),
    /// Whoever works for an organisation.
    Organisation(OrganisationId),
}

impl Recipient {
    /// Whether this is the recipient, or one of them.
    #[must_use]
    pub fn is(&self, actor: &Actor) -> bool {
        match (self, actor) {
            (Self::Role(id), Actor::Staff { role, .. }) => id == role,
            (Self::Organisation(id), Actor::Staff { organisation, .. }) => id == organisation,
            _ => false,
        }
    }
}

/// What may be done with what is shared, beside reading it. Nothing, unless the consent says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Uses {
    /// It may be printed.
    pub print: bool,
    /// It may be passed on.
    pub forward: bool,
    /// A copy may be taken out.
    pub download: bool,
}

/// Who may decide for the patient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Standing {
    /// The patient: at least 16 years old and able to.
    Decides,
    /// A parent or guardian, until the patient is 16 (Cap. 625); what they allowed ends then.
    Minor {
        /// The patient's sixteenth birthday.
        until: UnixMillis,
    },
    /// A substitute decision maker, for a patient who cannot.
    Incapable,
}

/// Who decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decider {
    /// The patient.
    Patient,
    /// A father or mother.
    Parent,
    /// A guardian, appointed by a court or the Guardianship Board, or a person whom the patient named.
    Guardian,
    /// A relative or somebody who lives with the patient and accompanies them.
    Relative,
}

impl Decider {
    /// How the log names them.
    #[must_use]
    pub fn actor(self) -> Actor {
        if self == Self::Patient { Actor::Patient } else { Actor::SubstituteDecisionMaker }
    }

    /// Whether they may decide for a patient of this standing, at this time.
    #[must_use]
    pub fn may_decide(self, standing: Standing, at: UnixMillis) -> bool {
        match standing {
            Standing::Decides => self == Self::Patient,
            Standing::Minor { until } => at < until && matches!(self, Self::Parent | Self::Guardian),
            Standing::Incapable => self != Self::Patient,
        }
    }
}

/// What a consent is about, checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scope {
    /// Whose data.
    pub patient: Pseudonym,
    /// Who may decide for the patient.
    pub standing: Standing,
    /// For whom.
    pub recipient: Recipient,
    /// What for: treatment, a second opinion or a referral.
    pub purpose: Purpose,
    /// Which records.
    pub records: BTreeSet<RecordId>,
    /// What of them.
    pub domains: BTreeSet<Domain>,
    /// From when.
    pub from: UnixMillis,
    /// Until when: not at this time any more.
    pub to: UnixMillis,
    /// What may be done with it, beside reading.
    pub uses: Uses,
}

impl Scope {
    /// The scope, if it can be consented to at all.
    ///
    /// # Errors
    /// [`ConsentError`], naming what is missing or not allowed.
    pub fn checked(self) -> Result<Self, ConsentError> {
        let length = self.to.0.checked_sub(self.from.0).filter(|length| *length > 0).ok_or(ConsentError::NoTime)?;
        if length > LONGEST {
            return Err(ConsentError::TooLong);
        }
        if self.records.is_empty() || self.domains.is_empty() {
            return Err(ConsentError::Nothing);
        }
        if !can_be_consented_to(self.purpose) {
            return Err(ConsentError::Purpose);
        }
        Ok(self)
    }

    /// When it ends: at its own end, or when a minor of whose parents it is comes of age.
    #[must_use]
    pub fn end(&self) -> UnixMillis {
        match self.standing {
            Standing::Minor { until } => self.to.min(until),
            Standing::Decides | Standing::Incapable => self.to,
        }
    }

    /// A hash of all of it: what a code is bound to.
    ///
    /// # Errors
    /// [`ConsentError::NoCode`], which no scope gives.
    pub(super) fn digest(&self) -> Result<[u8; 32], ConsentError> {
        Ok(Sha256::digest(serde_json::to_vec(self).map_err(|_| ConsentError::NoCode)?).into())
    }

    /// Whether this is in its time.
    pub(super) fn check_time(&self, at: UnixMillis) -> Result<(), Refusal> {
        if at < self.from {
            Err(Refusal::NotYet)
        } else if at >= self.end() {
            Err(Refusal::Expired)
        } else {
            Ok(())
        }
    }
}

/// Whether a patient's consent to being treated covers this. Research and the rest need another.
#[must_use]
pub fn can_be_consented_to(purpose: Purpose) -> bool {
    match purpose {
        Purpose::Treatment | Purpose::SecondOpinion | Purpose::Referral => true,
        Purpose::Emergency
        | Purpose::Research
        | Purpose::Education
        | Purpose::Payment
        | Purpose::Operations
        | Purpose::Marketing => false,
    }
}
