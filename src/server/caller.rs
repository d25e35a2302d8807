//! Who asks, and from where: what the audit log says of every request, and what the rules of roles are asked about.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, header};

use super::App;
use super::access::{IDLE, Renewal, SEEN, still_good};
use super::error::ApiError;
use super::sender::Sender;
use crate::audit::{Action, Actor, DeviceId, Event, OrganisationId, Outcome, PersonId, Pseudonym, Purpose, RecordId, Refusal};
use crate::identity::{Right, RoleKind, Session, Thing};
use crate::room::Token;
use crate::store::{By, List, Owner, Reach, Shown, StoreError, TRIAL, TRIAL_ORGANISATION, TRIAL_ROLE, record_id};

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

impl Pass {
    /// The session's id, where it is one.
    pub(super) fn session(&self) -> Option<&str> {
        if let Self::Session(id) = self { Some(id) } else { None }
    }
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

/// Who sent the head of a request, to be looked at again once its body is there.
#[derive(Clone)]
pub(super) struct StillIn {
    app: App,
    pass: Pass,
    by: By,
}

impl StillIn {
    /// Whether their session is good still.
    ///
    /// # Errors
    /// [`ApiError::NotSignedIn`], which the audit log is told of; and when it cannot be looked up.
    pub async fn checked(&self) -> Result<(), ApiError> {
        let good = still_good(self.app.rooms.store(), &self.pass).await?;
        if good.is_some() { Ok(()) } else { Err(stranger(&self.app, self.by).await) }
    }
}

/// Where a request came from.
pub(super) fn address(parts: &Parts) -> Option<std::net::IpAddr> {
    peer(&parts.extensions)
}

/// The same, of what a request has beside its head.
pub(super) fn peer(extensions: &Extensions) -> Option<std::net::IpAddr> {
    extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(address)| address.ip().to_canonical())
}

/// Those headers that say who asks.
pub(super) fn credentials(headers: &HeaderMap) -> HeaderMap {
    let named = headers.iter().filter(|(name, _)| **name == header::COOKIE || **name == header::AUTHORIZATION);
    named.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Who a request is from.
pub(super) enum Found<T> {
    /// This one.
    Known(T),
    /// Nobody who is known.
    Nobody,
    /// Somebody with a token that came back, of which the audit log has been told.
    Told,
}

/// The person or device that these headers prove. Nobody in a trial, where everybody is the same.
///
/// # Errors
/// When it cannot be looked up.
pub(super) async fn known(headers: &HeaderMap, app: &App, by: By) -> Result<Found<By>, StoreError> {
    if app.gate.sign_in.is_none() {
        return Ok(Found::Nobody);
    }
    Ok(match bearer(headers) {
        Some(token) => Sender::device(&token, app, by).await?.map_or(Found::Nobody, |sender| Found::Known(sender.by())),
        None => match Caller::found(headers, app, by, None).await? {
            Found::Known(caller) => Found::Known(caller.by),
            Found::Nobody => Found::Nobody,
            Found::Told => Found::Told,
        },
    })
}

/// The token of `Authorization: Bearer`; nothing where there is none, or more than one.
pub(super) fn bearer(headers: &HeaderMap) -> Option<Token> {
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
        match Self::found(&parts.headers, app, by, parts.extensions.get::<Renewal>()).await? {
            Found::Known(caller) => {
                // For who reads a body that may take its time.
                parts.extensions.insert(StillIn { app: app.clone(), pass: caller.pass.clone(), by: caller.by });
                Ok(caller)
            }
            Found::Nobody => Err(stranger(app, by).await),
            Found::Told => Err(ApiError::NotSignedIn),
        }
    }
}

/// Tells the audit log of a request that nobody signed in made, unless there was a flood of them by nobody who is known.
pub(super) async fn stranger(app: &App, by: By) -> ApiError {
    if by.actor == Actor::Unknown && !app.strangers.may_keep(by.address) {
        return ApiError::NotSignedIn;
    }
    let outcome = Outcome::Refused { reason: Refusal::NotSignedIn };
    match app.rooms.store().keep_event(&Event { outcome, ..by.did_in_general(Action::SignIn) }).await {
        Ok(_) => ApiError::NotSignedIn,
        Err(error) => error.into(),
    }
}

