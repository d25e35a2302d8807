//! Who asks, and from where: what the audit log says of every request, and what the rules of roles are asked about.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};

use super::App;
use super::access::{IDLE, SEEN};
use super::error::ApiError;
use crate::audit::{Action, Actor, DeviceId, Event, OrganisationId, Outcome, PersonId, RecordId, Refusal};
use crate::identity::{Right, RoleKind, Session, Thing};
use crate::room::Token;
use crate::store::{By, DeviceScope, Owner, Reach, StoreError, StoredSession, TRIAL, TRIAL_ORGANISATION, TRIAL_ROLE, record_id};

/// Who edits in a trial.
pub(super) const TRIAL_CLINICIAN: &str = "Trial clinician";

/// What lets somebody in, to be looked at again while a socket is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Pass {
    /// Nothing is asked for.
    Trial,
    /// A session, by its id.
    Session(String),
    /// A device.
    Device(DeviceId),
}

/// A person in one of their roles who made this request. There is none without an open session, but in a trial.
#[derive(Clone)]
pub(super) struct Caller {
    /// Who, when and from where.
    pub by: By,
    /// What notes are signed with.
    pub name: Arc<str>,
    /// The session, for sockets.
    pub pass: Pass,
    /// The role, for the rules.
    pub session: Session,
    /// The one organisation that they came in for, where it is not all of theirs.
    pub reach: Option<OrganisationId>,
}

/// What somebody wants to do something to.
#[derive(Debug, Clone, Copy)]
pub(super) enum What<'a> {
    /// A patient.
    Patient(&'a str),
    /// A visit.
    Visit(&'a str),
    /// A recording, with its words and its note.
    Recording(&'a str),
    /// What is not there yet, or is the caller's own: of their organisation, and treated by nobody else.
    Own,
    /// What belongs to the organisation as a whole.
    Organisation,
}

/// Where a request came from.
pub(super) fn address(parts: &Parts) -> Option<std::net::IpAddr> {
    parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(address)| address.ip().to_canonical())
}

/// The token of `Authorization: Bearer`; nothing where there is none, or more than one.
fn bearer(headers: &HeaderMap) -> Option<Token> {
    let mut given = headers.get_all(header::AUTHORIZATION).iter();
    match (given.next(), given.next()) {
        (Some(value), None) => {
            let (kind, token) = value.to_str().ok()?.split_once(' ')?;
            kind.eq_ignore_ascii_case("bearer").then(|| Token::from_client(token.trim().to_owned()))
        }
        _ => None,
    }
}

impl FromRequestParts<App> for Caller {
    type Rejection = ApiError;

    /// # Errors
    /// [`ApiError::NotSignedIn`], which the audit log is told of.
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let by = By { address: address(parts), ..By::now(Actor::Unknown) };
        match Self::found(parts, app, by).await? {
            Some(caller) => Ok(caller),
            None => Err(stranger(app, by).await),
        }
    }
}

/// Tells the audit log of a request that nobody signed in made, unless there was a flood of them.
pub(super) async fn stranger(app: &App, by: By) -> ApiError {
    if !app.gate.throttle.may_keep() {
        return ApiError::NotSignedIn;
    }
    let outcome = Outcome::Refused { reason: Refusal::NotSignedIn };
    match app.rooms.store().keep_event(&Event { outcome, ..by.did_in_general(Action::SignIn) }).await {
        Ok(_) => ApiError::NotSignedIn,
        Err(error) => error.into(),
    }
}

