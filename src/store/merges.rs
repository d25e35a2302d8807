//! Which patients of an organisation are one person, as its registry said: a link between them, and nothing moved or sealed anew.
//!
//! While patients are merged, all of them stand under the one who was entered first: who treats one treats all, and visits, notes,
//! consents and holds of each are found under any. Every row stays its own patient's, sealed with that patient's key, so that a merge
//! taken back leaves each as if it had never been.

use std::collections::{BTreeSet, HashMap, HashSet};

use sqlx::FromRow;

use super::act::Act;
use super::patients::new_id;
use super::{By, DeskError, Reach, Store, StoreError, StoredPatient};
use crate::audit::{Action, ConsentId, OrganisationId, RecordId};
use crate::identity::{Merge, Merges, Proposal, propose};

/// Patients who share one thing that they are found by, beyond whom it tells nothing: a telephone of a home, a day that stands for none.
const MOST_ALIKE: usize = 300;

/// The ids of the patients who are the same person as $1.
pub(super) const OF_PERSON: &str = "SELECT same.id FROM patients JOIN patients AS same \
    ON coalesce(same.stands_under, same.id) = coalesce(patients.stands_under, patients.id) WHERE patients.id = $1";

/// What was said of two patients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredMerge {
    /// Random.
    pub id: String,
    /// One of them.
    pub one: String,
    /// The other.
    pub other: String,
    /// Whether they are one person; else they are two who look alike.
    pub same: bool,
    /// When it was said, in seconds since 1970.
    pub made_at: i64,
}

/// Two patients who may be one, and why.
#[derive(Debug)]
pub struct Likeness {
    /// The one who was entered later.
    pub one: StoredPatient,
    /// The other.
    pub other: StoredPatient,
    /// How sure, and what agrees.
    pub proposal: Proposal,
}

#[derive(FromRow)]
struct Row {
    id: String,
    one: String,
    other: String,
    same: i64,
    made_at: i64,
}

impl From<Row> for StoredMerge {
    fn from(Row { id, one, other, same, made_at }: Row) -> Self {
        Self { id, one, other, same: same == 1, made_at }
    }
}

const SELECT: &str = "SELECT id, one, other, same, made_at FROM patient_merges";

