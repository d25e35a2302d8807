//! What the tables hold: conditions, drugs, allergens, measurements and the small words around them.

use super::system;

/// A disease, symptom or sign.
#[derive(Debug, Clone)]
pub struct ConditionConcept {
    /// WHO ICD-10 2019.
    pub icd10: String,
    /// ICPC-2, where one fits.
    pub icpc2: Option<String>,
    /// Whether it is something felt or seen rather than a disease: "had it once" then says little.
    pub symptom: bool,
    /// Whether it stays for life: diabetes said of the past is still there.
    pub chronic: bool,
    /// English name.
    pub en: String,
    /// Traditional Chinese name.
    pub zh: String,
    /// Codes that a hospital's own map adds.
    pub local: Vec<LocalCode>,
}

impl ConditionConcept {
    /// All its codes: the system's URI and the code, ours first.
    #[must_use]
    pub fn codes(&self) -> Vec<(String, String)> {
        let ours = std::iter::once((system::ICD10, &self.icd10)).chain(self.icpc2.iter().map(|code| (system::ICPC2, code)));
        let ours = ours.map(|(system, code)| (system.to_owned(), code.clone()));
        ours.chain(self.local.iter().map(|local| (local.system.clone(), local.code.clone()))).collect()
    }
}

/// A code that a hospital gives a condition besides ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalCode {
    /// URI of the code system.
    pub system: String,
    /// The code.
    pub code: String,
}

/// What sort of thing a drug row names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DrugKind {
    /// A substance or combination.
    Drug,
    /// Only a class (`hypnotic`): it is listed when nothing closer was said.
    Class,
    /// A vaccine.
    Vaccine,
}

/// A drug by its British generic name.
#[derive(Debug, Clone)]
pub struct Drug {
    /// Lower case, combinations joined by `/`.
    pub name: String,
    /// WHO ATC, where the substance has one.
    pub atc: Option<String>,
    /// Substance, class or vaccine.
    pub kind: DrugKind,
}

impl Drug {
    /// Whether it is an insulin, which is told in degrees: 十六度.
    #[must_use]
    pub fn is_insulin(&self) -> bool {
        self.atc.as_deref().is_some_and(|atc| atc.starts_with("A10A"))
    }
}

/// A measurement with the range outside which a number is a slip.
#[derive(Debug, Clone)]
pub struct ObservationKind {
    /// LOINC code.
    pub loinc: String,
    /// Name in English.
    pub en: String,
    /// Name in Traditional Chinese.
    pub zh: String,
    /// UCUM unit of the value.
    pub unit: String,
    /// Least plausible value.
    pub low: f64,
    /// Greatest plausible value.
    pub high: f64,
}

/// What a unit measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnitKind {
    /// An amount of a drug.
    Dose,
    /// A stretch of time; the factor gives days.
    Time,
    /// How often (`次`, `times`).
    Times,
    /// What a measurement comes in; the factor brings it to the UCUM unit named.
    Measure,
}

/// A unit and what brings a number in it to the one written.
#[derive(Debug, Clone)]
pub struct Unit {
    /// What it measures.
    pub kind: UnitKind,
    /// UCUM code; `d` for time.
    pub ucum: String,
    /// Multiplies the number said.
    pub factor: f64,
}

/// A word that is no finding itself.
#[derive(Debug, Clone)]
pub struct Term {
    /// What it does (`negation`, `family`, `referral`, ...), as the table names it.
    pub kind: TermKind,
    /// The table's argument: times a day, a name, nothing.
    pub value: String,
}

macro_rules! term_kinds {
    ($($(#[doc = $doc:literal])* $name:ident = $word:literal,)*) => {
        /// What a small word does.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum TermKind { $($(#[doc = $doc])* $name,)* }

        impl TermKind {
            /// The kind that the table calls by this word.
            #[must_use]
            pub fn parse(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$name),)* _ => None }
            }
        }
    };
}

