//! Drugs taken, started and stopped.

mod answers;
mod aside;
mod conflict;
mod done;
mod ends;
mod mentions;
mod named_before;
mod once;
mod whose;
mod withdrawn;

use std::collections::BTreeSet;
use std::ops::Range;

use self::answers::answered;
use self::mentions::mentions;
use self::named_before::{CHANGE_REACH, all_unchanged, change_named_before, identify, resume_named_before, stop_named_before};
use self::withdrawn::{withdraw_named_before, withdraw_planned};
use super::allergies::Allergies;
use super::list;
use super::regimen::{Amounts, Regimen};
use super::utterance::{Speaker, Utterance};
use super::{IMPLAUSIBLE, LONGEST_SPAN, MISSPELT_CONFIDENCE, evidence_of};
use crate::note::{Allergy, AllergyStatus, Evidence, FormerRegimen, Medication, MedicationStatus, Span, Uncovered};
use crate::terminology::{Drug, DrugKind, Found, Lexicon, Meaning, TermKind};
use crate::text::PatientText;

/// Why a number is not written as a dose.
const WITHOUT_UNIT: &str = "a number without its unit, not written as a dose";
/// Confidence of a drug whose dose was said without a unit.
const UNIT_IMPLIED_CONFIDENCE: f64 = 0.7;
/// How far before a drug a word tells what is done with it.
const BEFORE: usize = 10;

/// A medication and what the plan needs to know of it.
#[derive(Debug, Clone)]
pub struct Course {
    /// The note's entry.
    pub medication: Medication,
    /// Whether the doctor started, changed or stopped it in this talk.
    pub decided: bool,
    /// Whether what is done with it was only assumed of the doctor's naming it.
    assumed: bool,
    /// The strength and the count that its dose is made of.
    amounts: Amounts,
    /// What was said of how it is taken and is not written.
    pub flagged: Vec<Uncovered>,
}

impl Course {
    /// A drug that was only named while all goes on as it was.
    fn unchanged(mut self) -> Self {
        self.medication.status = MedicationStatus::Active;
        self.decided = false;
        self
    }
}

/// What one mention of a drug says.
struct Said {
    drug: usize,
    status: Option<MedicationStatus>,
    /// The status rests on a verb that only tells how it is taken (食, 搽).
    weak: bool,
    withheld: bool,
    /// The status was said in a later clause.
    late: bool,
    regimen: Regimen,
    doctor: bool,
    /// It was asked, or pointed at as one that is known: 五十 mg 嗰隻.
    asked: bool,
    /// The name is not spelt so.
    misspelt: bool,
    evidence: Evidence,
    /// Its name.
    name: Range<usize>,
    text: String,
    told: Told,
}

/// What the document has no number for.
#[derive(Default)]
struct Told {
    /// The words that say how the drug is taken, where a dose and a frequency do not.
    instruction: Option<PatientText>,
    /// What is not written of its dose and frequency.
    flagged: Vec<Uncovered>,
}

impl Told {
    /// Of a regimen that was read in this utterance.
    fn of(regimen: &Regimen, utterance: &Utterance) -> Self {
        let listed = |span: &Range<usize>, reason: &str| {
            let span = Span::new(utterance.id, span.start, span.end.min(span.start + LONGEST_SPAN)).ok()?;
            Some(Uncovered { span, reason: reason.to_owned() })
        };
        let implausible = regimen.implausible.iter().filter_map(|span| listed(span, IMPLAUSIBLE));
        let without_unit = regimen.without_unit.iter().filter_map(|span| listed(span, WITHOUT_UNIT));
        Self {
            instruction: regimen.instruction.clone().map(|words| PatientText::from(utterance.said(words))),
            flagged: implausible.chain(without_unit).collect(),
        }
    }
}

impl Said {
    /// Where what is said of it ends, as far as its own words go.
    fn end(&self) -> usize {
        self.regimen.spans.iter().map(|span| span.end).max().unwrap_or(0).max(self.name.end)
    }

