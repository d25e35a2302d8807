//! Access that somebody should look at, by simple rules that are stated with what they find. A rule accuses nobody: a doctor on call reads at
//! night, and a registrar finds many patients.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use serde::Serialize;

use super::Entries;
use crate::audit::{Action, Actor, Event, OrganisationId, Outcome, PersonId, Pseudonym, RecordId, Refusal, RoleId, UnixMillis};

/// Milliseconds of an hour and of a day.
const HOUR: u64 = 3_600_000;
const DAY: u64 = 24 * HOUR;
/// Hong Kong is so far before UTC, all the year.
const HONG_KONG: u64 = 8 * HOUR;
/// More patients than this in an hour are many.
const PATIENTS: usize = 30;
/// So many refusals in an hour are many.
const REFUSALS: usize = 10;
/// More copies than this in an hour are many.
const COPIES: usize = 10;
/// More erasures than this in an hour are many.
const ERASURES: usize = 5;
/// Night ends at this hour; it begins at midnight.
const NIGHT: u64 = 6;
/// So many nights in a row are unusual.
const NIGHTS: u64 = 3;

/// A rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Many patients.
    BulkRead,
    /// A patient who works here.
    ColleaguesChart,
    /// Night after night.
    NightsInARow,
    /// Many refusals.
    ManyRefusals,
    /// Many copies.
    ManyCopies,
    /// Many erasures.
    ManyErasures,
    /// Without consent.
    Emergency,
    /// A way in after lost passkeys.
    Recovery,
}

impl Rule {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::BulkRead,
        Self::ColleaguesChart,
        Self::NightsInARow,
        Self::ManyRefusals,
        Self::ManyCopies,
        Self::ManyErasures,
        Self::Emergency,
        Self::Recovery,
    ];

    /// What it looks for, in English and Chinese: who answers for an organisation in Hong Kong reads either.
    #[must_use]
    pub fn stated(self) -> [&'static str; 2] {
        match self {
            Self::BulkRead => [
                "one role read records of, or was listed, more than 30 patients within an hour",
                "同一職務在一小時內查看或列出超過30名病人的記錄",
            ],
            Self::ColleaguesChart => {
                ["somebody read the record of a patient who works in the same organisation", "有人查看在同一機構工作的病人的記錄"]
            }
            Self::NightsInARow => [
                "one role read records between midnight and 6 in the morning on three nights in a row or more",
                "同一職務連續三晚或以上在午夜至清晨6時之間查看記錄",
            ],
            Self::ManyRefusals => [
                "one role was refused 10 times or more within an hour, mistyped forms not counted",
                "同一職務在一小時內被拒絕10次或以上（表格打錯不計）",
            ],
            Self::ManyCopies => [
                "one role printed, took out or passed on more than 10 copies within an hour",
                "同一職務在一小時內列印、下載或轉交超過10份",
            ],
            Self::ManyErasures => [
                "one role erased more than 5 patients, visits and recordings within an hour, each counted",
                "同一職務在一小時內刪除超過5項（病人、診症及錄音逐項計算）",
            ],
            Self::Emergency => ["a record was opened without consent in an emergency", "在緊急情況下未經同意開啟記錄"],
            Self::Recovery => [
                "somebody else let an account register a new passkey; it is listed with what the account did here in the 24 hours after",
                "由他人准許帳戶重新登記通行密鑰；並列出該帳戶其後24小時在本機構的操作",
            ],
        }
    }
}

/// What a rule found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Which rule.
    pub rule: Rule,
    /// Who.
    pub person: PersonId,
    /// In which role.
    pub role: RoleId,
    /// Where they work: another organisation, where somebody outside got at this one's patients.
    pub organisation: OrganisationId,
    /// From when.
    pub from: UnixMillis,
    /// Until when.
    pub to: UnixMillis,
    /// Whom it concerns, where it is one patient.
    pub patient: Option<Pseudonym>,
    /// Who let them in again, of a recovery; nobody where the machine's console did.
    pub offered_by: Option<PersonId>,
    /// Of how many: patients, nights, refusals, copies, erasures, or acts after a recovery, by the rule.
    pub count: u64,
    /// Its entries of the log.
    pub entries: Entries,
}

/// Something that counts for a rule within an hour.
struct Step {
    entry: u64,
    at: UnixMillis,
    patient: Option<Pseudonym>,
    /// How many a search found.
    found: usize,
}

/// What one role did within the last hour, and what was found of it.
#[derive(Default)]
struct Window {
    steps: VecDeque<Step>,
    open: Option<Finding>,
}