impl Store {
    /// What the registry of an organisation said of its patients, the newest first.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn merges(&self, of: OrganisationId) -> Result<Vec<StoredMerge>, StoreError> {
        let query = format!("{SELECT} WHERE organisation = $1 ORDER BY made_at DESC, id");
        let rows = self.reader().all::<Row>(sqlx::query_as(&query).bind(of.to_string())).await;
        Ok(rows.map_err(StoreError::database("list the merges"))?.into_iter().map(StoredMerge::from).collect())
    }

    /// The patients who are the same person as this one, this one among them; none where there is no such patient.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn same_person(&self, patient: &str) -> Result<Vec<String>, StoreError> {
        let rows = self.reader().all::<(String,)>(sqlx::query_as(OF_PERSON).bind(patient)).await;
        Ok(rows.map_err(StoreError::database("read who is one person"))?.into_iter().map(|(id,)| id).collect())
    }

    /// Whether a recording belongs to a visit of this patient, or of one who is the same person now.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn stands_with(&self, recording: &str, patient: &str) -> Result<bool, StoreError> {
        let query = format!(
            "SELECT count(*) FROM encounter_recordings JOIN encounters ON encounters.id = encounter_recordings.encounter \
            WHERE encounter_recordings.recording = $2 AND encounters.patient IN ({OF_PERSON})"
        );
        let query = sqlx::query_as(&query).bind(patient).bind(recording);
        let row = self.reader().one::<(i64,)>(query).await.map_err(StoreError::database("read whose a recording is"))?;
        Ok(row.is_some_and(|(count,)| count > 0))
    }

    /// Says of two patients of the organisation of who says it that they are one person, or that they are two.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] where one of them is not there or is another organisation's, [`DeskError::Conflict`] where they are one
    /// person already, or one and the same patient, and when it cannot be written.
    pub async fn merge(&self, (one, other): (&str, &str), same: bool, by: &By) -> Result<StoredMerge, DeskError> {
        let (one, other) = if one < other { (one, other) } else { (other, one) };
        let (id, of) = (new_id()?, by.organisation());
        let (first, second) = (self.pseudonym(one)?, self.pseudonym(other)?);
        let mut act = self.begin("merge patients").await?;
        act.hold_registry(of).await?;
        // Takes hold of both too: neither is erased meanwhile.
        let hold = "UPDATE patients SET version = version WHERE organisation = $1 AND id IN ($2, $3)";
        let held = act.execute(sqlx::query(hold).bind(of.to_string()).bind(one).bind(other)).await?;
        let joined = act.merges(of).await?;
        if one == other || joined.same_person(record(one)?).contains(&record(other)?) {
            act.abandon().await?;
            return Err(DeskError::Conflict);
        }
        if held != 2 {
            act.abandon().await?;
            return Err(StoreError::Unknown { what: "patient", id: other.to_owned() }.into());
        }
        let insert = "INSERT INTO patient_merges (id, organisation, one, other, same, made_at) VALUES ($1, $2, $3, $4, $5, $6) \
            ON CONFLICT (one, other) DO UPDATE SET id = excluded.id, same = excluded.same, made_at = excluded.made_at";
        let insert = sqlx::query(insert).bind(&id).bind(of.to_string()).bind(one).bind(other);
        act.execute(insert.bind(i64::from(same)).bind(by.seconds())).await?;
        act.settle(of, [one, other]).await?;
        let action = if same { Action::PatientMerge } else { Action::Register };
        act.enter(&by.did_for(action, first)).await?;
        act.commit(&by.did_for(action, second)).await?;
        Ok(StoredMerge { id, one: one.to_owned(), other: other.to_owned(), same, made_at: by.seconds() })
    }

    /// Takes back what was said of two patients of this organisation; false where there is no such thing. Views that are open of what one
    /// of them shares are told.
    ///
    /// # Errors
    /// [`StoreError::OnHold`] where either was put on hold since, and when it cannot be written.
    pub async fn unmerge(&self, id: &str, by: &By) -> Result<bool, StoreError> {
        let of = by.organisation();
        let mut act = self.begin("take a merge back").await?;
        act.hold_registry(of).await?;
        let query = format!("{SELECT} WHERE id = $1 AND organisation = $2");
        let Some(found) = act.one::<Row>(sqlx::query_as(&query).bind(id).bind(of.to_string())).await? else {
            return act.abandon().await.map(|()| false);
        };
        let StoredMerge { one, other, same, made_at, .. } = found.into();
        let were = act.merges(of).await?.same_person(record(&one)?);
        // A hold that was placed on one of them since covers the other too, as long as they are one.
        if same && act.patient_held_since(&one, made_at).await? {
            act.abandon().await?;
            return Err(StoreError::OnHold);
        }
        act.execute(sqlx::query("DELETE FROM patient_merges WHERE id = $1").bind(id)).await?;
        let were: Vec<String> = were.iter().map(ToString::to_string).chain([other.clone()]).collect();
        act.settle(of, were.iter().map(String::as_str)).await?;
        let action = if same { Action::PatientUnmerge } else { Action::Register };
        act.enter(&by.did_for(action, self.pseudonym(&one)?)).await?;
        act.commit(&by.did_for(action, self.pseudonym(&other)?)).await?;
        for patient in were {
            // It is done: who is not told finds out at the next page.
            if let Err(error) = self.tell_consents_of(&patient).await {
                tracing::error!(%error, "open views were not told that a merge was taken back");
            }
        }
        Ok(true)
    }

    async fn tell_consents_of(&self, patient: &str) -> Result<(), StoreError> {
        let query = sqlx::query_as("SELECT id FROM consents WHERE patient = $1 AND live = 1").bind(patient);
        let rows = self.reader().all::<(String,)>(query).await.map_err(StoreError::database("list consents in force"))?;
        rows.into_iter().filter_map(|(id,)| ConsentId::try_from(id).ok()).for_each(|id| self.consent_changed(id));
        Ok(())
    }

    /// Pairs within a reach who may be one person, the likeliest first, at most so many. What was said of a pair is not asked again.
    /// `only` leaves those in which this patient is not. Every patient within the reach is unsealed, some microseconds each.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn likenesses(&self, reach: Reach, only: Option<&str>, most: usize) -> Result<Vec<Likeness>, StoreError> {
        let patients = self.patients(reach, u32::MAX).await?;
        let said = self.merges(reach.organisation).await?;
        let apart: HashSet<(&str, &str)> = said.iter().map(|merge| (merge.one.as_str(), merge.other.as_str())).collect();
        let key = self.index_key()?;
        // Who was just entered has none yet.
        let mut phones = if only.is_some() { HashMap::new() } else { self.phones(reach.organisation).await? };
        let mut persons = Vec::with_capacity(patients.len());
        for stored in &patients {
            let mut person = stored.patient.person();
            person.phone = phones.remove(&stored.id);
            persons.push(person);
        }
        let mut alike: HashMap<_, Vec<usize>> = HashMap::new();
        for (at, person) in persons.iter().enumerate() {
            for hash in person.keys(&key).map_err(|_| StoreError::Seal(crate::spool::SpoolError::Seal))? {
                alike.entry(hash).or_default().push(at);
            }
        }
        let mut pairs = BTreeSet::new();
        for group in alike.into_values().filter(|group| group.len() <= MOST_ALIKE) {
            for (nth, one) in group.iter().enumerate() {
                pairs.extend(group.iter().skip(nth + 1).map(|other| (*one, *other)));
            }
        }
        let mut found = Vec::new();
        for (at, with) in pairs {
            let (Some(one), Some(other)) = (patients.get(at), patients.get(with)) else { continue };
            let (Some(first), Some(second)) = (persons.get(at), persons.get(with)) else { continue };
            let ids = if one.id < other.id { (one.id.as_str(), other.id.as_str()) } else { (other.id.as_str(), one.id.as_str()) };
            let is_asked = only.is_none_or(|only| one.id == only || other.id == only);
            if !is_asked || apart.contains(&ids) || one.leading() == other.leading() {
                continue;
            }
            found.extend(propose(first, second).map(|proposal| Likeness { one: one.clone(), other: other.clone(), proposal }));
        }
        found.sort_by(|one, other| other.proposal.weight.total_cmp(&one.proposal.weight));
        found.truncate(most);
        Ok(found)
    }
}