impl Caller {
    async fn found(parts: &Parts, app: &App, by: By) -> Result<Option<Self>, ApiError> {
        let Some(sign_in) = &app.gate.sign_in else { return Ok(Some(Self::trial(by))) };
        let Some(token) = sign_in.cookie.read(&parts.headers) else { return Ok(None) };
        let store = app.rooms.store();
        let at = by.seconds();
        let open = |session: &StoredSession| {
            session.role.is_held(at) && at < session.ends_at && at < session.seen_at.saturating_add(IDLE)
        };
        let Some(session) = store.session_with(&token.hash()).await?.filter(open) else { return Ok(None) };
        if at.saturating_sub(session.seen_at) >= SEEN {
            store.saw_session(&session.id, at).await?;
        }
        let role = &session.role;
        let acting = Session { role: role.id, kind: role.kind, organisation: role.organisation, ended: false };
        Ok(Some(Self {
            by: By { actor: role.actor(), ..by },
            name: role.person.card.name.as_str().into(),
            pass: Pass::Session(session.id),
            session: acting,
            reach: session.reach,
        }))
    }

    fn trial(by: By) -> Self {
        let (role, organisation) = (TRIAL_ROLE, TRIAL_ORGANISATION);
        Self {
            by: By { actor: TRIAL, ..by },
            name: TRIAL_CLINICIAN.into(),
            pass: Pass::Trial,
            session: Session { role, kind: RoleKind::Doctor, organisation, ended: false },
            reach: None,
        }
    }

    /// Whose session it is.
    pub fn person(&self) -> Option<PersonId> {
        match self.by.actor {
            Actor::Staff { person, .. } => Some(person),
            _ => None,
        }
    }

    /// What this person's own templates are kept under.
    pub fn shelf(&self) -> String {
        match self.pass {
            Pass::Trial => TRIAL_CLINICIAN.to_owned(),
            _ => self.session.role.to_string(),
        }
    }

    /// Whether this may be done to that, by the rules of roles. A no is kept in the audit log.
    ///
    /// # Errors
    /// What there is not and what is not the caller's to see are told alike: [`ApiError::NotFound`] and its kind.
    /// [`ApiError::NotAllowed`] for what the caller may see but not do.
    pub async fn may(&self, app: &App, right: Right, what: What<'_>) -> Result<(), ApiError> {
        self.may_do(app, (right, tried(right)), what).await
    }

    /// As [`Self::may`], of an action that is not the usual one for its right: it is what a no is kept of.
    ///
    /// # Errors
    /// As [`Self::may`].
    pub async fn may_do(&self, app: &App, (right, action): (Right, Action), what: What<'_>) -> Result<(), ApiError> {
        let (id, owner) = self.thing(app, what).await?;
        let there = owner.is_some();
        let thing = Thing::of(id, owner);
        let ruling = app.gate.rights.rule(&self.session, right, &thing, None);
        let policies = match ruling.checked() {
            Ok(()) if there => return Ok(()),
            Ok(()) => Vec::new(),
            Err(policies) => policies,
        };
        // Asked in any case, so that what is not there takes as long.
        let is_seen = app.gate.rights.rule(&self.session, Right::View, &thing, None).allowed && there;
        let event = self.event(app, action, what).await?;
        let (outcome, policies) = (Outcome::Refused { reason: Refusal::NotAllowed }, Some(policies));
        app.rooms.store().keep_event(&Event { outcome, policies, ..event }).await?;
        Err(match what {
            What::Own | What::Organisation => ApiError::NotAllowed,
            _ if is_seen => ApiError::NotAllowed,
            What::Patient(_) => ApiError::NoPatient,
            What::Visit(_) => ApiError::NoVisit,
            What::Recording(_) => ApiError::NotFound,
        })
    }

    async fn thing(&self, app: &App, what: What<'_>) -> Result<(RecordId, Option<Owner>), StoreError> {
        let store = app.rooms.store();
        let organisation = self.session.organisation;
        Ok(match what {
            What::Patient(id) => (record_id(id), store.owner_of_patient(id).await?),
            What::Visit(id) => (record_id(id), store.owner_of_encounter(id).await?),
            What::Recording(id) => (record_id(id), store.owner_of_recording(id).await?),
            What::Own => (record_id(""), Some(Owner { organisation, treating: vec![self.session.role] })),
            What::Organisation => (record_id(""), Some(Owner { organisation, treating: Vec::new() })),
        })
    }