impl Window {
    /// Takes a step; `many` says of the steps of an hour how many count, and whether that is too many.
    fn take(
        &mut self,
        step: Step,
        finding: impl Fn(&Step) -> Finding,
        many: impl Fn(&VecDeque<Step>) -> (usize, bool),
    ) -> Option<Finding> {
        let at = step.at;
        while self.steps.front().is_some_and(|first| first.at.after(HOUR) <= at) {
            self.steps.pop_front();
        }
        // An hour without a step: what was found is over.
        let ended = if self.steps.is_empty() { self.open.take() } else { None };
        self.steps.push_back(step);
        let (count, too_many) = many(&self.steps);
        if too_many {
            let mut entries = Entries::default();
            for step in &self.steps {
                entries.add(step.entry);
            }
            if let Some(open) = &mut self.open {
                open.entries.merge(&entries);
                (open.to, open.count) = (at, open.count.max(count as u64));
            } else if let Some(first) = self.steps.front() {
                self.open = Some(Finding { to: at, count: count as u64, entries, ..finding(first) });
            }
        }
        ended
    }
}

/// Says that so many are too many.
fn count(limit: usize) -> impl Fn(&VecDeque<Step>) -> (usize, bool) {
    move |steps| (steps.len(), steps.len() >= limit)
}

/// Whether somebody looked at a record. What names nobody is a list of colleagues, or figures.
fn is_look(event: &Event) -> bool {
    let of_somebody = event.patient.is_some() || event.record.is_some();
    of_somebody && event.outcome == Outcome::Done && matches!(event.action, Action::View { .. } | Action::Share)
}

/// By the day in Hong Kong: from when to when somebody looked at records in its night, and where the log says so.
type Nights = BTreeMap<u64, (UnixMillis, UnixMillis, Entries)>;

/// Who did something, in which role, and where they work.
type Who = (PersonId, RoleId, OrganisationId);

/// Something of one entry, so far found once.
fn once(rule: Rule, (person, role, organisation): Who, at: UnixMillis) -> Finding {
    let (patient, offered_by, entries) = (None, None, Entries::default());
    Finding { rule, person, role, organisation, from: at, to: at, patient, offered_by, count: 1, entries }
}

/// Looks at a log as it goes by.
pub(super) struct Watch<'a> {
    /// Patients who work here, and who they are.
    staff: &'a HashMap<Pseudonym, PersonId>,
    windows: BTreeMap<(Rule, RoleId), Window>,
    nights: HashMap<Who, Nights>,
    charts: HashMap<(RoleId, Pseudonym), Finding>,
    /// Recoveries that were offered, by their id in the log.
    offers: HashMap<RecordId, u64>,
    recoveries: Vec<Finding>,
    found: Vec<Finding>,
}

impl<'a> Watch<'a> {
    pub(super) fn new(staff: &'a HashMap<Pseudonym, PersonId>) -> Self {
        let (windows, nights, charts) = (BTreeMap::new(), HashMap::new(), HashMap::new());
        Self { staff, windows, nights, charts, offers: HashMap::new(), recoveries: Vec::new(), found: Vec::new() }
    }

    /// Takes what somebody of the organisation did.
    pub(super) fn take(&mut self, entry: u64, event: &Event) {
        let Actor::Staff { person, role, organisation } = event.actor else { return };
        let who = (person, role, organisation);
        self.recovered(entry, event, who);
        let found = if let Action::Search { count } = event.action { count as usize } else { 0 };
        self.counted(entry, event, (who, found));
        if is_look(event) {
            self.at_night(entry, event, who);
            self.at_a_colleagues(entry, event, who);
        }
        if event.outcome == Outcome::Done && event.action == Action::Erase {
            self.window(
                (Rule::ManyErasures, who),
                Step { entry, at: event.at, patient: event.patient, found: 0 },
                &count(ERASURES + 1),
            );
        }
    }

    /// Takes what somebody outside did about a patient of the organisation. What else their house does is not its affair, so that nothing is
    /// counted here but what names its patients.
    pub(super) fn take_outsider(&mut self, entry: u64, event: &Event) {
        let Actor::Staff { person, role, organisation } = event.actor else { return };
        let who = (person, role, organisation);
        self.counted(entry, event, (who, 0));
        if is_look(event) {
            self.at_night(entry, event, who);
        }
    }

    fn window(&mut self, (rule, who): (Rule, Who), step: Step, many: &dyn Fn(&VecDeque<Step>) -> (usize, bool)) {
        let window = self.windows.entry((rule, who.1)).or_default();
        self.found.extend(window.take(step, |first| once(rule, who, first.at), many));
    }

