//! Coming in with a token: the first administrator, who is invited, and who lost their passkeys.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::faces::Asked;
use super::sign_in::{Who, who};
use super::{Begun, Entering, Identity, Threshold, missed, optional, refused, sign_in, text};
use crate::audit::{Actor, OrganisationId, PersonId, Refusal};
use crate::room::Token;
use crate::server::App;
use crate::server::asked::Body;
use crate::server::caller::{Caller, Pass};
use crate::server::error::{ApiError, ErrorDocument};
use crate::store::{By, Card, Enrolment, Entrant, NewCredential, StoredEnrolment, StoredOrganisation, StoredPerson};

/// The enrolment of a token. Every reason why there is none is told alike.
pub(super) async fn found(app: &App, token: String, by: &By) -> Result<StoredEnrolment, ApiError> {
    let token = Token::from_client(token);
    match app.rooms.store().enrolment_with(&token.hash(), by.seconds()).await? {
        Some(found) => Ok(found),
        None => Err(missed(app, by, ApiError::TokenRefused).await),
    }
}

/// A token that was given to somebody.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Given {
    token: String,
}

/// What a token is for.
#[derive(Serialize, ToSchema)]
pub(super) struct Offer {
    /// `set_up`, `invitation` or `recovery`.
    #[serde(rename = "for")]
    what: &'static str,
    /// The organisation that invites.
    organisation: Option<String>,
    organisation_chinese: Option<String>,
    /// Who is invited, or whose passkeys are lost.
    name: Option<String>,
    /// As what.
    kind: Option<String>,
}

/// What a token is for. It is not used up by this.
#[utoipa::path(
    post,
    path = "/v1/enrolments/look",
    request_body = Given,
    responses((status = 200, description = "What it is for", body = Offer), (status = "default", description = "Why not: `token_refused` for every reason", body = ErrorDocument))
)]
pub(super) async fn look(
    State(app): State<App>,
    Threshold(by): Threshold,
    Body(Given { token }): Body<Given>,
) -> Result<Json<Offer>, ApiError> {
    let enrolment = found(&app, token, &by).await?;
    let organisation = match enrolment.organisation {
        Some(id) => app.rooms.store().organisation(id).await?,
        None => None,
    };
    let (what, name, kind) = match enrolment.enrolment {
        Enrolment::SetUp => ("set_up", None, None),
        Enrolment::Invitation { card, kind, .. } => ("invitation", Some(card.name), Some(kind)),
        Enrolment::Recovery { person, .. } => ("recovery", name_of(&app, person).await?, None),
    };
    let (organisation, organisation_chinese) = organisation.map_or((None, None), |found| (Some(found.name), found.chinese_name));
    Ok(Json(Offer { what, organisation, organisation_chinese, name, kind }))
}

async fn name_of(app: &App, person: PersonId) -> Result<Option<String>, ApiError> {
    Ok(app.rooms.store().roles_of(person).await?.pop().map(|role| role.person.card.name))
}

/// Who comes in with a token.
#[derive(Deserialize, ToSchema)]
#[schema(as = EnrolmentEntry)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    pub(super) token: String,
    /// The name that notes are signed with, for the set-up; the invitation's when not said.
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    phone: Option<String>,
    #[serde(default)]
    email: Option<String>,
    /// What the organisation is called, for the set-up.
    #[serde(default)]
    organisation: Option<String>,
    #[serde(default)]
    organisation_chinese: Option<String>,
}

/// Asks for the passkey of who comes with a token.
#[utoipa::path(
    post,
    path = "/v1/enrolments/begin",
    request_body = Entry,
    responses((status = 200, description = "What the browser is to ask for", body = Asked), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn begin(
    State(app): State<App>,
    Threshold(by): Threshold,
    Body(entry): Body<Entry>,
) -> Result<Json<Asked>, ApiError> {
    let (sign_in, store) = (sign_in(&app)?, app.rooms.store());
    let enrolment = found(&app, entry.token.clone(), &by).await?;
    let (entrant, name) = entrant_of(&app, &enrolment, &entry).await?;
    let known = match &entrant {
        Entrant::Known { person } => store.passkeys_of(*person).await?,
        _ => Vec::new(),
    };
    let (options, state) = sign_in.ceremonies.register(person_of(&entrant), &name, &known)?;
    let ceremony = sign_in.begun.put(Begun::Enrolment(Box::new(Entering { state, enrolment, entrant })))?;
    Ok(Json(Asked::new(&ceremony, options)))
}

/// Who comes of an enrolment with what they entered, and their name.
pub(super) async fn entrant_of(app: &App, enrolment: &StoredEnrolment, entry: &Entry) -> Result<(Entrant, String), ApiError> {
    let card = |name: &str| {
        Ok::<_, ApiError>(Card {
            name: text("name", entry.name.as_deref().filter(|given| !given.trim().is_empty()).unwrap_or(name))?,
            phone: optional("phone", entry.phone.as_deref())?,
            email: optional("email", entry.email.as_deref())?,
        })
    };
    let new_person = || Ok::<_, ApiError>(PersonId::from_bytes(random()?));
    Ok(match &enrolment.enrolment {
        Enrolment::SetUp => {
            let organisation = StoredOrganisation {
                id: OrganisationId::from_bytes(random()?),
                name: text("organisation", entry.organisation.as_deref().unwrap_or_default())?,
                chinese_name: optional("organisation_chinese", entry.organisation_chinese.as_deref())?,
            };
            let person = StoredPerson { id: new_person()?, card: card("")? };
            let name = person.card.name.clone();
            (Entrant::Founder { organisation, person }, name)
        }
        Enrolment::Invitation { card: invited, .. } => {
            let given = card(&invited.name)?;
            let (phone, email) = (given.phone.or(invited.phone.clone()), given.email.or(invited.email.clone()));
            let person = StoredPerson { id: new_person()?, card: Card { phone, email, ..given } };
            let name = person.card.name.clone();
            (Entrant::New { person }, name)
        }
        Enrolment::Recovery { person, .. } => {
            let name = name_of(app, *person).await?.ok_or(ApiError::TokenRefused)?;
            (Entrant::Known { person: *person }, name)
        }
    })
}

fn random() -> Result<[u8; 16], ApiError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| ApiError::internal(&error))?;
    Ok(bytes)
}

