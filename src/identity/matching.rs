//! Whether two institutions' patients may be one: Fellegi and Sunter, "A Theory for Record Linkage" (1969).
//!
//! Each thing that both know is compared, and gives log2 of how much more likely that result is for one person than for two. The sum says
//! how far to believe it. The result is a proposal; a person merges.
//!
//! The name is one thing, not two: a romanised name follows from the Chinese one. Where the Chinese characters differ in one and the Latin
//! letters do not, somebody chose another character of that sound; where both differ, it is a brother or a sister.

use super::name::{self, Likeness};
use super::person::{Date, Person, phone_digits};

/// From this sum on a pair is likely one person.
pub const LIKELY: f64 = 16.0;
/// From this sum on a pair may be one person: more than a common birthday and sex give.
pub const POSSIBLE: f64 = 12.0;

/// What was compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Field {
    /// Names, in both scripts.
    Name,
    /// Date of birth.
    Born,
    /// Sex.
    Sex,
    /// Telephone number.
    Phone,
    /// Identity card number.
    Hkid,
}

/// How it compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Agreement {
    /// The same.
    Same,
    /// As if somebody had made a slip.
    Near,
    /// A name that is alike in the one script that both know: a slip, or a brother or sister.
    Alike,
    /// Different.
    Other,
}

/// How sure a proposal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Certainty {
    /// Look at it.
    Possible,
    /// Most of these are one person.
    Likely,
}

/// That two may be one person, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    /// How sure.
    pub certainty: Certainty,
    /// The sum of the weights, in bits.
    pub weight: f64,
    /// What was compared; what one of them does not know is left out.
    pub reasons: Vec<(Field, Agreement, f64)>,
}

/// Compares two. Nothing where they are most likely two people.
///
/// Two different card numbers, each with its right check digit, are never more than possible, and the same number never less. Without a
/// number a different name, or one that is only alike, is never more than possible: twins share all the rest, telephone included, so that
/// the sum, which takes things to be independent, says too much.
#[must_use]
pub fn propose(one: &Person, other: &Person) -> Option<Proposal> {
    let reasons: Vec<_> = [name(one, other), born(one, other), sex(one, other), phone(one, other), hkid(one, other)]
        .into_iter()
        .flatten()
        .map(|(field, agreement)| (field, agreement, weight(field, agreement)))
        .collect();
    let weight = reasons.iter().map(|(_, _, weight)| weight).sum();
    let number = reasons.iter().find(|(field, ..)| *field == Field::Hkid).map(|(_, agreement, _)| *agreement);
    let named = reasons.iter().find(|(field, ..)| *field == Field::Name).map(|(_, agreement, _)| *agreement);
    let is_named = matches!(named, Some(Agreement::Same | Agreement::Near));
    let certainty = match number {
        Some(Agreement::Same) if weight >= LIKELY => Certainty::Likely,
        Some(Agreement::Same) => Certainty::Possible,
        Some(_) if weight >= POSSIBLE => Certainty::Possible,
        None if weight >= LIKELY && is_named => Certainty::Likely,
        None if weight >= POSSIBLE => Certainty::Possible,
        _ => return None,
    };
    Some(Proposal { certainty, weight, reasons })
}

/// log2 of the chance of this result for one person over that for two.
///
/// Chances for two people are of a population of Hong Kong's kind: a tenth of it has the commonest surname, 25,000 birthdays are about
/// equally likely, half are of either sex. Chances for one person are of registration desks: a few in a hundred names and dates have a slip,
/// and numbers of telephones change. The tests measure what comes of it on generated data.
fn weight(field: Field, agreement: Agreement) -> f64 {
    let (one, two): (f64, f64) = match (field, agreement) {
        (Field::Name, Agreement::Same) => (0.90, 0.0005),
        (Field::Name, Agreement::Near) => (0.05, 0.0005),
        (Field::Name, Agreement::Alike) => (0.02, 0.003),
        (Field::Name, Agreement::Other) => (0.03, 0.996),
        (Field::Born, Agreement::Same) => (0.95, 1.0 / 25_000.0),
        (Field::Born, Agreement::Near) => (0.04, 0.002),
        (Field::Born, _) => (0.01, 0.998),
        (Field::Sex, Agreement::Same) => (0.995, 0.5),
        (Field::Sex, _) => (0.005, 0.5),
        (Field::Phone, Agreement::Same) => (0.70, 0.0005),
        (Field::Phone, Agreement::Near) => (0.03, 0.0005),
        (Field::Phone, _) => (0.27, 0.999),
        (Field::Hkid, Agreement::Same) => (0.99, 0.000_001),
        (Field::Hkid, _) => (0.01, 0.999),
    };
    (one / two).log2()
}