    /// Takes over how others of its list are taken, as far as nothing was said of it.
    fn share(&mut self, how: &Regimen, utterance: &Utterance) {
        if self.withheld || self.regimen.times_per_day.is_some() {
            return;
        }
        let counted = self.regimen.dose.is_none() && how.amounts.counted();
        if counted {
            self.regimen.dose.clone_from(&how.dose);
            self.regimen.amounts.clone_from(&how.amounts);
        }
        self.regimen.times_per_day = how.times_per_day;
        self.regimen.prn |= how.prn;
        let strength: Vec<_> = if counted { Vec::new() } else { how.amounts.spans().collect() };
        for span in how.spans.iter().filter(|span| !strength.contains(span)) {
            if let Some(more) = evidence_of(utterance, span.clone()) {
                self.evidence.merge(&more);
            }
        }
    }

    /// Whether it is told how much or how often.
    const fn told_how(&self) -> bool {
        self.regimen.dose.is_some() || self.regimen.times_per_day.is_some()
    }

    /// Whether its clause names drugs and how they are taken, and says no more.
    fn named_alone(&self, utterance: &Utterance, lexicon: &Lexicon) -> bool {
        let clause = utterance.clause(self.name.start).range;
        list::only_names(utterance, clause, |hit| match hit.meaning {
            Meaning::Term(term) => {
                let kinds = [TermKind::Affirmation, TermKind::Frequency, TermKind::DrugActive, TermKind::Remedy];
                lexicon.term_kind(term).is_some_and(|kind| kinds.contains(&kind))
            }
            // 血壓藥 amlodipine says what for.
            Meaning::Drug(_) | Meaning::Unit(_) | Meaning::Condition(_) | Meaning::Class(_) => true,
            _ => false,
        })
    }
}

impl Course {
    /// Whether it was taken before this talk, and how.
    fn taken(&self) -> bool {
        self.medication.status == MedicationStatus::Active
            && !self.decided
            && (self.medication.dose.is_some() || self.medication.times_per_day.is_some())
    }
}

/// All drugs of the talk, each once: a later dose replaces an earlier one, a drug withheld goes.
#[must_use]
pub fn medications(utterances: &[Utterance], lexicon: &Lexicon, allergies: &Allergies) -> Vec<Course> {
    let mut courses: Vec<(usize, Course)> = Vec::new();
    let all_as_before = utterances.iter().any(|utterance| all_unchanged(utterance, lexicon));
    for (index, utterance) in utterances.iter().enumerate() {
        let previous = index.checked_sub(1).and_then(|before| utterances.get(before));
        // X 你仲有冇食? 間中食粒。 停咗佢: the answer between names no drug.
        let earlier = index.checked_sub(2).and_then(|before| utterances.get(before));
        let earlier = earlier.filter(|before| {
            let names = |hit: &Found| matches!(hit.meaning, Meaning::Drug(_));
            let silent = |between: &Utterance| !between.found.iter().any(names) && !between.chars.contains(&'药');
            before.speaker == utterance.speaker && previous.is_some_and(silent)
        });
        let told = utterances.get(..=index).unwrap_or_default();
        withdraw_named_before(told, lexicon, &mut courses);
        withdraw_planned(told, lexicon, allergies, &mut courses);
        let answered = answered(told, lexicon, &mut courses);
        let asked = previous.is_some_and(|before| asks_for_drugs(before, lexicon));
        let identified = identify(utterance, previous, lexicon, &mut courses);
        for mut said in mentions(utterance, lexicon, asked) {
            said.drug = meant(&said, lexicon, &courses);
            // 即係 X: the name of what was told, and nothing is done with it by that.
            said.asked |= identified == Some(said.drug);
            said.status = said.status.filter(|_| identified != Some(said.drug));
            take(said, lexicon, &mut courses);
        }
        // 食緊 X? 停咗佢: behind what the same turn says of X.
        stop_named_before(utterance, earlier.or(previous), lexicon, &mut courses);
        resume_named_before(told, lexicon, &mut courses);
        let said_before = utterances.get(index.saturating_sub(CHANGE_REACH)..=index).unwrap_or_default();
        if !answered {
            change_named_before(said_before, lexicon, &mut courses);
        }
    }
    let allergic = |course: &Course| {
        // An allergy that was heard by sound alone takes away only what was heard so too.
        let sure = |allergy: &Allergy| allergy.heard_as.is_none() || course.medication.sounds_like.is_some();
        let to = |allergy: &Allergy| allergy.status == AllergyStatus::Present && allergy.substance == course.medication.name;
        allergies.found.iter().any(|allergy| to(allergy) && sure(allergy))
    };
    let narrower = named_by_name(&courses);
    courses
        .into_iter()
        .map(|(_, course)| course)
        .filter(|course| !narrower.contains(&course.medication.name))
        .map(|course| if all_as_before && course.assumed { course.unchanged() } else { course })
        .filter(|course| course.medication.status == MedicationStatus::Stopped || !allergic(course))
        .map(|course| doubted(course, allergies, lexicon))
        .collect()
}

