//! Which day comes later.

use super::{Date, IdentityError};

impl Date {
    /// The day so many days later.
    ///
    /// # Errors
    /// [`IdentityError::Date`] after the year 65535, which no calendar here goes to.
    pub fn later(self, days: u16) -> Result<Self, IdentityError> {
        let mut day = self;
        for _ in 0..days {
            day = day.next()?;
        }
        Ok(day)
    }

    fn next(self) -> Result<Self, IdentityError> {
        let Self { year, month, day } = self;
        Self::new(year, month, day + 1)
            .or_else(|_| Self::new(year, month + 1, 1))
            .or_else(|_| Self::new(year.checked_add(1).ok_or(IdentityError::Date)?, 1, 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_read_written_and_counted() {
        let later = |from: &str, days| Date::parse(from).unwrap().later(days).unwrap().reveal();
        assert_eq!(later("2026-11-26", 0), "2026-11-26");
        assert_eq!(later("2026-12-31", 1), "2027-01-01");
        assert_eq!(later("2028-02-28", 1), "2028-02-29");
        assert_eq!(later("2100-02-28", 1), "2100-03-01");
        assert_eq!(later("2026-01-01", 365), "2027-01-01");
        for wrong in ["", "2026-1-1", "2026-02-30", "2026-11-26-", "26-11-2026", "2026-11-26T", "２０２６-11-26", "2026-13-01"]
        {
            assert!(Date::parse(wrong).is_err(), "{wrong}");
        }
    }
}
