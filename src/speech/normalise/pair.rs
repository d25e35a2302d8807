//! A blood pressure: 一百四十五 over 九十, 一三六比八八.

use super::Change;
use super::reading::Reading;

/// What is said between the two.
const BETWEEN: [&str; 4] = ["over", "比", "對", "/"];
/// mmHg that a living person has; what lies outside is no pressure.
const SYSTOLIC: std::ops::RangeInclusive<f64> = 60.0..=300.0;
const DIASTOLIC: std::ops::RangeInclusive<f64> = 30.0..=200.0;

/// The pairs, written with a stroke. What stands between them tells what they are, so a number may be clipped or in two digits.
pub(super) fn pressures(chars: &[char], readings: &[Reading]) -> Vec<Change> {
    let pairs = readings.windows(2);
    pairs
        .filter_map(|pair| {
            let [upper, lower] = pair else { return None };
            let between: String = chars.get(upper.range.end..lower.range.start).unwrap_or_default().iter().collect();
            let between = between.trim().to_ascii_lowercase();
            let (high, low) = (upper.value?, lower.value?);
            let pressure = SYSTOLIC.contains(&high) && DIASTOLIC.contains(&low) && high > low;
            let whole = high.fract() == 0.0 && low.fract() == 0.0;
            (pressure && whole && BETWEEN.contains(&between.as_str()))
                .then(|| Change { said: upper.range.start..lower.range.end, written: format!("{high}/{low}") })
        })
        .collect()
}
