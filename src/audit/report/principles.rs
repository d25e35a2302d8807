//! Which of the data protection principles an event is evidence for: those of Schedule 1 to the Personal Data (Privacy) Ordinance of Hong Kong
//! (Cap. 486), beside the Articles of the GDPR that ask for the same.

use serde::Serialize;

use crate::audit::{Action, Event, Outcome, Refusal};

/// A data protection principle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Principle {
    /// Purpose and manner of collection.
    Dpp1,
    /// Accuracy and duration of retention.
    Dpp2,
    /// Use.
    Dpp3,
    /// Security.
    Dpp4,
    /// Openness.
    Dpp5,
    /// Access.
    Dpp6,
}

impl Principle {
    /// All six.
    pub const ALL: [Self; 6] = [Self::Dpp1, Self::Dpp2, Self::Dpp3, Self::Dpp4, Self::Dpp5, Self::Dpp6];

    /// What it is called.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Dpp1 => "Principle 1: collection (GDPR Articles 5(1)(b) and (c), 13)",
            Self::Dpp2 => "Principle 2: accuracy and retention (GDPR Articles 5(1)(d) and (e), 16, 17)",
            Self::Dpp3 => "Principle 3: use (GDPR Articles 6, 9, 30(1)(d))",
            Self::Dpp4 => "Principle 4: security (GDPR Articles 30(1)(g), 32)",
            Self::Dpp5 => "Principle 5: openness (GDPR Articles 12, 14)",
            Self::Dpp6 => "Principle 6: access and correction (GDPR Article 15)",
        }
    }

    /// The principle that an event is evidence for. What was refused is evidence for security, but a patient's no, which is about use.
    #[must_use]
    pub fn of(event: &Event) -> Self {
        let by_rule = matches!(event.outcome, Outcome::Refused { reason } if reason != Refusal::SaidNo);
        match event.action {
            _ if by_rule => Self::Dpp4,
            Action::Record | Action::Finish | Action::RecordingConsent { .. } | Action::Register => Self::Dpp1,
            Action::Edit
            | Action::Review
            | Action::Sign
            | Action::Erase
            | Action::ErasureDecide { .. }
            | Action::EraseSound
            | Action::HoldPlace
            | Action::HoldLift
            | Action::ShareArchive
            | Action::ShareDestroy
            | Action::KeyDestroy
            | Action::ContactChange
            | Action::PatientMerge
            | Action::PatientUnmerge => Self::Dpp2,
            Action::View { .. }
            | Action::Search { .. }
            | Action::Listed
            | Action::Permit
            | Action::Restrict
            | Action::Unrestrict
            | Action::ConsentAnswer
            | Action::RestrictedAnswer
            | Action::ConsentAttest
            | Action::ConsentActivate
            | Action::ConsentWithdraw
            | Action::ConsentExpire
            | Action::BreakGlass { .. }
            | Action::Share
            | Action::Print
            | Action::Forward
            | Action::Export { .. } => Self::Dpp3,
            Action::SignIn
            | Action::SignOut
            | Action::KeyUse
            | Action::KeyRotate
            | Action::Backup
            | Action::Restore
            | Action::Invite
            | Action::RoleGive { .. }
            | Action::RoleChange { .. }
            | Action::RecoveryOffer { .. }
            | Action::RecoveryUse { .. }
            | Action::CredentialAdd { .. }
            | Action::CredentialRemove { .. }
            | Action::Administer
            | Action::Request { .. }
            | Action::Start
            | Action::Stop => Self::Dpp4,
            Action::ConsentRequest
            | Action::ConsentCode
            | Action::RestrictedAsk { .. }
            | Action::BreakGlassTell { .. }
            | Action::BreakGlassAnnounce => Self::Dpp5,
            Action::AccessRequest | Action::AccessAnswer | Action::PageAsk | Action::Report => Self::Dpp6,
        }
    }
}
