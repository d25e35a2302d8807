//! What the lines of a report are about: the day of the visit, and what was agreed to be shared. No word of a note.

use std::collections::{HashMap, HashSet};

use serde::Serialize;
use utoipa::ToSchema;

use super::super::words;
use crate::audit::{Action, Actor, ConsentId, Event, Outcome, RecordId};
use crate::server::error::ApiError;
use crate::server::retention::day;
use crate::store::{By, Store, StoreError, record_id};

/// The visit or recording that a line is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ReportAbout)]
pub(in crate::server::sharing) struct About {
    /// `kept`, `restricted` or `erased`.
    state: &'static str,
    /// The visit's day in Hong Kong; null where it was erased, and of what is restricted where the report is not on the patient's own page.
    day: Option<String>,
    chinese: String,
    english: String,
}

/// A domain of data, in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ReportDomain)]
pub(in crate::server::sharing) struct Agreed {
    chinese: &'static str,
    english: &'static str,
}

impl About {
    fn kept(day: String) -> Self {
        let (chinese, english) = (format!("{day} 的診症"), format!("visit of {day}"));
        Self { state: "kept", day: Some(day), chinese, english }
    }

    fn restricted(day: Option<String>) -> Self {
        let (chinese, english) = match &day {
            Some(day) => (format!("{day} 的診症（受限制資料）"), format!("visit of {day} (restricted data)")),
            None => ("受限制資料（日期不列出）".to_owned(), "restricted data (day not shown)".to_owned()),
        };
        Self { state: "restricted", day, chinese, english }
    }

    fn erased() -> Self {
        let (chinese, english) = ("其後已刪除的記錄".to_owned(), "a record that was erased since".to_owned());
        Self { state: "erased", day: None, chinese, english }
    }
}

/// What a line is about, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Subject {
    pub(super) about: Option<About>,
    pub(super) agreed: Vec<Agreed>,
}

/// In Chinese and in English, what there is to say beside who did what.
pub(super) fn told(about: Option<&About>, agreed: &[Agreed]) -> Vec<(String, String)> {
    let mut told: Vec<_> = about.map(|about| (about.chinese.clone(), about.english.clone())).into_iter().collect();
    if !agreed.is_empty() {
        let chinese: Vec<_> = agreed.iter().map(|domain| domain.chinese).collect();
        let english: Vec<_> = agreed.iter().map(|domain| domain.english).collect();
        told.push((format!("資料範圍：{}", chinese.join("、")), format!("data covered: {}", english.join("; "))));
    }
    told
}

/// The patient's visits and recordings as they are now, and what was erased of them.
pub(super) struct Subjects {
    kept: HashMap<RecordId, About>,
    erased: HashSet<RecordId>,
    agreed: HashMap<ConsentId, Vec<Agreed>>,
}

impl Subjects {
    /// Of a patient and of those who are the same person, for who asks; `events` are theirs.
    pub(super) async fn of<'e>(
        store: &Store,
        patient: &str,
        by: &By,
        events: impl Iterator<Item = &'e Event>,
    ) -> Result<Self, ApiError> {
        let own = matches!(by.actor, Actor::Patient | Actor::SubstituteDecisionMaker);
        let mut kept = HashMap::new();
        for visit in store.encounters_of(patient).await? {
            let day = day(visit.at);
            let restricted = About::restricted(own.then(|| day.clone()));
            // The day of a visit would tell that of its restricted note.
            let mut of_visit = About::kept(day.clone());
            for recording in store.recordings_of(&visit.id).await? {
                let about = if store.is_restricted(&recording).await? { restricted.clone() } else { About::kept(day.clone()) };
                if about.state == restricted.state {
                    of_visit = restricted.clone();
                }
                kept.insert(record_id(&recording), about);
            }
            kept.insert(record_id(&visit.id), of_visit);
        }
        let (mut erased, mut agreed) = (HashSet::new(), HashMap::new());
        for event in events {
            if event.outcome == Outcome::Done && event.action == Action::Erase {
                erased.extend(event.record);
            }
            if let Some(consent) = event.consent
                && !agreed.contains_key(&consent)
            {
                agreed.insert(consent, domains(store, consent).await?);
            }
        }
        Ok(Self { kept, erased, agreed })
    }

    /// What an event is about.
    pub(super) fn about(&self, event: &Event) -> Subject {
        let about = event.record.and_then(|record| match self.kept.get(&record) {
            // What was put back from an older backup is erased again.
            _ if self.erased.contains(&record) => Some(About::erased()),
            found => found.cloned(),
        });
        let agreed = event.consent.and_then(|consent| self.agreed.get(&consent).cloned()).unwrap_or_default();
        Subject { about, agreed }
    }
}

/// What a consent covers. One that cannot be opened keeps nobody from the report.
async fn domains(store: &Store, id: ConsentId) -> Result<Vec<Agreed>, ApiError> {
    let stored = match store.consent(id).await {
        Ok(stored) => stored,
        Err(error @ StoreError::Damaged { .. }) => {
            tracing::error!(%error, "a report does not say what a consent covers");
            None
        }
        Err(error) => return Err(error.into()),
    };
    let domains = stored.iter().flat_map(|stored| &stored.consent.scope().domains);
    let named = domains.map(|domain| words::domain(*domain));
    Ok(named.map(|(english, chinese)| Agreed { chinese, english }).collect())
}