fn person_of(entrant: &Entrant) -> PersonId {
    match entrant {
        Entrant::Founder { person, .. } | Entrant::New { person } => person.id,
        Entrant::Known { person } => *person,
    }
}

/// A browser's answer with a new passkey.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Registered {
    /// From the first step.
    pub(super) ceremony: String,
    /// What `navigator.credentials` gave, as JSON.
    #[schema(value_type = Object)]
    pub(super) answer: Value,
    /// What its owner calls it.
    pub(super) label: String,
}

/// Takes somebody in: person, role and passkey. The token is used up.
#[utoipa::path(
    post,
    path = "/v1/enrolments/finish",
    request_body = Registered,
    responses((status = 200, description = "Who it is, and the roles to come in with", body = Who), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn finish(
    State(app): State<App>,
    Threshold(by): Threshold,
    Body(Registered { ceremony, answer, label }): Body<Registered>,
) -> Result<Json<Who>, ApiError> {
    let sign_in = sign_in(&app)?;
    let label = text("label", &label)?;
    let Some(Begun::Enrolment(entering)) = sign_in.begun.take(&Token::from_client(ceremony)) else {
        return Err(missed(&app, &by, ApiError::PasskeyRefused).await);
    };
    let Entering { state, enrolment, entrant } = *entering;
    let passkey = match sign_in.ceremonies.registered(answer, &state, &label) {
        Ok(passkey) => passkey,
        Err(error) => return Err(refused(&app, &by, Refusal::NotSignedIn, error).await),
    };
    come_in(&app, (&enrolment, &entrant), &NewCredential::Passkey(passkey), &by, ApiError::TokenRefused).await
}

/// Takes somebody in with what they will come in with from now on. `used` is what is told where the token was used meanwhile, or the
/// credential is somebody's.
pub(super) async fn come_in(
    app: &App,
    (enrolment, entrant): (&StoredEnrolment, &Entrant),
    credential: &NewCredential,
    by: &By,
    used: ApiError,
) -> Result<Json<Who>, ApiError> {
    let store = app.rooms.store();
    let Some(person) = store.enrol(enrolment, entrant, Some(credential), by).await? else {
        return Err(refused(app, by, Refusal::AlreadyUsed, used).await);
    };
    if matches!(enrolment.enrolment, Enrolment::Recovery { .. }) {
        // What was opened with what is lost is over.
        app.gate.changed();
    }
    let credential = match credential {
        NewCredential::Passkey(passkey) => store.passkey_with(&passkey.credential).await?.map(|found| found.id),
        NewCredential::Subject(subject) => store.binding_with(subject).await?.map(|found| found.id),
    };
    who(app, Identity { person, credential: credential.ok_or(ApiError::TokenRefused)? }, by, ApiError::TokenRefused).await
}

/// Takes an invitation as who is signed in: one person, a role more.
#[utoipa::path(
    post,
    path = "/v1/enrolments/accept",
    request_body = Given,
    responses((status = 204, description = "The role is given; it is there at the next sign-in"), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(super) async fn accept(
    State(app): State<App>,
    caller: Caller,
    Body(Given { token }): Body<Given>,
) -> Result<StatusCode, ApiError> {
    let enrolment = found(&app, token, &caller.by).await?;
    let Actor::Staff { person, .. } = caller.by.actor else { return Err(ApiError::NotAllowed) };
    // A passkey that is good for one organisation opens no other.
    let may = matches!(enrolment.enrolment, Enrolment::Invitation { .. }) && caller.pass != Pass::Trial && caller.reach.is_none();
    if !may {
        return Err(refused(&app, &caller.by, Refusal::NotAllowed, ApiError::TokenRefused).await);
    }
    match app.rooms.store().enrol(&enrolment, &Entrant::Known { person }, None, &caller.by).await? {
        Some(_) => Ok(StatusCode::NO_CONTENT),
        None => Err(refused(&app, &caller.by, Refusal::AlreadyUsed, ApiError::TokenRefused).await),
    }
}