    async fn event(&self, app: &App, action: Action, what: What<'_>) -> Result<Event, StoreError> {
        let store = app.rooms.store();
        Ok(match what {
            What::Patient(id) => self.by.did_for(action, store.pseudonym(id)?),
            What::Visit(id) => store.event_about_visit(&self.by, action, id).await?,
            What::Recording(id) => store.event_about(&self.by, action, id).await?,
            What::Own | What::Organisation => self.by.did_in_general(action),
        })
    }

    /// How far lists reach for the caller: the whole organisation for the registry, else whom the role treats.
    ///
    /// # Errors
    /// [`ApiError::NotAllowed`] for who may look for nobody.
    pub async fn reach(&self, app: &App) -> Result<Reach, ApiError> {
        let organisation = self.session.organisation;
        let all = Thing::of(record_id(""), Some(Owner { organisation, treating: Vec::new() }));
        if app.gate.rights.rule(&self.session, Right::Search, &all, None).allowed {
            return Ok(Reach { organisation, role: None });
        }
        self.may(app, Right::Search, What::Own).await?;
        Ok(Reach { organisation, role: Some(self.session.role) })
    }

    /// Whether the caller may find this patient.
    ///
    /// # Errors
    /// When it cannot be read whose patient it is.
    pub(super) async fn may_find(&self, app: &App, patient: &str) -> Result<bool, StoreError> {
        let (id, owner) = self.thing(app, What::Patient(patient)).await?;
        let there = owner.is_some();
        Ok(app.gate.rights.rule(&self.session, Right::Search, &Thing::of(id, owner), None).allowed && there)
    }

    /// Keeps the event of a search. What was found may be told only after this.
    ///
    /// # Errors
    /// When the event cannot be written.
    pub(super) async fn searched(&self, app: &App, found: usize) -> Result<(), StoreError> {
        let count = u32::try_from(found).unwrap_or(u32::MAX);
        app.rooms.store().keep_event(&self.by.did_in_general(Action::Search { count })).await.map(drop)
    }

    /// Keeps the event of looking at one patient's particulars.
    ///
    /// # Errors
    /// When the event cannot be written.
    pub(super) async fn looked_at(&self, app: &App, patient: &str) -> Result<(), StoreError> {
        let store = app.rooms.store();
        store.keep_event(&self.by.did_for(Action::View { count: 1 }, store.pseudonym(patient)?)).await.map(drop)
    }

    /// Keeps the event of a reading. What is read may be told only after this.
    ///
    /// # Errors
    /// When the event cannot be written.
    pub(super) async fn reads(&self, app: &App, action: Action, recording: &str) -> Result<(), StoreError> {
        let store = app.rooms.store();
        store.keep_event(&store.event_about(&self.by, action, recording).await?).await.map(drop)
    }
}

/// What is usually tried with a right.
fn tried(right: Right) -> Action {
    match right {
        Right::View => Action::View { count: 0 },
        Right::Edit => Action::Edit,
        Right::Sign => Action::Sign,
        Right::Record => Action::Record,
        Right::Search => Action::Search { count: 0 },
        Right::RequestConsent => Action::ConsentRequest,
        Right::BreakGlass => Action::Permit,
        Right::Export => Action::Export { count: 0 },
        Right::Merge => Action::PatientMerge,
        Right::ViewLog | Right::Report => Action::Report,
        Right::ManageAccounts | Right::ManageDevices => Action::Administer,
        Right::UseKeys => Action::KeyUse,
        Right::Hold => Action::HoldPlace,
    }
}

impl Thing {
    /// What is not there is nobody's: no rule permits anything to it.
    fn of(id: RecordId, owner: Option<Owner>) -> Self {
        let nobody = Owner { organisation: OrganisationId::from_bytes([0; 16]), treating: Vec::new() };
        let Owner { organisation, treating } = owner.unwrap_or(nobody);
        Self { id, organisation, treating }
    }
}