    /// What counts whoever did it; `found` are those whom a search found.
    fn counted(&mut self, entry: u64, event: &Event, (who, found): (Who, usize)) {
        let (at, patient) = (event.at, event.patient);
        let step = Step { entry, at, patient, found };
        match (event.outcome, event.action) {
            // Mistyped forms are everyday.
            (Outcome::Refused { reason: Refusal::Malformed }, _) => {}
            (Outcome::Refused { .. }, _) => self.window((Rule::ManyRefusals, who), step, &count(REFUSALS)),
            (Outcome::Done, Action::View { .. } | Action::Share | Action::Search { .. } | Action::Listed) => {
                // A list whose patients are entries too is not counted twice.
                self.window((Rule::BulkRead, who), step, &|steps| {
                    let patients: HashSet<_> = steps.iter().filter_map(|step| step.patient).collect();
                    let found = steps.iter().map(|step| step.found).max().unwrap_or_default();
                    let count = patients.len().max(found);
                    (count, count > PATIENTS)
                });
            }
            (Outcome::Done, Action::Print | Action::Forward | Action::Export { .. }) => {
                self.window((Rule::ManyCopies, who), step, &count(COPIES + 1));
            }
            (Outcome::Done, Action::BreakGlass { .. }) => {
                let mut found = Finding { patient, ..once(Rule::Emergency, who, at) };
                found.entries.add(entry);
                self.found.push(found);
            }
            _ => {}
        }
    }

    /// What an account does for a day after somebody let it in again; the offer and its use first.
    fn recovered(&mut self, entry: u64, event: &Event, who: Who) {
        let at = event.at;
        for open in self.recoveries.iter_mut().filter(|open| open.person == who.0 && at < open.from.after(DAY)) {
            (open.to, open.count) = (at, open.count + 1);
            open.entries.add(entry);
        }
        match (event.outcome, event.action) {
            (Outcome::Done, Action::RecoveryOffer { .. }) => self.offers.extend(event.record.map(|record| (record, entry))),
            (Outcome::Done, Action::RecoveryUse { person, offered_by }) => {
                let mut entries = Entries::default();
                for entry in event.record.and_then(|record| self.offers.get(&record).copied()).into_iter().chain([entry]) {
                    entries.add(entry);
                }
                let (_, role, organisation) = who;
                let found = once(Rule::Recovery, (person, role, organisation), at);
                self.recoveries.push(Finding { offered_by, count: 0, entries, ..found });
            }
            _ => {}
        }
    }

    /// A look at a record, for the rule about the hour.
    fn at_night(&mut self, entry: u64, event: &Event, who: Who) {
        let local = event.at.after(HONG_KONG).0;
        if local % DAY < NIGHT * HOUR {
            let nights = self.nights.entry(who).or_default();
            let (_, last, entries) = nights.entry(local / DAY).or_insert((event.at, event.at, Entries::default()));
            *last = event.at;
            entries.add(entry);
        }
    }

    /// The same for the rule about whose it is.
    fn at_a_colleagues(&mut self, entry: u64, event: &Event, who: Who) {
        if let Some(patient) = event.patient.filter(|patient| self.staff.contains_key(patient)) {
            let new = Finding { patient: Some(patient), count: 0, ..once(Rule::ColleaguesChart, who, event.at) };
            let found = self.charts.entry((who.1, patient)).or_insert(new);
            (found.to, found.count) = (event.at, found.count + 1);
            found.entries.add(entry);
        }
    }

    /// What was found, by rule and time.
    pub(super) fn finish(mut self) -> Vec<Finding> {
        self.found.extend(self.windows.into_values().filter_map(|window| window.open));
        self.found.extend(self.charts.into_values());
        self.found.extend(self.recoveries);
        for (who, nights) in self.nights {
            let mut run: Option<(u64, Finding)> = None;
            for (day, (from, to, entries)) in nights {
                let next = match run.take() {
                    Some((before, mut found)) if before + 1 == day => {
                        found.entries.merge(&entries);
                        Finding { to, count: found.count + 1, ..found }
                    }
                    ended => {
                        self.found.extend(ended.map(|(_, found)| found).filter(|found| found.count >= NIGHTS));
                        Finding { to, entries, ..once(Rule::NightsInARow, who, from) }
                    }
                };
                run = Some((day, next));
            }
            self.found.extend(run.map(|(_, found)| found).filter(|found| found.count >= NIGHTS));
        }
        self.found.sort_by_key(|found| (found.rule, found.from, found.role));
        self.found
    }
}
