//! Matching on people made up here: slips, changed names and numbers, twins, families.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::text::PatientText;

/// Surnames with their share, most common first, in both scripts.
const SURNAMES: [(&str, &str, u64); 20] = [
    ("陳", "CHAN", 100),
    ("黃", "WONG", 80),
    ("李", "LEE", 75),
    ("梁", "LEUNG", 60),
    ("林", "LAM", 50),
    ("張", "CHEUNG", 45),
    ("吳", "NG", 40),
    ("何", "HO", 35),
    ("劉", "LAU", 35),
    ("鄭", "CHENG", 30),
    ("葉", "YIP", 25),
    ("郭", "KWOK", 25),
    ("曾", "TSANG", 20),
    ("蔡", "CHOI", 20),
    ("許", "HUI", 15),
    ("鄧", "TANG", 15),
    ("馮", "FUNG", 12),
    ("馬", "MA", 10),
    ("歐陽", "AU YEUNG", 3),
    ("司徒", "SZETO", 3),
];
/// Characters of given names with their sound; the second of each sound stands for a slip of the keyboard.
const GIVEN: [(char, char, &str); 24] = [
    ('志', '至', "CHI"),
    ('明', '鳴', "MING"),
    ('家', '嘉', "KA"),
    ('偉', '瑋', "WAI"),
    ('強', '鏹', "KEUNG"),
    ('文', '聞', "MAN"),
    ('大', '帶', "TAI"),
    ('國', '幗', "KWOK"),
    ('華', '樺', "WAH"),
    ('玲', '齡', "LING"),
    ('慧', '惠', "WAI"),
    ('美', '鎂', "MEI"),
    ('儀', '宜', "YEE"),
    ('詩', '思', "SZE"),
    ('敏', '閔', "MAN"),
    ('俊', '雋', "CHUN"),
    ('傑', '桀', "KIT"),
    ('浩', '皓', "HO"),
    ('欣', '昕', "YAN"),
    ('怡', '頤', "YEE"),
    ('子', '紫', "TSZ"),
    ('穎', '瑩', "WING"),
    ('安', '鞍', "ON"),
    ('健', '鍵', "KIN"),
];

/// SplitMix64: numbers that are the same on every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

/// Somebody, before any desk has typed it.
#[derive(Clone)]
struct Truth {
    surname: (&'static str, &'static str),
    given: Vec<usize>,
    western: Option<&'static str>,
    born: Date,
    sex: Sex,
    phone: String,
    hkid: String,
}

fn somebody(random: &mut Random) -> Truth {
    let total: u64 = SURNAMES.iter().map(|(.., share)| share).sum();
    let mut left = random.below(total);
    let surname = SURNAMES.iter().find(|(.., share)| {
        let here = left < *share;
        left = left.saturating_sub(*share);
        here
    });
    let (chinese, latin, _) = surname.unwrap();
    let characters = if random.chance(90) { 2 } else { 1 };
    Truth {
        surname: (chinese, latin),
        given: (0..characters).map(|_| random.below(GIVEN.len() as u64) as usize).collect(),
        western: random.chance(40).then(|| ["PETER", "MARY", "JOHN", "AMY", "KEN", "JOYCE"][random.below(6) as usize]),
        born: Date::new(1935 + random.below(80) as u16, 1 + random.below(12) as u8, 1 + random.below(28) as u8).unwrap(),
        sex: if random.chance(52) { Sex::Female } else { Sex::Male },
        phone: format!("{}{:07}", [5, 6, 9][random.below(3) as usize], random.below(10_000_000)),
        hkid: number(random),
    }
}

fn number(random: &mut Random) -> String {
    let body = format!("{}{:06}", char::from(b'A' + random.below(26) as u8), random.below(1_000_000));
    "0123456789A".chars().map(|check| format!("{body}{check}")).find(|number| Hkid::parse(number).is_ok()).unwrap()
}

/// Born at the same time of the same parents: one character of the name in common, and the parents' telephone.
fn twin(random: &mut Random, of: &Truth) -> Truth {
    let mut given = of.given.clone();
    let last = given.len() - 1;
    given[last] = (given[last] + 1 + random.below(GIVEN.len() as u64 - 1) as usize) % GIVEN.len();
    let western = random.chance(40).then_some("ALEX");
    Truth { given, western, hkid: number(random), ..of.clone() }
}