/// Who sends sound: a person, or a device or program that is enrolled for it.
pub(super) enum Sender {
    /// A person.
    Person(Box<Caller>),
    /// A device or program.
    Device {
        /// Which, when and from where.
        by: By,
        /// What it is called.
        name: String,
        /// Whose.
        organisation: OrganisationId,
        /// What it may do.
        scope: DeviceScope,
        /// For sockets.
        pass: Pass,
    },
}

impl FromRequestParts<App> for Sender {
    type Rejection = ApiError;

    /// # Errors
    /// [`ApiError::NotSignedIn`], which the audit log is told of.
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let by = By { address: address(parts), ..By::now(Actor::Unknown) };
        let token = bearer(&parts.headers).filter(|_| app.gate.sign_in.is_some());
        let Some(token) = token else {
            return Caller::from_request_parts(parts, app).await.map(|caller| Self::Person(Box::new(caller)));
        };
        let Some(device) = app.rooms.store().device_with(&token.hash(), by.seconds()).await? else {
            return Err(stranger(app, by).await);
        };
        let actor = Actor::Device { device: device.id, organisation: device.organisation };
        Ok(Self::Device {
            by: By { actor, device: Some(device.id), ..by },
            name: device.name,
            organisation: device.organisation,
            scope: device.scope,
            pass: Pass::Device(device.id),
        })
    }
}

impl Sender {
    /// Who, when and from where.
    pub fn by(&self) -> By {
        match self {
            Self::Person(caller) => caller.by,
            Self::Device { by, .. } => *by,
        }
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        match self {
            Self::Person(caller) => &caller.name,
            Self::Device { name, .. } => name,
        }
    }

    /// What lets it in.
    pub fn pass(&self) -> &Pass {
        match self {
            Self::Person(caller) => &caller.pass,
            Self::Device { pass, .. } => pass,
        }
    }

    /// Whether it may record this. A no is kept in the audit log.
    ///
    /// # Errors
    /// As [`Caller::may`].
    pub async fn may_record(&self, app: &App, what: What<'_>) -> Result<(), ApiError> {
        let store = app.rooms.store();
        let (by, own, missing) = match self {
            Self::Person(caller) => return caller.may(app, Right::Record, what).await,
            Self::Device { by, organisation, scope: DeviceScope::Record, .. } => match what {
                What::Visit(id) => {
                    (by, store.owner_of_encounter(id).await?.map(|owner| owner.organisation == *organisation), ApiError::NoVisit)
                }
                What::Recording(id) => {
                    let owner = store.owner_of_recording(id).await?;
                    (by, owner.map(|owner| owner.organisation == *organisation), ApiError::NotFound)
                }
                // A room's microphone records visits alone.
                _ => (by, None, ApiError::NotAllowed),
            },
            Self::Device { by, .. } => (by, None, ApiError::NotAllowed),
        };
        if own == Some(true) { Ok(()) } else { Err(refused(app, by, Action::Record, missing).await) }
    }

    /// Whether it may have sound written down that is not kept. A no is kept in the audit log.
    ///
    /// # Errors
    /// As [`Caller::may`].
    pub async fn may_transcribe(&self, app: &App) -> Result<(), ApiError> {
        match self {
            Self::Person(caller) => caller.may(app, Right::Record, What::Own).await,
            Self::Device { scope: DeviceScope::Transcribe, .. } => Ok(()),
            Self::Device { by, .. } => Err(refused(app, by, Action::Finish, ApiError::NotAllowed).await),
        }
    }
}

async fn refused(app: &App, by: &By, action: Action, error: ApiError) -> ApiError {
    let outcome = Outcome::Refused { reason: Refusal::NotAllowed };
    match app.rooms.store().keep_event(&Event { outcome, ..by.did_in_general(action) }).await {
        Ok(_) => error,
        Err(error) => error.into(),
    }
}
