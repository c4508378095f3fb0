//! One time on some days of the week: what a recurrence of Auto Scaling is here, as cron has it.

use std::fmt;
use std::str::FromStr;
use std::time::SystemTime;

use jiff::{Timestamp, ToSpan, Zoned};

use super::hours::{Days, HoursError, Time, Zone};

/// One time on some days of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Weekly {
    /// When.
    pub time: Time,
    /// On which days.
    pub days: Days,
}

impl Weekly {
    /// That many minutes later. Beyond midnight it is another day's.
    #[must_use]
    pub fn later(self, minutes: u32) -> Self {
        let (time, days) = Time::after_midnight(self.time.minute() + minutes);
        Self { time, days: self.days.later(days) }
    }

    /// When it comes next, after that moment.
    pub fn next(self, after: SystemTime, zone: &Zone) -> Option<Zoned> {
        let now = Timestamp::try_from(after).ok()?.to_zoned(zone.rules().clone());
        let (hour, minute) = (self.time.minute() / 60, self.time.minute() % 60);
        let (hour, minute) = (i8::try_from(hour).ok()?, i8::try_from(minute).ok()?);
        // A week and a day: what is today may be over.
        (0..=7).find_map(|days| {
            let date = now.date().checked_add(days.days()).ok()?;
            let number = usize::try_from(date.weekday().to_sunday_zero_offset()).ok()?;
            // A time that a day lacks, where clocks go forward, is taken as the clock then shows.
            let at = date.at(hour, minute, 0, 0).to_zoned(zone.rules().clone()).ok()?;
            (self.days.contain(number) && at > now).then_some(at)
        })
    }
}

impl fmt::Display for Weekly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers: Vec<_> = self.days.numbers().collect();
        let mut runs = Vec::new();
        for run in numbers.chunk_by(|one, next| one + 1 == *next) {
            match run {
                [first, .., last] if run.len() > 2 => runs.push(format!("{first}-{last}")),
                few => runs.extend(few.iter().map(usize::to_string)),
            }
        }
        let days = if numbers.len() == 7 { "*".to_owned() } else { runs.join(",") };
        let minute = self.time.minute();
        write!(f, "{} {} * * {days}", minute % 60, minute / 60)
    }
}

impl FromStr for Weekly {
    type Err = HoursError;

    /// Only what is written here is read: the same letters, and nothing beyond.
    fn from_str(text: &str) -> Result<Self, HoursError> {
        let of = |text: &str| {
            let fields: Vec<_> = text.split(' ').collect();
            let &[minute, hour, "*", "*", days] = fields.as_slice() else { return None };
            let time: Time = format!("{hour:0>2}:{minute:0>2}").parse().ok()?;
            let mut numbers: Vec<usize> = Vec::new();
            for part in days.split(',').filter(|_| days != "*") {
                let (first, last) = part.split_once('-').unwrap_or((part, part));
                let (first, last) = (first.parse().ok()?, last.parse::<usize>().ok()?);
                if last > 6 {
                    return None;
                }
                numbers.extend(first..=last);
            }
            if days == "*" {
                numbers.extend(0..7);
            }
            let weekly = Self { time, days: Days::of(numbers)? };
            (weekly.to_string() == text).then_some(weekly)
        };
        of(text).ok_or_else(|| HoursError::Recurrence(text.to_owned()))
    }
}