/// A drug planned against an allergy that was told, and not taken back, is in doubt: it stays, and who signs is asked.
fn doubted(mut course: Course, allergies: &Allergies, lexicon: &Lexicon) -> Course {
    let entry = &mut course.medication;
    let drug = lexicon.drugs.iter().find(|drug| drug.name == entry.name);
    let against = drug.is_some_and(|drug| allergies.found.iter().any(|allergy| conflict::between(allergy, drug, lexicon)));
    if entry.status == MedicationStatus::Planned && against {
        entry.confidence = entry.confidence.min(conflict::CONFIDENCE);
    }
    course
}

/// The classes of which a drug was named too: 薄血藥 warfarin is one drug.
fn named_by_name(courses: &[(usize, Course)]) -> BTreeSet<String> {
    let codes = || courses.iter().filter_map(|(_, course)| course.medication.atc.as_deref().map(|atc| (atc, course)));
    let holds = |class: &str| codes().any(|(atc, _)| atc.len() > class.len() && atc.starts_with(class));
    codes().filter(|(class, _)| holds(class)).map(|(_, course)| course.medication.name.clone()).collect()
}

/// What people call by its use, and the class they mean (folded).
const BY_USE: [(&str, &str); 1] = [("去水丸", "C03")];

/// The class of a name by use (folded).
fn by_use(name: &str) -> Option<&'static str> {
    BY_USE.iter().find(|(by_use, _)| *by_use == name).map(|(_, class)| *class)
}

/// 薄血藥由今晚起停, 嗰隻去水丸停咗佢: of the one drug of that class that is taken.
fn meant(said: &Said, lexicon: &Lexicon, courses: &[(usize, Course)]) -> usize {
    let Some(drug) = lexicon.drugs.get(said.drug) else { return said.drug };
    let by_use = by_use(&lexicon.fold().text(&said.text));
    let class = by_use.or(drug.atc.as_deref().filter(|_| drug.kind == DrugKind::Class));
    // 以前食 aspirin,轉薄血丸嗰陣停咗: who takes it tells of the class as such.
    let named = !said.doctor && courses.iter().any(|(_, course)| course.medication.name == drug.name);
    let (Some(class), Some(MedicationStatus::Stopped), false) = (class, said.status, named) else { return said.drug };
    let of_class = |course: &Course| {
        let atc = course.medication.atc.as_deref().unwrap_or_default();
        course.medication.status != MedicationStatus::Planned && atc.len() > class.len() && atc.starts_with(class)
    };
    let mut taken = courses.iter().filter(|(_, course)| of_class(course));
    match (taken.next(), taken.next()) {
        (Some((only, _)), None) => *only,
        _ => said.drug,
    }
}

