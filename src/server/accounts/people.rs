//! The people of an organisation: who is there as what, invitations, recoveries, and ends.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::faces::time;
use super::{link, optional, sign_in, text};
use crate::audit::{PersonId, RoleId};
use crate::identity::{Right, RoleKind};
use crate::interop::fhir::Instant;
use crate::room::Token;
use crate::server::App;
use crate::server::asked::Body;
use crate::server::caller::{Caller, What};
use crate::server::error::{ApiError, ErrorDocument};
use crate::store::{Card, Enrolment, RoleEnd, StoredRole};

/// Seconds that an invitation is good for.
const INVITATION: i64 = 72 * 3600;
/// Seconds that a recovery is good for.
const RECOVERY: i64 = 3600;

#[derive(Serialize, ToSchema)]
pub(super) struct People {
    /// Every role, ended ones too.
    roles: Vec<StaffFace>,
    /// Invitations and recoveries that wait.
    invitations: Vec<InvitationFace>,
}

/// Somebody in a role.
#[derive(Serialize, ToSchema)]
struct StaffFace {
    role: String,
    person: String,
    name: String,
    phone: Option<String>,
    email: Option<String>,
    kind: &'static str,
    /// Where in the organisation, in its own words.
    department: Option<String>,
    starts_at: String,
    ends_at: Option<String>,
    /// Whether it is held now.
    held: bool,
    /// How many passkeys the person has that are good here.
    passkeys: usize,
    /// How many sign-ins at issuers of OpenID Connect the person has.
    bindings: usize,
}

/// A token that waits to be used.
#[derive(Serialize, ToSchema)]
struct InvitationFace {
    id: String,
    /// `invitation` or `recovery`.
    #[serde(rename = "for")]
    what: &'static str,
    name: Option<String>,
    kind: Option<String>,
    ends_at: String,
}

