//! How old somebody is on a day.

use serde::{Deserialize, Serialize};

use crate::identity::Date;

/// Whole years, and the whole months after them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Age {
    /// Whole years.
    pub years: u16,
    /// Whole months since the last birthday, 0 to 11.
    pub months: u8,
}

impl Age {
    /// The age on `today` of who was born on `born`; none before that day.
    #[must_use]
    pub fn on(born: Date, today: Date) -> Option<Self> {
        if today < born {
            return None;
        }
        let ((year, month, day), (then_year, then_month, then_day)) = (today.parts(), born.parts());
        let months = i32::from(year) * 12 + i32::from(month) - i32::from(then_year) * 12 - i32::from(then_month);
        let months = months - i32::from(day < then_day);
        Some(Self { years: u16::try_from(months / 12).ok()?, months: u8::try_from(months % 12).ok()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_year_is_full_on_the_birthday_and_not_before() {
        let date = |text: &str| Date::parse(text).unwrap();
        for (born, today, years, months) in [
            ("1961-03-02", "2026-03-01", 64, 11),
            ("1961-03-02", "2026-03-02", 65, 0),
            ("2026-01-31", "2026-02-28", 0, 0),
            ("2026-01-31", "2026-03-31", 0, 2),
            ("2024-02-29", "2025-02-28", 0, 11),
            ("2024-02-29", "2025-03-01", 1, 0),
            ("2026-11-26", "2026-11-26", 0, 0),
        ] {
            assert_eq!(Age::on(date(born), date(today)), Some(Age { years, months }), "{born} {today}");
        }
        assert_eq!(Age::on(date("2026-11-27"), date("2026-11-26")), None);
    }
}
