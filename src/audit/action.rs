//! What can be done, and what an action says beside its name: a member of a closed set, or a number.

use serde::{Deserialize, Serialize};

use super::id::PersonId;

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Action {
    /// Signed in.
    SignIn,
    /// Signed out, or was signed out.
    SignOut,
    /// Read records.
    View {
        /// How many.
        count: u32,
    },
    /// Looked for records.
    Search {
        /// How many were found.
        count: u32,
    },
    /// Was told this patient in a list, or as one who was found.
    Listed,
    /// Began to record sound.
    Record,
    /// Had transcript and note made of what was recorded.
    Finish,
    /// Erased sound, words and draft.
    Erase,
    /// Decided, as privacy officer, that a patient, or one recording of theirs, is erased: the erasing follows, unless a hold or a kill comes in between.
    ErasureDecide {
        /// Why.
        reason: ErasureReason,
    },
    /// Erased sound alone, when the time was over for which it is kept.
    EraseSound,
    /// Forbade that something is erased: a legal hold.
    HoldPlace,
    /// Lifted a legal hold.
    HoldLift,
    /// Archived what an ended share kept of its own.
    ShareArchive,
    /// Destroyed what an ended share kept of its own.
    ShareDestroy,
    /// Changed a note.
    Edit,
    /// Read a note through and vouched for it.
    Review,
    /// Signed a note.
    Sign,
    /// Marked a note as restricted.
    Restrict,
    /// Took the mark of a restricted note away.
    Unrestrict,
    /// Noted the patient's yes or no to recording.
    RecordingConsent {
        /// How it was said.
        how: HowSaid,
    },
    /// Asked for a consent.
    ConsentRequest,
    /// Had a code sent to the patient.
    ConsentCode,
    /// Answered a request.
    ConsentAnswer,
    /// Stated the purpose of a request.
    ConsentAttest,
    /// Brought a consent into force: both had said yes.
    ConsentActivate,
    /// Took a consent back.
    ConsentWithdraw,
    /// Saw a consent or a request run out.
    ConsentExpire,
    /// Asked for restricted data too, under a consent in force.
    RestrictedAsk {
        /// Why.
        reason: RestrictedReason,
    },
    /// Answered that.
    RestrictedAnswer,
    /// Had a link to the patient's own page sent.
    PageAsk,
    /// Asked whether a consent allows something.
    Permit,
    /// Saw a record without consent, in an emergency.
    BreakGlass {
        /// Why.
        reason: EmergencyReason,
    },
    /// Told one of those who have to know of an emergency access, whose person is the record where it is staff: a gateway took the message.
    /// Failed where they could not be reached, or later where no gateway took it.
    BreakGlassTell {
        /// Whom.
        whom: Addressee,
    },
    /// Told them all together, in logs of before; and a message of before that no gateway took, of which nobody knows for whom it was.
    BreakGlassAnnounce,
    /// Was handed a record that is shared: its view was made.
    Share,
    /// Printed a share.
    Print,
    /// Passed a share on.
    Forward,
    /// Took a copy out.
    Export {
        /// Of how many records.
        count: u32,
    },
    /// Unlocked the key store, with which the program that does so goes on.
    KeyUse,
    /// Destroyed a key, and with it what it sealed.
    KeyDestroy,
    /// Wrapped all keys with a new master key.
    KeyRotate,
    /// Copied records and keys to a backup.
    Backup,
    /// Put a backup in the place of what was there.
    Restore,
    /// Entered a patient or a visit, changed what is known of one, or gave it a recording.
    Register,
    /// Set or changed how a patient is reached.
    ContactChange,
    /// Merged two patients.
    PatientMerge,
    /// Took a merge back.
    PatientUnmerge,
    /// Invited somebody into the organisation.
    Invite,
    /// Gave somebody a role, or took one that was offered.
    RoleGive {
        /// Whom.
        person: PersonId,
    },
    /// Changed a role's terms, or ended it.
    RoleChange {
        /// Whose.
        person: PersonId,
    },
    /// Let somebody who lost their passkeys register a new one.
    RecoveryOffer {
        /// Whom.
        person: PersonId,
    },
    /// Registered it.
    RecoveryUse {
        /// Whose account it is.
        person: PersonId,
        /// Who had offered it; nobody where the machine's console did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        offered_by: Option<PersonId>,
    },
    /// Registered another passkey, or bound a sign-in at an issuer.
    CredentialAdd {
        /// Whose.
        person: PersonId,
    },
    /// Removed either, or had it stopped.
    CredentialRemove {
        /// Whose.
        person: PersonId,
    },
    /// Changed accounts, devices or settings otherwise.
    Administer,
    /// Made a report of this log.
    Report,
    /// Entered a patient's request for what is kept of them.
    AccessRequest,
    /// Answered one.
    AccessAnswer,
    /// Sent requests of which nothing was done: it could not be read, came from a foreign page, asked for what is not there or not theirs, or was one
    /// too many of a stranger's to be kept.
    Request {
        /// How many.
        count: u32,
    },
    /// Started the program.
    Start,
    /// Stopped the program.
    Stop,
}

/// Who has to know that a record was opened without consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Addressee {
    /// The patient.
    Patient,
    /// A privacy officer of the organisation.
    PrivacyOfficer,
    /// An administrator of it, where no privacy officer can be told.
    Administrator,
}

/// How an answer was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HowSaid {
    /// By word of mouth.
    Spoken,
    /// By a press on a page.
    OnScreen,
    /// By a signature.
    OnPaper,
}

/// Why somebody had to see a record without consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EmergencyReason {
    /// The patient's life is in danger.
    LifeInDanger,
    /// The patient cannot be asked: unconscious, confused, in shock.
    CannotBeAsked,
    /// Others are in danger.
    OthersInDanger,
}

/// Why a doctor needs restricted data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RestrictedReason {
    /// A treatment may harm without them.
    Safety,
    /// The complaint concerns them.
    Complaint,
    /// The patient asked for it.
    PatientAsked,
}

/// Why something is erased that was kept as a record, in the order of the reports' lines. Each answers the law that wants records kept: no words stand beside it, for they would
/// outlast whom they are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErasureReason {
    /// It is needed no longer, and the term is over for which it had to be kept.
    TermOver,
    /// The patient asked for it, and no law or public interest wants it kept.
    PatientAsked,
    /// It was entered by mistake, and is nobody's record.
    Mistake,
    /// A court or the Privacy Commissioner ordered it.
    Ordered,
}
