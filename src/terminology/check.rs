//! What can be known of a code without its system's list: shape, check digit, chapter.

/// Whether a LOINC code's last digit is the mod-10 (Luhn) check digit of the others.
#[must_use]
pub fn loinc_check_digit(code: &str) -> bool {
    let Some((number, check)) = code.split_once('-') else { return false };
    if number.is_empty() || check.len() != 1 {
        return false;
    }
    let digits: Option<Vec<u32>> = number.chars().rev().map(|c| c.to_digit(10)).collect();
    let (Some(digits), Some(check)) = (digits, check.chars().next().and_then(|c| c.to_digit(10))) else { return false };
    let sum: u32 = digits
        .iter()
        .enumerate()
        .map(|(place, digit)| if place % 2 == 0 { if *digit > 4 { digit * 2 - 9 } else { digit * 2 } } else { *digit })
        .sum();
    (sum + check).is_multiple_of(10)
}

/// Whether an ICPC-2 code has one of the 17 chapters and a two-digit rubric of the symptom (01-29) or the diagnosis (70-99)
/// component, or of the process component (30-69).
#[must_use]
pub fn icpc2_shape(code: &str) -> bool {
    let mut chars = code.chars();
    let chapter = chars.next().is_some_and(|c| "ABDFHKLNPRSTUWXYZ".contains(c));
    let rubric: Option<u32> = Some(chars.as_str()).filter(|rest| rest.len() == 2).and_then(|rest| rest.parse().ok());
    chapter && rubric.is_some_and(|rubric| (1..=99).contains(&rubric))
}

/// Whether an ATC code is whole as far as it goes: A, A10, A10B, A10BA or A10BA02.
#[must_use]
pub fn atc_shape(code: &str) -> bool {
    matches!(code.len(), 1 | 3 | 4 | 5 | 7)
        && code.chars().enumerate().all(|(place, c)| match place {
            0 => "ABCDGHJLMNPRSV".contains(c),
            1 | 2 | 5 | 6 => c.is_ascii_digit(),
            _ => c.is_ascii_uppercase(),
        })
}

/// The main groups of ATC: a letter, and the numbers that stand behind it.
const ATC_GROUPS: [(char, &[u8]); 14] = [
    ('A', &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]),
    ('B', &[1, 2, 3, 5, 6]),
    ('C', &[1, 2, 3, 4, 5, 7, 8, 9, 10]),
    ('D', &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]),
    ('G', &[1, 2, 3, 4]),
    ('H', &[1, 2, 3, 4, 5]),
    ('J', &[1, 2, 4, 5, 6, 7]),
    ('L', &[1, 2, 3, 4]),
    ('M', &[1, 2, 3, 4, 5, 9]),
    ('N', &[1, 2, 3, 4, 5, 6, 7]),
    ('P', &[1, 2, 3]),
    ('R', &[1, 2, 3, 5, 6, 7]),
    ('S', &[1, 2, 3]),
    ('V', &[1, 3, 4, 6, 7, 8, 9, 10, 20]),
];

/// Whether a code of ATC's shape is in a group that ATC has.
#[must_use]
pub fn atc_group(code: &str) -> bool {
    let mut chars = code.chars();
    let group = chars.next().and_then(|letter| ATC_GROUPS.iter().find(|(of, _)| *of == letter));
    let number: String = chars.take(2).collect();
    group.is_some_and(|(_, numbers)| number.is_empty() || number.parse().is_ok_and(|number: u8| numbers.contains(&number)))
}

/// Whether an ICD-10 code looks like one: a letter, two digits, at most one digit after a point.
#[must_use]
pub fn icd10_shape(code: &str) -> bool {
    matches!(code.len(), 3 | 5)
        && code.chars().enumerate().all(|(place, c)| match place {
            0 => c.is_ascii_uppercase(),
            3 => c == '.',
            _ => c.is_ascii_digit(),
        })
}

/// Whether an ICD-9-CM code looks like a diagnosis: 250, 250.00, V58.67, E885.9.
#[must_use]
pub fn icd9cm_shape(code: &str) -> bool {
    let (category, rest) = code.split_once('.').unwrap_or((code, "0"));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let category = match category.strip_prefix('V') {
        Some(number) => number.len() == 2 && digits(number),
        None => category.strip_prefix('E').map_or(category.len() == 3 && digits(category), |n| n.len() == 3 && digits(n)),
    };
    category && matches!(rest.len(), 1 | 2) && digits(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes() {
        for code in ["8480-6", "8462-4", "4548-4", "33914-3", "59408-5", "718-7"] {
            assert!(loinc_check_digit(code), "{code}");
        }
        for code in ["8480-5", "8480", "-6", "84a0-6", ""] {
            assert!(!loinc_check_digit(code), "{code}");
        }
        assert!(icpc2_shape("K86") && !icpc2_shape("C86") && !icpc2_shape("K00") && !icpc2_shape("K8"));
        assert!(atc_shape("A10BA02") && atc_shape("N05C") && !atc_shape("A10BA0") && !atc_shape("E10BA02"));
        assert!(atc_group("A10BA02") && atc_group("V20") && atc_group("N") && !atc_group("A99ZZ99") && !atc_group("C06"));
        assert!(["250", "250.00", "V58.67", "E885.9"].into_iter().all(icd9cm_shape));
        assert!(!["25", "250.", "250.000", "V5", "I10", "E88"].into_iter().any(icd9cm_shape));
        assert!(icd10_shape("I10") && icd10_shape("E11.9") && !icd10_shape("E11.") && !icd10_shape("e11"));
    }
}