fn take(said: Said, lexicon: &Lexicon, courses: &mut Vec<(usize, Course)>) {
    let Some(drug) = lexicon.drugs.get(said.drug) else { return };
    // Eye drops and tablets of one name are two where each is told how to take; a name alone is the one told of.
    let told = said.regimen.dose.is_some() || said.regimen.times_per_day.is_some();
    let named = |(other, course): &(usize, Course)| {
        course.medication.name == drug.name && !(told && *other != said.drug && course.medication.times_per_day.is_some())
    };
    let same = courses.iter().position(|(other, _)| *other == said.drug);
    let place = same.or_else(|| courses.iter().position(named));
    if said.withheld {
        match place.and_then(|place| courses.get_mut(place)) {
            Some((_, course)) if course.medication.status == MedicationStatus::Stopped => {}
            // 鐵丸 一日兩次。 上次食鐵丸便秘到喊: what came of it once takes back nothing.
            Some((_, course))
                if !said.doctor
                    && course.medication.status == MedicationStatus::Planned
                    && course.medication.times_per_day.is_some() => {}
            // 食緊 X 一日一次。 X 唔好再食: what is taken so is stopped.
            Some((_, course)) if course.taken() && said.doctor => {
                (course.medication.status, course.decided, course.medication.changed_from) =
                    (MedicationStatus::Stopped, true, None);
                if let crate::note::Provenance::Heard { evidence, .. } = &mut course.medication.provenance {
                    evidence.merge(&said.evidence);
                }
            }
            Some(_) => courses.retain(|(_, course)| course.medication.name != drug.name),
            None => {}
        }
        return;
    }
    match place.and_then(|place| courses.get_mut(place)) {
        Some((_, course)) => update(course, said),
        None => courses.extend(start(said, drug)),
    }
}

/// A new entry, if more was said than the drug's name.
fn start(said: Said, drug: &Drug) -> Option<(usize, Course)> {
    // A number behind a name, and no word of what is done with it, is not enough to say that it is taken.
    let dose = said.regimen.dose.is_some() && !said.regimen.unit_implied;
    let written = dose || said.regimen.times_per_day.is_some() || said.regimen.prn;
    let told = written || said.told.instruction.is_some() || !said.told.flagged.is_empty();
    let class_alone = drug.kind == DrugKind::Class && said.status.is_none() && !told;
    if !(told || said.status.is_some()) || class_alone {
        return None;
    }
    let assumed = if said.doctor { MedicationStatus::Planned } else { MedicationStatus::Active };
    let status = said.status.unwrap_or(assumed);
    let course = Course {
        decided: said.doctor && status != MedicationStatus::Active,
        assumed: said.doctor && (said.status.is_none() || said.weak),
        amounts: said.regimen.amounts.clone(),
        flagged: said.told.flagged,
        medication: Medication {
            text: PatientText::from(said.text),
            name: drug.name.clone(),
            atc: drug.atc.clone(),
            dose: said.regimen.dose,
            times_per_day: said.regimen.times_per_day,
            prn: said.regimen.prn,
            duration_days: said.regimen.duration_days,
            unit_implied: said.regimen.unit_implied,
            changed_from: said.regimen.before.filter(|_| status == MedicationStatus::Planned),
            instruction: said.told.instruction,
            status,
            confidence: match (said.misspelt, said.status) {
                (true, _) => MISSPELT_CONFIDENCE,
                (false, _) if said.regimen.unit_implied => UNIT_IMPLIED_CONFIDENCE,
                (false, Some(_)) => 0.9,
                (false, None) => 0.8,
            },
            sounds_like: said.misspelt.then(|| drug.name.clone()),
            provenance: said.evidence.into(),
        },
    };
    Some((said.drug, course))
}