/// A patient's id as the merges have it.
fn record(id: &str) -> Result<RecordId, StoreError> {
    RecordId::try_from(id.to_owned()).map_err(|_| StoreError::Unknown { what: "patient", id: id.to_owned() })
}

impl Act {
    /// Takes hold of an organisation's registry: of two merges at once the second sees the first.
    async fn hold_registry(&mut self, of: OrganisationId) -> Result<(), StoreError> {
        let hold = sqlx::query("UPDATE organisations SET name = name WHERE id = $1").bind(of.to_string());
        self.execute(hold).await.map(drop)
    }

    /// The merges of an organisation.
    async fn merges(&mut self, of: OrganisationId) -> Result<Merges, StoreError> {
        let mut merges = Merges::default();
        let mut after = String::new();
        let query = format!("{SELECT} WHERE organisation = $1 AND same = 1 AND id > $2 ORDER BY id LIMIT 1");
        while let Some(row) = self.one::<Row>(sqlx::query_as(&query).bind(of.to_string()).bind(&after)).await? {
            // Two ways that lead to the same are one too much, which changes nothing.
            let _ = merges.merge(Merge { one: record(&row.one)?, other: record(&row.other)? });
            after = row.id;
        }
        Ok(merges)
    }

    /// Lets each of these patients stand under the one of the same person who was entered first.
    pub(super) async fn settle<'a>(
        &mut self,
        of: OrganisationId,
        patients: impl IntoIterator<Item = &'a str>,
    ) -> Result<(), StoreError> {
        let merges = self.merges(of).await?;
        let mut settled = BTreeSet::new();
        for patient in patients {
            let same = merges.same_person(record(patient)?);
            if !settled.insert(same.clone()) {
                continue;
            }
            let mut members = Vec::new();
            for id in same.iter().map(ToString::to_string) {
                let query = sqlx::query_as("SELECT created_at FROM patients WHERE id = $1").bind(&id);
                members.extend(self.one::<(i64,)>(query).await?.map(|(created_at,)| (created_at, id)));
            }
            members.sort_unstable();
            let mut members = members.into_iter().map(|(_, id)| id);
            let Some(leader) = members.next() else { continue };
            let lead = sqlx::query("UPDATE patients SET stands_under = NULL WHERE id = $1 AND stands_under IS NOT NULL");
            self.execute(lead.bind(&leader)).await?;
            for id in members {
                self.execute(sqlx::query("UPDATE patients SET stands_under = $1 WHERE id = $2").bind(&leader).bind(id)).await?;
            }
        }
        Ok(())
    }
}
