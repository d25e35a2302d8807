//! Recoveries that were used: who let whom in again, and when. The person is told of each.

use sqlx::FromRow;

use super::act::Act;
use super::{Place, Store, StoreError, StoredEnrolment};
use crate::audit::{Actor, OrganisationId, PersonId, RoleId};
use crate::identity::RoleKind;

/// A recovery that was used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRecovery {
    /// The organisation whose administrator offered it; nothing where the console did.
    pub organisation: Option<OrganisationId>,
    /// The administrator.
    pub offered_by: Option<PersonId>,
    /// When it was used, in seconds since 1970.
    pub used_at: i64,
}

#[derive(FromRow)]
struct Row {
    id: String,
    organisation: Option<String>,
    offered_by: Option<String>,
    used_at: i64,
}

impl Row {
    fn read(self) -> Result<StoredRecovery, StoreError> {
        let damaged = |_| Place::row("recoveries", "", self.id.clone()).damaged();
        let organisation = self.organisation.map(OrganisationId::try_from).transpose().map_err(damaged)?;
        let offered_by = self.offered_by.map(PersonId::try_from).transpose().map_err(damaged)?;
        Ok(StoredRecovery { organisation, offered_by, used_at: self.used_at })
    }
}

impl Act {
    /// Keeps that a recovery was used.
    pub(super) async fn enter_recovery(
        &mut self,
        enrolment: &StoredEnrolment,
        (person, offered_by): (PersonId, Option<PersonId>),
        at: i64,
    ) -> Result<(), StoreError> {
        let insert = "INSERT INTO recoveries (id, person, organisation, offered_by, used_at) VALUES ($1, $2, $3, $4, $5)";
        let insert = sqlx::query(insert).bind(&enrolment.id).bind(person.to_string());
        let insert = insert.bind(enrolment.organisation.map(|of| of.to_string())).bind(offered_by.map(|by| by.to_string()));
        self.execute(insert.bind(at)).await.map(drop)
    }

    /// In which role a person who is let in again acts: one that is held, in the organisation that let them in. So it is in that house's
    /// reports.
    pub(super) async fn recovered_role(
        &mut self,
        person: PersonId,
        of: Option<OrganisationId>,
        at: i64,
    ) -> Result<Option<Actor>, StoreError> {
        let query = "SELECT id, organisation FROM roles WHERE person = $1 AND ($2 = '' OR organisation = $2) AND starts_at <= $3 \
            AND (ends_at IS NULL OR ends_at > $3) ORDER BY CASE WHEN kind = $4 THEN 0 ELSE 1 END, starts_at, id LIMIT 1";
        let query = sqlx::query_as(query).bind(person.to_string()).bind(of.map(|of| of.to_string()).unwrap_or_default());
        let row = self.one::<(String, String)>(query.bind(at).bind(RoleKind::Administrator.as_str())).await?;
        let damaged = || Place::row("roles", "", person.to_string()).damaged();
        row.map(|(role, organisation)| {
            let role = RoleId::try_from(role).map_err(|_| damaged())?;
            let organisation = OrganisationId::try_from(organisation).map_err(|_| damaged())?;
            Ok(Actor::Staff { person, role, organisation })
        })
        .transpose()
    }
}

impl Store {
    /// The recoveries of a person that were used since a time, in seconds since 1970, the newest first.
    ///
    /// # Errors
    /// [`StoreError::Damaged`], and when they cannot be read.
    pub async fn recoveries_of(&self, person: PersonId, since: i64) -> Result<Vec<StoredRecovery>, StoreError> {
        let query = "SELECT id, organisation, offered_by, used_at FROM recoveries WHERE person = $1 AND used_at >= $2 \
            ORDER BY used_at DESC, id";
        let rows = self.reader().all::<Row>(sqlx::query_as(query).bind(person.to_string()).bind(since)).await;
        rows.map_err(StoreError::database("read recoveries"))?.into_iter().map(Row::read).collect()
    }
}