impl Caller {
    /// Who it is. Where there is a place for it, another token is put there once theirs is due.
    async fn found(headers: &HeaderMap, app: &App, by: By, renewal: Option<&Renewal>) -> Result<Found<Self>, StoreError> {
        let Some(sign_in) = &app.gate.sign_in else { return Ok(Found::Known(Self::trial(by))) };
        let Some(token) = sign_in.cookie.read(headers) else { return Ok(Found::Nobody) };
        let store = app.rooms.store();
        let at = by.seconds();
        let (session, is_due) = match store.show_token(&token.hash(), &by).await? {
            Shown::Good { session, is_due } => (session, is_due),
            Shown::Nobodys => return Ok(Found::Nobody),
            Shown::RanOut => {
                app.gate.changed();
                return Ok(Found::Nobody);
            }
            Shown::CameBack => {
                app.gate.changed();
                return Ok(Found::Told);
            }
        };
        if !(session.role.is_held(at) && at < session.ends_at && at < session.seen_at.saturating_add(IDLE)) {
            return Ok(Found::Nobody);
        }
        if at.saturating_sub(session.seen_at) >= SEEN {
            store.saw_session(&session.id, at).await?;
        }
        if is_due && let Some(renewal) = renewal {
            renewal.offer(store, &sign_in.cookie, &token, at).await;
        }
        let role = &session.role;
        let acting = Session { role: role.id, kind: role.kind, organisation: role.organisation, ended: false };
        Ok(Found::Known(Self {
            by: By { actor: role.actor(), purpose: Some(purpose(role.kind)), ..by },
            name: role.person.card.name.as_str().into(),
            pass: Pass::Session(session.id),
            session: acting,
            reach: session.reach,
        }))
    }

    fn trial(by: By) -> Self {
        let (role, organisation) = (TRIAL_ROLE, TRIAL_ORGANISATION);
        Self {
            by: By { actor: TRIAL, purpose: Some(purpose(RoleKind::Doctor)), ..by },
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
        // What they would have done it for was not looked at.
        app.rooms.store().keep_event(&Event { outcome, policies, purpose: None, ..event }).await?;
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

    /// How far finding patients reaches for the caller: the whole organisation for the registry, else whom the role treats.
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

    /// How far lists of visits, recordings and notes reach: whom the role treats. Who finds patients for the registry is told no list of these.
    ///
    /// # Errors
    /// [`ApiError::NotAllowed`] for who may view no record.
    pub async fn reach_of_records(&self, app: &App) -> Result<Reach, ApiError> {
        self.may(app, Right::View, What::Own).await?;
        Ok(Reach { organisation: self.session.organisation, role: Some(self.session.role) })
    }

    /// Whether the caller views records of those whom the role treats. Who does not is told of a patient what finding and merging needs.
    pub fn views(&self, app: &App) -> bool {
        may_to_own(app, &self.session, Right::View)
    }

    /// Keeps the event of a list or a search, and one for each patient in it whom this role was not told within the hour. What was found may be
    /// told only after this.
    ///
    /// # Errors
    /// When the events cannot be written.
    pub(super) async fn searched(&self, app: &App, found: usize, patients: Vec<Pseudonym>) -> Result<(), StoreError> {
        app.rooms.store().keep_list(self.session.role, List::new(found, patients), &self.by).await
    }

    /// As [`Self::searched`], of a list of this kind that a page asks for again every few seconds: the same one is one event an hour.
    ///
    /// # Errors
    /// As [`Self::searched`].
    pub(super) async fn looked_over(
        &self,
        app: &App,
        (kind, ids): (&'static str, &[&str]),
        found: usize,
        patients: Vec<Pseudonym>,
    ) -> Result<(), StoreError> {
        app.rooms.store().keep_list(self.session.role, List::new(found, patients).polled(kind, ids), &self.by).await
    }

    /// Keeps the event of reading what is about so many people who work here, or was made of so many notes, and names no patient.
    ///
    /// # Errors
    /// When the event cannot be written.
    pub(super) async fn read_of(&self, app: &App, many: usize) -> Result<(), StoreError> {
        let count = u32::try_from(many).unwrap_or(u32::MAX);
        let event = Event { purpose: Some(Purpose::Operations), ..self.by.did_in_general(Action::View { count }) };
        app.rooms.store().keep_event(&event).await.map(drop)
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

/// Whether a role may do this to what belongs to those whom it treats.
pub(super) fn may_to_own(app: &App, session: &Session, right: Right) -> bool {
    let Session { role, organisation, .. } = *session;
    let own = Thing::of(record_id(""), Some(Owner { organisation, treating: vec![role] }));
    app.gate.rights.rule(session, right, &own, None).allowed
}

/// What a role has to do with patients for. Under a consent it is the consent's purpose, and of a report its own.
const fn purpose(kind: RoleKind) -> Purpose {
    match kind {
        RoleKind::Doctor | RoleKind::Nurse => Purpose::Treatment,
        RoleKind::Registrar | RoleKind::Administrator | RoleKind::PrivacyOfficer | RoleKind::Auditor => Purpose::Operations,
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
        Right::Erase | Right::DecideErasure => Action::Erase,
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