fn name(one: &Person, other: &Person) -> Option<(Field, Agreement)> {
    let both = |names: [Option<Vec<char>>; 2]| match names {
        [Some(one), Some(other)] if !one.is_empty() && !other.is_empty() => Some(name::compare_chinese(&one, &other)),
        _ => None,
    };
    let chinese = both([one, other].map(|person| person.chinese.as_ref().map(name::chinese)));
    let romanised = match [one, other].map(|person| person.romanised.as_ref().map(name::tokens)) {
        [Some(one), Some(other)] if !one.is_empty() && !other.is_empty() => Some(name::compare_romanised(&one, &other)),
        _ => None,
    };
    let agreement = match (chinese, romanised) {
        (None, None) => return None,
        (None, Some(Likeness::Same)) | (Some(Likeness::Same), _) => Agreement::Same,
        (None, Some(Likeness::Near)) | (Some(Likeness::Near), None) => Agreement::Alike,
        // Another character of the same sound.
        (Some(Likeness::Near), Some(Likeness::Same)) => Agreement::Near,
        // Another name that sounds the same, or a slip in both scripts.
        (Some(Likeness::Other), Some(Likeness::Same)) | (Some(Likeness::Near), Some(Likeness::Near)) => Agreement::Alike,
        _ => Agreement::Other,
    };
    Some((Field::Name, agreement))
}

fn born(one: &Person, other: &Person) -> Option<(Field, Agreement)> {
    let (one, other) = (one.born?, other.born?);
    let agreement = if one == other {
        Agreement::Same
    } else if one == other.swapped() || one_part_differs(one, other) {
        Agreement::Near
    } else {
        Agreement::Other
    };
    Some((Field::Born, agreement))
}

/// Whether one of year, month and day is another.
fn one_part_differs(one: Date, other: Date) -> bool {
    let differing = [one.year != other.year, one.month != other.month, one.day != other.day];
    differing.into_iter().filter(|differs| *differs).count() == 1
}

fn sex(one: &Person, other: &Person) -> Option<(Field, Agreement)> {
    let same = one.sex? == other.sex?;
    Some((Field::Sex, if same { Agreement::Same } else { Agreement::Other }))
}

fn phone(one: &Person, other: &Person) -> Option<(Field, Agreement)> {
    let (one, other) = (phone_digits(one.phone.as_ref()?), phone_digits(other.phone.as_ref()?));
    if one.is_empty() || other.is_empty() {
        return None;
    }
    let differing = one.chars().zip(other.chars()).filter(|(a, b)| a != b).count();
    let agreement = match differing {
        0 if one.len() == other.len() => Agreement::Same,
        1 | 2 if one.len() == other.len() && (differing == 1 || is_swap(&one, &other)) => Agreement::Near,
        _ => Agreement::Other,
    };
    Some((Field::Phone, agreement))
}

/// Whether two neighbours changed their places.
fn is_swap(one: &str, other: &str) -> bool {
    let differing: Vec<usize> =
        one.bytes().zip(other.bytes()).enumerate().filter(|(_, (a, b))| a != b).map(|(at, _)| at).collect();
    let [first, second] = differing.as_slice() else { return false };
    let at = |text: &str, at: usize| text.as_bytes().get(at).copied();
    first + 1 == *second && at(one, *first) == at(other, *second) && at(one, *second) == at(other, *first)
}

fn hkid(one: &Person, other: &Person) -> Option<(Field, Agreement)> {
    let same = one.hkid.as_ref()? == other.hkid.as_ref()?;
    Some((Field::Hkid, if same { Agreement::Same } else { Agreement::Other }))
}