/// Everybody of the organisation, for its administrators.
#[utoipa::path(
    get,
    path = "/v1/people",
    responses((status = 200, description = "Roles and invitations", body = People), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn list(State(app): State<App>, caller: Caller) -> Result<Json<People>, ApiError> {
    caller.may(&app, Right::ManageAccounts, What::Organisation).await?;
    let (store, organisation) = (app.rooms.store(), caller.session.organisation);
    let found = store.roles_in(organisation).await?;
    caller.read_of(&app, found.len()).await?;
    let name = |person: PersonId| found.iter().find(|role| role.person.id == person).map(|role| role.person.card.name.clone());
    let mut invitations = Vec::new();
    for waiting in store.enrolments_of(organisation).await? {
        let (what, name, kind) = match waiting.enrolment {
            Enrolment::SetUp => continue,
            Enrolment::Invitation { card, kind, .. } => ("invitation", Some(card.name), Some(kind)),
            Enrolment::Recovery { person, .. } => ("recovery", name(person), None),
        };
        invitations.push(InvitationFace { id: waiting.id, what, name, kind, ends_at: time(waiting.ends_at) });
    }
    let mut roles = Vec::new();
    for role in &found {
        let card = role.person.card.clone();
        roles.push(StaffFace {
            role: role.id.to_string(),
            person: role.person.id.to_string(),
            name: card.name,
            phone: card.phone,
            email: card.email,
            kind: role.kind.as_str(),
            department: role.department.clone(),
            starts_at: time(role.starts_at),
            ends_at: role.ends_at.map(time),
            held: role.is_held(caller.by.seconds()),
            passkeys: store.passkeys_of(role.person.id).await?.iter().filter(|passkey| passkey.is_good_for(organisation)).count(),
            bindings: store.bindings_of(role.person.id).await?.iter().filter(|binding| binding.is_good_for(organisation)).count(),
        });
    }
    Ok(Json(People { roles, invitations }))
}

#[derive(Serialize, ToSchema)]
pub(super) struct Colleagues {
    colleagues: Vec<Colleague>,
}

/// Who works here.
#[derive(Serialize, ToSchema)]
struct Colleague {
    role: String,
    name: String,
    kind: &'static str,
}

/// Who works in the organisation now: names and roles alone.
#[utoipa::path(
    get,
    path = "/v1/colleagues",
    responses((status = 200, description = "Colleagues", body = Colleagues), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn colleagues(State(app): State<App>, caller: Caller) -> Result<Json<Colleagues>, ApiError> {
    let at = caller.by.seconds();
    let found = app.rooms.store().roles_in(caller.session.organisation).await?;
    let found: Vec<_> = found.into_iter().filter(|role| role.is_held(at)).collect();
    caller.read_of(&app, found.len()).await?;
    let face = |role: StoredRole| Colleague { role: role.id.to_string(), name: role.person.card.name, kind: role.kind.as_str() };
    let colleagues = found.into_iter().map(face).collect();
    Ok(Json(Colleagues { colleagues }))
}

/// From when and until when a role lasts.
pub(super) fn term(starts_at: Option<&str>, ends_at: Option<&str>) -> Result<(Option<i64>, Option<i64>), ApiError> {
    let read = |field: &str, given: Option<&str>| {
        let wrong = |_| ApiError::Invalid(format!("`{field}` is no RFC 3339 time"));
        given.map(|given| Instant::parse(given).map(|at| at.unix_seconds()).map_err(wrong)).transpose()
    };
    let (starts, ends) = (read("starts_at", starts_at)?, read("ends_at", ends_at)?);
    if starts.zip(ends).is_some_and(|(starts, ends)| ends <= starts) {
        return Err(ApiError::Invalid("`ends_at` is not after `starts_at`".to_owned()));
    }
    Ok((starts, ends))
}

/// Who is invited, as what, until when.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Invited {
    name: String,
    #[serde(default)]
    phone: Option<String>,
    #[serde(default)]
    email: Option<String>,
    /// `doctor`, `nurse`, `registrar`, `administrator`, `privacy_officer` or `auditor`.
    kind: String,
    /// RFC 3339 time at which the role begins; when the invitation is taken where it is null or over. Until then it opens no session.
    #[serde(default)]
    starts_at: Option<String>,
    /// RFC 3339 time at which the role ends; null where no end is known.
    #[serde(default)]
    ends_at: Option<String>,
    /// Where in the organisation, in its own words.
    #[serde(default)]
    department: Option<String>,
}

/// A token to give to somebody. It is told once.
#[derive(Serialize, ToSchema)]
pub(super) struct Link {
    /// Where it is used; the token stands behind `#`.
    link: String,
    token: String,
    /// RFC 3339 time until which it is good.
    ends_at: String,
}

async fn offer(app: &App, caller: &Caller, enrolment: &Enrolment, good_for: i64) -> Result<(StatusCode, Json<Link>), ApiError> {
    let (token, ends_at) = (Token::generate()?, caller.by.seconds() + good_for);
    let organisation = Some(caller.session.organisation);
    app.rooms.store().offer((token.hash(), ends_at), organisation, enrolment, &caller.by).await?;
    let link = Link { link: link(app, &token)?, token: token.reveal().to_owned(), ends_at: time(ends_at) };
    Ok((StatusCode::CREATED, Json(link)))
}

/// Invites somebody into the organisation.
#[utoipa::path(
    post,
    path = "/v1/invitations",
    request_body = Invited,
    responses((status = 201, description = "The token, which is told once and good for 72 hours", body = Link), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn invite(
    State(app): State<App>,
    caller: Caller,
    Body(invited): Body<Invited>,
) -> Result<(StatusCode, Json<Link>), ApiError> {
    sign_in(&app)?;
    caller.may(&app, Right::ManageAccounts, What::Organisation).await?;
    let kind = RoleKind::ALL.iter().find(|kind| kind.as_str() == invited.kind);
    let kind = kind.ok_or_else(|| ApiError::Invalid("`kind` is none of the roles".to_owned()))?.as_str().to_owned();
    let card = Card {
        name: text("name", &invited.name)?,
        phone: optional("phone", invited.phone.as_deref())?,
        email: optional("email", invited.email.as_deref())?,
    };
    let (starts_at, ends_at) = term(invited.starts_at.as_deref(), invited.ends_at.as_deref())?;
    let department = optional("department", invited.department.as_deref())?;
    offer(&app, &caller, &Enrolment::Invitation { card, kind, starts_at, ends_at, department }, INVITATION).await
}

/// Takes an invitation or a recovery back.
#[utoipa::path(
    delete,
    path = "/v1/invitations/{id}",
    params(("id" = String, Path, description = "The invitation's id")),
    responses((status = 204, description = "It is taken back"), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn uninvite(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Result<StatusCode, ApiError> {
    caller.may(&app, Right::ManageAccounts, What::Organisation).await?;
    let gone = app.rooms.store().withdraw_offer(&id, caller.session.organisation, &caller.by).await?;
    if gone { Ok(StatusCode::NO_CONTENT) } else { Err(ApiError::NotThere) }
}

/// A person who holds a role in the caller's organisation, and is not the caller.
pub(super) async fn colleague(app: &App, caller: &Caller, id: String) -> Result<PersonId, ApiError> {
    let person = PersonId::try_from(id).ok();
    let colleagues = app.rooms.store().roles_in(caller.session.organisation).await?;
    let found = colleagues.into_iter().find(|role| Some(role.person.id) == person && role.is_held(caller.by.seconds()));
    found.map(|role| role.person.id).filter(|person| Some(*person) != caller.person()).ok_or(ApiError::NotThere)
}

/// Lets a colleague who lost their passkeys register a new one. It is good for this organisation alone; when it is registered, the older ones
/// open nothing here any more, and what they opened here ends.
#[utoipa::path(
    post,
    path = "/v1/people/{id}/recovery",
    params(("id" = String, Path, description = "The person's id")),
    responses((status = 201, description = "The token, which is told once and good for one hour", body = Link), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn recover(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<Link>), ApiError> {
    sign_in(&app)?;
    caller.may(&app, Right::ManageAccounts, What::Organisation).await?;
    // Nobody recovers themselves: that takes another administrator, or the console.
    let person = colleague(&app, &caller, id).await?;
    let recovery = Enrolment::Recovery { person, offered_by: caller.person() };
    offer(&app, &caller, &recovery, RECOVERY).await
}

/// Ends a role now, and what is open of it.
#[utoipa::path(
    delete,
    path = "/v1/roles/{id}",
    params(("id" = String, Path, description = "The role's id")),
    responses((status = 204, description = "It is ended"), (status = "default", description = "Why not: `last_administrator`", body = ErrorDocument))
)]
pub(super) async fn end_role(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Result<StatusCode, ApiError> {
    caller.may(&app, Right::ManageAccounts, What::Organisation).await?;
    let (store, organisation, at) = (app.rooms.store(), caller.session.organisation, caller.by.seconds());
    let id = RoleId::try_from(id).map_err(|_| ApiError::NotThere)?;
    match store.end_role(id, organisation, at, &caller.by).await? {
        RoleEnd::LastAdministrator => Err(ApiError::LastAdministrator),
        RoleEnd::NotHeld => Err(ApiError::NotThere),
        RoleEnd::Ended => {
            app.gate.changed();
            Ok(StatusCode::NO_CONTENT)
        }
    }
}