fn update(course: &mut Course, said: Said) {
    let entry = &mut course.medication;
    let how = said.regimen.dose.is_some() || said.regimen.times_per_day.is_some() || said.told.instruction.is_some();
    course.flagged.extend(said.told.flagged);
    if !how && said.status.is_none() {
        return;
    }
    let taken = entry.status == MedicationStatus::Active;
    let former = FormerRegimen { dose: entry.dose.clone(), times_per_day: entry.times_per_day };
    // A course told in the past does not undo what was decided now.
    let undone = said.status == Some(MedicationStatus::Stopped)
        && entry.status == MedicationStatus::Planned
        && !said.doctor
        && (!course.assumed || entry.dose.is_some() && entry.times_per_day.is_some());
    if let Some(status) = said.status.filter(|_| !undone) {
        entry.status = status;
        course.assumed = false;
        course.decided |= said.doctor && status != MedicationStatus::Active;
    }
    // 食過胃痛咋。 咁得,X 三百 mg: what the doctor says last, with its dose, is given.
    let given = said.doctor && said.status.is_none() && !said.asked && said.regimen.dose.is_some();
    if given && entry.status == MedicationStatus::Stopped && !course.decided {
        (entry.status, course.decided) = (MedicationStatus::Planned, true);
    }
    let told = said.told.instruction.is_some();
    if told {
        (entry.dose, entry.times_per_day, entry.instruction) = (None, None, said.told.instruction);
        course.amounts = Amounts::default();
    } else if said.regimen.dose_struck && said.doctor && entry.status == MedicationStatus::Planned {
        // What cannot be true is not written, and the dose until now is not the new one.
        (entry.dose, course.amounts) = (None, Amounts::default());
    }
    if said.regimen.dose.is_some() {
        entry.instruction = entry.instruction.take().filter(|_| told);
        entry.unit_implied = said.regimen.unit_implied;
        let so_far = std::mem::take(&mut course.amounts);
        let later = said.regimen.amounts;
        let changed = said.doctor && said.status == Some(MedicationStatus::Planned);
        // 加到一千 mg。 即係早晚各兩粒: so many tablets are the new dose, and not so many times of it.
        let same = entry.changed_from.is_some() && later.tablets_alone() && so_far.strength_alone();
        if same {
            course.amounts = so_far;
        } else {
            course.amounts = if changed { so_far.followed_by(later) } else { so_far.completed_by(later) };
            entry.dose = course.amounts.dose().or(said.regimen.dose);
        }
    }
    entry.times_per_day = said.regimen.times_per_day.or(entry.times_per_day);
    entry.duration_days = said.regimen.duration_days.or(entry.duration_days);
    entry.prn |= said.regimen.prn;
    // Taken so far in one way, and from now on in another: the way so far is kept for the wording.
    let before = said.regimen.before.or((taken && said.doctor && how).then_some(former));
    let differs = |before: &FormerRegimen| (&before.dose, before.times_per_day) != (&entry.dose, entry.times_per_day);
    let told = |before: &FormerRegimen| before.dose.is_some() || before.times_per_day.is_some();
    if let Some(before) = before.filter(|before| told(before) && differs(before)) {
        entry.changed_from = Some(before);
    }
    if entry.status != MedicationStatus::Planned || said.regimen.dose_struck {
        entry.changed_from = None;
    }
    if !said.misspelt && entry.sounds_like.take().is_some() {
        entry.confidence = 0.9;
    }
    if let crate::note::Provenance::Heard { evidence, .. } = &mut entry.provenance {
        evidence.merge(&said.evidence);
    }
}

/// 食開咩藥? What is named in answer is taken.
fn asks_for_drugs(utterance: &Utterance, lexicon: &Lexicon) -> bool {
    utterance.clauses().iter().any(|clause| {
        let has = |kinds: &[TermKind]| utterance.has(lexicon, clause.range.clone(), kinds);
        let words = utterance.folded(clause.range.clone());
        let which = words.iter().any(|c| matches!(c, '咩' | '什' | '边')) || has(&[TermKind::OpenQuestion]);
        let asks = clause.asked || which || has(&[TermKind::Question, TermKind::QuestionEnd]);
        let drugs = (words.contains(&'药') || has(&[TermKind::AnyDrug, TermKind::Remedy])) && !has(&[TermKind::Allergy]);
        let takes = has(&[TermKind::DrugActive, TermKind::DrugPlanned]) || words.iter().any(|c| matches!(c, '食' | '用'));
        utterance.speaker != Speaker::Patient && asks && drugs && takes
    })
}