/// As a desk has it: slips, and what is not known.
fn typed(random: &mut Random, truth: &Truth) -> Person {
    let mut characters: Vec<char> = truth.given.iter().map(|at| GIVEN[*at].0).collect();
    if random.chance(4) {
        let at = random.below(characters.len() as u64) as usize;
        characters[at] = GIVEN[truth.given[at]].1;
    }
    let (mut surname, mut latin) = truth.surname;
    // Married, or otherwise renamed.
    if random.chance(1) {
        (surname, latin) = ("杜", "TO");
    }
    let sounds: Vec<&str> = truth.given.iter().map(|at| GIVEN[*at].2).collect();
    let mut romanised = match random.below(4) {
        0 => format!("{latin}, {}", sounds.join("-")),
        1 => format!("{} {latin}", sounds.join(" ")),
        2 => format!("{latin} {}", sounds.concat()),
        _ => format!("{latin} {}", sounds.join(" ")),
    };
    if let Some(western) = truth.western.filter(|_| random.chance(50)) {
        romanised = format!("{romanised} {western}");
    }
    if random.chance(3) {
        let mut letters: Vec<char> = romanised.chars().collect();
        let at = random.below(letters.len() as u64) as usize;
        letters[at] = char::from(b'A' + random.below(26) as u8);
        romanised = letters.into_iter().collect();
    }
    let Date { mut year, mut month, mut day } = truth.born;
    match random.below(100) {
        0 | 1 if day <= 12 => (month, day) = (day, month),
        2 => year += 1,
        3 => day = 1 + random.below(28) as u8,
        _ => {}
    }
    let phone = match random.below(100) {
        0..20 => somebody(random).phone,
        20..22 => truth.phone.replacen('1', "7", 1),
        _ => truth.phone.clone(),
    };
    let text = |text: String| Some(PatientText::from(text));
    Person {
        chinese: if random.chance(90) { text(surname.chars().chain(characters).collect()) } else { None },
        romanised: if random.chance(95) { text(romanised) } else { None },
        born: Some(Date::new(year, month, day).unwrap()),
        sex: Some(truth.sex),
        phone: if random.chance(85) { text(phone) } else { None },
        hkid: if random.chance(50) { Some(Hkid::parse(&truth.hkid).unwrap()) } else { None },
    }
}

/// Precision and recall of what is proposed as likely, and of all that is proposed.
fn measured(seed: u64, people: usize) -> [(f64, f64); 2] {
    let (random, key) = (&mut Random(seed), IndexKey::from_bytes([1; 32]));
    let mut truths: Vec<Truth> = (0..people).map(|_| somebody(random)).collect();
    // Of thirty people one is a twin: three times as many as there are.
    let twins: Vec<Truth> = (0..people / 30).map(|at| twin(random, &truths[at])).collect();
    truths.extend(twins);
    let both: [Vec<Person>; 2] = [0, 1].map(|_| truths.iter().map(|truth| typed(random, truth)).collect());
    let mut index: BTreeMap<KeyedHash, Vec<usize>> = BTreeMap::new();
    for (at, person) in both[1].iter().enumerate() {
        person.keys(&key).unwrap().into_iter().for_each(|key| index.entry(key).or_default().push(at));
    }
    let (mut right, mut wrong) = ([0_u32; 2], [0_u32; 2]);
    for (at, person) in both[0].iter().enumerate() {
        let keys = person.keys(&key).unwrap();
        let candidates: BTreeSet<usize> = keys.iter().filter_map(|key| index.get(key)).flatten().copied().collect();
        for candidate in candidates {
            let Some(proposal) = propose(person, &both[1][candidate]) else { continue };
            let count = if candidate == at { &mut right } else { &mut wrong };
            count[1] += 1;
            count[0] += u32::from(proposal.certainty == Certainty::Likely);
        }
    }
    [0, 1].map(|at| {
        let (right, wrong) = (f64::from(right[at]), f64::from(wrong[at]));
        (right / (right + wrong), right / truths.len() as f64)
    })
}

