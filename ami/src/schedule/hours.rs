//! Times of the day, days of the week and time zones, as people write them. All of it is read
//! strictly: what is not written as it should be is refused, and never guessed at.

use std::fmt;
use std::str::FromStr;

use jiff::tz::TimeZone;

/// The minutes of a day.
pub(super) const DAY: u32 = 24 * 60;

/// The days as people name them, in the order of cron's numbers.
const NAMES: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// What is not written as it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HoursError {
    /// No time of the day.
    #[error("'{0}' is no time of the day such as 07:30")]
    Time(String),
    /// No days.
    #[error("'{0}' is no list of days such as mon-fri or mon,wed,fri")]
    Days(String),
    /// No time zone.
    #[error("'{0}' is no time zone of the IANA database such as Europe/Warsaw")]
    Zone(String),
    /// No recurrence of the kind that is made here.
    #[error("'{0}' is no time of some days of the week, as cron has it")]
    Recurrence(String),
}

/// A time of the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time {
    minute: u32,
}

impl Time {
    /// How many minutes after midnight.
    pub fn minute(self) -> u32 {
        self.minute
    }

    /// The time that many minutes after midnight, and how many days later that is.
    pub fn after_midnight(minutes: u32) -> (Self, u32) {
        (Self { minute: minutes % DAY }, minutes / DAY)
    }
}

impl FromStr for Time {
    type Err = HoursError;

    fn from_str(text: &str) -> Result<Self, HoursError> {
        let number = |digits: &str, below: u32| {
            let are_digits = digits.len() == 2 && digits.bytes().all(|it| it.is_ascii_digit());
            digits.parse().ok().filter(|number: &u32| are_digits && *number < below)
        };
        let of = |text: &str| {
            let (hour, minute) = text.split_once(':')?;
            Some(number(hour, 24)? * 60 + number(minute, 60)?)
        };
        let minute = of(text).ok_or_else(|| HoursError::Time(text.to_owned()))?;
        Ok(Self { minute })
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.minute / 60, self.minute % 60)
    }
}

/// Days of the week: at least one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Days {
    are: [bool; 7],
}

impl Days {
    /// The days of these numbers, Sunday being 0. None of them is no answer.
    pub fn of(numbers: impl IntoIterator<Item = usize>) -> Option<Self> {
        let mut are = [false; 7];
        for number in numbers {
            *are.get_mut(number)? = true;
        }
        are.contains(&true).then_some(Self { are })
    }

    /// Their numbers, Sunday being 0.
    pub fn numbers(self) -> impl Iterator<Item = usize> {
        (0..7).filter(move |number| self.are[*number])
    }

    /// Whether the day of this number is among them.
    pub fn contain(self, number: usize) -> bool {
        self.are.get(number).is_some_and(|is| *is)
    }

    /// The days that many days after these.
    #[must_use]
    pub fn later(self, days: u32) -> Self {
        let mut are = self.are;
        are.rotate_right((days % 7) as usize);
        Self { are }
    }
}

impl FromStr for Days {
    type Err = HoursError;

    fn from_str(text: &str) -> Result<Self, HoursError> {
        let of = |text: &str| {
            let mut numbers = Vec::new();
            for part in text.split(',') {
                let number = |name: &str| NAMES.iter().position(|known| *known == name);
                let (first, last) = part.split_once('-').unwrap_or((part, part));
                let (first, last) = (number(first)?, number(last)?);
                let count = (last + 7 - first) % 7;
                // A range of one day, as 'mon-mon' is, may be meant for the whole week.
                if part.contains('-') && count == 0 {
                    return None;
                }
                numbers.extend((0..=count).map(|more| (first + more) % 7));
            }
            let days = Self::of(numbers.iter().copied())?;
            (days.numbers().count() == numbers.len()).then_some(days)
        };
        of(text).ok_or_else(|| HoursError::Days(text.to_owned()))
    }
}

impl fmt::Display for Days {
    /// As people write them: the week begins with Monday.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let from_monday: [usize; 7] = std::array::from_fn(|at| (at + 1) % 7);
        let mut parts: Vec<String> = Vec::new();
        let mut runs = from_monday.split(|number| !self.contain(*number));
        let runs = runs.by_ref().filter(|run| !run.is_empty());
        for run in runs {
            match run {
                [first, .., last] if run.len() > 2 => {
                    parts.push(format!("{}-{}", NAMES[*first], NAMES[*last]));
                }
                few => parts.extend(few.iter().map(|number| NAMES[*number].to_owned())),
            }
        }
        write!(f, "{}", parts.join(","))
    }
}

/// A time zone, by its name in the IANA database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone {
    name: String,
    zone: TimeZone,
}

impl Zone {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its rules.
    pub fn rules(&self) -> &TimeZone {
        &self.zone
    }
}

impl FromStr for Zone {
    type Err = HoursError;

    fn from_str(text: &str) -> Result<Self, HoursError> {
        let unknown = || HoursError::Zone(text.to_owned());
        let zone = TimeZone::get(text).map_err(|_| unknown())?;
        // Names are known in any case of their letters; AWS takes only the right one.
        if zone.iana_name() != Some(text) {
            return Err(unknown());
        }
        Ok(Self { name: text.to_owned(), zone })
    }
}
