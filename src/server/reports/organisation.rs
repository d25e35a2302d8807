//! The report of an organisation: for its privacy officer, and for an auditor from outside.

use std::collections::{BTreeMap, HashMap, HashSet};

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{Html, IntoResponse as _, Response};
use serde::{Deserialize, Serialize};

use super::super::App;
use super::super::asked::Asked;
use super::super::caller::{Caller, What};
use super::super::error::{ApiError, ErrorDocument};
use super::super::sharing::{organisation_name, works_here};
use super::super::witnesses::Said;
use super::{each_event, paper};
use crate::audit::report::{Report, Reporter, Scope};
use crate::audit::{Action, Checkpoint, Event, OrganisationId, PersonId, Pseudonym, Purpose, UnixMillis};
use crate::identity::{Date, Right};
use crate::interop::fhir::Instant;
use crate::store::{Reach, Store, StoredRole};
use crate::{fonts, letter};

/// Milliseconds of a day.
const DAY: u64 = 86_400_000;
/// Days of the period when none is said, and of the longest.
const USUAL: u64 = 30;
const LONGEST: u64 = 366;
/// A report runs no script and loads nothing.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Format {
    #[default]
    Json,
    Html,
    Pdf,
}

/// Over which period, and in which form.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::server) struct Form {
    from: Option<String>,
    to: Option<String>,
    #[serde(default)]
    format: Format,
}

/// The report, with the names of those in it.
#[derive(Serialize)]
pub(super) struct Document {
    /// When it was made.
    pub made_at: UnixMillis,
    /// Whose it is.
    pub whose: OrganisationId,
    /// The same, by name.
    pub organisation: String,
    /// The signed head of the log, in words and as it is written.
    pub checkpoint: Head,
    /// What each witness of the log said last.
    pub witnesses: Vec<Said>,
    /// What the log says.
    pub report: Report,
    /// The names of its people, and of those outside in whose access something is unusual.
    pub people: BTreeMap<PersonId, String>,
    /// The names of recipients, and of where those outside work.
    pub organisations: BTreeMap<OrganisationId, String>,
}

/// The signed head of the log.
#[derive(Serialize)]
pub(super) struct Head {
    /// Whose log it is.
    pub origin: String,
    /// How many entries it has.
    pub size: u64,
    /// The root of its tree.
    pub root: String,
    /// The signed note itself, as `audit verify --seen` reads it.
    pub note: String,
}

