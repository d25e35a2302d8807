//! A point in time as FHIR writes it.

use crate::interop::InteropError;

/// A date, a time to the second and an offset: FHIR's `instant`, which is also a `dateTime`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instant(String);

impl Instant {
    /// Reads `2026-03-01T09:30:00+08:00` (or `Z`, or with a fraction of a second).
    ///
    /// # Errors
    /// [`InteropError::BadTime`] for anything else, such as a day that the month does not have.
    pub fn parse(given: &str) -> Result<Self, InteropError> {
        if is_instant(given).is_some() {
            Ok(Self(given.to_owned()))
        } else {
            Err(InteropError::BadTime { given: given.to_owned() })
        }
    }

    /// As FHIR writes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// From seconds since 1970-01-01T00:00:00Z, in UTC; outside the years 1 to 9999 the nearest that FHIR can write.
    #[must_use]
    pub fn from_unix_seconds(seconds: i64) -> Self {
        const FIRST: i64 = -62_135_596_800; // 0001-01-01T00:00:00Z
        const LAST: i64 = 253_402_300_799; // 9999-12-31T23:59:59Z
        let seconds = seconds.clamp(FIRST, LAST);
        let (year, month, day) = civil(seconds.div_euclid(86_400));
        let second = seconds.rem_euclid(86_400);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        Self(format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"))
    }

    /// Whole seconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn unix_seconds(&self) -> i64 {
        // It has the form that `parse` has looked for, with or without a fraction.
        let number = |from: usize, to: usize| self.0.get(from..to).and_then(|part| part.parse::<i64>().ok()).unwrap_or_default();
        let clock = number(11, 13) * 3600 + number(14, 16) * 60 + number(17, 19);
        let offset = match self.0.len().checked_sub(6).filter(|_| !self.0.ends_with('Z')) {
            Some(sign) => {
                let seconds = number(sign + 1, sign + 3) * 3600 + number(sign + 4, sign + 6) * 60;
                if self.0.get(sign..=sign) == Some("-") { -seconds } else { seconds }
            }
            None => 0,
        };
        days(number(0, 4), number(5, 7), number(8, 10)) * 86_400 + clock - offset
    }

    /// From milliseconds since 1970-01-01T00:00:00Z, in UTC; after the year 9999 the last that FHIR can write.
    #[must_use]
    pub fn from_unix_millis(milliseconds: u64) -> Self {
        let Self(text) = Self::from_unix_seconds(i64::try_from(milliseconds / 1000).unwrap_or(i64::MAX));
        Self(format!("{}.{:03}Z", text.trim_end_matches('Z'), milliseconds % 1000))
    }
}

/// Days since 1970-01-01 to year, month, day in the Gregorian calendar.
///
/// `civil_from_days` of H. Hinnant, "chrono-Compatible Low-Level Date Algorithms": years start in March, eras have 400 of them.
fn civil(days: i64) -> (i64, i64, i64) {
    let from_march_0000 = days + 719_468;
    let era = from_march_0000.div_euclid(146_097);
    let day_of_era = from_march_0000.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

/// Year, month and day in the Gregorian calendar to days since 1970-01-01: `days_from_civil` of the same article.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

fn is_instant(given: &str) -> Option<()> {
    let (date, rest) = given.split_once('T')?;
    let (time, offset) = match rest.strip_suffix('Z') {
        Some(time) => (time, "00:00"),
        None => {
            rest.split_at_checked(rest.rfind(['+', '-'])?).map(|(time, offset)| (time, offset.get(1..).unwrap_or_default()))?
        }
    };
    let (clock, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let [hour, minute, second] = numbers(clock, ':', [2, 2, 2])?;
    let [offset_hour, offset_minute] = numbers(offset, ':', [2, 2])?;
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last_day = match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => 31,
    };
    let in_range = year >= 1
        && (1..=12).contains(&month)
        && (1..=last_day).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60
        && (offset_hour < 14 && offset_minute < 60 || offset_hour == 14 && offset_minute == 0);
    let digits = !fraction.is_empty() && fraction.bytes().all(|b| b.is_ascii_digit());
    (in_range && digits).then_some(())
}

/// As many numbers as there are widths, each of just that many digits.
fn numbers<const N: usize>(text: &str, mark: char, widths: [usize; N]) -> Option<[u32; N]> {
    let mut numbers = [0; N];
    let mut parts = text.split(mark);
    for (number, width) in numbers.iter_mut().zip(widths) {
        let part = parts.next().filter(|part| part.len() == width && part.bytes().all(|b| b.is_ascii_digit()))?;
        *number = part.parse().ok()?;
    }
    parts.next().is_none().then_some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_read_back_as_they_were_written() {
        for seconds in [-62_135_596_800, -1, 0, 951_782_400, 1_772_323_200, 1_795_683_303, 253_402_300_799] {
            assert_eq!(Instant::from_unix_seconds(seconds).unix_seconds(), seconds);
        }
        let local = Instant::parse("2026-03-01T09:30:00.25+08:00").unwrap();
        assert_eq!(local.unix_seconds(), Instant::parse("2026-03-01T01:30:00Z").unwrap().unix_seconds());
        assert_eq!(Instant::parse("2026-02-28T23:30:00-02:30").unwrap().unix_seconds(), local.unix_seconds() + 1800);
    }
}