#[test]
fn proposals_are_mostly_right_and_mostly_found() {
    for seed in [1, 2, 3] {
        let [(precision, recall), (all_precision, all_recall)] = measured(seed, 3000);
        println!("seed {seed}: likely {precision:.4} precision, {recall:.4} recall; all {all_precision:.4}, {all_recall:.4}");
        assert!(precision > 0.99 && recall > 0.9, "{precision} {recall}");
        assert!(all_precision > 0.9 && all_recall > 0.985, "{all_precision} {all_recall}");
    }
}

fn person(chinese: &str, romanised: &str, born: (u16, u8, u8), phone: &str) -> Person {
    Person {
        chinese: Some(chinese.into()),
        romanised: Some(romanised.into()),
        born: Some(Date::new(born.0, born.1, born.2).unwrap()),
        sex: Some(Sex::Male),
        phone: Some(phone.into()),
        hkid: None,
    }
}

fn certainty(one: &Person, other: &Person) -> Option<Certainty> {
    let (there, back) = (propose(one, other), propose(other, one));
    assert_eq!(there.as_ref().map(|p| p.weight), back.as_ref().map(|p| p.weight), "it does not matter who is first");
    there.map(|proposal| proposal.certainty)
}

#[test]
fn slips_are_borne_and_twins_are_two() {
    let somebody = person("陳大文", "CHAN Tai Man", (1980, 3, 5), "91234567");
    let likely = Some(Certainty::Likely);
    assert_eq!(certainty(&somebody, &somebody), likely);
    assert_eq!(certainty(&somebody, &person("陳大文", "Tai Man Chan", (1980, 5, 3), "+852 9123 4567")), likely, "day and month");
    assert_eq!(
        certainty(&somebody, &person("陳大聞", "CHAN Tai Man", (1980, 3, 5), "91234576")),
        likely,
        "a slip in name and phone"
    );
    // Renamed, the rest the same: for a person to look at.
    assert!(certainty(&somebody, &person("杜美玲", "TO Mei Ling", (1980, 3, 5), "91234567")).is_some());
    // A twin has the birthday, the surname, half of the name and the parents' telephone.
    let twin = person("陳大明", "CHAN Tai Ming", (1980, 3, 5), "91234567");
    assert_ne!(certainty(&somebody, &twin), likely);
    // A namesake has the name alone, a neighbour in the waiting room the birthday alone.
    assert_eq!(certainty(&somebody, &person("陳大文", "CHAN Tai Man", (1951, 7, 9), "61112222")), None);
    assert_eq!(certainty(&somebody, &person("黃小明", "WONG Siu Ming", (1980, 3, 5), "61112222")), None);
}

#[test]
fn a_card_number_outweighs_the_rest_and_another_one_is_never_likely() {
    let hkid = |number: &str| Some(Hkid::parse(number).unwrap());
    let one = Person { hkid: hkid("A123456(3)"), ..person("陳大文", "CHAN Tai Man", (1980, 3, 5), "91234567") };
    let other = Person { hkid: hkid("E364912(5)"), ..one.clone() };
    assert_eq!(certainty(&one, &other), Some(Certainty::Possible));
    let renamed = Person { hkid: hkid("A123456(3)"), ..person("杜美玲", "TO Mei Ling", (1980, 3, 5), "61112222") };
    assert_eq!(certainty(&one, &renamed), Some(Certainty::Likely));
    let borrowed = Person { hkid: hkid("A123456(3)"), ..person("黃小明", "WONG Siu Ming", (1999, 12, 31), "61112222") };
    assert_eq!(certainty(&one, &borrowed), Some(Certainty::Possible), "a borrowed card: a person looks at it");
    assert_eq!(certainty(&Person::default(), &one), None);
}

#[test]
fn nothing_of_a_person_shows() {
    let somebody = Person {
        hkid: Some(Hkid::parse("A123456(3)").unwrap()),
        ..person("陳大文", "CHAN Tai Man", (1980, 3, 5), "91234567")
    };
    let shown = format!("{somebody:?} {:?}", somebody.keys(&IndexKey::from_bytes([1; 32])).unwrap());
    for secret in ["陳", "CHAN", "1980", "9123", "A123456"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}