/// What the audit log says of the organisation in a period, mapped to the data protection principles of Cap. 486 and the GDPR.
#[utoipa::path(
    get,
    path = "/v1/reports/organisation",
    params(
        ("from" = Option<String>, Query, description = "The first day in Hong Kong, `YYYY-MM-DD`; 30 days before the last when not said"),
        ("to" = Option<String>, Query, description = "The last day, at most 366 days after the first; today when not said"),
        ("format" = Option<String>, Query, description = "`json`, `html` or `pdf`; `json` when not said")),
    responses((status = 200, description = "The report", content((Object = "application/json"), (String = "text/html"), (Vec<u8> = "application/pdf"))), (status = "default", description = "Why not", body = ErrorDocument))
)]
pub(in crate::server) async fn show(
    State(app): State<App>,
    caller: Caller,
    Asked(form): Asked<Form>,
) -> Result<Response, ApiError> {
    caller.may(&app, Right::Report, What::Organisation).await?;
    let period = period(&form, caller.by.at)?;
    let store = app.rooms.store();
    let event = Event { purpose: Some(Purpose::Operations), ..caller.by.did_in_general(Action::Report) };
    store.keep_event(&event).await?;
    let witnesses = app.witnesses.said();
    let document = document(store, caller.session.organisation, period, caller.by.at, witnesses).await?;
    let policy = (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    Ok(match form.format {
        Format::Json => Json(document).into_response(),
        Format::Html => ([policy], Html(letter::to_html(&[paper::of(&document)]))).into_response(),
        Format::Pdf => {
            let papers = vec![paper::of(&document)];
            let written = tokio::task::spawn_blocking(move || letter::to_pdf(&papers, &fonts::for_letters(&papers)?)).await;
            let written = written.map_err(|error| ApiError::internal(&error))??;
            let name = "inline; filename=\"report.pdf\"";
            ([(header::CONTENT_TYPE, "application/pdf"), (header::CONTENT_DISPOSITION, name)], written).into_response()
        }
    })
}

/// The first moment of the first day, and the first after the last day, in Hong Kong.
fn period(form: &Form, now: UnixMillis) -> Result<(UnixMillis, UnixMillis), ApiError> {
    let midnight = |day: &str, field: &str| -> Result<u64, ApiError> {
        let wrong = || ApiError::Invalid(format!("`{field}` is no day, `YYYY-MM-DD`"));
        let day = Date::parse(day).map_err(|_| wrong())?.reveal();
        let at = Instant::parse(&format!("{day}T00:00:00+08:00")).map_err(|_| wrong())?;
        u64::try_from(at.unix_seconds()).map(|seconds| seconds * 1000).map_err(|_| wrong())
    };
    // Midnight in Hong Kong is at 16:00 UTC.
    let tomorrow = (now.0 + DAY / 3) / DAY * DAY + DAY - DAY / 3;
    let to = form.to.as_deref().map(|day| midnight(day, "to").map(|at| at + DAY)).transpose()?.unwrap_or(tomorrow);
    let from = form.from.as_deref().map(|day| midnight(day, "from")).transpose()?;
    let from = from.unwrap_or_else(|| to.saturating_sub((USUAL + 1) * DAY));
    if from >= to || to - from > (LONGEST + 1) * DAY {
        return Err(ApiError::Invalid("`from` is not after `to`, and at most 366 days before it".to_owned()));
    }
    Ok((UnixMillis(from), UnixMillis(to)))
}

async fn document(
    store: &Store,
    whose: OrganisationId,
    (from, to): (UnixMillis, UnixMillis),
    made_at: UnixMillis,
    witnesses: Vec<Said>,
) -> Result<Document, ApiError> {
    let roles = store.roles_in(whose).await?;
    let (patients, staff) = patients(store, whose, &roles).await?;
    // What is in the log's files is what the head has signed.
    store.write_log().await?;
    let (head, note) = store.signed_head()?;
    let mut reporter = Reporter::new(Scope { organisation: whose, patients: &patients, staff: &staff }, from, to);
    each_event(store, head.size, |entry, event| reporter.take(entry, &event)).await?;
    let report = reporter.finish();
    let mut people: BTreeMap<_, _> = roles.into_iter().map(|role| (role.person.id, role.person.card.name)).collect();
    let outsiders = report.unusual.iter().filter(|finding| finding.organisation != whose);
    for finding in outsiders.clone() {
        people.extend(store.role(finding.role).await?.map(|role| (role.person.id, role.person.card.name)));
    }
    let mut organisations = BTreeMap::new();
    for other in
        report.recipients.iter().map(|recipient| recipient.organisation).chain(outsiders.map(|finding| finding.organisation))
    {
        organisations.insert(other, organisation_name(store, other).await?);
    }
    let Checkpoint { origin, size, root } = head;
    let checkpoint = Head { origin, size, root: root.to_string(), note };
    let organisation = organisation_name(store, whose).await?;
    Ok(Document { made_at, whose, organisation, checkpoint, witnesses, report, people, organisations })
}

/// The organisation's patients as the log calls them, and those of them who work there.
async fn patients(
    store: &Store,
    organisation: OrganisationId,
    roles: &[StoredRole],
) -> Result<(HashSet<Pseudonym>, HashMap<Pseudonym, PersonId>), ApiError> {
    let (mut patients, mut staff) = (HashSet::new(), HashMap::new());
    for stored in store.patients(Reach { organisation, role: None }, u32::MAX).await? {
        let pseudonym = store.pseudonym(&stored.id)?;
        patients.insert(pseudonym);
        // One that is damaged, or was just erased, keeps nobody from the report.
        let contact = store.contact(&stored.id).await.inspect_err(|error| tracing::error!(%error)).ok().flatten();
        let same = roles.iter().find(|role| works_here(&stored.patient, contact.as_ref(), &role.person.card));
        staff.extend(same.map(|role| (pseudonym, role.person.id)));
    }
    Ok((patients, staff))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(from: Option<&str>, to: Option<&str>) -> Form {
        Form { from: from.map(str::to_owned), to: to.map(str::to_owned), format: Format::Json }
    }

    #[test]
    fn a_period_is_of_whole_days_in_hong_kong() {
        let at = |text: &str| UnixMillis(u64::try_from(Instant::parse(text).unwrap().unix_seconds()).unwrap() * 1000);
        // Half past midnight of the 26th in Hong Kong.
        let now = at("2026-11-25T16:30:00Z");
        assert_eq!(
            period(&form(Some("2026-11-01"), Some("2026-11-25")), now).unwrap(),
            (at("2026-11-01T00:00:00+08:00"), at("2026-11-26T00:00:00+08:00"))
        );
        assert_eq!(period(&form(None, None), now).unwrap(), (at("2026-10-27T00:00:00+08:00"), at("2026-11-27T00:00:00+08:00")));
        for (from, to) in [
            ("2026-11-02", "2026-11-01"),
            ("2025-01-01", "2026-11-01"),
            ("yesterday", "2026-11-01"),
            ("2026-02-30", "2026-11-01"),
        ] {
            assert!(matches!(period(&form(Some(from), Some(to)), now), Err(ApiError::Invalid(_))), "{from}");
        }
    }
}
