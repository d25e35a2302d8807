//! Comparing names, in Chinese and in Latin letters.

use crate::text::PatientText;

/// How alike two names are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Likeness {
    /// Another name.
    Other,
    /// One character or a few letters apart.
    Near,
    /// The same name, written in whatever order; one may have a Western name beside it.
    Same,
}

/// Below this likeness two romanised names are others.
const NEAR: f64 = 0.93;

/// The characters of a Chinese name.
pub(super) fn chinese(name: &PatientText) -> Vec<char> {
    name.reveal().chars().filter(|c| !c.is_whitespace() && !c.is_ascii_punctuation() && *c != '·').collect()
}

/// The parts of a romanised name in capitals.
pub(super) fn tokens(name: &PatientText) -> Vec<String> {
    let upper = name.reveal().to_uppercase();
    upper.split(|c: char| !c.is_alphabetic()).filter(|token| !token.is_empty()).map(str::to_owned).collect()
}

/// Compares two Chinese names.
pub(super) fn compare_chinese(one: &[char], other: &[char]) -> Likeness {
    if one == other {
        return Likeness::Same;
    }
    let differing = one.iter().zip(other).filter(|(a, b)| a != b).count();
    let near = one.len() == other.len() && one.len() > 1 && differing == 1;
    if near { Likeness::Near } else { Likeness::Other }
}

/// Compares two romanised names: surname first or last, given name in one word or two.
pub(super) fn compare_romanised(one: &[String], other: &[String]) -> Likeness {
    let (ones, others) = (orders(one), orders(other));
    if ones.iter().any(|one| others.contains(one)) {
        return Likeness::Same;
    }
    let (short, long) = if one.len() <= other.len() { (one, other) } else { (other, one) };
    let without = |at: usize| long.iter().enumerate().filter(move |(other, _)| *other != at).map(|(_, token)| token.clone());
    let one_more =
        (0..long.len()).any(|at| orders(&without(at).collect::<Vec<_>>()).iter().any(|order| orders(short).contains(order)));
    if short.len() > 1 && one_more {
        return Likeness::Same;
    }
    let pairs = ones.iter().flat_map(|one| others.iter().map(move |other| (one, other)));
    if pairs.map(|(one, other)| jaro_winkler(one, other)).any(|likeness| likeness >= NEAR) {
        Likeness::Near
    } else {
        Likeness::Other
    }
}

/// The name as one word: as it is, the first part last, the last part first.
fn orders(tokens: &[String]) -> Vec<Vec<char>> {
    let word = |tokens: &[String]| tokens.concat().chars().collect();
    let mut turned = tokens.to_vec();
    let mut orders = vec![word(&turned)];
    if turned.len() > 1 {
        turned.rotate_left(1);
        orders.push(word(&turned));
        turned.rotate_right(2);
        orders.push(word(&turned));
    }
    orders
}

/// Likeness from 0 to 1 after Jaro and Winkler, with the usual prefix of four letters at a tenth each.
fn jaro_winkler(one: &[char], other: &[char]) -> f64 {
    let window = (one.len().max(other.len()) / 2).saturating_sub(1);
    let mut taken = vec![false; other.len()];
    let mut matched = Vec::new();
    for (at, letter) in one.iter().enumerate() {
        let near = other.iter().zip(&mut taken).enumerate().skip(at.saturating_sub(window)).take(at.min(window) + window + 1);
        if let Some((_, (_, taken))) = near.into_iter().find(|(_, (other, taken))| letter == *other && !**taken) {
            *taken = true;
            matched.push(*letter);
        }
    }
    if matched.is_empty() {
        return 0.0;
    }
    let in_order = other.iter().zip(&taken).filter(|(_, taken)| **taken).map(|(letter, _)| letter);
    let moved = matched.iter().zip(in_order).filter(|(a, b)| a != b).count() as f64 / 2.0;
    let count = matched.len() as f64;
    let jaro = (count / one.len() as f64 + count / other.len() as f64 + (count - moved) / count) / 3.0;
    let prefix = one.iter().zip(other).take(4).take_while(|(a, b)| a == b).count() as f64;
    jaro + prefix * 0.1 * (1.0 - jaro)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letters(word: &str) -> Vec<char> {
        word.chars().collect()
    }

    #[test]
    fn likeness_is_that_of_the_literature() {
        for (one, other, expected) in [("MARTHA", "MARHTA", 0.961), ("DIXON", "DICKSONX", 0.813), ("DWAYNE", "DUANE", 0.840)] {
            let likeness = jaro_winkler(&letters(one), &letters(other));
            assert!((likeness - expected).abs() < 0.001, "{one} {other}: {likeness}");
        }
    }

    #[test]
    fn a_name_is_the_same_in_any_order() {
        let compare = |one: &str, other: &str| compare_romanised(&tokens(&one.into()), &tokens(&other.into()));
        for other in ["CHAN Tai Man", "Chan, Tai-man", "Tai Man Chan", "CHAN TAIMAN", "chan tai man", "Peter CHAN TAIMAN"] {
            assert_eq!(compare("CHAN Tai Man", other), Likeness::Same, "{other}");
        }
        for other in ["CHAN Tai Mam", "CHAN Tia Man"] {
            assert_eq!(compare("CHAN Tai Man", other), Likeness::Near, "{other}");
        }
        for other in ["CHAN Siu Ming", "WONG Tai Man", "", "CHAN"] {
            assert_eq!(compare("CHAN Tai Man", other), Likeness::Other, "{other}");
        }
        let compare = |one: &str, other: &str| compare_chinese(&chinese(&one.into()), &chinese(&other.into()));
        assert_eq!(compare("陳大文", "陳 大文"), Likeness::Same);
        assert_eq!(compare("陳大文", "陳大民"), Likeness::Near);
        assert_eq!(compare("陳大文", "陳文"), Likeness::Other);
        assert_eq!(compare("陳大文", "黃小明"), Likeness::Other);
    }
}
