//! What a page is told when its request cannot be done.

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::refused::Unheard;
use super::visits::Settled;
use crate::audit::Refusal;
use crate::interop::InteropError;
use crate::note::NoteError;
use crate::record::RecordError;
use crate::room::RoomError;
use crate::speech::TranscriptError;
use crate::spool::SpoolError;
use crate::store::{DeskError, SaveError, StoreError};
use crate::visit::VisitError;

/// Why the server cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// A trial is served on a loopback address only.
    #[error("`{0}` is not a loopback address: a trial has no sign-in and is served to this machine alone")]
    NotLoopback(std::net::SocketAddr),
    /// The address cannot be served on.
    #[error("cannot serve on `{address}`: {source}")]
    Bind {
        /// The address.
        address: std::net::SocketAddr,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A certificate cannot be used.
    #[error("cannot use the certificate or key `{}`: {source}", .file.display())]
    Certificate {
        /// The file.
        file: std::path::PathBuf,
        /// What is wrong with it.
        source: std::io::Error,
    },
    /// Passkeys need a name over TLS, or this machine.
    #[error("`{0}` is no address that passkeys can be for: https:// and a name, or http://localhost")]
    PublicUrl(String),
    /// Without sign-in or TLS before it nothing is served to other machines.
    #[error("`{0}` is not a loopback address: name the https:// address that is before it with --public-url")]
    Unprotected(std::net::SocketAddr),
    /// The rules of roles cannot be used.
    #[error(transparent)]
    Identity(#[from] crate::identity::IdentityError),
    /// The server broke down.
    #[error("the server ended: {0}")]
    Ended(std::io::Error),
    /// The data folder cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The gateways cannot be used.
    #[error(transparent)]
    Gateway(#[from] crate::gateway::GatewayError),
    /// The recordings cannot be opened.
    #[error(transparent)]
    Room(#[from] RoomError),
}

/// An answer that is not the one asked for. The words name no patient and quote nothing of a request.
#[derive(Debug, thiserror::Error)]
pub(super) enum ApiError {
    #[error("this request does not come from a page of this server")]
    Foreign,
    #[error("nobody is signed in")]
    NotSignedIn,
    #[error("this role may not do this")]
    NotAllowed,
    #[error("there is no such thing here")]
    NotThere,
    #[error("the passkey was not accepted")]
    PasskeyRefused,
    #[error("the sign-in was not accepted")]
    OpenIdRefused,
    #[error("the issuer cannot be reached at the moment")]
    OpenIdDown,
    #[error("the role has not begun yet")]
    RoleNotBegun,
    #[error("this link is used, has run out, or is none")]
    TokenRefused,
    #[error("too many tries from this address: wait a minute")]
    TooManyTries,
    #[error("a trial has no accounts")]
    IsTrial,
    #[error("this is the last administrator of the organisation")]
    LastAdministrator,
    #[error("there is no such recording")]
    NotFound,
    #[error("there is no sound: the note was typed")]
    NoSound,
    #[error("the sound was erased on {at}, when the time was over for which it is kept")]
    SoundErased { at: String },
    #[error("it is on legal hold and may not be erased")]
    OnHold,
    #[error("what would be erased has changed since it was shown: look again")]
    ErasureChanged,
    #[error("{recordings} recordings are erased, and the rest is not: {why}")]
    PartlyErased { recordings: usize, why: Box<ApiError> },
    #[error("there is no such patient")]
    NoPatient,
    #[error("there is no such visit")]
    NoVisit,
    #[error("there is no such visit, or its patient has not agreed to be recorded")]
    MayNotRecord,
    #[error("the patient of this visit has not agreed to be recorded")]
    RecordingRefused,
    #[error("{0}")]
    Field(VisitError),
    #[error("a number of the patient is another patient's")]
    NumberTaken { patient: Option<String> },
    #[error("the patient's particulars were changed meanwhile")]
    PatientChanged,
    #[error("the recording was moved to another visit meanwhile")]
    Moved(Box<Settled>),
    #[error("recordings belong to it")]
    InUse,
    #[error("the patient is merged with another: the registry takes that back first, and each is erased apart")]
    Merged,
    #[error("these are one person already")]
    AlreadyMerged,
    #[error("there is no such address")]
    NoSuchAddress,
    #[error("the recording is not finished: its note can be changed and fetched then")]
    NotFinished,
    #[error("the recording is finished")]
    Finished,
    #[error("the note was changed meanwhile")]
    Conflict { version: u64, note: Box<crate::note::Note> },
    #[error("the note is signed: only an addendum can follow, and its recording stays where it is")]
    Signed,
    #[error("the note is not signed yet: change it instead of adding to it")]
    NotSigned,
    #[error("the note was not reviewed as it is now")]
    NotReviewed,
    #[error("something doubtful is open: accept it, drop it or give it another code first")]
    Open(Vec<crate::record::Doubt>),
    #[error("there is nothing to take back or to do again")]
    NothingToUndo,
    #[error("the note was edited: it cannot be written in another language any more")]
    Edited,
    #[error("the note is not signed: letters are written of a signed note")]
    Unsigned,
    #[error("{0}")]
    NotInNote(String),
    #[error("{0}")]
    NoFont(String),
    #[error("there is no such template")]
    NoTemplate,
    #[error("no such term was learned")]
    NotLearned,
    #[error("there is no such organisation")]
    NoOrganisation,
    #[error("there is no such request, consent or view")]
    NoConsent,
    /// The same of which no event was written where it was looked for.
    #[error("there is no such request, consent or view")]
    NoSuchConsent,
    #[error("{}", super::sharing::reason(*.0))]
    Denied(Refusal),
    #[error("the request is not valid: {0}")]
    Invalid(String),
    /// The same of which an event was written where it was refused.
    #[error("the request is not valid: {0}")]
    Declined(String),
    #[error("the request is larger than is taken here")]
    TooLarge,
    #[error("the body says that it is no JSON")]
    NotJson,
    #[error("the request did not come to its end in time")]
    TooSlow,
    #[error("the address has no such method")]
    NoSuchMethod,
    #[error("the address or the head of the request is not valid")]
    BadHead(StatusCode),
    #[error("too little disk space is left")]
    DiskFull,
    #[error("something went wrong here")]
    Internal,
}

impl ApiError {
    /// The status, and the code that programs look at.
    pub fn parts(&self) -> (StatusCode, &'static str) {
        match self {
            Self::Foreign => (StatusCode::FORBIDDEN, "foreign"),
            Self::NotSignedIn => (StatusCode::UNAUTHORIZED, "not_signed_in"),
            Self::NotAllowed => (StatusCode::FORBIDDEN, "not_allowed"),
            Self::NotThere => (StatusCode::NOT_FOUND, "not_there"),
            Self::PasskeyRefused => (StatusCode::UNAUTHORIZED, "passkey_refused"),
            Self::OpenIdRefused => (StatusCode::UNAUTHORIZED, "openid_refused"),
            Self::OpenIdDown => (StatusCode::SERVICE_UNAVAILABLE, "openid_down"),
            Self::RoleNotBegun => (StatusCode::FORBIDDEN, "role_not_begun"),
            Self::TokenRefused => (StatusCode::FORBIDDEN, "token_refused"),
            Self::TooManyTries => (StatusCode::TOO_MANY_REQUESTS, "too_many_tries"),
            Self::IsTrial => (StatusCode::CONFLICT, "is_trial"),
            Self::LastAdministrator => (StatusCode::CONFLICT, "last_administrator"),
            Self::NotFound => (StatusCode::NOT_FOUND, "not_found"),
            Self::NoSound => (StatusCode::NOT_FOUND, "no_sound"),
            Self::SoundErased { .. } => (StatusCode::GONE, "sound_erased"),
            Self::OnHold => (StatusCode::CONFLICT, "on_hold"),
            Self::ErasureChanged => (StatusCode::CONFLICT, "erasure_changed"),
            Self::PartlyErased { why, .. } => (why.parts().0, "partly_erased"),
            Self::NoPatient => (StatusCode::NOT_FOUND, "no_patient"),
            Self::NoVisit => (StatusCode::NOT_FOUND, "no_visit"),
            Self::MayNotRecord => (StatusCode::FORBIDDEN, "may_not_record"),
            Self::RecordingRefused => (StatusCode::CONFLICT, "recording_refused"),
            Self::Field(error) => (StatusCode::UNPROCESSABLE_ENTITY, error.place().1),
            Self::NumberTaken { .. } => (StatusCode::CONFLICT, "number_taken"),
            Self::PatientChanged => (StatusCode::CONFLICT, "patient_changed"),
            Self::Moved(_) => (StatusCode::CONFLICT, "moved"),
            Self::InUse => (StatusCode::CONFLICT, "in_use"),
            Self::Merged => (StatusCode::CONFLICT, "merged"),
            Self::AlreadyMerged => (StatusCode::CONFLICT, "already_merged"),
            Self::NoSuchAddress => (StatusCode::NOT_FOUND, "no_such_address"),
            Self::NotFinished => (StatusCode::CONFLICT, "not_finished"),
            Self::Finished => (StatusCode::CONFLICT, "finished"),
            Self::Conflict { .. } => (StatusCode::CONFLICT, "conflict"),
            Self::Signed => (StatusCode::CONFLICT, "signed"),
            Self::NotSigned => (StatusCode::CONFLICT, "not_signed"),
            Self::NotReviewed => (StatusCode::CONFLICT, "not_reviewed"),
            Self::Open(_) => (StatusCode::CONFLICT, "open_doubts"),
            Self::NothingToUndo => (StatusCode::CONFLICT, "nothing_to_undo"),
            Self::Edited => (StatusCode::CONFLICT, "edited"),
            Self::Unsigned => (StatusCode::CONFLICT, "not_signed"),
            Self::NotInNote(_) => (StatusCode::CONFLICT, "not_in_note"),
            Self::NoTemplate => (StatusCode::NOT_FOUND, "no_template"),
            Self::NotLearned => (StatusCode::NOT_FOUND, "not_learned"),
            Self::NoOrganisation => (StatusCode::NOT_FOUND, "no_organisation"),
            Self::NoConsent | Self::NoSuchConsent => (StatusCode::NOT_FOUND, "no_consent"),
            Self::Denied(Refusal::TooManyTries) => (StatusCode::TOO_MANY_REQUESTS, "too_many_tries"),
            Self::Denied(Refusal::OwnContact) => (StatusCode::FORBIDDEN, "own_contact"),
            Self::Denied(_) => (StatusCode::FORBIDDEN, "denied"),
            Self::NoFont(_) => (StatusCode::NOT_IMPLEMENTED, "no_font"),
            Self::Invalid(_) | Self::Declined(_) => (StatusCode::UNPROCESSABLE_ENTITY, "invalid"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
            Self::NotJson => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_json"),
            Self::TooSlow => (StatusCode::REQUEST_TIMEOUT, "too_slow"),
            Self::NoSuchMethod => (StatusCode::METHOD_NOT_ALLOWED, "no_such_method"),
            Self::BadHead(status) => (*status, "bad_request"),
            Self::DiskFull => (StatusCode::INSUFFICIENT_STORAGE, "disk_full"),
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
        }
    }

    /// Why it was refused before anything was done, where it was: nobody has written an event of that.
    pub fn unheard(&self) -> Option<Refusal> {
        match self {
            Self::Foreign => Some(Refusal::Foreign),
            // What is not the caller's is told alike.
            Self::NotThere | Self::NoOrganisation | Self::NoSuchConsent => Some(Refusal::NotAllowed),
            Self::TooLarge => Some(Refusal::TooLarge),
            Self::Invalid(_) | Self::Field(_) | Self::NotJson | Self::TooSlow | Self::BadHead(_) => Some(Refusal::Malformed),
            _ => None,
        }
    }

    /// For failures of our own: the details go to the log, which holds no patient's words, and not to the page.
    pub fn internal(error: &dyn std::error::Error) -> Self {
        tracing::error!(%error, "a request could not be done");
        Self::Internal
    }
}

/// What the router refuses by itself is told in our form too: its own words may quote the request.
pub(super) async fn in_our_form(response: Response) -> Response {
    let status = response.status();
    let kind = response.headers().get(header::CONTENT_TYPE);
    let is_ours = kind.is_some_and(|kind| !kind.as_bytes().starts_with(b"text/plain"));
    if is_ours || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let error = match status {
        StatusCode::METHOD_NOT_ALLOWED => ApiError::NoSuchMethod,
        StatusCode::NOT_FOUND => ApiError::NoSuchAddress,
        status if status.is_client_error() => ApiError::BadHead(status),
        _ => ApiError::Internal,
    };
    let mut told = error.into_response();
    let (given, _) = response.into_parts();
    for (name, value) in given.headers {
        // Which methods there are, which protocol to speak.
        if let Some(name) = name.filter(|name| *name == header::ALLOW || *name == header::UPGRADE || *name == header::CONNECTION)
        {
            told.headers_mut().insert(name, value);
        }
    }
    told
}

/// The one form in which this server tells of an error: that of OpenAI, whose clients read it.
#[derive(Serialize, ToSchema)]
pub(super) struct ErrorDocument {
    error: ErrorBody,
}

#[derive(Serialize, ToSchema)]
struct ErrorBody {
    /// For people, in English; quotes nothing of a request.
    message: String,
    /// `invalid_request_error`, `rate_limit_error` or `server_error`.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The parameter that is wrong, where it is one.
    param: Option<&'static str>,
    /// For programs.
    code: &'static str,
}

impl ErrorDocument {
    /// With the words and the code of an error.
    pub fn new(status: StatusCode, code: &'static str, message: String, param: Option<&'static str>) -> Self {
        let kind = match status {
            StatusCode::TOO_MANY_REQUESTS => "rate_limit_error",
            status if status.is_server_error() => "server_error",
            _ => "invalid_request_error",
        };
        Self { error: ErrorBody { message, kind, param, code } }
    }
}

/// What stands in the way of a change: the version that there is now.
#[derive(Serialize)]
struct Conflicting {
    #[serde(flatten)]
    document: ErrorDocument,
    version: u64,
    note: Box<crate::note::Note>,
}

/// Whose a recording is that was moved, and how it was.
#[derive(Serialize)]
struct Elsewhere {
    #[serde(flatten)]
    document: ErrorDocument,
    #[serde(flatten)]
    settled: Box<Settled>,
}

/// What stands in the way of a review.
#[derive(Serialize)]
struct StillOpen {
    #[serde(flatten)]
    document: ErrorDocument,
    open: Vec<crate::record::Doubt>,
}

/// Whose number it is that somebody gave to another patient, where they may find that one.
#[derive(Serialize)]
struct Taken {
    #[serde(flatten)]
    document: ErrorDocument,
    #[serde(skip_serializing_if = "Option::is_none")]
    patient: Option<String>,
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, code) = self.parts();
        let param = if let Self::Field(error) = &self { Some(error.place().0) } else { None };
        let document = ErrorDocument::new(status, code, self.to_string(), param);
        let unheard = self.unheard();
        let response = match self {
            Self::NumberTaken { patient } => (status, Json(Taken { document, patient })).into_response(),
            Self::Conflict { version, note } => (status, Json(Conflicting { document, version, note })).into_response(),
            Self::Moved(settled) => (status, Json(Elsewhere { document, settled })).into_response(),
            Self::Open(open) => (status, Json(StillOpen { document, open })).into_response(),
            _ => (status, Json(document)).into_response(),
        };
        Unheard::mark(unheard, response)
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            error if error.is_disk_full() => Self::DiskFull,
            StoreError::Missing { .. } => Self::NotFound,
            StoreError::OnHold => Self::OnHold,
            StoreError::Merged => Self::Merged,
            StoreError::Signed => Self::Signed,
            StoreError::Unknown { what: "patient", .. } => Self::NoPatient,
            StoreError::Unknown { what: "consent", .. } => Self::NoConsent,
            StoreError::Unknown { .. } => Self::NoVisit,
            error => Self::internal(&error),
        }
    }
}

impl From<DeskError> for ApiError {
    fn from(error: DeskError) -> Self {
        match error {
            DeskError::Conflict => Self::PatientChanged,
            // Whose it is, only who may find them is told: whoever has asked for that says so.
            DeskError::Taken { .. } => Self::NumberTaken { patient: None },
            DeskError::InUse => Self::InUse,
            DeskError::Merged => Self::Merged,
            DeskError::Signed => Self::Signed,
            DeskError::Refused => Self::RecordingRefused,
            DeskError::Store(error) => error.into(),
        }
    }
}

impl From<VisitError> for ApiError {
    fn from(error: VisitError) -> Self {
        Self::Field(error)
    }
}

impl From<SaveError> for ApiError {
    fn from(error: SaveError) -> Self {
        match error {
            SaveError::Signed => Self::Signed,
            SaveError::Unsigned => Self::NotSigned,
            SaveError::Store(error) => error.into(),
            // Who can be told of the newer note, or whose it is now, asks for it and says so; here it is not known.
            error @ (SaveError::Conflict | SaveError::Moved) => Self::internal(&error),
        }
    }
}

impl From<RecordError> for ApiError {
    fn from(error: RecordError) -> Self {
        match error {
            RecordError::Frozen { .. } => Self::Signed,
            RecordError::NotSigned { .. } => Self::NotSigned,
            RecordError::NothingAdded | RecordError::NoEditId | RecordError::Note(_) => Self::Invalid(error.to_string()),
            RecordError::Open { open } => Self::Open(open),
            RecordError::NotReviewed { .. } => Self::internal(&error),
        }
    }
}

impl From<RoomError> for ApiError {
    fn from(error: RoomError) -> Self {
        match error {
            RoomError::Unknown => Self::NotFound,
            RoomError::NoVisit => Self::NoVisit,
            RoomError::Refused => Self::RecordingRefused,
            RoomError::Finished => Self::Finished,
            RoomError::Store(error) => error.into(),
            RoomError::DiskLow | RoomError::Fault(crate::room::Fault::DiskFull) => Self::DiskFull,
            error => Self::internal(&error),
        }
    }
}

impl From<SpoolError> for ApiError {
    fn from(error: SpoolError) -> Self {
        Self::internal(&error)
    }
}

impl From<NoteError> for ApiError {
    fn from(error: NoteError) -> Self {
        Self::Invalid(error.to_string())
    }
}

impl From<InteropError> for ApiError {
    fn from(error: InteropError) -> Self {
        Self::internal(&error)
    }
}

impl From<TranscriptError> for ApiError {
    fn from(error: TranscriptError) -> Self {
        Self::internal(&error)
    }
}

impl From<serde_json::Error> for ApiError {
    fn from(error: serde_json::Error) -> Self {
        Self::internal(&error)
    }
}

impl From<crate::audio::AudioError> for ApiError {
    fn from(error: crate::audio::AudioError) -> Self {
        Self::internal(&error)
    }
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;

    use super::*;

    #[tokio::test]
    async fn what_the_router_refuses_is_told_in_our_form() {
        let allow = [(header::ALLOW, "GET")];
        for (response, status, code) in [
            ((StatusCode::METHOD_NOT_ALLOWED, allow.clone()).into_response(), 405, "no_such_method"),
            ((StatusCode::BAD_REQUEST, allow.clone(), "Invalid URL: `Chan`").into_response(), 400, "bad_request"),
            ((StatusCode::UPGRADE_REQUIRED, allow, "no").into_response(), 426, "bad_request"),
        ] {
            let told = in_our_form(response).await;
            assert_eq!((told.status().as_u16(), told.headers()[header::ALLOW].as_bytes()), (status, &b"GET"[..]));
            let body = to_bytes(told.into_body(), 10_000).await.unwrap();
            let document: serde_json::Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(document["error"]["code"], code);
            assert!(!String::from_utf8_lossy(&body).contains("Chan"));
        }
        let fine = in_our_form((StatusCode::OK, "text").into_response()).await;
        assert_eq!(to_bytes(fine.into_body(), 10).await.unwrap(), "text");
        let ours = in_our_form(ApiError::NoPatient.into_response()).await;
        let body = to_bytes(ours.into_body(), 10_000).await.unwrap();
        assert!(String::from_utf8_lossy(&body).contains("no_patient"));
    }
}