term_kinds! {
    /// Denies what follows in its clause (`冇`, `no`).
    Negation = "negation",
    /// Denies the very next words only (`唔`).
    NegationNear = "negation-near",
    /// Says that what it names is not so (`唔係`, `唔似`): also a whole answer.
    NotSo = "not-so",
    /// A result that excludes what stands before it (`陰性`).
    NegativeResult = "negative-result",
    /// Affirms (`有`, `係`): ends a denial, answers a question.
    Affirmation = "affirmation",
    /// Asks whether (`有冇`, `係咪`).
    Question = "question",
    /// Makes the words before it a question (`嗎`, `咩`).
    QuestionEnd = "question-end",
    /// Asks how or how long, and takes for granted that it is there (`幾耐`).
    OpenQuestion = "open-question",
    /// Fears (`驚係`): what it names is not claimed.
    Worry = "worry",
    /// Suspects (`懷疑`, `可能`).
    Uncertain = "uncertain",
    /// Suspects what stands before it or was asked (`都可能`).
    UncertainAfter = "uncertain-after",
    /// To be excluded (`排除`).
    RuleOut = "rule-out",
    /// Once (`以前`, `細個`).
    History = "history",
    /// Done or had once, said after the word (`過`).
    HistoryAfter = "history-after",
    /// Over (`好返`).
    Resolved = "resolved",
    /// Still, again, by now (`而家`, `一直`).
    Ongoing = "ongoing",
    /// At this moment (`而家`, `今朝`).
    Now = "now",
    /// Had it once, as a whole answer (`出過`).
    HadOnce = "had-once",
    /// A word for medicine that is given without its name (`藥膏`).
    Remedy = "remedy",
    /// Everything goes on as it was (`照舊`).
    Unchanged = "unchanged",
    /// Something to do or leave in daily life (`食`, `瞓`), for advice.
    Activity = "activity",
    /// Tells to do or leave something (`唔好`, `記得`).
    Advise = "advise",
    /// Thought of for later (`考慮`): nothing is prescribed by it.
    Deferred = "deferred",
    /// A relative; the value `child` marks those who may be the patient.
    Family = "family",
    /// Not the patient and not family (`朋友`).
    Other = "other",
    /// The speaker or the patient (`我`, `自己`).
    Oneself = "self",
    /// The patient when a relative speaks (`佢`).
    Third = "third",
    /// If (`如果`).
    Hypothetical = "hypothetical",
    /// Advice that makes what precedes it a mere condition (`即刻去急症`).
    SafetyNet = "safety-net",
    /// But: ends a scope.
    Contrast = "contrast",
    /// A drug's unwanted effect.
    SideEffect = "side-effect",
    /// Words that only look like another term.
    Nothing = "nothing",
    /// Taken now (`食緊`).
    DrugActive = "drug-active",
    /// Started or changed today (`開`, `轉`).
    DrugPlanned = "drug-planned",
    /// Stopped (`停咗`).
    DrugStopped = "drug-stopped",
    /// Considered and not given (`唔用`).
    DrugWithheld = "drug-withheld",
    /// How often; the value is times a day.
    Frequency = "frequency",
    /// Takes back what was just said (`講錯`), where a clause begins with it.
    Corrected = "corrected",
    /// Leads to the dose from now on (`加到`, `今晚起`).
    ChangedTo = "changed-to",
    /// When needed.
    Prn = "prn",
    /// One dose only.
    Once = "once",
    /// Allergy (`敏感`).
    Allergy = "allergy",
    /// What an allergy looks like (`出疹`).
    Reaction = "reaction",
    /// Tolerated (`食得`).
    Tolerated = "tolerated",
    /// Drugs as such (`藥物`).
    AnyDrug = "any-drug",
    /// Come back.
    FollowUp = "follow-up",
    /// Sick leave.
    SickLeave = "sick-leave",
    /// Refer.
    Refer = "refer",
    /// A service to refer to.
    Service = "service",
    /// A test.
    Test = "test",
    /// Does a test (`照`, `抽`).
    TestVerb = "test-verb",
    /// Something done to the patient.
    Procedure = "procedure",
    /// Advice on living.
    Lifestyle = "lifestyle",
    /// Will, shall, let us.
    Future = "future",
    /// Was done.
    Past = "past",
    /// Need not.
    NoNeed = "no-need",
    /// Taken outside this visit (`屋企`).
    Elsewhere = "elsewhere",
    /// Before now (`舊年`, `前日`).
    Before = "before",
    /// From then on (`後`).
    After = "after",
    /// Between two pressures.
    Over = "over",
    /// Per kilogram.
    PerWeight = "per-weight",
    /// Change, not a level (`瘦咗`).
    Change = "change",
    /// A part of the body or a complaint, for what led to nothing.
    Salient = "salient",
    /// Left.
    Left = "left",
    /// Right.
    Right = "right",
    /// Both sides.
    Both = "both",
    /// Smoking.
    Smoking = "smoking",
    /// Drinking.
    Alcohol = "alcohol",
    /// Pressures (`血壓`).
    Pressure = "pressure",
}

/// What a row of a table stands for, where a lexicon is asked for without some of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry<'a> {
    /// A condition, by its ICD-10 code.
    Condition(&'a str),
    /// A drug, by its name.
    Drug(&'a str),
    /// An allergen that is no drug, by its name.
    Allergen(&'a str),
    /// A measurement, by its LOINC code.
    Observation(&'a str),
}
